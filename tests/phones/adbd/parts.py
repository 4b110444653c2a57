"""Fetch adb and the daemon of a phone, `adbd`, as Debian builds both for Linux."""

from __future__ import annotations

import shlex
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path

from mobilebench_android.fetching import fetch_part, silent
from mobilebench_android.outputs import files_key, key_of, made
from mobilebench_android.parts import read
from mobilebench_android.places import output

TABLE = Path(__file__).with_name("parts.toml")
_LOADER = "ld-linux-x86-64.so.2"
_PROGRAMS = ("adb", "adbd")
_INTERPRETER = 3
"""The kind of a program header that names the loader."""
_HEADERS_AT, _HEADER_SIZE_AT = 32, 54


@dataclass(frozen=True)
class AdbParts:
    """The two programs, with the libraries of their own Debian beside them."""

    folder: Path

    @property
    def adb(self) -> Path:
        """A program that people call `adb`."""
        return self.folder / "adb"

    @property
    def daemon(self) -> list[str]:
        """The command that starts adbd. What it starts has this machine's libraries."""
        return [
            str(self.folder / _LOADER),
            *("--inhibit-cache", "--library-path", str(self.folder)),
            str(self.folder / "adbd-program"),
        ]


def adb_parts() -> AdbParts:
    """Return the two programs. Raises `Unavailable` where they cannot be had here."""
    parts = read(tomllib.loads(TABLE.read_text(encoding="utf-8")))
    folders = [fetch_part(part) for part in parts.values()]
    found = {path.name: path for folder in folders for path in folder.iterdir()}
    # The programs hold the place where they lie.
    key = key_of(files_key([*found.items(), ("code", Path(__file__))]), str(output()))
    place = output() / f"adb-{key}"
    return AdbParts(made("adb", key, lambda folder: _lay_out(found, folder, place), silent))


def _lay_out(found: dict[str, Path], folder: Path, place: Path) -> None:
    for name, source in found.items():
        target = folder / (f"{name}-program" if name in _PROGRAMS else name)
        target.write_bytes(source.read_bytes())
        target.chmod(0o755)
    # adb starts its server by the name of the running file, so the loader has to stand in it.
    program = folder / "adb-program"
    program.write_bytes(_loaded_by(program.read_bytes(), str(place / _LOADER)))
    command = (
        f"LD_LIBRARY_PATH={shlex.quote(str(place))} exec {shlex.quote(str(place))}/adb-program"
    )
    (folder / "adb").write_text(f'#!/bin/sh\n{command} "$@"\n', encoding="utf-8")
    (folder / "adb").chmod(0o755)


def _loaded_by(program: bytes, loader: str) -> bytes:
    """Return a program of 64 bits with another loader; its path goes to the end of the file."""
    content = bytearray(program)
    [headers] = struct.unpack_from("<Q", content, _HEADERS_AT)
    size, count = struct.unpack_from("<HH", content, _HEADER_SIZE_AT)
    for header in range(headers, headers + size * count, size):
        [kind] = struct.unpack_from("<I", content, header)
        if kind == _INTERPRETER:
            path = loader.encode() + b"\0"
            struct.pack_into("<Q", content, header + 8, len(content))
            struct.pack_into("<QQ", content, header + 32, len(path), len(path))
            content += path
    return bytes(content)
