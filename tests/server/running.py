"""A real server in a separate process, and a client that acts as a device does."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobilebench.server import tokens
from mobilebench.server.listen import opened
from mobilebench.server.settings import Limits, Settings
from mobilebench.store import signing
from mobilebench.values import wire
from mobilebench.values.record import Record
from tests.records import measured

PHONE = {"model": "Made-up phone", "os": "iOS 26.1", "os_build": "23B85", "kind": "simulated"}
_START_S = 60


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Server:
    """A server that can be killed and started again."""

    settings: Settings
    process: subprocess.Popen[bytes] | None = None
    lines: list[str] = field(default_factory=list)
    """Of its log."""
    clients: list[httpx.Client] = field(default_factory=list)
    """They are closed with the server."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.settings.port}"

    def start(self, prefix: Sequence[str] = ()) -> None:
        """Start it, and wait until it answers."""
        script = (
            "import sys; from mobilebench.server import listen; "
            "from mobilebench.server.settings import Settings; from mobilebench.values import wire;"
            "listen.serve(wire.loads(Settings, sys.argv[1]))"
        )
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", script, wire.dumps(self.settings)],
            stderr=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/health", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the server did not start:\n" + "\n".join(self.lines))

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.lines.append(line.decode().rstrip("\n"))

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, by a signal."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=30)
            self.reader.join(timeout=30)
            self.process = None

    def token(self, *scopes: str) -> str:
        """Make a token as a person does on the server's machine."""
        with opened(self.settings) as database, database.writing() as connection:
            return tokens.make(connection, map(tokens.Scope, scopes), "a test").text

    def client(self, token: str | None = None) -> httpx.Client:
        """Return a client with a token."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=30)
        self.clients.append(client)
        return client


@contextmanager
def running(folder: Path, store: str | None = None, **more: Any) -> Iterator[Server]:
    """Run a server with its store and its files in a folder."""
    limits = more.pop("limits", Limits(failures_per_minute=10_000))
    settings = Settings(
        store=store or str(folder / "records.sqlite"),
        files=str(folder / "files"),
        port=free_port(),
        limits=limits,
        **more,
    )
    server = Server(settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        for client in server.clients:
            client.close()


@dataclass
class Device:
    """A device with a key, enrolled at a server."""

    key: Ed25519PrivateKey
    alias: str
    http: httpx.Client

    def signed(self, record: Record) -> Record:
        """Return a record as this device signs it."""
        return signing.sign(record, self.key)

    def record(self, **more: Any) -> Record:
        """Return a signed record with a new id."""
        more.setdefault("record_id", uuid.uuid4().hex)
        return self.signed(measured(**more))

    def submit(self, record: Record, **headers: str) -> httpx.Response:
        """Send a record."""
        return post_record(self.http, wire.dumps(record).encode(), **headers)


def post_record(http: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    """Send a document as it is."""
    kind = {"Content-Type": "application/json", **headers}
    return http.post("/v1/records", content=body, headers=kind)


def public(key: Ed25519PrivateKey) -> str:
    """Return a public key as requests state it."""
    return key.public_key().public_bytes_raw().hex()


def enrolment(code: str, key: Ed25519PrivateKey, **device: str) -> dict[str, Any]:
    """Return the request of a device with a code."""
    return {
        "code": code,
        "public_key": public(key),
        "signature": key.sign(f"mobilebench-enrol:{code}".encode()).hex(),
        "device": {**PHONE, **device},
    }


def enrolled(
    server: Server, alias: str | None = None, key: Ed25519PrivateKey | None = None, **device: str
) -> Device:
    """Enrol a device as an administrator and a phone do."""
    key = key or Ed25519PrivateKey.generate()
    with server.client(server.token("admin")) as admin:
        made = admin.post("/v1/enrolments", json={} if alias is None else {"alias": alias})
    assert made.status_code == 201, made.text
    with server.client() as http:
        answer = http.post("/v1/enrol", json=enrolment(made.json()["code"], key, **device))
    assert answer.status_code == 201, answer.text
    return Device(key, answer.json()["device"], server.client(answer.json()["token"]))


def problem(answer: httpx.Response) -> str:
    """Return the code of a refusal, which has to be a whole problem document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document.keys() == {"type", "title", "status", "detail", "code"}
    assert document["status"] == answer.status_code
    assert document["detail"].endswith((".", "`."))
    code: str = document["code"]
    return code


def with_more_samples(record: Record, count: int) -> Record:
    """Return a record with a number of samples, as a phone would take them."""
    outcome: Any = record.outcome
    samples = dataclasses.replace(
        outcome.samples,
        t_ns=tuple(index * 11_000_003 for index in range(count)),
        latency_ns=tuple(10_000_000 + (index * 7919) % 900_001 for index in range(count)),
        phase=(outcome.samples.phase[0],) + (outcome.samples.phase[-1],) * (count - 1),
        round=(0,) * count,
    )
    return dataclasses.replace(record, outcome=dataclasses.replace(outcome, samples=samples))


def plain(record: Record) -> dict[str, Any]:
    """Return a record's document, to be changed."""
    document: dict[str, Any] = json.loads(wire.dumps(record))
    return document
