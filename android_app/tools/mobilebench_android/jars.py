"""Write zip archives whose bytes depend on nothing but their content."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip archive can state; every entry has it."""


def entry(name: str, compression: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    """Return the header of a file that is the same on every machine and at every time."""
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = compression
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info


def write_jar(path: Path, files: Mapping[str, Path]) -> None:
    """Write files under their names, in the order of the names."""
    with zipfile.ZipFile(path, "w") as jar:
        for name in sorted(files):
            jar.writestr(entry(name), files[name].read_bytes())


def files_below(folder: Path) -> dict[str, Path]:
    """Return the files below a folder by their names in an archive."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
