"""Give the classes of a jar another package, as Android does with ICU4J."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench_android.jars import entry

_MAGIC = b"\xca\xfe\xba\xbe"
_TEXT = 1
_WIDE = {5, 6}
_SIZES = {
    3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4,
}  # fmt: skip
"""Bytes of a constant after its tag, by tag; Java Virtual Machine Specification, section 4.4."""


def rename_jar(jar: Path, old: str, new: str, out: Path) -> None:
    """Write a jar whose package `old` is named `new` in classes, texts and file names.

    Packages are written with dots. Raises `UserError` for a class that cannot be read.
    """
    pairs = [(old, new), (_folder(old), _folder(new))]
    encoded = [(was.encode(), now.encode()) for was, now in pairs]
    with zipfile.ZipFile(jar) as opened, zipfile.ZipFile(out, "w") as written:
        for name in sorted(opened.namelist()):
            if name.endswith("/") or name.startswith("META-INF/"):
                continue
            content = opened.read(name)
            if name.endswith(".class"):
                content = _renamed(content, encoded, f"{jar.name}!{name}")
            written.writestr(entry(name.replace(*pairs[1])), content)


def _folder(package: str) -> str:
    return package.replace(".", "/")


def _renamed(content: bytes, pairs: list[tuple[bytes, bytes]], name: str) -> bytes:
    """Return a class file with other texts among its constants; nothing else states a name."""
    if content[:4] != _MAGIC:
        raise UserError(f"{name} is not a class file; fetch its part again")
    count = struct.unpack_from(">H", content, 8)[0]
    constants = [content[:10]]
    at, index = 10, 1
    while index < count:
        tag = content[at]
        if tag == _TEXT:
            size = struct.unpack_from(">H", content, at + 1)[0]
            text = content[at + 3 : at + 3 + size]
            for old, new in pairs:
                text = text.replace(old, new)
            constants.append(struct.pack(">BH", tag, len(text)) + text)
            at += 3 + size
        else:
            if tag not in _SIZES:
                raise UserError(f"{name} has a constant of the kind {tag}, which none has")
            constants.append(content[at : at + 1 + _SIZES[tag]])
            at += 1 + _SIZES[tag]
        index += 2 if tag in _WIDE else 1
    return b"".join(constants) + content[at:]
