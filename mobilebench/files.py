"""Write files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import psutil
from filelock import FileLock, Timeout

from mobilebench.errors import Cancelled, OutputError

_PARTIAL = ".partial-"
_LOCKS = ".locks"
_WRITE_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space and run it again",
    errno.EDQUOT: "the disk quota is used up; free some space and run it again",
    errno.EFBIG: "the file is larger than this account may write; raise the limit (ulimit -f)",
    errno.EACCES: "permission is denied; choose another folder",
    errno.EPERM: "permission is denied; choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another folder",
    errno.EEXIST: "a file of that name is in the way; choose another folder",
}
_PLACE_ADVICE = {
    errno.EISDIR: "it is a folder; give the path of a file in it",
    errno.ENOENT: "no file can be made there; choose another folder",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
    errno.ELOOP: "its symbolic links lead in a circle; remove them or choose another path",
    errno.EBADF: "it is closed; open it, or name a file",
    errno.ENXIO: "nothing takes what is written there; choose another path",
    errno.EPIPE: "what reads it has ended; keep its reader open, or name a file",
}
"""What to do where a place that the user named is the reason."""
_MOST_LINKS = 40
"""Symbolic links that Linux follows in one path."""


def write_text(path: Path, text: str) -> None:
    """Write a text file as `write_bytes` does, in UTF-8."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file through a temporary neighbour and an atomic rename.

    A symbolic link stays, and its target is written. What is no regular file, such as a device or
    /dev/stdout, is written as it is. Raises `OutputError` where it cannot be written.
    """
    with writing(path):
        descriptor = _descriptor(path)
        place = Path(os.path.realpath(path))
        if descriptor is not None:
            _write_open(os.dup(descriptor), content)
        elif (mode := _mode(place)) is None or stat.S_ISREG(mode):
            _replace(place, content, 0o666 & ~_umask() if mode is None else stat.S_IMODE(mode))
        else:
            _write_open(os.open(place, os.O_WRONLY), content)


def append_text(path: Path, text: str) -> None:
    """Add a text to the end of a file, in UTF-8. Raises `OutputError`."""
    with writing(path), path.open("a", encoding="utf-8") as file:
        file.write(text)


def require_file(path: Path) -> None:
    """Raise `OutputError` unless a file can be written there; nothing is left behind."""
    with writing(path):
        descriptor = _descriptor(path)
        place = Path(os.path.realpath(path))
        if descriptor is not None:
            os.fstat(descriptor)
        elif (mode := _mode(place)) is None or stat.S_ISREG(mode):
            _require_place_for_files(place.parent)
        elif stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        elif not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, "may not be written")


def require_folder(path: Path) -> None:
    """Raise `OutputError` unless files can be written in a folder, which may be a new one."""
    with writing(path):
        _require_place_for_files(Path(os.path.realpath(path)))


def is_special(path: Path) -> bool:
    """Return whether a path is an open file, a device, a pipe or the like, not a place to keep.

    Two outputs may go there, one after the other.
    """
    try:
        mode = _mode(path)
    except OSError:
        return False
    return _descriptor(path) is not None or not (
        mode is None or stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    )


def _replace(place: Path, content: bytes, mode: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, neighbour = tempfile.mkstemp(prefix=_PARTIAL, dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(neighbour).chmod(mode)
        Path(neighbour).replace(place)
    except BaseException:
        Path(neighbour).unlink(missing_ok=True)
        raise


def _write_open(handle: int, content: bytes) -> None:
    """Write to an open file, and close it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # what was printed before comes first
    with os.fdopen(handle, "wb") as out:
        out.write(content)


def _mode(place: Path) -> int | None:
    """Return the type and the permissions of a file; None where there is none."""
    try:
        return place.stat().st_mode
    except FileNotFoundError:
        return None


def _descriptor(path: Path) -> int | None:
    """Return the number of the open file that a path names, such as 1 for /dev/stdout.

    It is not opened again by its name: that would empty a file to which a shell appends.
    """
    own = ("/dev/fd", f"/proc/{os.getpid()}/fd", f"/proc/{os.getpid()}/task/")
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(path.parent)
        if path.name.isdecimal() and (folder in own[:2] or folder.startswith(own[2])):
            return int(path.name)
        if not path.is_symlink():
            return None
        path = Path(folder) / path.readlink()
    return None


def _require_place_for_files(folder: Path) -> None:
    """Raise an `OSError` unless a folder, or the nearest one above it, takes a new file."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    # Only trying says it: root may write everywhere, and no file can be made in /proc.
    with tempfile.TemporaryFile(dir=folder):  # it has no name where the system allows that
        pass


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


@contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Yield a temporary folder beside its future place.

    It is removed when the block ends, unless it was renamed away. Folders that killed processes
    left behind are removed first. Raises `OutputError` where `parent` cannot be written.
    """
    with writing(parent):
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=f"{_PARTIAL}{os.getpid()}-", dir=parent))
        folder.chmod(0o777 & ~_umask())
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove staging folders whose process is gone."""
    for folder in parent.glob(f"{_PARTIAL}*-*"):
        owner = folder.name.removeprefix(_PARTIAL).split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def only_one(place: Path, waiting: Callable[[], None], cancel: Event) -> Iterator[None]:
    """Lock a future place against every other process that writes there.

    `waiting` is called once where another process holds the lock. The lock ends with its process,
    however that ends. Raises `Cancelled` when `cancel` is set while waiting, and `OutputError`
    where the folder cannot be written.
    """
    folder = place.parent / _LOCKS
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{place.name}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            waiting()
            try:
                lock.acquire(poll_interval=0.2, cancel_check=cancel.is_set)
            except Timeout:
                raise Cancelled from None
    try:
        yield
    finally:
        lock.release()


def publish_folder(staged: Path, place: Path) -> None:
    """Rename a staged folder to its place, and replace what was there before.

    Raises `OutputError` where it cannot be done; then the old folder is still there.
    """
    with writing(place):
        if not place.exists():
            staged.rename(place)
            return
        old = place.with_name(f"{_PARTIAL}{os.getpid()}-old-{place.name}")
        place.rename(old)
        try:
            staged.rename(place)
        except BaseException:
            old.rename(place)
            raise
        shutil.rmtree(old, ignore_errors=True)


def write_advice(error: BaseException) -> str | None:
    """Return what to do about a failed write; None where the cause is not known.

    The chain of causes is searched. Toolkits wrap an `OSError`, or write from native code and only
    quote the system's message, so messages are searched as well.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _WRITE_ADVICE:
            return _WRITE_ADVICE[cause.errno]
        if "No space left on device" in str(cause):
            return _WRITE_ADVICE[errno.ENOSPC]
        cause = cause.__cause__ or cause.__context__
    return None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failed write under `path` into an `OutputError` that says what to do."""
    try:
        yield
    except OSError as error:
        advice = write_advice(error) or _other_advice(error)
        raise OutputError(f"Could not write {path}: {advice}.") from error


def _other_advice(error: OSError) -> str:
    """Say what to do about the rarer ways in which a write fails, where only the path is known."""
    cause = str(error.strerror or error).lower()
    return _PLACE_ADVICE.get(error.errno or 0) or f"{cause}; choose another place"


def pack(folder: Path, parts: Iterable[Path] | None = None) -> bytes:
    """Return files and folders inside a folder, by default all of it, as one archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", strict_timestamps=False) as archive:
        for part in [folder] if parts is None else parts:
            for path in sorted(part.rglob("*")) if part.is_dir() else [part]:
                archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Write what `pack` returned into a folder; nothing is written outside of it.

    Raises `OutputError` where it cannot be written.
    """
    with writing(folder), zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
