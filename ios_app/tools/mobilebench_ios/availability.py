"""Cut Swift sources down to what an older iOS has, so that missing guards are found.

Swift checks `#available` only for the system that it compiles for. Cut to a level, a source has
only what runs there: in the app what newer guards hold is replaced, in the declarations what is
newer is marked as unavailable. What the compiler then refuses lacks a guard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mobilebench.errors import UserError
from mobilebench_ios.swift_source import block_around, close_of, masked

Level = tuple[int, int]
OLDEST: Level = (16, 0)
"""The oldest iOS that the app runs on."""
_MARK = re.compile(r"@available\s*\(\s*(?=[^)]*\bios\b)([^)]*)\)", re.IGNORECASE)
_QUESTION = re.compile(r"#(un)?available\s*\(([^)]*)\)")
_IOS = re.compile(r"\biOS\s+(\d+)(?:\.(\d+))?")
_STATEMENT = re.compile(r"\b(if|guard|while)\b")


def level_of(text: str) -> Level | None:
    """Return the version of iOS in what stands between the parentheses of a guard or mark."""
    match = _IOS.search(text)
    return (int(match[1]), int(match[2] or 0)) if match else None


def levels(texts: Iterable[str]) -> list[Level]:
    """Return every level at which sources change: the oldest, and each that they name."""
    named = {OLDEST}
    for text in texts:
        code = masked(text)
        given = [match[1] for match in _MARK.finditer(code)]
        given += [match[2] for match in _QUESTION.finditer(code)]
        named |= {level for each in given if (level := level_of(each)) and level > OLDEST}
    return sorted(named)


def cut(text: str, level: Level, *, removes: bool = False) -> str:
    """Return a source with only what a level of iOS has; lines stay where they are.

    With `removes`, what is newer is taken out instead of marked as unavailable. Raises
    `UserError` for a guard in a form that is not understood.
    """
    out: list[str] = []
    code = masked(text)
    at = 0
    for start, end, instead in _edits(code, level, removes):
        if start < at:
            continue  # it is inside what was replaced
        lines = code.count("\n", start, end) - instead.count("\n")
        out += [text[at:start], instead, "\n" * lines]
        at = end
    return "".join(out) + text[at:]


def _edits(code: str, level: Level, removes: bool) -> list[tuple[int, int, str]]:
    rows = []
    for match in _MARK.finditer(code):
        given = level_of(match[1])
        if given and given > level and removes:
            rows.append((match.start(), _end_of_declaration(code, match.end()), ""))
        elif given and given > level:
            rows.append((match.start(), match.end(), "@available(*, unavailable)"))
    for match in _QUESTION.finditer(code):
        given = level_of(match[2])
        line = code.count("\n", 0, match.start()) + 1
        if match[1]:
            raise UserError(f"line {line} asks #unavailable; ask #available, with an else")
        if given is None:
            raise UserError(f"line {line} asks for no version of iOS")
        if given > level:
            rows += _replaced(code, match.start(), line)
    return sorted(rows)


def _end_of_declaration(code: str, at: int) -> int:
    """Return where the declaration behind an attribute ends."""
    case = re.compile(r"\s*case\b[^\n]*").match(code, at)
    return case.end() if case else close_of(code, code.index("{", at)) + 1


def _replaced(code: str, at: int, line: int) -> list[tuple[int, int, str]]:
    """Return the edits that take a guard as answered with no."""
    before = list(_STATEMENT.finditer(code, 0, at))
    if not before:
        raise UserError(f"line {line} asks #available in no if, guard or while")
    brace = code.index("{", at)
    if before[-1][1] != "guard":
        return [(at, close_of(code, brace) + 1, "false { fatalError() }")]
    behind = code.index("else", at)
    brace = code.index("{", behind)
    rest = close_of(code, brace) + 1
    end = block_around(code, at)[1]
    return [(at, behind, "false "), (rest, end, "; fatalError() ")]
