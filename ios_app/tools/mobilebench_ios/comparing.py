"""Compare our declarations of Apple's frameworks with what Apple's Objective-C declares.

A type or member is looked up by its name in Swift. Where Apple names the Swift one differently, a
comment above it says so: `objc: NAME`. What exists in Swift only has the page that documents it:
`swift: ADDRESS`. A type may have both, where Swift's is another one around that of Objective-C.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench_android.fetching import Report, silent
from mobilebench_ios.availability import OLDEST, Level, level_of
from mobilebench_ios.objective_c import Declarations, Member, declarations, headers
from mobilebench_ios.swift_source import close_of, masked, sources

_DECLARATION = re.compile(
    r"^[ \t]*(?P<words>(?:@[\w.]+(?:\([^)\n]*\))?[ \t]+)*(?:[a-z]\w*(?:\(\w+\))?[ \t]+)*?)"
    r"(?P<kind>class|struct|enum|actor|protocol|extension|func|init|var|let|case|typealias|subscript"
    r"|precedencegroup|associatedtype)\b(?!\s+(?:func|var|let|subscript)\b)"
    r"[ \t]*(?P<name>`?[\w.]+`?|[(?!])?",
    re.MULTILINE,
)
_TYPES = {"class", "struct", "enum", "actor", "protocol", "extension"}
_COMMENT = re.compile(r"^\s*///\s*(swift|objc):\s*(\S+)\s*$")
_ATTRIBUTE = re.compile(r"^\s*(?:@[\w.]+(?:\([^)]*\))?\s*)+$")
_CASE = re.compile(r"(?:\((?:\w+:\s*)?(?P<payload>[\w.]+)\))?(?:[ \t]*=[ \t]*(?P<value>\S+))?")
_AVAILABLE = re.compile(r"@available\(([^)]*)\)")


@dataclass(frozen=True)
class Declared:
    """One of our declarations."""

    place: str
    """File and line, for messages."""
    kind: str
    owner: tuple[str, ...]
    """Names of the types around it."""
    name: str
    labels: tuple[str, ...]
    since: Level
    page: str | None
    """Where it is documented, for what exists in Swift only."""
    objc: str | None
    """Its name in Objective-C, where that is another one."""
    value: str | None
    """Of a case of an enumeration, as written."""
    payload: str | None
    """The type that a case of an enumeration carries."""
    ending: str
    """How its selector ends: for an error, for a handler that an asynchronous one stands for."""

    @property
    def title(self) -> str:
        """As messages name it."""
        labels = "".join(f"{each}:" for each in self.labels)
        shown_labels = f"({labels})" if self.kind in ("func", "init") else ""
        return ".".join((*self.owner, self.name)) + shown_labels


@dataclass(frozen=True)
class Verdict:
    """What became of a declaration."""

    declared: Declared
    how: str
    """`compared`, `documented` or `wrong`."""
    reason: str = ""


def declared(path: Path, text: str | None = None) -> list[Declared]:
    """Return the declarations of a source, without those that only make it compile."""
    text = path.read_text(encoding="utf-8") if text is None else text
    code = masked(text)
    lines = text.splitlines()
    rows: list[Declared] = []
    owners: list[tuple[int, int, str, str | None]] = []
    closed = 0
    for match in _DECLARATION.finditer(code):
        at = match.start("kind")
        if at < closed:
            continue  # in the body of a function or property
        owners = [each for each in owners if each[0] < at < each[1]]
        line = code.count("\n", 0, at)
        page, objc, marks = _above(lines, line)
        if objc is None and page is None and owners:
            page = owners[-1][3]
        since = max(_level(marks + match["words"]), OLDEST)
        kind, name = match["kind"], (match["name"] or "").strip("`")
        end, labels = _extent(code, match, kind)
        if kind in _TYPES:
            opening = code.index("{", match.end())
            owners.append((opening, close_of(code, opening), name, None if objc else page))
        else:
            closed = end
        if "override" in match["words"] or "private" in match["words"]:
            continue
        if name == "rawValue" or labels == ("rawValue",):
            continue  # of Swift's own protocols
        case = _CASE.match(code, match.end()) if kind == "case" else None
        rows.append(
            Declared(
                f"{path.name}:{line + 1}", kind,
                tuple(each[2] for each in (owners[:-1] if kind in _TYPES else owners)),
                "init" if kind == "init" else name, labels, since, page, objc,
                case["value"] if case else None, case["payload"] if case else None,
                _ending(code, match, kind),
            )
        )  # fmt: skip
    return rows


def _above(lines: list[str], line: int) -> tuple[str | None, str | None, str]:
    """Return the page, the name in Objective-C, and the attributes above a line."""
    named: dict[str, str] = {}
    marks = ""
    for index in range(line - 1, -1, -1):
        if comment := _COMMENT.match(lines[index]):
            named[comment[1]] = comment[2]
        elif _ATTRIBUTE.match(lines[index]):
            marks += lines[index]
        elif not lines[index].strip().startswith("///"):
            break
    return named.get("swift"), named.get("objc"), marks


def _level(marks: str) -> Level:
    return max((level_of(each) or OLDEST for each in _AVAILABLE.findall(marks)), default=OLDEST)


def _extent(code: str, match: re.Match[str], kind: str) -> tuple[int, tuple[str, ...]]:
    """Return where a declaration ends, and the labels of its arguments."""
    end = match.end()
    labels: tuple[str, ...] = ()
    if kind in ("func", "init", "subscript"):
        opening = code.index("(", match.start("kind"))
        end = close_of(code, opening) + 1
        labels = tuple(_labels(code[opening + 1 : end - 1]))
    if kind in ("func", "init", "subscript", "var"):
        # The body, where there is one: a brace before the next line that has no sign of more.
        rest = re.compile(r"[^\n{]*(?:\n[ \t]+(?:where|->|\)|throws|async)[^\n{]*)*\{").match(
            code, end
        )
        if rest:
            end = close_of(code, rest.end() - 1) + 1
    return end, labels


def _ending(code: str, match: re.Match[str], kind: str) -> str:
    if kind not in ("func", "init"):
        return ""
    close = close_of(code, code.index("(", match.start("kind")))
    effects = re.compile(r"\s*(async)?\s*(throws)?").match(code, close + 1)
    if effects and effects[1]:
        return "Handler"
    return "Error" if effects and effects[2] else ""


def _labels(inputs: str) -> Iterator[str]:
    depth, part = 0, ""
    for before, letter in zip(" " + inputs, inputs + "", strict=False):
        arrow = letter == ">" and before == "-"
        depth += (
            0
            if arrow
            else {"(": 1, "[": 1, "<": 1, "{": 1, ")": -1, "]": -1, ">": -1, "}": -1}.get(letter, 0)
        )
        if letter == "," and not depth:
            yield _label(part)
            part = ""
        else:
            part += letter
    if part.strip():
        yield _label(part)


def _label(part: str) -> str:
    words = re.sub(r"@\w+(?:\([^)]*\))?\s*", "", part.partition(":")[0]).split()
    return words[0]


def compare(rows: list[Declared], apple: Declarations) -> list[Verdict]:
    """Return what became of every declaration of a module."""
    types = {
        (*row.owner, *row.name.split(".")): row
        for row in rows
        if row.kind in _TYPES - {"extension"}
    }
    claims = [row for row in rows if row.kind != "extension" or row.objc]
    return [_verdict(row, types, apple) for row in claims]


def _verdict(row: Declared, types: dict[tuple[str, ...], Declared], apple: Declarations) -> Verdict:
    if row.page and not row.objc:
        return Verdict(row, "documented")
    around = [types[row.owner[:n]] for n in range(1, len(row.owner) + 1) if row.owner[:n] in types]
    since = max([row.since, *(each.since for each in around)])
    if row.kind in _TYPES:
        found_since = _type_since(row, apple, types)
    else:
        found_since = _member_since(row, types, apple)
    if found_since is None:
        return Verdict(row, "wrong", "Apple's Objective-C has no such thing")
    if max(found_since, OLDEST) != since:
        have, want = (".".join(map(str, each)) for each in (since, max(found_since, OLDEST)))
        return Verdict(row, "wrong", f"it is declared for iOS {have}, and is there since {want}")
    return Verdict(row, "compared")


def _type_names(path: tuple[str, ...], types: dict[tuple[str, ...], Declared]) -> Iterator[str]:
    """Yield the names that a Swift type may have in Objective-C."""
    row = types.get(path)
    if row is not None and row.objc:
        yield row.objc
    for count in range(len(path) - 1, 0, -1):
        outer = types.get(path[:count])
        if outer is not None and outer.objc:
            yield outer.objc + "".join(path[count:])
    joined = "".join(path)
    yield from (joined, f"NS{joined}", f"{joined}Protocol")


def _type_since(
    row: Declared, apple: Declarations, types: dict[tuple[str, ...], Declared]
) -> Level | None:
    for name in _type_names((*row.owner, *row.name.split(".")), types):
        if name in apple.types:
            return max(apple.types[name].since, _outer_since(row, apple, types))
        if name in apple.free:
            return apple.free[name].since
    return None


def _outer_since(
    row: Declared, apple: Declarations, types: dict[tuple[str, ...], Declared]
) -> Level:
    """Return since when the types around a declaration are there."""
    rows = [(0, 0)]
    for count in range(1, len(row.owner) + 1):
        names = _type_names(row.owner[:count], types)
        rows += [next((apple.types[name].since for name in names if name in apple.types), (0, 0))]
    return max(rows)


def _member_since(
    row: Declared, types: dict[tuple[str, ...], Declared], apple: Declarations
) -> Level | None:
    outer = _outer_since(row, apple, types)
    path = tuple(word for each in row.owner for word in each.split("."))
    names = list(_type_names(path, types)) if path else []
    for name in names:
        for member in apple.members(name) if name in apple.types else ():
            if _is_same(row, member, types, name):
                return max(member.since, outer)
    wanted = _free_names(row, names)
    for name in wanted:
        each = apple.free.get(name)
        if each is not None and each.inputs in (None, len(row.labels)):
            return max(each.since, outer)
    if row.payload in apple.types:
        return max(apple.types[row.payload].since, outer)
    known = any(name in apple.types for name in names)
    if known and row.kind == "init" and not row.labels:
        return outer
    return None


def _free_names(row: Declared, names: list[str]) -> list[str]:
    """Return the names that a constant or function may have outside types."""
    if row.objc:
        return [row.objc]
    rows = [row.name, f"{row.name}Notification"]
    rows += [name + row.name[:1].upper() + row.name[1:] for name in names]
    return rows


def _is_same(
    row: Declared, member: Member, types: dict[tuple[str, ...], Declared], owner: str
) -> bool:
    if row.objc:
        return member.name == row.objc
    if row.kind == "case":
        same = member.name.lower() == row.name.lower()
        return same and (
            row.value is None or member.value is None or int(row.value, 0) == member.value
        )
    if row.kind in ("var", "let"):
        plain = row.name[2:3].lower() + row.name[3:] if row.name.startswith("is") else row.name
        return member.name in (row.name, plain) and member.inputs in (None, 0)
    if row.kind in ("func", "init") and member.inputs is not None:
        count = len(row.labels) + bool(row.ending)
        return member.inputs == count and _pattern(row).fullmatch(member.name) is not None
    return False


def _pattern(row: Declared) -> re.Pattern[str]:
    """Return what the joined parts of a selector look like for a function of Swift.

    Swift leaves out words that types repeat: `load(contentsOf:)` is `loadContentsOfURL...`.
    """
    parts = [each[:1].upper() + each[1:] for each in row.labels if each != "_"]
    start = "initWith" if row.kind == "init" else re.escape(row.name)
    return re.compile(
        start + "".join(rf"(?:[A-Z]\w*)?{part}" for part in parts) + r"(?:[A-Z]\w*)?" + row.ending
    )


OTHERS = {"ExecuTorch": "executorch-headers"}
"""Modules that are not Apple's, and the part with their headers."""


def verdicts(folder: Path, report: Report = silent) -> list[Verdict]:
    """Return what became of the declarations in a module's folder.

    Raises `UserError` where there are none, and as `fetch`.
    """
    rows = [row for path in sources(folder) for row in declared(path)]
    if not rows:
        raise UserError(f"{folder} declares nothing")
    part = OTHERS.get(folder.name)
    apple = headers(part, report) if part else declarations(report)
    return compare(rows, apple)
