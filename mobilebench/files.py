"""Write files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
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


def write_text(path: Path, text: str) -> None:
    """Write a text file as `write_bytes` does, in UTF-8."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file through a temporary neighbour and an atomic rename.

    Raises `OutputError` where it cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, neighbour = tempfile.mkstemp(prefix=_PARTIAL, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            Path(neighbour).chmod(0o666 & ~_umask())
            Path(neighbour).replace(path)
        except BaseException:
            Path(neighbour).unlink(missing_ok=True)
            raise


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
        advice = write_advice(error)
        if advice is None:
            raise
        raise OutputError(f"Could not write {path}: {advice}.") from error
