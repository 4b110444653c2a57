"""What a server answers. Keys that are not known here are passed over: it may be newer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mobilebench.errors import ServerRefused
from mobilebench.values.job import require_inside

_LONGEST = 500


class Status(StrEnum):
    """What came of a record."""

    ADDED = "added"
    THERE = "there"
    REFUSED = "refused"


@dataclass(frozen=True)
class Taken:
    """What a server did with one record."""

    status: Status
    why: str = ""
    """The server's sentence about a record that it refused."""
    code: str = ""


@dataclass(frozen=True)
class Enrolment:
    """A computer that was taken on."""

    device: str
    """Its alias."""
    token: str = field(repr=False)
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class StoredFile:
    """A file of a job, as it lies on the server."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Lease:
    """A job for one device, until its time is over."""

    id: str
    job: str
    device: str
    files: Mapping[str, StoredFile]
    """By their paths in the folder of the job."""
    heartbeat_s: float


def parsed(content: bytes, what: str) -> dict[str, Any]:
    """Read an answer that is a JSON object. Raises `ServerRefused` for any other."""
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        raise ServerRefused(
            f"{what} answered with something that is not from a server of mobilebench; check the "
            f"address."
        )
    return plain


def text(plain: Mapping[str, Any], name: str, what: str) -> str:
    """Return a text of an answer. Raises `ServerRefused` where it lacks one."""
    content = plain.get(name)
    if not isinstance(content, str) or not content:
        raise _lacking(name, what)
    return content


def number(plain: Mapping[str, Any], name: str, what: str) -> float:
    """Return a number of an answer, not negative. Raises `ServerRefused` where it lacks one."""
    content = plain.get(name)
    if isinstance(content, bool) or not isinstance(content, int | float) or not content >= 0:
        raise _lacking(name, what)
    return content


def lease(plain: Mapping[str, Any], what: str) -> Lease:
    """Read a lease. Raises `ServerRefused` for one with files outside the folder of its job."""
    files = plain.get("files")
    if not isinstance(files, dict) or not files:
        raise _lacking("files", what)
    read = {}
    for path, each in files.items():
        try:
            require_inside(path)
            if "\\" in path or ":" in path:
                raise ValueError(f"the file {path!r} has a name that leads elsewhere on Windows")
        except ValueError as error:
            raise ServerRefused(f"{what} gave out a job that is refused here: {error}.") from error
        if not isinstance(each, dict):
            raise _lacking("files", what)
        sha256 = text(each, "sha256", what)
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise _lacking("sha256", what)
        read[path] = StoredFile(sha256, int(number(each, "size_bytes", what)))
    return Lease(
        id=text(plain, "lease", what),
        job=text(plain, "job", what),
        device=text(plain, "device", what),
        files=read,
        heartbeat_s=max(1.0, number(plain, "heartbeat_s", what)),
    )


def problem(content: bytes, status: int) -> tuple[str, str]:
    """Return the sentence and the code of a refusal, whoever answered."""
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        return f"status {status}, without a reason", ""
    detail, code = plain.get("detail") or plain.get("title"), plain.get("code")
    sentence = detail[:_LONGEST] if isinstance(detail, str) else f"status {status}"
    return sentence, code if isinstance(code, str) else ""


def taken(plain: Any, what: str) -> Taken:
    """Read what came of one record."""
    status = plain.get("status") if isinstance(plain, dict) else None
    if status not in list(Status):
        raise _lacking("status", what)
    if status != Status.REFUSED:
        return Taken(Status(status))
    sentence, code = problem(json.dumps(plain.get("problem")).encode(), 422)
    return Taken(Status.REFUSED, sentence, code)


def _lacking(name: str, what: str) -> ServerRefused:
    return ServerRefused(
        f"{what} gave an answer without a {name} that can be read; update mobilebench here and "
        f"there."
    )
