"""Files of jobs in a folder, by the hash of their content; uploads that can be resumed.

A part lies under another name until the last byte is there and the hash is right, so that what has
a file's name is whole.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from mobilebench.server.problems import Refused

SHA256 = r"^[0-9a-f]{64}$"
_PIECE = 1 << 20


class Artifacts:
    """A folder of files by SHA-256, used by any number of processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder."""
        (self._folder / "parts").mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where a file lies when it is whole."""
        if not re.fullmatch(SHA256, sha256):
            raise Refused("invalid", "A file is named by 64 small hexadecimal digits.")
        return self._folder / sha256[:2] / sha256

    def _part(self, sha256: str) -> Path:
        return self._folder / "parts" / self.path(sha256).name

    def size(self, sha256: str) -> int | None:
        """Return the size of a file; None where it is not there as a whole."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def offset(self, sha256: str) -> int:
        """Return how many bytes of a part are there."""
        try:
            return self._part(sha256).stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def appending(self, sha256: str, start: int) -> Iterator[BinaryIO]:
        """Open a part at its end, for one upload at a time.

        Raises `Refused` where another one runs, and where the part ends elsewhere.
        """
        part = self._part(sha256)
        try:
            with FileLock(part.with_suffix(".lock"), timeout=0, thread_local=False):
                offset = self.offset(sha256)
                if start != offset:
                    raise Refused(
                        "offset",
                        f"{offset} bytes are there, and this part begins at {start}; send the "
                        f"bytes from {offset} on.",
                        {"Upload-Offset": str(offset)},
                    )
                with part.open("ab") as handle:
                    yield handle
        except Timeout as error:
            raise Refused(
                "busy", "Another upload of this file is running; try again later."
            ) from error

    def finish(self, sha256: str) -> int:
        """Give a part its name where its hash is right; return its size.

        Raises `Refused` for another hash; what came is then removed.
        """
        part, path = self._part(sha256), self.path(sha256)
        digest = hashlib.sha256()
        with part.open("rb") as handle:
            while piece := handle.read(_PIECE):
                digest.update(piece)
            os.fsync(handle.fileno())
        if digest.hexdigest() != sha256:
            part.unlink()
            raise Refused(
                "wrong_hash", f"The file has the hash {digest.hexdigest()}; send it again, whole."
            )
        path.parent.mkdir(exist_ok=True)
        size = part.stat().st_size
        part.replace(path)
        part.with_suffix(".lock").unlink(missing_ok=True)
        return size

    def pieces(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        """Yield a range of a file."""
        with self.path(sha256).open("rb") as handle:
            handle.seek(start)
            while length > 0 and (piece := handle.read(min(_PIECE, length))):
                length -= len(piece)
                yield piece


_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def stated_part(header: str | None) -> tuple[int, int | None]:
    """Return where a part begins, and the size of its file, of a `Content-Range` header.

    Without a header it is the whole file, of a size that nobody stated. Raises `Refused`.
    """
    if header is None:
        return 0, None
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None or not int(match[1]) <= int(match[2]) < int(match[3]):
        raise Refused("bad_request", "Content-Range is not of the form `bytes A-B/N`.")
    return int(match[1]), int(match[3])


def asked_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return start and length of a `Range` header; None for the whole file.

    A header of another form is ignored, as HTTP has it. Raises `Refused` beyond the end.
    """
    match = _RANGE.fullmatch(header.strip()) if header is not None else None
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        start = size - length
    else:
        start = int(match[1])
        length = min(int(match[2]) if match[2] else size, size - 1) - start + 1
    if match[1] and match[2] and int(match[1]) > int(match[2]):
        return None
    if start >= size or length < 1:
        raise Refused(
            "range",
            f"The file has {size} bytes; ask for some of them.",
            {"Content-Range": f"bytes */{size}"},
        )
    return start, length
