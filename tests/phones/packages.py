"""Packages of Android with nothing in them but what names them."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

_STRINGS = ("versionCode", "versionName", "package", "manifest")
_NONE = 0xFFFFFFFF


def write_package(
    path: Path,
    version_code: int = 1,
    version_name: str = "0.1.0",
    abi: str = "x86_64",
    package: str = "mobilebench.app",
) -> Path:
    """Write a package with a compiled manifest and an empty library; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("AndroidManifest.xml", manifest(version_code, version_name, package))
        archive.writestr(f"lib/{abi}/libnothing.so", b"")
    return path


def manifest(version_code: int, version_name: str, package: str) -> bytes:
    """Return a compiled manifest: a pool of strings, and the start of one element."""
    strings = [*_STRINGS, version_name, package]
    places, content = [], b""
    for text in strings:
        places.append(len(content))
        content += struct.pack("<H", len(text)) + text.encode("utf-16-le") + b"\0\0"
    content += b"\0" * (-len(content) % 4)
    start = 28 + 4 * len(strings)
    pool = struct.pack("<IIIII", len(strings), 0, 0, start, 0)
    pool += struct.pack(f"<{len(strings)}I", *places) + content
    attributes = [
        struct.pack("<IIIHBBI", _NONE, 0, _NONE, 8, 0, 0x10, version_code),
        struct.pack("<IIIHBBI", _NONE, 1, 4, 8, 0, 0x03, 4),
        struct.pack("<IIIHBBI", _NONE, 2, 5, 8, 0, 0x03, 5),
    ]
    element = struct.pack("<II", 1, _NONE) + struct.pack("<II", _NONE, 3)
    element += struct.pack("<HHHHHH", 20, 20, len(attributes), 0, 0, 0) + b"".join(attributes)
    chunks = _chunk(0x0001, 28, pool) + _chunk(0x0102, 16, element)
    return _chunk(0x0003, 8, chunks)


def _chunk(kind: int, header: int, content: bytes) -> bytes:
    return struct.pack("<HHI", kind, header, 8 + len(content)) + content
