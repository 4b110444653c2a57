"""Read what Java class files use: classes, members, and the API level that marks them."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench_android.bytecode import instructions

_MARK = "Landroid/annotation/TargetApi;"
_MEMBERS = {9: "field", 10: "method", 11: "method"}
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4}
_INDICES = {7, 8, 16, 19, 20}
_WIDE = {5, 6}
_BIPUSH, _SIPUSH = 16, 17
_USING = set(range(178, 186))
"""Operation codes that name a field or a method."""
_NAMING = {187, 189, 192, 193}
"""Operation codes that name a class: new, anewarray, checkcast, instanceof."""


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
class MethodUses:
    """What the code of one method uses."""

    name: str
    descriptor: str
    uses: frozenset[Use] = frozenset()
    classes: frozenset[str] = frozenset()
    """Classes that it makes, casts to or asks for."""
    asks: frozenset[int] = frozenset()
    """Numbers with which it compares Android's API level."""
    target_api: int | None = None
    """The API level that `@TargetApi` states."""

    @property
    def written_in(self) -> str:
        """Name of the method in which it is written: a lambda's is that of the one around it."""
        return self.name.partition("$lambda$")[0]


@dataclass(frozen=True)
class ClassUses:
    """What one class uses."""

    name: str
    superclass: str
    interfaces: tuple[str, ...]
    classes: frozenset[str]
    """Every class that it names, also in descriptors."""
    methods: tuple[MethodUses, ...]
    target_api: int | None
    """The API level that `@TargetApi` states."""


LEVEL = Use("field", "android/os/Build$VERSION", "SDK_INT", "I")
"""How code asks for Android's API level."""


def read_jar(path: Path) -> list[ClassUses]:
    """Return what the classes of a jar use."""
    with zipfile.ZipFile(path) as jar:
        return [read(jar.read(n)) for n in jar.namelist() if n.endswith(".class")]


def read(content: bytes) -> ClassUses:
    """Return what a class uses. Raises `UserError` for a file that is no class file."""
    return _Reader(content).read()


def _plain(name: str) -> list[str]:
    """Return the class that the name of a class, or of an array, means."""
    return re.findall(r"L([^;]+);", name) if name[0] == "[" else [name]


class _Reader:
    def __init__(self, content: bytes) -> None:
        if content[:4] != b"\xca\xfe\xba\xbe":
            raise UserError("a file that was to be read as a Java class begins as another kind")
        self._content = content
        self._at = 8
        self._pool: dict[int, tuple[int, bytes]] = {}

    def read(self) -> ClassUses:
        self._read_pool()
        _, this, above, count = self._numbers("HHHH")
        interfaces = self._numbers("H" * count)
        for _ in self._members():
            pass  # fields
        methods = tuple(self._method(*each) for each in self._members())
        return ClassUses(
            self._class(this),
            self._class(above) if above else "",
            tuple(map(self._class, interfaces)),
            frozenset(self._classes()),
            methods,
            self._target_api(self._attributes()),
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

    def _use(self, index: int) -> Use:
        tag, content = self._pool[index]
        owner, pair = struct.unpack(">HH", content)
        name, descriptor = struct.unpack(">HH", self._pool[pair][1])
        texts = self._class(owner), self._text(name), self._text(descriptor)
        return Use(_MEMBERS[tag], *texts)

    def _classes(self) -> set[str]:
        names: set[str] = set()
        for index, (tag, content) in self._pool.items():
            if tag == 7:
                name = self._class(index)
                names.update(_plain(name))
            elif tag in (12, 16):
                descriptor = self._text(struct.unpack(">H", content[-2:])[0])
                names.update(re.findall(r"L([^;]+);", descriptor))
        return names

    def _members(self) -> Iterator[tuple[str, str, list[tuple[str, int, int]]]]:
        """Yield fields or methods with their attributes, and pass over them."""
        for _ in range(self._numbers("H")[0]):
            _, name, descriptor = self._numbers("HHH")
            yield self._text(name), self._text(descriptor), self._attributes()

    def _attributes(self) -> list[tuple[str, int, int]]:
        """Pass over a list of attributes; return their names and where their content lies."""
        rows = []
        for _ in range(self._numbers("H")[0]):
            name, size = self._numbers("HI")
            rows.append((self._text(name), self._at, size))
            self._at += size
        return rows

    def _method(self, name: str, descriptor: str, rows: list[tuple[str, int, int]]) -> MethodUses:
        uses: set[Use] = set()
        classes: set[str] = set()
        asks: set[int] = set()
        for attribute, start, _ in rows:
            if attribute == "Code":
                [size] = struct.unpack_from(">I", self._content, start + 4)
                after = False
                for code, operands in instructions(self._content[start + 8 : start + 8 + size]):
                    if after and code in (_BIPUSH, _SIPUSH):
                        asks.add(int.from_bytes(operands, "big", signed=True))
                    after = False
                    if code in _USING:
                        use = self._use(int.from_bytes(operands[:2], "big"))
                        uses.add(use)
                        after = use == LEVEL
                    elif code in _NAMING:
                        classes.add(self._class(int.from_bytes(operands[:2], "big")))
        plain = {name for each in classes for name in _plain(each)}
        target = self._target_api(rows)
        return MethodUses(
            name, descriptor, frozenset(uses), frozenset(plain), frozenset(asks), target
        )

    def _target_api(self, rows: list[tuple[str, int, int]]) -> int | None:
        """Return the level of `@TargetApi`, whose one value is an integer."""
        end, stated = self._at, None
        for name, start, _ in rows:
            if name in ("RuntimeInvisibleAnnotations", "RuntimeVisibleAnnotations"):
                self._at = start
                for level in [self._annotation() for _ in range(self._numbers("H")[0])]:
                    stated = stated if level is None else level
        self._at = end
        return stated

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
