"""Step through the code of a method in a Java class file."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_TABLESWITCH, _LOOKUPSWITCH, _WIDE, _IINC = 170, 171, 196, 132
_RANGES = (
    (1, 16), (2, 17), (3, 18), (2, 19), (3, 21), (2, 26), (1, 54), (2, 59), (1, 132), (3, 133),
    (1, 153), (3, 169), (2, 170), (0, 172), (1, 178), (3, 185), (5, 187), (3, 188), (2, 189),
    (3, 190), (1, 192), (3, 194), (1, 196), (0, 197), (4, 198), (3, 200), (5, 202),
)  # fmt: skip
"""Bytes of an instruction, for operation codes below the second number; 0 where it varies."""
_SIZES = [size for code in range(202) for size in [next(s for s, end in _RANGES if code < end)]]


def instructions(code: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each instruction's operation code and operands."""
    at = 0
    while at < len(code):
        size = _SIZES[code[at]] or _varying(code, at)
        yield code[at], code[at + 1 : at + size]
        at += size


def _varying(code: bytes, at: int) -> int:
    if code[at] == _WIDE:
        return 6 if code[at + 1] == _IINC else 4
    start = at + 4 - at % 4  # operands begin at a multiple of four bytes
    if code[at] == _LOOKUPSWITCH:
        [pairs] = struct.unpack_from(">I", code, start + 4)
        return int(start + 8 + 8 * pairs - at)
    low, high = struct.unpack_from(">ii", code, start + 4)
    return int(start + 12 + 4 * (high - low + 1) - at)
