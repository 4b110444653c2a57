"""Change an Android library so that glibc's loader takes it.

Three things stand in the way. Its symbols ask for versions (`LIBC`) that glibc does not have; it
needs libraries by names that glibc's loader cannot find (`libc.so`); and a few of its functions
exist in glibc with another meaning. So the version tables and these needs are taken out, and those
functions get the name under which `shim.c` defines them. The code itself stays as it is.

The layout is that of the System V ABI (gabi, chapter 5) and of GNU's hash section.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from mobilebench.errors import UserError

RENAMED = frozenset(
    {"sysconf", "pathconf", "strerror_r", "sigfillset", "pthread_sigmask", "dlsym", "memalign"}
    | {"fprintf", "vfprintf", "fwrite", "fread", "fputs", "fputc", "fputwc", "fflush", "ferror"}
    | {"fileno", "getc", "getwc", "ungetc", "ungetwc"}
)
"""Functions that differ between bionic and glibc; `shim.c` has each with a capital."""
DROPPED = frozenset({"libc.so", "libm.so", "libdl.so", "liblog.so", "libandroid.so"})
"""Libraries of the system; the process has glibc and the shim in their place."""

_IDENTITY = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_LOAD, _DYNAMIC = 1, 2
_NULL, _NEEDED, _STRINGS, _SYMBOLS = 0, 1, 5, 6
_GNU_HASH = 0x6FFFFEF5
_VERSIONS = frozenset({0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF})
_IGNORED = 0x6000000D
"""First tag that belongs to operating systems (DT_LOOS); glibc's loader knows no meaning for it."""
_ENTRY = struct.Struct("<QQ")  # tag, value
_SEGMENT = struct.Struct("<IIQQQQQQ")  # type, flags, offset, address, -, size in the file, -, -
_SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size


@dataclass(frozen=True)
class _Entry:
    """An entry of the dynamic section, with its offset in the file."""

    offset: int
    tag: int
    value: int


def patched(library: bytes, name: str) -> bytes:
    """Return the library with what glibc's loader refuses taken out.

    Raises `UserError` for a file that is not a 64-bit ELF library with a GNU hash section.
    """
    content = bytearray(library)
    try:
        _patch(content)
    except (struct.error, IndexError, ValueError) as error:
        raise UserError(
            f"{name} was to be changed for glibc's loader, and is not a whole library of 64-bit "
            f"Android ({error}); fetch it again."
        ) from error
    return bytes(content)


def needs(library: bytes) -> tuple[str, ...]:
    """Return the names of the libraries that a library needs, in its order."""
    segments = _segments(library)
    entries = list(_dynamic(library, segments))
    strings = _offset(segments, _value(entries, _STRINGS))
    return tuple(_text(library, strings + entry.value) for entry in entries if entry.tag == _NEEDED)


def _patch(content: bytearray) -> None:
    segments = _segments(content)
    entries = list(_dynamic(content, segments))
    strings = _offset(segments, _value(entries, _STRINGS))
    for entry in entries:
        unwanted = entry.tag == _NEEDED and _text(content, strings + entry.value) in DROPPED
        if unwanted or entry.tag in _VERSIONS:
            _ENTRY.pack_into(content, entry.offset, _IGNORED, 0)
    symbols = _offset(segments, _value(entries, _SYMBOLS))
    hashes = _offset(segments, _value(entries, _GNU_HASH))
    _rename(content, strings, symbols, _first_hashed(content, hashes))


def _rename(content: bytearray, strings: int, symbols: int, count: int) -> None:
    """Give the undefined functions of `RENAMED` their name in the shim.

    A name is changed in place, so no other name may lie over it.
    """
    names: dict[int, str] = {}
    undefined: set[int] = set()
    for place in range(1, count):
        name, _, _, section, _, _ = _SYMBOL.unpack_from(content, symbols + place * _SYMBOL.size)
        names[name] = _text(content, strings + name)
        if section == 0 and names[name] in RENAMED:
            undefined.add(name)
    for name in undefined:
        over = [
            other
            for start, other in names.items()
            if start != name and start <= name < start + len(other)
        ]
        if over:
            raise ValueError(f"{names[name]} shares its letters with {over[0]}")
        content[strings + name] = ord(names[name][0].upper())


def _segments(content: bytes | bytearray) -> list[tuple[int, ...]]:
    if content[: len(_IDENTITY)] != _IDENTITY:
        raise ValueError("it does not begin as a 64-bit ELF file")
    (start,) = struct.unpack_from("<Q", content, 32)
    (count,) = struct.unpack_from("<H", content, 56)
    return [_SEGMENT.unpack_from(content, start + place * _SEGMENT.size) for place in range(count)]


def _dynamic(content: bytes | bytearray, segments: list[tuple[int, ...]]) -> Iterator[_Entry]:
    starts = [segment[2] for segment in segments if segment[0] == _DYNAMIC]
    if not starts:
        raise ValueError("it has no dynamic section")
    [offset] = starts
    while True:
        tag, value = _ENTRY.unpack_from(content, offset)
        if tag == _NULL:
            return
        yield _Entry(offset, tag, value)
        offset += _ENTRY.size


def _value(entries: list[_Entry], tag: int) -> int:
    values = [entry.value for entry in entries if entry.tag == tag]
    if not values:
        raise ValueError(f"its dynamic section lacks the tag {tag:#x}")
    return values[0]


def _offset(segments: list[tuple[int, ...]], address: int) -> int:
    """Return where in the file an address lies that the library has in memory."""
    for kind, _, offset, start, _, size, _, _ in segments:
        if kind == _LOAD and start <= address < start + size:
            return offset + address - start
    raise ValueError(f"its address {address:#x} lies in no segment")


def _first_hashed(content: bytes | bytearray, hashes: int) -> int:
    """Return the number of symbols before the hashed ones: those that are undefined."""
    (first,) = struct.unpack_from("<I", content, hashes + 4)
    return int(first)


def _text(content: bytes | bytearray, offset: int) -> str:
    return bytes(content[offset : content.index(0, offset)]).decode("ascii")
