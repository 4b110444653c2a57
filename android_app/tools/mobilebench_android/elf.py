"""Read how the segments of a native library are aligned."""

from __future__ import annotations

import struct

from mobilebench.errors import UserError

PAGE = 16384
"""Bytes; pages of new phones. A library whose segments are aligned to less does not load there."""
_LOAD = 1


def load_alignment(content: bytes, name: str) -> int:
    """Return the smallest alignment, in bytes, of what the loader maps of a 64-bit library."""
    if content[:6] != b"\x7fELF\x02\x01":
        raise UserError(f"{name} is not a library of 64 bits in little-endian order")
    [start] = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    rows = [start + index * size for index in range(count)]
    aligned = [
        struct.unpack_from("<Q", content, row + 48)[0]
        for row in rows
        if struct.unpack_from("<I", content, row)[0] == _LOAD
    ]
    if not aligned:
        raise UserError(f"{name} has nothing to load; it is not a shared library")
    return int(min(aligned))
