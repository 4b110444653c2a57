"""Keep a board for one job: all of its users share its cores."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobilebench.errors import UserError

LOCK_FILE = "mobilebench-board.lock"
"""In the folder for temporary files, which all users have."""


@contextmanager
def alone() -> Iterator[None]:
    """Keep the board for this process. Raises `UserError` where another measures on it."""
    # On use: computers that talk to a board need not have it.
    import fcntl

    path = Path(tempfile.gettempdir()) / LOCK_FILE
    try:
        # A file of another user in a folder for all may be opened, and not with the right to make.
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        os.fchmod(handle, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                "Another job measures on this board now; wait for its end, or stop it where it was "
                "started."
            ) from error
        yield
    finally:
        os.close(handle)
