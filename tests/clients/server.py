"""A server as a process, which a test can kill, start again and ask."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from mobilebench.server import listen, tokens
from mobilebench.server.settings import Limits, Settings
from mobilebench.values import wire

ROOT = Path(__file__).resolve().parents[2]
_START_S = 60
_WITH_SETTINGS = """
import sys
from mobilebench.server import listen
from mobilebench.server.settings import Settings
from mobilebench.values import wire
listen.serve(wire.loads(Settings, sys.argv[1], "the settings"))
"""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class Server:
    """A server in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.store = str(folder / "lab.sqlite")
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""

    @property
    def address(self) -> str:
        """Its own address."""
        return f"http://127.0.0.1:{self.port}"

    def start(
        self,
        *,
        limits: Limits | None = None,
        environment: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        """Start it; `mobilebench serve` where no setting is another one."""
        files = str(self.folder / "files")
        if limits is None and not settings:
            words = ["-m", "mobilebench", "serve", "--store", self.store, "--files", files]
            words += ["--port", str(self.port)]
        else:
            more = {"limits": limits or Limits(), **settings}
            every = Settings(store=self.store, files=files, port=self.port, **more)
            words = ["-c", _WITH_SETTINGS, wire.dumps(every)]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, *words],
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
        )
        log.close()
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                self.ask("GET", "/health")
                break
            except OSError:
                assert self._process.poll() is None, self.log()
                time.sleep(0.05)
        if not self._token:
            with (
                listen.opened(Settings(store=self.store, files=files)) as database,
                database.writing() as connection,
            ):
                self._token = tokens.make(connection, [tokens.Scope.ADMIN], "test").text

    def log(self) -> str:
        """Return what it has said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def ask(self, method: str, path: str, body: Any = None, content: bytes | None = None) -> Any:
        """Return what it answers, as an administrator. Raises `AssertionError` for a refusal."""
        data = (
            content if content is not None else None if body is None else json.dumps(body).encode()
        )
        request = urllib.request.Request(self.address + path, data, method=method)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from None
        return json.loads(text) if text else None

    def invite(self, alias: str | None = None) -> str:
        """Return the text of the QR code of a new enrolment."""
        body = {} if alias is None else {"alias": alias}
        url: str = self.ask("POST", "/v1/enrolments", body)["url"]
        return url

    def post(self, files: dict[str, bytes], **to: str) -> str:
        """Post a job with those files; return its id."""
        hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
        for path, content in files.items():
            self.ask("PUT", f"/v1/artifacts/{hashes[path]}", content=content)
        job: str = self.ask("POST", "/v1/jobs", {"files": hashes, **to})["job"]
        return job

    def job(self, job: str) -> dict[str, Any]:
        """Return what it says of a job."""
        answer: dict[str, Any] = self.ask("GET", f"/v1/jobs/{job}")
        return answer
