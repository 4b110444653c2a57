"""Claim a device, so that two processes of this computer never use it at once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from mobilebench.errors import OutputError, UserError


@contextmanager
def claimed(device_id: str, work: str) -> Iterator[None]:
    """Hold a device; `work` tells others what for. Raises `UserError` where another process does.

    The operating system frees the device of a process that is killed.
    """
    place = _place(device_id)
    lock = FileLock(place, timeout=0)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise UserError(
            f"The device {device_id} is in use by {holder(device_id) or 'another process'}; wait "
            f"for its end."
        ) from error
    except OSError as error:
        raise OutputError(
            f"The device {device_id} cannot be claimed, because {place.parent} cannot be written: "
            f"{error.strerror}."
        ) from error
    note = place.with_suffix(".json")
    try:
        note.write_text(json.dumps({"process": os.getpid(), "work": work}))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def holder(device_id: str) -> str | None:
    """Say which process holds a device, and for what; None where it is free."""
    place = _place(device_id)
    if not place.exists():
        return None
    lock = FileLock(place, timeout=0)
    try:
        with lock:
            return None
    except Timeout:
        pass
    try:
        note = json.loads(place.with_suffix(".json").read_text())
    except (OSError, ValueError):
        # Between the lock and the note.
        return "another process"
    return f"process {note['process']} ({note['work']})"


def _place(device_id: str) -> Path:
    # One folder for all users would need rights that a computer rarely gives.
    name = hashlib.sha256(device_id.encode()).hexdigest()[:16]
    return Path(platformdirs.user_state_path("mobilebench")) / "claims" / f"{name}.lock"
