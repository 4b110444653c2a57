"""What Apple's Objective-C declares, read from NativeScript's declarations of iOS 26."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mobilebench_android.fetching import Report, silent
from mobilebench_ios.availability import Level, level_of
from mobilebench_ios.fetched import fetch

_SINCE = re.compile(r"^\s*\*\s*@since\s+([\d.]+)", re.MULTILINE)
_BLOCK = re.compile(r"^declare (?:class|const enum) (\w+)|^interface (\w+)", re.MULTILINE)
_PARENTS = re.compile(r"\b(?:extends|implements)\s+([\w, ]+)")
_METHOD = re.compile(r"^\t(?:static )?(\w+)\((.*)\): .*;", re.MULTILINE)
_PROPERTY = re.compile(r"^\t(?:static )?(?:readonly )?(\w+)\??: .*;", re.MULTILINE)
_CASE = re.compile(r"^\t(\w+) = (-?\d+)", re.MULTILINE)
_FREE = re.compile(r"^declare (?:function (\w+)\((.*)\)|(?:var|const) (\w+)): .*;", re.MULTILINE)
_ALWAYS: Level = (0, 0)


@dataclass(frozen=True)
class Member:
    """A method, property, constant or function."""

    name: str
    inputs: int | None
    """The number of its arguments; None for a property or constant."""
    since: Level
    value: int | None = None
    """Of a case of an enumeration."""


@dataclass
class Type:
    """A class, protocol or enumeration."""

    name: str
    since: Level
    parents: tuple[str, ...]
    members: list[Member] = field(default_factory=list)


@dataclass(frozen=True)
class Declarations:
    """All of Apple's Objective-C."""

    types: dict[str, Type]
    free: dict[str, Member]
    """Functions and constants outside types."""

    def members(self, name: str) -> list[Member]:
        """Return the members of a type, with those that it inherits."""
        rows, todo, seen = [], [name], set()
        while todo:
            each = self.types.get(todo.pop())
            if each is not None and each.name not in seen:
                seen.add(each.name)
                rows += each.members
                todo += each.parents
        return rows


@cache
def declarations(report: Report = silent) -> Declarations:
    """Return what all files declare. Raises as `fetch`."""
    folder = fetch("types-ios", report)
    return read(sorted(folder.glob("*.d.ts")))


def read(paths: list[Path]) -> Declarations:
    """Return what files declare."""
    types: dict[str, Type] = {}
    free: dict[str, Member] = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            name = match[1] or match[2]
            start = text.index("{", match.end())
            end = text.find("\n}", start)
            parents = [
                each.strip()
                for row in _PARENTS.findall(text[match.end() : start])
                for each in row.replace(" implements ", ",").split(",")
            ]
            row = Type(name, _since(text, match.start()), tuple(parents))
            row.members += _members(text[start:end])
            if name in types:
                row.members += types[name].members
            types[name] = row
        for match in _FREE.finditer(text):
            name = match[1] or match[3]
            inputs = _count(match[2]) if match[1] else None
            free[name] = Member(name, inputs, _since(text, match.start()))
    return Declarations(types, free)


def _members(body: str) -> list[Member]:
    rows = [
        Member(match[1], _count(match[2]), _since(body, match.start()))
        for match in _METHOD.finditer(body)
    ]
    rows += [
        Member(match[1], None, _since(body, match.start())) for match in _PROPERTY.finditer(body)
    ]
    rows += [
        Member(match[1], None, _since(body, match.start()), int(match[2]))
        for match in _CASE.finditer(body)
    ]
    return rows


def _since(text: str, at: int) -> Level:
    """Return the version in the comment that ends just before an index."""
    before = text.rfind("*/", 0, at)
    if before < 0 or text[before + 2 : at].strip():
        return _ALWAYS
    match = _SINCE.search(text, text.rfind("/**", 0, before), before)
    return (level_of(f"iOS {match[1]}") or _ALWAYS) if match else _ALWAYS


def _count(inputs: str) -> int:
    """Return the number of arguments in a list, whatever is nested in their types."""
    depth, count = 0, 1
    for before, letter in zip(" " + inputs, inputs, strict=False):
        if letter == ">" and before == "=":
            continue  # an arrow
        depth += {"(": 1, "{": 1, "<": 1, "[": 1, ")": -1, "}": -1, ">": -1, "]": -1}.get(letter, 0)
        count += letter == "," and not depth
    return count if inputs.strip() else 0


_INTERFACE = re.compile(r"^@interface (\w+)[^\n]*\n(.*?)^@end", re.MULTILINE | re.DOTALL)
_SELECTOR = re.compile(r"^[-+]\s*\([^)]*\)(.*?);", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^@property\([^)]*\)\s*([^;]*);", re.MULTILINE)
_ENUM = re.compile(r"NS_ENUM\(\w+, (\w+)\) \{(.*?)\}", re.DOTALL)
_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_MACROS = re.compile(r"\bNS_\w+(?:\([^;]*\))?|__attribute__\(\(\w+\)\)")


@cache
def headers(part: str, report: Report = silent) -> Declarations:
    """Return what the Objective-C headers of a part declare. Raises as `fetch`."""
    types: dict[str, Type] = {}
    for path in sorted(fetch(part, report).glob("*.h")):
        text = _COMMENTS.sub("", path.read_text(encoding="utf-8"))
        for name, body in _INTERFACE.findall(text):
            row = types.setdefault(name, Type(name, _ALWAYS, ()))
            row.members += [_selector(_MACROS.sub("", each)) for each in _SELECTOR.findall(body)]
            fields = [_MACROS.sub("", each).split() for each in _FIELD.findall(body)]
            row.members += [Member(each[-1].lstrip("*"), None, _ALWAYS) for each in fields]
        for name, body in _ENUM.findall(text):
            row = types.setdefault(name, Type(name, _ALWAYS, ()))
            value = -1
            for case in filter(None, (each.strip() for each in body.split(","))):
                word, _, given = case.partition("=")
                number = re.fullmatch(r"\s*(\d+|0x[0-9a-fA-F]+)\s*", given)
                value = int(number[1], 0) if number else value + 1
                row.members.append(Member(word.strip().removeprefix(name), None, _ALWAYS, value))
    return Declarations(types, {})


def _selector(text: str) -> Member:
    """Return the method of a selector, its parts joined as in NativeScript's declarations."""
    text = re.sub(r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", "", text)
    parts = re.findall(r"(\w+)\s*:", text) or text.split()[:1]
    joined = parts[0] + "".join(part[:1].upper() + part[1:] for part in parts[1:])
    return Member(joined, text.count(":"), _ALWAYS)
