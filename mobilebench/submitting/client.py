"""Talk to a server: records up, files up and down, jobs and their leases.

Every request can be repeated without harm, so each is tried again where its connection broke or
the server cannot answer now (408, 425, 429, 5xx), with growing pauses. docs/server.md is the
contract.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Self
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobilebench.errors import ServerAway, ServerRefused
from mobilebench.files import writing
from mobilebench.submitting import answers
from mobilebench.submitting.address import Address
from mobilebench.submitting.answers import Enrolment, Lease, Taken
from mobilebench.submitting.connection import Body, Connection, Into, Reply
from mobilebench.submitting.patience import Patience, Tries, retry_after_s
from mobilebench.values.device import Device

ENROL_PREFIX = "mobilebench-enrol:"
"""What stands before the code in what a device signs with its key."""
_JSON = "application/json"
_LINES = "application/x-ndjson"
_LATER = (408, 425, 429)
_COMPRESSED_FROM = 1_000
"""Bytes from which a body is compressed; below, it costs more than it saves."""
_CHUNK = 8 << 20
_LEAST_CHUNK = 1 << 18
_PART = 1 << 18
_WRONG_HASH = "wrong_hash"
_OF_A_RECORD = (
    "other_record", "other_key", "too_large", "too_deep", "invalid", "unsigned", "bad_json",
)  # fmt: skip
"""Codes of refusals that are about one record, and hold whoever sends it."""


@dataclass(frozen=True)
class Compression:
    """How bodies are made smaller."""

    name: str
    compress: Callable[[bytes], bytes]


def usual_compression() -> Compression:
    """Return zstd where its package is installed, else gzip."""
    try:
        import zstandard
    except ImportError:
        return Compression("gzip", partial(gzip.compress, compresslevel=6, mtime=0))
    return Compression("zstd", zstandard.ZstdCompressor(level=3).compress)


class Server:
    """A server, for one thread; `cut` alone may be called from another one."""

    def __init__(
        self,
        address: Address,
        token: str | None,
        patience: Patience | None = None,
        cancel: Event | None = None,
        compression: Compression | None = None,
    ) -> None:
        self.address = address
        self._token = token
        self._patience = patience or Patience()
        self._cancel = cancel or Event()
        self._compression: Compression | None = compression or usual_compression()
        self._connection = Connection(address)

    def __repr__(self) -> str:
        return f"Server({self.address})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def cut(self) -> None:
        """End the request that another thread waits for, and refuse those that follow."""
        self._cancel.set()
        self._connection.cut()

    # A computer becomes known.

    def enrol(self, code: str, key: Ed25519PrivateKey, device: Device) -> Enrolment:
        """Show a code once, with this computer's key; return the token.

        From then on the server takes records of the token that this key has signed. Raises
        `ServerRefused` for a code that is unknown, used or too old.
        """
        code = code.replace("-", "").replace(" ", "").upper()
        plain = self._json(
            "POST",
            "/v1/enrol",
            {
                "code": code,
                "public_key": key.public_key().public_bytes_raw().hex(),
                "signature": key.sign(f"{ENROL_PREFIX}{code}".encode()).hex(),
                "device": described(device),
            },
        )
        scopes = plain.get("scopes")
        return Enrolment(
            device=answers.text(plain, "device", self._what),
            token=answers.text(plain, "token", self._what),
            scopes=tuple(str(each) for each in scopes) if isinstance(scopes, list) else (),
        )

    def me(self) -> dict[str, Any]:
        """Return what the server knows of the token: its scopes, and its device or None."""
        return self._json("GET", "/v1/me")

    def register(self, alias: str, device: Device) -> None:
        """Tell the server of a device that this computer serves, whose records it signs."""
        self._json("PUT", f"/v1/devices/{quote(alias, safe='')}", described(device))

    # Records.

    def submit(self, texts: Sequence[str], lease: str | None = None) -> list[Taken]:
        """Send records as their JSON texts, each on one line; return what came of each.

        A record that is refused does not hold up the others. With `lease`, there is one record,
        which also ends the lease. Raises `ServerAway`, and `ServerRefused` where the server takes
        nothing from this token: then it is not the fault of a record.
        """
        if not texts:
            return []
        if len(texts) == 1:
            return [self._submit_one(texts[0], lease)]
        assert lease is None, "a lease is for one record"
        try:
            reply = self._ask(
                "POST", "/v1/records", content=_lines(texts), media_type=_LINES, packed=True
            )
        except ServerRefused as error:
            if error.status != 413:
                raise
            half = len(texts) // 2
            return [*self.submit(texts[:half]), *self.submit(texts[half:])]
        results = answers.parsed(reply.content, self._what).get("results")
        by_line = {
            each["line"]: answers.taken(each, self._what)
            for each in (results if isinstance(results, list) else [])
            if isinstance(each, dict) and isinstance(each.get("line"), int)
        }
        if set(by_line) != set(range(1, len(texts) + 1)):
            raise ServerRefused(
                f"{self._what} was sent {len(texts)} records and answered about {len(by_line)}; "
                f"update mobilebench here and there."
            )
        return [by_line[number] for number in range(1, len(texts) + 1)]

    def _submit_one(self, text: str, lease: str | None) -> Taken:
        headers = {} if lease is None else {"Mobilebench-Lease": lease}
        try:
            reply = self._ask(
                "POST", "/v1/records", content=text.encode(), headers=headers, packed=True
            )
        except ServerRefused as error:
            # A proxy in front of the server gives no code.
            if error.code in _OF_A_RECORD or error.status == 413:
                return Taken(answers.Status.REFUSED, error.message, error.code)
            raise
        return answers.taken(answers.parsed(reply.content, self._what), self._what)

    # Files of jobs, by the sha256 of their content.

    def upload(self, path: Path, sha256: str, progress: Callable[[int], object] = int) -> None:
        """Send a file, or what the server lacks of it; `progress` gets the bytes that are there.

        Raises `ServerRefused` also where the file changes meanwhile.
        """
        place, size = f"/v1/artifacts/{sha256}", path.stat().st_size
        chunk = _CHUNK
        tries = self._tries()
        offset = self._offset(place)
        while offset is not None:
            progress(offset)
            end = min(offset + chunk, size)
            headers = {"Content-Type": "application/octet-stream"}
            if size:
                headers["Content-Range"] = f"bytes {offset}-{end - 1}/{size}"
            body = Body(end - offset, partial(_parts, path, offset, end))
            try:
                reply = self._once("PUT", place, headers, body)
            except ServerAway as error:
                # What had arrived before it broke is there.
                before, offset = offset, self._offset(place)
                if offset is not None and offset <= before:
                    self._wait(tries, error)
                continue
            if reply.status == 413 and chunk > _LEAST_CHUNK:
                chunk //= 2
                continue
            if reply.status == 409:
                sentence, code = answers.problem(reply.content, 409)
                if code not in ("busy", "offset"):
                    raise self._refused(reply)
                self._wait(tries, ServerAway(f"{self._what} does not go on: {sentence}"))
                offset = self._offset(place)
                continue
            self._require_good(reply)
            if reply.status in (200, 201):
                break
            offset = max(_offset_in(reply.headers, end), offset + 1)
            tries = self._tries()
        progress(size)

    def _offset(self, place: str) -> int | None:
        """Return how much of a file the server has; None for all of it."""
        reply = self._until_answered("HEAD", place)
        if reply.status == 404:
            return 0
        self._require_good(reply)
        if (reply.headers.get("Upload-Complete") or "").strip() == "?1":
            return None
        return _offset_in(reply.headers, 0)

    def download(
        self, sha256: str, size: int, partial_file: Path, progress: Callable[[int], object] = int
    ) -> None:
        """Bring a file of that size to its end, from where an earlier call stopped.

        Raises `ServerRefused` where what came is another file, which is removed then.
        """
        tries = self._tries()
        with writing(partial_file):
            partial_file.parent.mkdir(parents=True, exist_ok=True)
            partial_file.touch()
        while (have := partial_file.stat().st_size) < size:
            progress(have)
            try:
                self._append(sha256, size, partial_file, have)
            except ServerAway as error:
                if partial_file.stat().st_size > have:
                    tries = self._tries()
                self._wait(tries, error)
        if partial_file.stat().st_size != size or file_sha256(partial_file) != sha256:
            partial_file.unlink()
            raise ServerRefused(
                f"{self._what} sent another file than {sha256[:12]}, which was asked for; ask its "
                f"administrator to check its disk.",
                code=_WRONG_HASH,
            )
        progress(size)

    def _append(self, sha256: str, size: int, partial_file: Path, have: int) -> None:
        headers = {"Range": f"bytes={have}-"} if have else {}
        with partial_file.open("ab") as out:

            def write(head: Reply, part: bytes) -> None:
                nonlocal have
                if have and head.status != 206:
                    # It begins again, and so do we.
                    have = out.truncate(0)
                    out.seek(0)
                if out.tell() + len(part) > size:
                    raise ServerRefused(
                        f"{self._what} sends more of {sha256[:12]} than the {size} bytes that it "
                        f"has; ask its administrator to check its disk.",
                        code=_WRONG_HASH,
                    )
                # A full disk is no lost connection.
                with writing(partial_file):
                    out.write(part)
                    out.flush()

            self._require_good(
                self._once("GET", f"/v1/artifacts/{sha256}", headers, None, into=write)
            )
        if partial_file.stat().st_size == have:
            raise ServerAway(f"{self._what} sent nothing of {sha256[:12]}.")

    # Jobs.

    def add_job(
        self, id_: str, files: Mapping[str, str], device: str | None, model: str | None
    ) -> str:
        """Queue a job, whose files are there; return its id.

        `files` are sha256 by path, `device` and `model` patterns.
        """
        plain = {"job": id_, "files": dict(files), "device": device, "model": model}
        return answers.text(self._json("POST", "/v1/jobs", plain), "job", self._what)

    def job(self, id_: str) -> dict[str, Any]:
        """Return what the server knows of a job."""
        return self._json("GET", f"/v1/jobs/{quote(id_, safe='')}")

    def next_job(self, devices: Iterable[str], wait_s: int) -> Lease | None:
        """Wait for a job of one of these devices; None where none came in that time."""
        words = [("wait_s", str(wait_s)), *(("device", alias) for alias in devices)]
        reply = self._until_answered("GET", f"/v1/jobs/next?{urlencode(words)}", more_s=wait_s)
        self._require_good(reply)
        if reply.status == 204:
            return None
        return answers.lease(answers.parsed(reply.content, self._what), self._what)

    def heartbeat(self, lease: str) -> bool:
        """Say that a job goes on; return False where the lease is over."""
        reply = self._until_answered("POST", f"/v1/leases/{quote(lease, safe='')}/heartbeat")
        if reply.status in (404, 410):
            return False
        self._require_good(reply)
        return True

    def give_back(self, lease: str, word: str, sentence: str) -> None:
        """Give a job back, with the reason; nothing is wrong where the lease is over."""
        place = f"/v1/leases/{quote(lease, safe='')}/done"
        try:
            self._json("POST", place, {"refused": word, "sentence": sentence[:500]})
        except ServerRefused as error:
            if error.status not in (404, 410):
                raise

    # How requests are made.

    @property
    def _what(self) -> str:
        return f"The server {self.address}"

    def _json(self, method: str, place: str, plain: Any = None) -> dict[str, Any]:
        content = None if plain is None else json.dumps(plain).encode()
        reply = self._ask(method, place, content=content)
        return answers.parsed(reply.content, self._what)

    def _ask(
        self,
        method: str,
        place: str,
        *,
        content: bytes | None = None,
        media_type: str = _JSON,
        headers: Mapping[str, str] | None = None,
        packed: bool = False,
    ) -> Reply:
        """Ask until there is an answer; raise `ServerRefused` for one that is not good."""
        given = dict(headers or {})
        if content is not None:
            given["Content-Type"] = media_type
        body = None if content is None else Body.of(content)
        compression = self._compression
        if packed and content is not None and compression and len(content) > _COMPRESSED_FROM:
            body = Body.of(compression.compress(content))
            given["Content-Encoding"] = compression.name
        reply = self._until_answered(method, place, given, body)
        if reply.status == 415 and "Content-Encoding" in given:
            # A proxy, or a server without the package: once without, and from now on.
            self._compression = None
            del given["Content-Encoding"]
            reply = self._until_answered(method, place, given, Body.of(content or b""))
        self._require_good(reply)
        return reply

    def _until_answered(
        self,
        method: str,
        place: str,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        more_s: float = 0.0,
    ) -> Reply:
        tries = self._tries()
        while True:
            try:
                return self._once(method, place, headers or {}, body, more_s)
            except ServerAway as error:
                self._wait(tries, error)

    def _once(
        self,
        method: str,
        place: str,
        headers: Mapping[str, str],
        body: Body | None,
        more_s: float = 0.0,
        into: Into | None = None,
    ) -> Reply:
        """Ask once. Raises `ServerAway`, also for an answer that asks to come again."""
        given = {"Accept": f"{_JSON}, application/problem+json, */*", **headers}
        if self._token is not None:
            given["Authorization"] = f"Bearer {self._token}"
        timeout_s = self._patience.answer_s + more_s
        reply = self._connection.ask(method, place, given, body, timeout_s, into)
        if reply.status >= 500 or reply.status in _LATER:
            raise _Later(
                f"{self._what} cannot answer now: {self._sentence(reply)}",
                retry_after_s(reply.headers),
            )
        return reply

    def _tries(self) -> Tries:
        return Tries(self._patience, self._cancel)

    def _wait(self, tries: Tries, error: ServerAway) -> None:
        tries.again(error, error.after_s if isinstance(error, _Later) else None)

    def _require_good(self, reply: Reply) -> None:
        if not 200 <= reply.status < 300:
            raise self._refused(reply)

    def _refused(self, reply: Reply) -> ServerRefused:
        if 300 <= reply.status < 400:
            # Not followed: the token would go along.
            return ServerRefused(
                f"{self._what} sends its clients to {reply.headers.get('Location')!r}; give that "
                f"address with --server.",
                reply.status,
            )
        sentence, code = answers.problem(reply.content, reply.status)
        if reply.status == 401:
            return ServerRefused(
                f"{self._what} does not accept this computer's token ({sentence.rstrip('.')}); ask "
                f"its administrator for a code, and run `mobilebench enrol CODE --server "
                f"{self.address}`.",
                401,
                code,
            )
        return ServerRefused(f"{self._what} refuses: {sentence}", reply.status, code)

    def _sentence(self, reply: Reply) -> str:
        return answers.problem(reply.content, reply.status)[0]


class _Later(ServerAway):
    """An answer that asks to come again, after a time where it names one."""

    def __init__(self, message: str, after_s: float | None) -> None:
        super().__init__(message)
        self.after_s = after_s


def described(device: Device) -> dict[str, str | None]:
    """Describe a device for a server: nothing that tells one from others of its model."""
    return {
        "model": device.model,
        "os": f"{device.os} {device.os_version}".strip(),
        "os_build": device.os_build,
        "kind": device.kind.value,
        "soc": device.soc,
    }


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lines(texts: Iterable[str]) -> bytes:
    return b"".join(text.encode() + b"\n" for text in texts)


def _parts(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left:
            part = file.read(min(_PART, left))
            if not part:
                # Its hash would be another, so the rest does not matter.
                part = b"\0" * min(_PART, left)
            left -= len(part)
            yield part


def _offset_in(headers: Message, otherwise: int) -> int:
    text = headers.get("Upload-Offset") or ""
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else otherwise
