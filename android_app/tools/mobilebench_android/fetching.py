"""Fetch parts into a cache: verified, and whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event

from mobilebench.errors import UserError
from mobilebench.files import only_one, publish_folder, staging_folder, writing
from mobilebench_android.archives import extract
from mobilebench_android.parts import Part, host, parts
from mobilebench_android.places import CACHE, Unavailable, cache

_LAYOUT = 1
"""Goes up when a part's folder would be laid out in another way."""
_CHUNK = 1 << 20
_TIMEOUT_S = 60
_TRIES = 3

Report = Callable[[str], None]


def silent(line: str) -> None:
    """Report nothing."""


def fetch(name: str, report: Report = silent) -> Path:
    """Return the folder with what is taken out of a part; fetch it where it is not there yet.

    Raises `Unavailable` where it cannot be had, and `UserError` where it is not what it was.
    """
    return fetch_part(parts()[name], report)


def fetch_part(part: Part, report: Report = silent) -> Path:
    """Return the folder with what is taken out of a part, of whatever table; see `fetch`."""
    if part.host not in (None, host()):
        raise Unavailable(f"{part.title} runs on {part.host} only, and this is {host()}")
    place = cache() / "parts" / f"{part.name}-{part.version}-{_key(part)[:16]}"
    if place.is_dir():
        return place
    waiting = f"waiting for another process that fetches {part.title}"
    with only_one(place, lambda: report(waiting), Event()):
        if not place.is_dir():
            _unpack(part, _archive(part, report), place)
    return place


def fetch_all(names: Iterable[str], report: Report = silent) -> dict[str, Path]:
    """Return the folders of several parts; see `fetch`."""
    return {name: fetch(name, report) for name in names}


def _key(part: Part) -> str:
    taken = [[each.pattern, each.folder] for each in part.take]
    return hashlib.sha256(json.dumps([_LAYOUT, part.sha256, taken]).encode()).hexdigest()


def _unpack(part: Part, archive: Path, place: Path) -> None:
    with staging_folder(place.parent) as folder:
        extract(archive, part.file, part.take, folder)
        for name, sha256 in part.members:
            if _sha256(folder / name) != sha256:
                raise UserError(f"{name} of {part.title} has another sha256 than the table says")
        publish_folder(folder, place)


def _archive(part: Part, report: Report) -> Path:
    """Return a part's archive, which is downloaded where the cache does not have it."""
    place = cache() / "archives" / part.sha256
    if place.is_file():
        return place
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    problems = []
    for address in part.addresses:
        report(f"fetching {part.title} from {address.partition('//')[2].partition('/')[0]}")
        try:
            return _download(part, address, place)
        except (OSError, http.client.HTTPException) as error:
            problems.append(f"{address}: {error}")
    raise Unavailable(
        f"cannot fetch {part.title} ({'; '.join(problems)}); run it again where the registry can "
        f"be reached, or set {CACHE} to a folder that has it"
    )


def _download(part: Part, address: str, place: Path) -> Path:
    """Download one archive, from where an earlier try ended."""
    partial = place.with_name(f"{place.name}.partial")
    for attempt in range(_TRIES):
        try:
            _append(address, partial)
            break
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError) or attempt == _TRIES - 1:
                raise
    sha256 = _sha256(partial)
    if sha256 != part.sha256:
        partial.unlink()
        raise UserError(
            f"{address} has the sha256 {sha256}, and the table of parts says {part.sha256}; it was "
            "changed there or on the way, so nothing of it is used"
        )
    partial.replace(place)
    return place


def _append(address: str, partial: Path) -> None:
    start = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(address, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if start and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # it was whole already
        raise
    with contextlib.closing(answer):
        mode = "ab" if answer.status == http.client.PARTIAL_CONTENT else "wb"
        expected = answer.length
        with writing(partial), partial.open(mode) as out:
            before = out.tell()
            while chunk := answer.read(_CHUNK):
                out.write(chunk)
            received = out.tell() - before
            out.flush()
            os.fsync(out.fileno())
    if expected is not None and received < expected:
        raise http.client.IncompleteRead(b"", expected - received)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
