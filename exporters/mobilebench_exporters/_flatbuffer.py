"""Read FlatBuffers from the text of their schema, without generated code or a compiler.

Toolkits contain their `.fbs` schemas, but their packages take seconds to import; the schema alone
reads a file at once. Tables, vectors, strings, scalars, enums and unions are supported. Structs are
not: none of the schemas that are read here has one.

The layout is described at https://flatbuffers.dev/internals/.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SCALARS = {
    "bool": "?", "byte": "b", "ubyte": "B", "int8": "b", "uint8": "B", "short": "h",
    "ushort": "H", "int16": "h", "uint16": "H", "int": "i", "uint": "I", "int32": "i",
    "uint32": "I", "float": "f", "float32": "f", "long": "q", "ulong": "Q", "int64": "q",
    "uint64": "Q", "double": "d", "float64": "d",
}  # fmt: skip
_DECLARATION = re.compile(r"\b(table|union|enum)\s+(\w+)\s*(?::\s*(\w+))?\s*\{(.*?)\}", re.DOTALL)
_FIELD = re.compile(r"(\w+)\s*:\s*(\[?)\s*(\w+)\s*\]?\s*(?:=\s*([\w.+-]+))?")
_MEMBER = re.compile(r"(\w+)\s*(?::\s*(\w+))?\s*(?:=\s*(\d+))?\s*(?:,|$)")


@dataclass(frozen=True)
class _Field:
    """The slot of a field in the vtable, and how the field is read."""

    slot: int
    type: str
    vector: bool
    default: str | None


@dataclass(frozen=True)
class Schema:
    """The tables, unions and enums of one or several `.fbs` files."""

    tables: Mapping[str, Mapping[str, _Field]]
    unions: Mapping[str, tuple[tuple[str, str], ...]]
    """The members of each union as (name, table); the first has the tag 1."""
    enums: Mapping[str, tuple[str, Mapping[str, int]]]
    """The scalar type of each enum, and its names with their values."""

    @classmethod
    def parse(cls, *texts: str) -> Schema:
        """Parse the declarations of all texts into one schema."""
        tables: dict[str, Mapping[str, _Field]] = {}
        unions: dict[str, tuple[tuple[str, str], ...]] = {}
        enums: dict[str, tuple[str, Mapping[str, int]]] = {}
        bodies: list[tuple[str, str]] = []
        for text in texts:
            plain = re.sub(r"//[^\n]*", "", text)
            for keyword, name, scalar, body in _DECLARATION.findall(plain):
                members = _MEMBER.findall(body.strip())
                if keyword == "table":
                    bodies.append((name, body))
                elif keyword == "union":
                    unions[name] = tuple((m, alias or m) for m, alias, _ in members)
                else:
                    enums[name] = (scalar, _enum_values(members))
        for name, body in bodies:
            tables[name] = _fields(body, unions)
        return cls(tables, unions, enums)

    def root(self, data: bytes | memoryview, table: str, offset: int = 0) -> Table:
        """Return the root table of a buffer that starts at `offset`."""
        return Table(self, data, table, offset + _number(data, "I", offset))


def _enum_values(members: list[tuple[str, str, str]]) -> dict[str, int]:
    values: dict[str, int] = {}
    following = 0
    for name, _, value in members:
        values[name] = int(value) if value else following
        following = values[name] + 1
    return values


def _fields(body: str, unions: Mapping[str, Any]) -> dict[str, _Field]:
    fields: dict[str, _Field] = {}
    slot = 0
    for declaration in body.split(";"):
        match = _FIELD.search(declaration)
        if not match:
            continue
        name, bracket, kind, default = match.groups()
        # A union has two slots: its tag, then its table.
        slot += kind in unions
        fields[name] = _Field(slot, kind, bool(bracket), default)
        slot += 1
    return fields


class Table:
    """One table of a buffer; `table["field"]` reads a field.

    A scalar that is not stored reads as its default, any other absent field as None. The field of
    a union reads as its table; `tag` returns the name of its member.
    """

    def __init__(self, schema: Schema, data: bytes | memoryview, name: str, position: int) -> None:
        self._schema, self._data, self.name, self._position = schema, data, name, position
        self._vtable = position - _number(data, "i", position)
        self._slots = (_number(data, "H", self._vtable) - 4) // 2

    def __getitem__(self, field: str) -> Any:
        layout = self._schema.tables[self.name][field]
        place = self._place(layout.slot)
        if not layout.vector and layout.type in self._schema.unions:
            member = self._member(layout)
            if member is None or place is None:
                return None
            return Table(self._schema, self._data, member[1], self._follow(place))
        if not layout.vector and (scalar := self._scalar(layout.type)):
            if place is None:
                return self._default(layout, scalar)
            return _number(self._data, scalar, place)
        if place is None:
            return None
        target = self._follow(place)
        return self._vector(layout.type, target) if layout.vector else self._one(layout, target)

    @property
    def fields(self) -> frozenset[str]:
        """Return the names of the fields that a table of this type can have."""
        return frozenset(self._schema.tables[self.name])

    def tag(self, field: str) -> str | None:
        """Return the name of the member that the field of a union holds."""
        member = self._member(self._schema.tables[self.name][field])
        return member[0] if member else None

    def _member(self, layout: _Field) -> tuple[str, str] | None:
        place = self._place(layout.slot - 1)
        tag = 0 if place is None else _number(self._data, "B", place)
        return self._schema.unions[layout.type][tag - 1] if tag else None

    def _place(self, slot: int) -> int | None:
        if slot >= self._slots:
            return None
        offset = _number(self._data, "H", self._vtable + 4 + 2 * slot)
        return self._position + offset if offset else None

    def _follow(self, place: int) -> int:
        return place + int(_number(self._data, "I", place))

    def _scalar(self, kind: str) -> str | None:
        return _SCALARS.get(self._schema.enums[kind][0] if kind in self._schema.enums else kind)

    def _default(self, layout: _Field, scalar: str) -> Any:
        if layout.default is None:
            return False if scalar == "?" else 0
        if layout.type in self._schema.enums:
            return self._schema.enums[layout.type][1][layout.default]
        if scalar == "?":
            return layout.default == "true"
        return float(layout.default) if scalar in "fd" else int(layout.default)

    def _one(self, layout: _Field, target: int) -> Any:
        if layout.type == "string":
            return self._text(target)
        return Table(self._schema, self._data, layout.type, target)

    def _text(self, target: int) -> str:
        length = _number(self._data, "I", target)
        return bytes(self._data[target + 4 : target + 4 + length]).decode("utf-8")

    def _vector(self, kind: str, target: int) -> Any:
        length = _number(self._data, "I", target)
        start = target + 4
        if kind in ("ubyte", "uint8"):
            return memoryview(self._data)[start : start + length]
        if scalar := self._scalar(kind):
            return struct.unpack_from(f"<{length}{scalar}", self._data, start)
        places = [self._follow(start + 4 * index) for index in range(length)]
        if kind == "string":
            return tuple(self._text(place) for place in places)
        return tuple(Table(self._schema, self._data, kind, place) for place in places)


def _number(data: bytes | memoryview, code: str, offset: int) -> Any:
    if offset < 0:
        raise struct.error("an offset before the start of the buffer")
    return struct.unpack_from(f"<{code}", data, offset)[0]
