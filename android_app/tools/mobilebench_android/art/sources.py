"""The sources of Android's core libraries, with what they need to fit Debian's libraries."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench_android.art.fetched import fetch
from mobilebench_android.fetching import Report, silent
from mobilebench_android.outputs import files_key, made


@dataclass(frozen=True)
class Edit:
    """A text of a source that another one takes the place of."""

    path: str
    old: str
    new: str
    times: int = 1
    """How often it is there."""


_LUNI, _OJLUNI = "luni/src/main/native", "ojluni/src/main"
EDITS = (
    # Android's ICU4J has methods and a class that the published one does not have.
    Edit(
        f"{_OJLUNI}/java/java/text/DecimalFormat.java",
        "android.icu.text.DecimalFormat_ICU58_Android",
        "android.icu.text.DecimalFormat",
        times=4,
    ),
    Edit(
        f"{_OJLUNI}/java/sun/util/locale/provider/CalendarDataUtility.java",
        "new DateFormatSymbols(ULocale.forLocale(locale), calendarType)",
        "new DateFormatSymbols(ULocale.forLocale(locale))",
    ),
    Edit(
        f"{_OJLUNI}/java/java/time/format/DateTimeFormatterBuilder.java",
        """Calendar.getDateTimeFormatString(
                ULocale.forLocale(locale), chrono.getCalendarType(),
                convertStyle(dateStyle), convertStyle(timeStyle));""",
        """((android.icu.text.SimpleDateFormat) android.icu.text.DateFormat.getDateTimeInstance(
                convertStyle(dateStyle), convertStyle(timeStyle),
                ULocale.forLocale(locale))).toPattern();""",
    ),
    # Debian's ICU holds its data in a library, Android's in a file.
    Edit(
        f"{_LUNI}/libcore_icu_ICU.cpp",
        '#include "ureslocs.h"',
        '#define U_ICUDATA_CURR U_ICUDATA_NAME "-curr"',
    ),
    Edit(f"{_LUNI}/libcore_icu_ICU.cpp", "udata_setFileAccess(UDATA_NO_FILES, &status);", ""),
    Edit(
        f"{_LUNI}/libcore_icu_ICU.cpp",
        """icu_datamap_from_runtime_module_ = IcuDataMap::Create(getRuntimeModulePath());
    if (icu_datamap_from_runtime_module_ == nullptr) {""",
        "if (false) {",
    ),
    # Debian has no sources of fdlibm.
    Edit(f"{_OJLUNI}/native/StrictMath.c", "../../external/fdlibm/fdlibm.h", "strict_math.h"),
)


def edited(report: Report = silent) -> Path:
    """Return a folder with the sources, edited. Raises as `fetch`, and as `edit`."""
    original = fetch("libcore", report)

    def make(folder: Path) -> None:
        shutil.copytree(original, folder, dirs_exist_ok=True)
        for each in EDITS:
            edit(folder, each)

    key = files_key([("edits", Path(__file__)), ("parts", Path(__file__).with_name("parts.toml"))])
    return made("art-sources", key, make, report)


def edit(folder: Path, change: Edit) -> None:
    """Change a source. Raises `UserError` where it does not hold the text that is changed."""
    path = folder / change.path
    text = path.read_text(encoding="utf-8")
    count = text.count(change.old)
    if count != change.times:
        raise UserError(
            f"{change.path} was to be edited; it holds {change.old!r} {count} times, and "
            f"{change.times} were expected; write the edits for this version of it"
        )
    path.write_text(text.replace(change.old, change.new), encoding="utf-8")
