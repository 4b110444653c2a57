"""Start a server: prepare its database, and let its workers listen."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from mobilebench.errors import UserError
from mobilebench.server import metrics, tokens
from mobilebench.server.database import Database
from mobilebench.server.log import CONFIGURATION
from mobilebench.server.settings import Settings
from mobilebench.store import RecordStore

_GRACE_S = 5
"""Time for requests to end when the server is stopped."""


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Open the database of a server, with its tables. Raises `UserError`."""
    with RecordStore(settings.store):
        pass
    database = Database(settings.store)
    try:
        database.migrate()
        yield database
    finally:
        database.close()


def prepare(settings: Settings) -> None:
    """Make what is missing in the database. Raises `UserError` where the server must not start."""
    with opened(settings) as database, database.reading() as connection:
        if not settings.is_loopback and not tokens.has_admin(connection):
            raise UserError(
                f"The server would listen on {settings.host} without any token that may "
                f"administer it; make one with `mobilebench server token --scope admin`, or "
                f"listen on 127.0.0.1."
            )


def _require_free(settings: Settings) -> None:
    """Raise `UserError` where the server cannot listen."""
    try:
        family, _, _, _, place = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
    except OSError as error:
        raise UserError(
            f"The server cannot listen on {settings.host}, port {settings.port}: {error.strerror}; "
            f"give another --host or --port."
        ) from error


class Prompt(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """HTTP whose answers leave at once.

    The kernel holds the second small part of an answer back until the client has acknowledged the
    first, which a client delays by 40 ms. asyncio turns that off, but not for the socket that
    several workers of uvicorn share.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop. Raises `UserError` as `prepare` does."""
    prepare(settings)
    _require_free(settings)
    settings.publish()
    with tempfile.TemporaryDirectory(prefix="mobilebench-") as counts:
        if settings.workers > 1:
            os.environ[metrics.FOLDER] = counts
        uvicorn.run(
            "mobilebench.server.app:create",
            factory=True,
            http=Prompt,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            log_config=CONFIGURATION,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
