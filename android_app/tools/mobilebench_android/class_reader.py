"""Read what Java class files use: classes, members, and the API level that marks them."""

from __future__ import annotations

import re
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError

_MARK = "Landroid/annotation/TargetApi;"
_MEMBERS = {9: "field", 10: "method", 11: "method"}
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4}
_INDICES = {7, 8, 16, 19, 20}
_WIDE = {5, 6}


@dataclass(frozen=True)
class Use:
    """A field or method that a class uses."""

    kind: str
    """`field` or `method`."""
    owner: str
    """Internal name of the class through which it is used: `android/view/View`."""
    name: str
    descriptor: str

    @property
    def parameters(self) -> list[str]:
        """Descriptors of a method's parameters."""
        return re.findall(r"\[*(?:L[^;]+;|[A-Z])", self.descriptor[1:].partition(")")[0])


@dataclass(frozen=True)
class ClassUses:
    """What one class uses."""

    name: str
    superclass: str
    interfaces: tuple[str, ...]
    uses: frozenset[Use]
    classes: frozenset[str]
    """Every class that it names, also in descriptors."""
    declares: frozenset[tuple[str, str]]
    """Names and descriptors of its methods."""
    target_api: int | None
    """The API level that `@TargetApi` states."""


def read_jar(path: Path) -> list[ClassUses]:
    """Return what the classes of a jar use."""
    with zipfile.ZipFile(path) as jar:
        return [read(jar.read(n)) for n in jar.namelist() if n.endswith(".class")]


def read(content: bytes) -> ClassUses:
    """Return what a class uses. Raises `UserError` for a file that is no class file."""
    return _Reader(content).read()


class _Reader:
    def __init__(self, content: bytes) -> None:
        if content[:4] != b"\xca\xfe\xba\xbe":
            raise UserError("a file that was to be read as a Java class is none")
        self._content = content
        self._at = 8
        self._pool: dict[int, tuple[int, bytes]] = {}

    def read(self) -> ClassUses:
        self._read_pool()
        _, this, above, count = self._numbers("HHHH")
        interfaces = self._numbers("H" * count)
        self._members()
        declares = self._members()
        return ClassUses(
            self._class(this),
            self._class(above) if above else "",
            tuple(map(self._class, interfaces)),
            frozenset(self._uses()),
            frozenset(self._classes()),
            frozenset(declares),
            self._target_api(),
        )

    def _numbers(self, kinds: str) -> tuple[int, ...]:
        size = struct.calcsize(f">{kinds}")
        numbers = struct.unpack_from(f">{kinds}", self._content, self._at)
        self._at += size
        return numbers

    def _read_pool(self) -> None:
        [count] = self._numbers("H")
        index = 1
        while index < count:
            [tag] = self._numbers("B")
            size = self._numbers("H")[0] if tag == 1 else 2 if tag in _INDICES else _SIZES[tag]
            self._pool[index] = tag, self._content[self._at : self._at + size]
            self._at += size
            index += 2 if tag in _WIDE else 1

    def _text(self, index: int) -> str:
        return self._pool[index][1].decode("utf-8", "surrogatepass")

    def _class(self, index: int) -> str:
        return self._text(struct.unpack(">H", self._pool[index][1])[0])

    def _uses(self) -> set[Use]:
        uses = set()
        for tag, content in self._pool.values():
            if tag in _MEMBERS:
                owner, pair = struct.unpack(">HH", content)
                name, descriptor = struct.unpack(">HH", self._pool[pair][1])
                uses.add(
                    Use(
                        _MEMBERS[tag],
                        self._class(owner),
                        self._text(name),
                        self._text(descriptor),
                    )
                )
        return uses

    def _classes(self) -> set[str]:
        names: set[str] = set()
        for index, (tag, content) in self._pool.items():
            if tag == 7:
                name = self._class(index)
                names.update(re.findall(r"L([^;]+);", name) if name[0] == "[" else [name])
            elif tag in (12, 16):
                descriptor = self._text(struct.unpack(">H", content[-2:])[0])
                names.update(re.findall(r"L([^;]+);", descriptor))
        return names

    def _members(self) -> list[tuple[str, str]]:
        """Pass over fields or methods, and return their names and descriptors."""
        rows = []
        for _ in range(self._numbers("H")[0]):
            _, name, descriptor = self._numbers("HHH")
            rows.append((self._text(name), self._text(descriptor)))
            for _ in range(self._numbers("H")[0]):
                self._attribute()
        return rows

    def _attribute(self) -> tuple[str, bytes]:
        name, size = self._numbers("HI")
        self._at += size
        return self._text(name), self._content[self._at - size : self._at]

    def _target_api(self) -> int | None:
        """Return the level of `@TargetApi`, whose one value is an integer."""
        for _ in range(self._numbers("H")[0]):
            name, content = self._attribute()
            if name in ("RuntimeInvisibleAnnotations", "RuntimeVisibleAnnotations"):
                end, self._at = self._at, self._at - len(content)
                levels = [self._annotation() for _ in range(self._numbers("H")[0])]
                self._at = end
                if level := next((each for each in levels if each is not None), None):
                    return level
        return None

    def _annotation(self) -> int | None:
        """Pass over an annotation; return the value of `@TargetApi`."""
        kind, count = self._numbers("HH")
        level = None
        for _ in range(count):
            self._numbers("H")
            value = self._element()
            if value is not None and self._text(kind) == _MARK:
                level = value
        return level

    def _element(self) -> int | None:
        """Pass over a value of an annotation; return it where it is an integer."""
        tag = chr(self._numbers("B")[0])
        if tag == "@":
            self._annotation()
        elif tag == "[":
            for _ in range(self._numbers("H")[0]):
                self._element()
        elif tag == "e":
            self._numbers("HH")
        else:
            [index] = self._numbers("H")
            if tag == "I":
                return int(struct.unpack(">i", self._pool[index][1])[0])
        return None
