"""Outputs named by the content that they were made of, made once and by one process."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event

from mobilebench.files import only_one, publish_folder, staging_folder
from mobilebench_android.fetching import Report
from mobilebench_android.places import output

_KEPT_S = 3600
"""Age of an output of other content that is removed; another process may still read it."""
_KEY_CHARS = 16


def key_of(*terms: object) -> str:
    """Return a short name for the content of JSON values."""
    return hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest()[:_KEY_CHARS]


def files_key(files: Iterable[tuple[str, Path]]) -> str:
    """Return a short name for the names and the content of files."""
    return key_of(
        [[name, hashlib.sha256(path.read_bytes()).hexdigest()] for name, path in sorted(files)]
    )


def made(kind: str, key: str, make: Callable[[Path], None], report: Report) -> Path:
    """Return the folder of an output; `make` fills it where it is not there yet."""
    place = output() / f"{kind}-{key}"
    if place.is_dir():
        return place
    with only_one(place, lambda: report(f"waiting for another process that makes {kind}"), Event()):
        if not place.is_dir():
            publish(kind, key, make)
    return place


def publish(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """Make an output whatever is there, and return its folder; the caller holds a lock."""
    place = output() / f"{kind}-{key}"
    with staging_folder(place.parent) as folder:
        make(folder)
        publish_folder(folder, place)
    for other in place.parent.glob(f"{kind}-{'?' * _KEY_CHARS}"):
        if other != place and time.time() - other.stat().st_mtime > _KEPT_S:
            shutil.rmtree(other, ignore_errors=True)
    return place
