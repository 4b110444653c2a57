"""Just enough of Swift's grammar to find names, blocks and conditions in a source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_LEXEMES = re.compile(
    r'(?P<line>//[^\n]*)|(?P<block>/\*)|(?P<raw>(?P<marks>#+)"(?:"")?)|(?P<long>""")|(?P<text>")'
)
_OPEN = {"{": "}", "(": ")", "[": "]"}


def masked(text: str) -> str:
    """Return a source of the same length with blanks for comments and what is in quotes.

    Code in `\\(...)` inside a string is blanked too.
    """
    out = list(text)
    at = 0
    while match := _LEXEMES.search(text, at):
        if match["line"]:
            end = match.end()
        elif match["block"]:
            end = _comment_end(text, match.end())
        elif match["raw"]:
            quote = match[0].lstrip("#")
            end = text.find(quote + match["marks"], match.end())
            end = len(text) if end < 0 else end + len(quote + match["marks"])
        else:
            end = _string_end(text, match.end(), match[0])
        for index in range(match.start(), end):
            if out[index] != "\n":
                out[index] = " "
        at = end
    return "".join(out)


def _comment_end(text: str, at: int) -> int:
    depth = 1
    for match in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return len(text)


def _string_end(text: str, at: int, quote: str) -> int:
    """Return where a string ends; `at` is behind its opening quote."""
    while at < len(text):
        if text.startswith(quote, at):
            return at + len(quote)
        if text.startswith("\\(", at):
            at = _interpolation_end(text, at + 2)
        elif text[at] == "\\":
            at += 2
        else:
            at += 1
    return at


def _interpolation_end(text: str, at: int) -> int:
    depth = 1
    while at < len(text) and depth:
        if text[at] == '"':
            at = _string_end(text, at + 1, '"')
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def close_of(code: str, start: int) -> int:
    """Return the index of what closes the bracket at `start`; the end where nothing does."""
    opening, closing = code[start], _OPEN[code[start]]
    depth = 0
    for index in range(start, len(code)):
        depth += {opening: 1, closing: -1}.get(code[index], 0)
        if not depth:
            return index
    return len(code)


def block_around(code: str, at: int) -> tuple[int, int]:
    """Return the braces of the innermost block around an index; the whole where there is none."""
    depth = 0
    for index in range(at - 1, -1, -1):
        depth += {"}": 1, "{": -1}.get(code[index], 0)
        if depth < 0:
            return index, close_of(code, index)
    return -1, len(code)


@dataclass(frozen=True)
class Named:
    """A type or extension in a source."""

    name: str
    start: int
    """Index of its keyword."""
    open: int
    close: int
    head: str
    """What stands between its name and its opening brace: what it inherits from."""


_TYPE = re.compile(
    r"\b(?:class|struct|enum|actor|extension|protocol)\s+(?!func\b|var\b|let\b|subscript\b)"
    r"([A-Z_][\w.]*)([^{}\n;]*(?:\n[^{}\n;]*)*?)\{"
)


def types(code: str) -> list[Named]:
    """Return the types and extensions of a masked source, outer ones before inner ones."""
    rows = []
    for match in _TYPE.finditer(code):
        start = match.end() - 1
        rows.append(Named(match[1], match.start(), start, close_of(code, start), match[2]))
    return rows


def path_of(rows: list[Named], at: int) -> list[str]:
    """Return the names of the types around an index, the outermost first."""
    return [row.name for row in rows if row.open < at < row.close]


def sources(folder: Path) -> list[Path]:
    """Return the Swift files below a folder, sorted."""
    return sorted(folder.rglob("*.swift"))
