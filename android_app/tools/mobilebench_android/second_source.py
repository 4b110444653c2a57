"""Read a second source for Android's API: NativeScript's declarations.

They are made from another Android. Numbers have one type there, so that `int` and `long` look
alike. A mark states since which API level a member exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mobilebench_android.class_reader import Use
from mobilebench_android.fetching import Report, fetch, silent

OLDEST = 17
"""The level of a class or member for which it states none."""
_OPENS = re.compile(r"(?:export |declare )+(module|abstract class|class|interface) ([\w$]+)(.*)\{$")
_MEMBER = re.compile(
    r"(?:(?:public|protected|private|static|abstract) )*"
    r'(?:"([^"]+)"|([\w$]+))(?:<.*?>)?(\(.*\))?(?:: .*)?;?$'
)
_SINCE = re.compile(r"@since (\d+)")


@dataclass
class Declared:
    """A class of the second source."""

    since: int
    parents: list[str] = field(default_factory=list)
    fields: dict[str, int] = field(default_factory=dict)
    """The API level by name."""
    methods: dict[tuple[str, int], int] = field(default_factory=dict)
    """The API level by name and number of parameters; the lowest where several have both."""


Declarations = dict[str, Declared]
"""By internal name, `android/view/View$OnClickListener`."""


def declarations(report: Report = silent) -> Declarations:
    """Return all that the second source declares. Raises as `fetch`."""
    [path] = fetch("types-android", report).glob("*.d.ts")
    return _read(path)


@cache
def _read(path: Path) -> Declarations:
    return read(path.read_text(encoding="utf-8"))


def read(text: str) -> Declarations:
    """Return what a file of declarations declares."""
    known: Declarations = {}
    around: list[tuple[str, Declared | None]] = []
    """What is open here: the name of each, and the class where it is one."""
    since, literal = OLDEST, 0
    for line in map(str.strip, text.splitlines()):
        if match := _SINCE.search(line):
            since = int(match[1])
        if line.startswith(("/", "*")) or not line:
            continue
        if literal or line.endswith(("({", ": {")):
            # The object that implements an interface repeats its methods.
            literal += line.count("{") - line.count("}")
            if literal == 0:
                _add(around[-1][1], "<init>", 1, since)
            continue
        if match := _OPENS.match(line):
            kind, name, rest = match[1], match[2], match[3]
            declared = None
            if kind != "module":
                internal = _internal([each for each, _ in around] + [name])
                declared = known.setdefault(internal, Declared(since))
                declared.parents += re.findall(r"[\w$]+(?:\.[\w$]+)+", re.sub(r"<.*?>", "", rest))
            around.append((name, declared))
        elif line.startswith("}"):
            around.pop()
        elif around and (match := _MEMBER.match(line)):
            name = match[1] or match[2]
            name = "<init>" if name == "constructor" else name
            _add(around[-1][1], name, None if match[3] is None else _count(match[3]), since)
        since = OLDEST
    return known


def _add(declared: Declared | None, name: str, parameters: int | None, since: int) -> None:
    if declared is None:
        return
    if parameters is None:
        declared.fields[name] = min(since, declared.fields.get(name, since))
    else:
        key = name, parameters
        declared.methods[key] = min(since, declared.methods.get(key, since))


def _count(parameters: str) -> int:
    """Return the number of parameters in brackets."""
    depth = 0
    commas = 0
    inside = parameters[1 : parameters.rindex(")")]
    for character in inside:
        depth += (character in "<([{") - (character in ">)]}")
        commas += character == "," and depth == 0
    return commas + 1 if inside.strip() else 0


def _internal(names: list[str]) -> str:
    package = [name for name in names if not name[:1].isupper()]
    if names[: len(package)] != package:  # a nested class with a small letter, as in android.R
        package = names[: next(i for i, name in enumerate(names) if name[:1].isupper())]
    return "/".join([*package, "$".join(names[len(package) :])])


def since(known: Declarations, use: Use) -> int | None:
    """Return the API level since which a member exists; None where it is not declared.

    A method is looked up in the classes above, too. What every object has is always there.
    """
    seen: set[str] = set()
    todo = [use.owner]
    while todo:
        name = todo.pop(0)
        declared = known.get(name)
        if declared is None or name in seen:
            continue
        seen.add(name)
        if use.kind == "field" and use.name in declared.fields:
            return max(declared.since, declared.fields[use.name])
        key = use.name, len(use.parameters)
        if use.kind == "method" and key in declared.methods:
            return max(declared.since, declared.methods[key])
        todo += [_internal(each.split(".")) for each in declared.parents]
    return None
