"""Answers of `xcrun devicectl`: JSON in a file that the caller names.

Complaints go to stderr, which is never empty. What counts is the exit status and the document's
outcome; a command that writes no document leaves none, so that every call gets a fresh file.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from mobilebench_device_runners._reading.asking import Answer, Ask


class Cause(StrEnum):
    """Why a command failed on an iPhone."""

    LOCKED = "locked"
    DEVELOPER_MODE_OFF = "developer_mode_off"
    DEVELOPER_NOT_TRUSTED = "developer_not_trusted"
    TUNNEL_DOWN = "tunnel_down"
    NOT_THERE = "not_there"
    UNSUPPORTED = "unsupported"
    OTHER = "other"

    @property
    def sentence(self) -> str:
        """What to do."""
        return _MENDS[self]

    @property
    def retry_after(self) -> str | None:
        """What has to happen before another try; None where another try is useless."""
        return {Cause.LOCKED: "unlock", Cause.TUNNEL_DOWN: "connect"}.get(self)


_MENDS = {
    Cause.LOCKED: "unlock the phone and set Auto-Lock to Never for the run",
    Cause.DEVELOPER_MODE_OFF: "Settings > Privacy & Security > Developer Mode, then restart the "
    "phone",
    Cause.DEVELOPER_NOT_TRUSTED: "Settings > General > VPN & Device Management: trust "
    "the developer",
    Cause.TUNNEL_DOWN: "plug the cable in once",
    Cause.NOT_THERE: "plug the phone in, and install the app",
    Cause.UNSUPPORTED: "drive this phone by go-ios",
    Cause.OTHER: "read the tool's message",
}
_CORE_DEVICE = {
    12040: Cause.DEVELOPER_MODE_OFF,
    4: Cause.TUNNEL_DOWN,
    4000: Cause.TUNNEL_DOWN,
    1000: Cause.NOT_THERE,
    1011: Cause.NOT_THERE,
    1001: Cause.UNSUPPORTED,
}
_SPRINGBOARD = {7: Cause.LOCKED, 3: Cause.DEVELOPER_NOT_TRUSTED}


@dataclass(frozen=True)
class Outcome:
    """How a command of devicectl or go-ios went."""

    ok: bool
    code: int | None = None
    cause: Cause | None = None
    pid: int | None = None
    json_version: int | None = None
    document: dict[str, Any] | None = None

    @property
    def mend(self) -> str | None:
        """What to do; None where it went well."""
        return self.cause.sentence if self.cause else None

    @property
    def result(self) -> dict[str, Any]:
        """The document's result; empty without one."""
        return mapping(mapping(self.document).get("result"))


def ask_devicectl(ask: Ask, words: Sequence[str], after: Sequence[str] = ()) -> Outcome:
    """Put a command to devicectl; `after` follows devicectl's own options, as an app's id does."""
    with tempfile.TemporaryDirectory(prefix="mobilebench-") as folder:
        place = Path(folder, "answer.json")
        answer = ask(["xcrun", "devicectl", *words, "--json-output", str(place), *after])
        written = place.read_bytes() if place.is_file() else None
    return outcome_of(answer, written)


def outcome_of(answer: Answer, written: bytes | None) -> Outcome:
    """Return how a command went, from its answer and the document that it wrote."""
    document = document_of(written)
    info = mapping(mapping(document).get("info"))
    version = info.get("jsonVersion")
    ok = answer.rc == 0 and info.get("outcome") == "success"
    errors = [
        *_errors(mapping(document).get("error")),
        *_complaints(answer.stderr.decode("utf-8", "replace")),
    ]
    process = mapping(mapping(mapping(document).get("result")).get("process"))
    return Outcome(
        ok=ok,
        code=None if ok or not errors else errors[0][1],
        cause=None if ok else cause_of(errors),
        pid=whole(process.get("processIdentifier")),
        json_version=whole(version),
        document=document,
    )


def cause_of(errors: Sequence[tuple[str, int]]) -> Cause:
    """Return the cause by domains and codes, the inner errors first."""
    for domain, code in reversed(errors):
        if domain == "FBSOpenApplicationErrorDomain" and code in _SPRINGBOARD:
            return _SPRINGBOARD[code]
    for domain, code in reversed(errors):
        if domain.endswith("CoreDeviceError") and code in _CORE_DEVICE:
            return _CORE_DEVICE[code]
    return Cause.OTHER


def document_of(written: bytes | None) -> dict[str, Any] | None:
    """Return a JSON object; None for anything else."""
    try:
        document = json.loads(written) if written else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def mapping(content: object) -> dict[str, Any]:
    """Return a JSON object; empty for anything else."""
    return content if isinstance(content, dict) else {}


def rows(content: object) -> list[dict[str, Any]]:
    """Return the objects in a JSON list."""
    return [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def word(content: object) -> str | None:
    """Return a JSON text; None for anything else, and for an empty one."""
    return content if isinstance(content, str) and content else None


def whole(content: object) -> int | None:
    """Return a whole JSON number; None for anything else."""
    return content if isinstance(content, int) and not isinstance(content, bool) else None


def _errors(error: object, depth: int = 0) -> Iterator[tuple[str, int]]:
    """Give the domain and code of an error and of those below it."""
    content = mapping(error)
    code = whole(content.get("code"))
    if code is not None:
        yield str(content.get("domain", "")), code
    if depth < 8:
        for key, inner in mapping(content.get("userInfo")).items():
            if "Underlying" in key:
                held = mapping(inner)
                for each in (held, held.get("error"), *rows(inner), *rows(held.get("errors"))):
                    yield from _errors(each, depth + 1)


def _complaints(stderr: str) -> Iterator[tuple[str, int]]:
    for line in stderr.splitlines():
        if match := re.search(r"\(([\w.]+) error (-?\d{1,9}) \(0x", line):
            yield match[1], int(match[2])


def locked_of(outcome: Outcome) -> bool | None:
    """Return whether a phone is locked, from `device info lockState`; None if it does not say."""
    needed = outcome.result.get("passcodeRequired")
    return needed if outcome.ok and isinstance(needed, bool) else None


def pids_of(outcome: Outcome, app: str) -> tuple[int, ...]:
    """Return the processes of an app, `NAME.app`, from `device info processes`.

    The listing has no bundle ids; a process is recognised by its path.
    """
    return tuple(
        pid
        for each in rows(outcome.result.get("runningProcesses"))
        if f"/{app}/" in str(each.get("executable", ""))
        if (pid := whole(each.get("processIdentifier"))) is not None
    )
