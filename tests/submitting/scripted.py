"""A server that answers as it is told, one request after another, and remembers what was asked."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import zstandard

from mobilebench.submitting.address import Address
from mobilebench.submitting.client import Server
from mobilebench.submitting.patience import Patience

QUICK = Patience(total_s=3.0, first_s=0.01, most_s=0.02, answer_s=3.0)
TOKEN = "mb_0123_not-a-secret"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> bytes:
        """The body as it was before it was compressed."""
        match self.headers.get("Content-Encoding"):
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(self.body)
            case "gzip":
                return gzip.decompress(self.body)
        return self.body


@dataclass(frozen=True)
class Answer:
    """What to answer; with `cut`, the connection is closed after that many bytes of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    silent: bool = False
    """The connection is closed without an answer."""


def problem(status: int, code: str, detail: str = "It is so.", **headers: str) -> Answer:
    """Answer with a problem document."""
    plain = {"type": "about:blank", "title": "No", "status": status, "detail": detail, "code": code}
    return Answer(status, json.dumps(plain).encode(), dict(headers))


def good(plain: Any, status: int = 200) -> Answer:
    """Answer with JSON."""
    return Answer(status, json.dumps(plain).encode())


Reaction = Answer | Callable[[Asked], Answer]


class Scripted:
    """A server on this computer; a request beyond the script gets the last answer again."""

    def __init__(self, *script: Reaction) -> None:
        self.script = list(script)
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                asked = Asked(self.command, self.path, dict(self.headers.items()), body)
                answer = outer._next(asked)
                if answer.silent:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, text in answer.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command == "HEAD":
                    return
                if answer.cut is not None:
                    self.wfile.write(answer.body[: answer.cut])
                    self.wfile.flush()
                    self.close_connection = True
                    return
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_HEAD = _serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def _next(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            reaction = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return reaction(asked) if callable(reaction) else reaction

    @property
    def address(self) -> Address:
        return Address("http", "127.0.0.1", self._server.server_port)

    def client(self, **changes: Any) -> Server:
        return Server(self.address, TOKEN, **{"patience": QUICK, **changes})

    def speak_tls(self, certificate: Path) -> None:
        """Be an https server, with a certificate and its key in one file."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # A handshake that fails ends in the thread of its request, not in that of all.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def scripted(*script: Reaction) -> Iterator[Scripted]:
    """Run a scripted server."""
    server = Scripted(*script)
    server.start()
    try:
        yield server
    finally:
        server.stop()
