"""Read tar, zip and Debian archives, also those inside another one."""

from __future__ import annotations

import fnmatch
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from mobilebench.errors import UserError
from mobilebench_android.parts import Taken

_Members = Iterator[tuple[str, bytes]]
_Entries = Iterator[tuple[str, Callable[[], bytes]]]


def extract(archive: Path, name: str, taken: tuple[Taken, ...], folder: Path) -> None:
    """Write what is taken out of an archive into a folder.

    `name` is the archive's name in its registry, whose ending tells the kind. Raises `UserError`
    where nothing matches a pattern.
    """
    wanted = dict.fromkeys(taken, 0)
    with archive.open("rb") as file:
        for member, content in _members(file, name, [each.pattern for each in taken]):
            for each in taken:
                place = _place(each, member)
                if place is not None:
                    wanted[each] += 1
                    _write(folder / place, content)
    for each, count in wanted.items():
        if not count:
            raise UserError(f"{name} holds no {each.pattern}; the table of parts is wrong there")


def _place(taken: Taken, member: str) -> PurePosixPath | None:
    """Return where a member goes; None for one that is not taken."""
    if taken.pattern.endswith("/"):
        if not member.startswith(taken.pattern):
            return None
        return PurePosixPath(taken.folder) / member.removeprefix(taken.pattern)
    if not fnmatch.fnmatchcase(member, taken.pattern):
        return None
    return PurePosixPath(taken.folder) / PurePosixPath(member.rpartition("!")[2]).name


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755 if content[:4] == b"\x7fELF" else 0o644)


def _members(file: IO[bytes], name: str, patterns: list[str]) -> _Members:
    """Yield the files that a pattern may want; those of an inner archive as `A!B`."""
    inner = {pattern.partition("!")[0] for pattern in patterns if "!" in pattern}
    direct = [pattern for pattern in patterns if "!" not in pattern]
    for member, read in _entries(file, name):
        if any(_may_match(member, pattern) for pattern in direct):
            yield member, read()
        if member in inner:
            rest = [p.partition("!")[2] for p in patterns if p.startswith(f"{member}!")]
            for below, content in _members(io.BytesIO(read()), member, rest):
                yield f"{member}!{below}", content


def _may_match(member: str, pattern: str) -> bool:
    if pattern.endswith("/"):
        return member.startswith(pattern)
    return fnmatch.fnmatchcase(member, pattern)


def _entries(file: IO[bytes], name: str) -> _Entries:
    """Yield every file of an archive with what reads it."""
    if name.endswith((".zip", ".whl", ".jar", ".aar")):
        with zipfile.ZipFile(file) as opened:
            for info in opened.infolist():
                if not info.is_dir():
                    yield info.filename, partial(opened.read, info)
    elif name.endswith(".deb"):
        yield from _tar_entries(io.BytesIO(_debian_data(file, name)))
    else:
        yield from _tar_entries(file)


def _tar_entries(file: IO[bytes]) -> _Entries:
    with tarfile.open(fileobj=file) as opened:
        for member in opened:
            if member.isfile() or member.issym():
                yield member.name.removeprefix("./"), partial(_read, opened, member)


def _read(opened: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Return the content of a file, or of the file that a link in the archive leads to."""
    content = opened.extractfile(member)
    if content is None:
        raise UserError(f"{member.name} leads out of its archive; take the file that it means")
    return content.read()


_AR = b"!<arch>\n"
_AR_HEADER = 60


def _debian_data(file: IO[bytes], name: str) -> bytes:
    """Return the archive of files in a Debian package, which is an `ar` archive of three."""
    if file.read(len(_AR)) != _AR:
        raise UserError(f"{name} is not a Debian package; fetch it again")
    while header := file.read(_AR_HEADER):
        size = int(header[48:58])
        member = header[:16].decode().rstrip("/ ")
        content = file.read(size + size % 2)[:size]
        if member == "data.tar.xz":
            return lzma.decompress(content)
        if member.startswith("data.tar"):
            return content
    raise UserError(f"{name} holds no files; the table of parts is wrong there")
