"""Read which classes a dex file defines."""

from __future__ import annotations

import struct

from mobilebench.errors import UserError

_STRING_IDS, _TYPE_IDS, _CLASS_DEFS = 0x38, 0x40, 0x60
_CLASS_DEF_SIZE = 32


def class_names(content: bytes) -> list[str]:
    """Return the internal names of the classes of a dex file, in its order."""
    if content[:4] != b"dex\n":
        raise UserError("a file that was to be read as dex begins as another kind")
    _, strings = struct.unpack_from("<II", content, _STRING_IDS)
    _, types = struct.unpack_from("<II", content, _TYPE_IDS)
    count, definitions = struct.unpack_from("<II", content, _CLASS_DEFS)
    names = []
    for index in range(count):
        [type_] = struct.unpack_from("<I", content, definitions + index * _CLASS_DEF_SIZE)
        [string] = struct.unpack_from("<I", content, types + 4 * type_)
        [place] = struct.unpack_from("<I", content, strings + 4 * string)
        names.append(_text(content, place)[1:-1])
    return names


def _text(content: bytes, place: int) -> str:
    """Return a string: its length in up to five bytes, then modified UTF-8 up to a zero."""
    while content[place] & 0x80:
        place += 1
    return content[place + 1 : content.index(b"\0", place + 1)].decode("utf-8", "surrogatepass")
