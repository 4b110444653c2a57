"""Write Java class files, version 52, as section 4 of the JVM specification has them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

VERSION = 52
"""Java 8."""


class ConstantPool:
    """The table of constants of a class file."""

    def __init__(self) -> None:
        self._indices: dict[tuple[str, object], int] = {}
        self._entries: list[bytes] = []
        self._next = 1

    def utf8(self, text: str) -> int:
        """Return the index of a text, in the modified UTF-8 of class files."""
        encoded = text.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")
        return self._index(("utf8", text), b"\x01" + struct.pack(">H", len(encoded)) + encoded)

    def class_(self, name: str) -> int:
        """Return the index of a class by its internal name, `java/lang/Object`."""
        return self._index(("class", name), b"\x07" + struct.pack(">H", self.utf8(name)))

    def constant(self, descriptor: str, value: str | int | float) -> int:
        """Return the index of a constant of a type."""
        key = (descriptor, repr(value))
        if isinstance(value, str):
            return self._index(key, b"\x08" + struct.pack(">H", self.utf8(value)))
        if descriptor == "J":
            return self._index(key, b"\x05" + struct.pack(">q", value), 2)
        if descriptor == "D":
            return self._index(key, b"\x06" + struct.pack(">d", value), 2)
        if descriptor == "F":
            return self._index(key, b"\x04" + struct.pack(">f", value))
        return self._index(("I", repr(value)), b"\x03" + struct.pack(">i", value))

    def content(self) -> bytes:
        """Return the table as it is written."""
        return struct.pack(">H", self._next) + b"".join(self._entries)

    def _index(self, key: tuple[str, object], entry: bytes, slots: int = 1) -> int:
        if key not in self._indices:
            self._indices[key] = self._next
            self._entries.append(entry)
            self._next += slots
        return self._indices[key]


@dataclass
class ClassFile:
    """A class that is put together member by member."""

    name: str
    """Internal, as all names and descriptors here: `android/view/View$OnClickListener`."""
    access: int
    superclass: str
    interfaces: list[str]
    pool: ConstantPool = field(default_factory=ConstantPool)
    fields: list[bytes] = field(default_factory=list)
    methods: list[bytes] = field(default_factory=list)
    attributes: list[bytes] = field(default_factory=list)

    def attribute(self, name: str, content: bytes) -> bytes:
        """Return an attribute as it is written."""
        return struct.pack(">HI", self.pool.utf8(name), len(content)) + content

    def signature(self, text: str) -> bytes:
        """Return the attribute with a generic type."""
        return self.attribute("Signature", struct.pack(">H", self.pool.utf8(text)))

    def marks(self, annotation: str) -> bytes:
        """Return the one annotation of a list, without values, by its descriptor."""
        return struct.pack(">HHH", 1, self.pool.utf8(annotation), 0)

    def member(self, access: int, name: str, descriptor: str, attributes: list[bytes]) -> bytes:
        """Return a field or method as it is written."""
        head = (access, self.pool.utf8(name), self.pool.utf8(descriptor), len(attributes))
        return struct.pack(">HHHH", *head) + b"".join(attributes)

    def code_that_throws(self, locals_: int) -> bytes:
        """Return the attribute with the code `throw null`."""
        return self.attribute("Code", struct.pack(">HHI2sHH", 1, locals_, 2, b"\x01\xbf", 0, 0))

    def content(self) -> bytes:
        """Return the file."""
        pool = self.pool
        this, above = pool.class_(self.name), pool.class_(self.superclass)
        interfaces = [pool.class_(name) for name in self.interfaces]
        head = struct.pack(">HHHH", self.access, this, above, len(interfaces))
        body = head + b"".join(struct.pack(">H", index) for index in interfaces)
        for members in (self.fields, self.methods, self.attributes):
            body += struct.pack(">H", len(members)) + b"".join(members)
        return b"\xca\xfe\xba\xbe" + struct.pack(">HH", 0, VERSION) + pool.content() + body
