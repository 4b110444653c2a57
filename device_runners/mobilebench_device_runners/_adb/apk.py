"""Find the app's package for a phone, and read what it says of itself."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.values.artifact import content_sha256

VARIABLE = "MOBILEBENCH_APK"
"""Variable with the app's package, or with a folder of packages, in place of `build/android`."""
_BUILT = Path("build") / "android"
_MANIFEST = "AndroidManifest.xml"
# Chunks of a compiled manifest, frameworks/base/libs/androidfw/include/androidfw/ResourceTypes.h.
_STRINGS, _ELEMENT = 0x0001, 0x0102
_UTF8 = 1 << 8
_NONE = 0xFFFFFFFF
_TEXT = 0x03


@dataclass(frozen=True)
class Apk:
    """A package of the app on this computer."""

    path: Path
    package: str
    version_code: int
    version_name: str
    abis: tuple[str, ...]
    """Of its native libraries."""

    @property
    def sha256(self) -> str:
        """The sha256 of the file, which is that of an installed copy."""
        return content_sha256(self.path)


def find(abis: Sequence[str]) -> Apk | None:
    """Return the package at hand for a phone with these ABIs, the best first; None without one.

    It is the one that the variable MOBILEBENCH_APK names, or that of a checkout's build. Raises
    `UserError` for a variable that names no package for the phone, and for another kind of file.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _named(Path(named).expanduser(), abis)
    for root in (Path.cwd(), Path(__file__).resolve().parents[3]):
        for abi in abis:
            path = root / _BUILT / f"mobilebench-{abi}.apk"
            if path.is_file():
                return read(path)
    return None


def _named(place: Path, abis: Sequence[str]) -> Apk:
    paths = [place] if not place.is_dir() else [place / f"mobilebench-{abi}.apk" for abi in abis]
    found_at = next((path for path in paths if path.is_file()), None)
    if found_at is None:
        names = " or ".join(str(path) for path in paths) or str(place)
        raise UserError(
            f"{VARIABLE} is {str(place)!r}, and there is no package for this phone: no file "
            f"{names}; name the APK, or run `make apk` in a checkout."
        )
    package = read(found_at)
    if package.abis and not set(package.abis) & set(abis):
        raise UserError(
            f"{found_at} is for {', '.join(package.abis)}, and the phone runs "
            f"{', '.join(abis)}; name the package for the phone in {VARIABLE}."
        )
    return package


def read(path: Path) -> Apk:
    """Read a package. Raises `UserError` for a file that is not one."""
    try:
        with zipfile.ZipFile(path) as archive:
            facts = _facts(archive.read(_MANIFEST))
            parts = [name.split("/") for name in archive.namelist()]
        abis = sorted({part[1] for part in parts if part[0] == "lib" and len(part) > 2})
        return Apk(
            path=path,
            package=str(facts["package"]),
            version_code=int(facts["versionCode"]),
            version_name=str(facts["versionName"]),
            abis=tuple(abis),
        )
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, struct.error, IndexError) as error:
        raise UserError(
            f"{path} cannot be read as a package of Android ({error}); build it again with "
            f"`make apk`, or copy it again."
        ) from error


def _facts(content: bytes) -> dict[str, str | int]:
    """Return the attributes of the first element of a compiled manifest, by name."""
    strings: list[str] = []
    place = 8
    while place + 8 <= len(content):
        kind, _, size = struct.unpack_from("<HHI", content, place)
        chunk = content[place : place + size]
        if kind == _STRINGS:
            strings = _strings(chunk)
        elif kind == _ELEMENT:
            return _attributes(chunk, strings)
        if size < 8:
            break
        place += size
    raise ValueError("its manifest has no element")


def _strings(chunk: bytes) -> list[str]:
    count, _, flags, start = struct.unpack_from("<IIII", chunk, 8)
    places = struct.unpack_from(f"<{count}I", chunk, 28)
    read_one = _utf8 if flags & _UTF8 else _utf16
    return [read_one(chunk, start + place) for place in places]


def _utf16(chunk: bytes, place: int) -> str:
    (count,) = struct.unpack_from("<H", chunk, place)
    place += 2
    if count & 0x8000:
        (low,) = struct.unpack_from("<H", chunk, place)
        count = (count & 0x7FFF) << 16 | low
        place += 2
    return chunk[place : place + 2 * count].decode("utf-16-le")


def _utf8(chunk: bytes, place: int) -> str:
    for _ in range(2):  # characters, then bytes
        count = chunk[place]
        place += 1
        if count & 0x80:
            count = (count & 0x7F) << 8 | chunk[place]
            place += 1
    return chunk[place : place + count].decode("utf-8")


def _attributes(chunk: bytes, strings: Sequence[str]) -> dict[str, str | int]:
    start, size, count = struct.unpack_from("<HHH", chunk, 24)
    result: dict[str, str | int] = {}
    for at in range(count):
        _, name, raw, _, kind, data = struct.unpack_from("<IIIHxBI", chunk, 16 + start + at * size)
        if kind == _TEXT or raw != _NONE:
            result[strings[name]] = strings[data if kind == _TEXT else raw]
        else:
            result[strings[name]] = data
    return result
