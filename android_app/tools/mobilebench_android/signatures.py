"""Read API signature files of the Android Open Source Project, format 2.0."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mobilebench.errors import UserError

MODIFIERS = {
    "public", "protected", "private", "static", "final", "abstract", "synchronized", "volatile",
    "transient", "native", "strictfp", "default", "sealed", "non-sealed",
}  # fmt: skip
_CLASS = re.compile(
    r"(?P<words>(?:[\w-]+ )*)(?P<kind>class|interface|enum|@interface) (?P<name>[\w.]+)"
)
_ANNOTATION = re.compile(r"@(?!interface\b)([\w.]+)")
_COMMENTED = re.compile(r"""^((?:[^";]|"(?:\\.|[^"\\])*")*;)\s*//.*$""")
_NULLNESS = {"NonNull", "Nullable"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method."""

    type: str
    nullness: str | None
    """`NonNull`, `Nullable`, or None where the file does not say."""


@dataclass(frozen=True)
class Member:
    """A field, method or constructor."""

    line: str
    """As the file has it."""
    kind: str
    """`field`, `method`, `ctor` or `enum_constant`."""
    modifiers: frozenset[str]
    nullness: str | None
    type_parameters: str
    """`<T extends Number>` without the brackets; empty where there are none."""
    type: str
    """Of a field, or what a method returns; empty for a constructor."""
    name: str
    parameters: tuple[Parameter, ...]
    throws: tuple[str, ...]
    value: str | None
    """Of a constant, as Java writes it."""

    @property
    def types(self) -> tuple[str, ...]:
        """All types that it names."""
        return (self.type, self.type_parameters, *(p.type for p in self.parameters), *self.throws)


@dataclass(frozen=True)
class ApiClass:
    """A class, interface, enum or annotation."""

    line: str
    package: str
    name: str
    """With the names of the classes around it: `View.OnClickListener`."""
    kind: str
    modifiers: frozenset[str]
    type_parameters: str
    superclass: str | None
    interfaces: tuple[str, ...]
    members: tuple[Member, ...]

    @property
    def qualified(self) -> str:
        """`android.view.View.OnClickListener`."""
        return f"{self.package}.{self.name}"

    @property
    def is_interface(self) -> bool:
        """Whether it is an interface or an annotation."""
        return self.kind in ("interface", "@interface")


def read(text: str) -> list[ApiClass]:
    """Return the classes of a signature file. Raises `UserError` for a line that is not of it."""
    classes: list[ApiClass] = []
    package, head, members = "", "", list[Member]()
    for line in text.splitlines():
        if line.startswith("package "):
            package = without_annotations(line)[0].split()[1]
        elif line.startswith("    "):
            members.append(_member(line.strip()))
        elif line.startswith("  }"):
            classes.append(_class(package, head, tuple(members)))
        elif line.startswith("  "):
            head, members = line.strip(), []
        elif line.strip() and not line.startswith(("//", "}")):
            raise UserError(f"{line!r} is no line of an API signature file; see format 2.0")
    return classes


def _class(package: str, line: str, members: tuple[Member, ...]) -> ApiClass:
    text, _ = without_annotations(line.removesuffix("{"))
    match = _CLASS.match(text)
    if match is None:
        raise UserError(f"{line!r} begins no class of an API signature file")
    rest = text[match.end() :].strip()
    parameters, rest = _type_parameters(rest)
    parents = {"extends": list[str](), "implements": list[str]()}
    current = ""
    for word in split(rest, " "):
        if word in parents:
            current = word
        else:
            parents[current].append(word)
    kind = match["kind"]
    interfaces = parents["implements"]
    if kind in ("interface", "@interface"):
        superclass, interfaces = None, [*parents["extends"], *interfaces]
    else:
        superclass = parents["extends"][0] if parents["extends"] else None
    words = frozenset(match["words"].split())
    return ApiClass(
        line,
        package,
        match["name"],
        kind,
        words,
        parameters,
        superclass,
        tuple(interfaces),
        members,
    )


def _member(line: str) -> Member:
    kind, _, body = line.partition(" ")
    body = without_comment(body).removesuffix(";")
    value = None
    if kind == "field" and " = " in body:
        body, _, value = body.partition(" = ")
    if kind in ("method", "ctor"):
        return _method(line, kind, body)
    if kind not in ("field", "enum_constant"):
        raise UserError(f"{line!r} is no member of an API signature file")
    text, nullness = without_annotations(body)
    modifiers, text = _modifiers(text)
    type_, _, name = text.rpartition(" ")
    return Member(line, kind, modifiers, nullness, "", type_, name, (), (), value)


def without_comment(line: str) -> str:
    """Return a member's line without what it says after its semicolon."""
    return _COMMENTED.sub(r"\1", line)


def _method(line: str, kind: str, body: str) -> Member:
    start = _parameter_list(body)
    head, nullness = without_annotations(body[:start])
    end = body.rindex(")")
    modifiers, head = _modifiers(head)
    type_parameters, head = _type_parameters(head)
    type_, _, name = head.rpartition(" ")
    tail = body[end + 1 :].strip()
    throws = split(tail.removeprefix("throws ")) if tail.startswith("throws ") else []
    return Member(
        line,
        kind,
        modifiers,
        nullness,
        type_parameters,
        type_,
        "<init>" if kind == "ctor" else name,
        tuple(_parameter(each) for each in split(body[start + 1 : end])),
        tuple(throws),
        None,
    )


def _parameter_list(body: str) -> int:
    """Return where the parameters of a method begin; annotations have brackets, too."""
    position = 0
    while match := _ANNOTATION.search(body, position):
        opening = body.find("(", position)
        if opening < match.start():
            return opening
        position = _annotation_end(body, match)
    return body.index("(", position)


def _parameter(text: str) -> Parameter:
    type_, nullness = without_annotations(text)
    return Parameter(type_, nullness)


def _modifiers(text: str) -> tuple[frozenset[str], str]:
    words: set[str] = set()
    while (word := text.partition(" ")[0]) in MODIFIERS:
        words.add(word)
        text = text.partition(" ")[2]
    return frozenset(words), text


def _type_parameters(text: str) -> tuple[str, str]:
    """Split `<T> rest` into `T` and `rest`."""
    if not text.startswith("<"):
        return "", text
    end = _closing(text, 0, "<", ">")
    return text[1:end], text[end + 1 :].strip()


def without_annotations(text: str, keep: Collection[str] = frozenset()) -> tuple[str, str | None]:
    """Return a text without its annotations, and what the first says about null.

    Annotations whose names are to be kept stay.
    """
    nullness, position = None, 0
    while match := _ANNOTATION.search(text, position):
        if nullness is None and match[1] in _NULLNESS:
            nullness = match[1]
        if match[1] in keep:
            position = match.end()
        else:
            text = f"{text[: match.start()]} {text[_annotation_end(text, match) :]}"
    text = text if keep and " = " in text else " ".join(text.split())
    return text.replace("( ", "(").replace(" ,", ","), nullness


def _annotation_end(text: str, match: re.Match[str]) -> int:
    if text[match.end() : match.end() + 1] != "(":
        return match.end()
    return _closing(text, match.end(), "(", ")") + 1


def _closing(text: str, start: int, opening: str, closing: str) -> int:
    """Return the index of the bracket that closes the one at `start`."""
    depth = 0
    for index, character in _outside_quotes(text, start):
        depth += (character == opening) - (character == closing)
        if depth == 0:
            return index
    raise UserError(f"{text!r} has a bracket that is not closed")


def _outside_quotes(text: str, start: int) -> Iterator[tuple[int, str]]:
    quoted = False
    for index in range(start, len(text)):
        if text[index] == '"' and text[index - 1] != "\\":
            quoted = not quoted
        elif not quoted:
            yield index, text[index]


def split(text: str, separator: str = ",") -> list[str]:
    """Split a text at separators that are in no bracket; empty words are left out."""
    words, depth, start = list[str](), 0, 0
    for index, character in _outside_quotes(text, 0):
        depth += (character in "<([{") - (character in ">)]}")
        if character == separator and depth == 0:
            words.append(text[start:index].strip())
            start = index + 1
    return [word for word in (*words, text[start:].strip()) if word]
