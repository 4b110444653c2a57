"""Why the process that measures ended, from what Android notes and logs of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mobilebench_device_runners._adb.app import PACKAGE, RUNNER
from mobilebench_device_runners._adb.command import Adb, quoted

# ApplicationExitInfo of Android 11 and newer.
_REASONS = {
    1: "it ended itself",
    2: "a signal ended it",
    3: "the phone was short of memory",
    4: "it crashed",
    5: "it crashed in native code",
    6: "it did not answer the system",
    7: "it could not start",
    8: "a permission of it was changed",
    9: "it took too much of the phone",
    10: "the user ended it, or removed the app from the list of recent ones",
    11: "the user was stopped",
    12: "what it depends on ended",
    13: "the system ended it",
    14: "the system froze it",
    15: "the app was switched off",
    16: "the app was updated",
}
_FATAL = re.compile(r"(?:Fatal signal \d+ \([^)]*\)|FATAL EXCEPTION[^\n]*|lowmemorykiller[^\n]*)")


@dataclass(frozen=True)
class Start:
    """When a run was started, by the phone's own clock and words."""

    logged: str
    """As `logcat -T` takes it."""
    wall: str
    """As Android notes the end of a process."""


def start(adb: Adb) -> Start:
    """Return the phone's time."""
    text = adb.shell("date '+%Y-%m-%d %H:%M:%S'").text.strip()
    return Start(logged=f"{text[5:]}.000", wall=text)


def why(adb: Adb, since: Start | None, name: str) -> str | None:
    """Say in a clause why the process that did a job ended; None where nothing tells."""
    noted = _noted(adb, since)
    logged = _logged(adb, since, name)
    return ": ".join(filter(None, (noted, logged))) or None


def _noted(adb: Adb, since: Start | None) -> str | None:
    """Return what the system noted, from Android 11 on."""
    text = adb.shell(quoted("dumpsys", "activity", "exit-info", PACKAGE)).text
    for part in re.split(r"ApplicationExitInfo #\d+:", text)[1:]:
        words = " ".join(part.split())
        time = re.search(r"timestamp=(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", words)
        of = re.search(r"process=(\S+) reason=(\d+)", words)
        if of is None or of[1] != RUNNER:
            continue
        if since is not None and time is not None and time[1] < since.wall:
            continue
        reason = _REASONS.get(int(of[2]), f"the system gives the reason {of[2]}")
        description = re.search(r"description=(.*?) state=", words)
        more = description[1] if description and description[1] != "null" else ""
        return f"{reason} ({more})" if more else reason
    return None


def _logged(adb: Adb, since: Start | None, name: str) -> str | None:
    """Return the app's own line about the job, or the system's about a crash."""
    time = ("-T", since.logged) if since else ("-t", "200")
    filters = ("mobilebench:I", "DEBUG:F", "libc:F", "AndroidRuntime:E", "lowmemorykiller:I", "*:S")
    text = adb.shell(quoted("logcat", "-d", "-v", "brief", *time, *filters)).text
    own = [line for line in text.split("\n") if "mobilebench" in line and f"{name}: " in line]
    if own:
        words = own[-1].split(f"{name}: ", 1)[1].strip()
        return None if words == "done" else words
    fatal = _FATAL.findall(text)
    return fatal[-1] if fatal else None
