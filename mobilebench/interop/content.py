"""Turn the content of a file into the text that a tool printed."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from mobilebench.errors import SchemaError

_MARKS = (
    # UTF-32's mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LINE_ENDS = re.compile(r"\r+\n|\r")
_TIME = r"(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,6}"
_PREFIX = re.compile(
    rf"^(?:{_TIME}(?: [+-]\d{{4}})?\s+(?:\S+\s+)?\d+\s+\d+ [VDIWEFA] [^:\n]*: ?"
    rf"|{_TIME}:? [VDIWEFA]/[^(:\n]*\(\s*\d+\): ?"
    rf"|[VDIWEFA]/[^(:\n]*\(\s*\d+\): ?"
    rf"|{_TIME}\s+\d+-\d+\s+\S+\s+\S+\s+[VDIWEFA]\s+"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z )",
    re.MULTILINE,
)
"""What logcat (threadtime, time, brief, Android Studio) and a CI service put before each line."""
_MOST_DAMAGED = 0.05
"""Share of unreadable characters above which a file is not taken for text."""


@dataclass(frozen=True)
class Content:
    """The text of a file, without colours and prefixes of logs."""

    text: str
    damaged: bool
    """Some bytes are not UTF-8; the text holds U+FFFD in their place."""


def decoded(content: bytes, name: str) -> Content:
    """Decode UTF-8, UTF-16 and UTF-32. Raises `SchemaError` for content that is not text."""
    encoding = _encoding(content)
    try:
        text = content.decode(encoding, errors="replace" if encoding == "utf-8-sig" else "strict")
    except UnicodeDecodeError as error:
        raise SchemaError(
            f"{name} is {encoding.upper()} that cannot be decoded ({error.reason}); it may have "
            f"been cut off."
        ) from error
    if not text.strip():
        raise SchemaError(f"{name} is empty; there is nothing to import.")
    damage = text.count("\ufffd")
    if "\0" in text or damage > _MOST_DAMAGED * len(text):
        raise SchemaError(
            f"{name} is not text; give what a tool printed, its JSON, or a table in CSV."
        )
    text = _LINE_ENDS.sub("\n", _COLOURS.sub("", text))
    return Content(_PREFIX.sub("", text), damaged=damage > 0)


def _encoding(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    # Latin text in UTF-16 has a zero in every second byte, and only there.
    if len(content) >= 2 and content[1::2].count(0) * 4 > len(content) and 0 not in content[::2]:
        return "utf-16-le"
    if len(content) >= 2 and content[::2].count(0) * 4 > len(content) and 0 not in content[1::2]:
        return "utf-16-be"
    return "utf-8-sig"
