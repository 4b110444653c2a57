"""One connection to a server, over which one request goes after another.

It is the standard library's: nothing more has to be installed, and a request that waits for its
answer can be cut off from another thread.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.message import Message
from urllib.parse import urlsplit

from mobilebench.errors import ServerAway, ServerRefused, UserError
from mobilebench.machine import host
from mobilebench.submitting.address import Address

CONNECT_S = 10.0
"""For a connection to be made; a server that is there answers within a second."""
_PART = 1 << 16
_MOST_BYTES = 64 << 20
"""Largest answer that is held in memory; files are not."""


@dataclass(frozen=True)
class Reply:
    """The answer to one request, whatever its status."""

    status: int
    headers: Message
    content: bytes = b""
    """Empty where it was given to `into`."""


@dataclass(frozen=True)
class Body:
    """What is sent with a request; `parts` can be taken again for another try."""

    size: int
    parts: Callable[[], Iterator[bytes]]

    @classmethod
    def of(cls, content: bytes) -> Body:
        """Wrap bytes."""
        return cls(len(content), lambda: iter([content]))


Into = Callable[[Reply, bytes], object]
"""Gets the head of a good answer, without its content, and the next part of the content."""


class Connection:
    """A connection that is made when it is needed, and again where it was lost.

    Used by one thread; only `cut` may be called from another one.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._open: http.client.HTTPConnection | None = None
        self._cut = False

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Body | None,
        timeout_s: float,
        into: Into | None = None,
    ) -> Reply:
        """Send a request and return the answer.

        Of a good answer, `into` gets the content in parts. Raises `ServerAway` where the connection
        cannot be made or breaks, `ServerRefused` where the server's certificate is not accepted.
        Nothing is tried twice, except a small request on a connection that was used before: the
        server may have closed it while nothing was asked.
        """
        try:
            response, whole = self._answered(method, path, headers, body, timeout_s)
            return self._read(response, into, whole=whole)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._away(error) from error
        except BaseException:
            # The rest of the answer would be taken for the next one.
            self.close()
            raise

    def cut(self) -> None:
        """End the request that another thread waits for, and refuse those that follow."""
        self._cut = True
        connection = self._open
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; the next request makes another one."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _answered(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Body | None,
        timeout_s: float,
    ) -> tuple[http.client.HTTPResponse, bool]:
        """Send a request; return the head of the answer, and whether all of it could be sent."""
        used = self._open is not None
        try:
            return self._sent(method, path, headers, body, timeout_s)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # Much is not sent twice in vain: how far it came can be asked.
            if not used or self._cut or (body is not None and body.size > _PART):
                raise
        self.close()
        return self._sent(method, path, headers, body, timeout_s)

    def _sent(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Body | None,
        timeout_s: float,
    ) -> tuple[http.client.HTTPResponse, bool]:
        connection = self._connected()
        connection.sock.settimeout(timeout_s)
        connection.putrequest(method, f"{self._address.path}{path}", skip_accept_encoding=True)
        connection.putheader("User-Agent", f"mobilebench/{host.version()}")
        for name, text in headers.items():
            connection.putheader(name, text)
        if body is not None or method in ("POST", "PUT"):
            connection.putheader("Content-Length", str(body.size if body else 0))
        connection.endheaders()
        lost = _send(connection, body)
        try:
            return connection.getresponse(), lost is None
        except (OSError, http.client.HTTPException) as error:
            # What broke first says more.
            raise lost or error from None

    def _read(
        self,
        response: http.client.HTTPResponse,
        into: Into | None,
        *,
        whole: bool,
    ) -> Reply:
        """Read an answer to its end, so that the connection can be used again."""
        head = Reply(response.status, response.headers)
        good = 200 <= head.status < 300
        parts, size = [], 0
        while part := response.read(_PART):
            if good and into is not None:
                into(head, part)
                continue
            size += len(part)
            if size > _MOST_BYTES:
                raise ServerRefused(
                    f"The server {self._address} gave an answer of more than "
                    f"{_MOST_BYTES >> 20} MiB, which is no answer to what was asked.",
                    response.status,
                )
            parts.append(part)
        if response.length:
            # The library returns what came, as if that were all.
            raise http.client.IncompleteRead(b"", response.length)
        if response.will_close or not whole:
            self.close()
        return replace(head, content=b"".join(parts))

    def _connected(self) -> http.client.HTTPConnection:
        if self._cut:
            raise ConnectionAbortedError("the request was given up")
        if self._open is None:
            connection = self._new()
            connection.connect()
            # Small requests go at once, not after the answer to the one before.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open = connection
            if self._cut:
                raise ConnectionAbortedError("the request was given up")
        return self._open

    def _new(self) -> http.client.HTTPConnection:
        address = self._address
        proxy = _proxy(address)
        at_host, at_port = (proxy.host, proxy.port) if proxy else (address.host, address.port)
        if address.scheme == "http":
            return http.client.HTTPConnection(at_host, at_port, timeout=CONNECT_S)
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            at_host, at_port, timeout=CONNECT_S, context=context
        )
        if proxy:
            connection.set_tunnel(address.host, address.port)
        return connection

    def _away(self, error: Exception) -> UserError:
        where = f"The server {self._address}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return ServerRefused(
                f"{where} shows a certificate that is not accepted ({error.verify_message}); "
                f"where its authority is your own, name that one's file in SSL_CERT_FILE."
            )
        if isinstance(error, ssl.SSLError):
            why = f"TLS failed: {error.reason or error}"
        elif isinstance(error, TimeoutError):
            why = "no answer came in time"
        elif isinstance(error, socket.gaierror):
            why = "no computer has that name, or the network is away"
        elif isinstance(error, ConnectionRefusedError):
            why = "nothing listens at that port"
        elif isinstance(error, OSError) and error.strerror:
            why = error.strerror.lower()
        else:
            why = str(error) or type(error).__name__
        return ServerAway(
            f"{where} does not answer: {why}; check its address, the network, and that it runs."
        )


def _send(connection: http.client.HTTPConnection, body: Body | None) -> OSError | None:
    """Send what belongs to a request; return why not all of it could be sent.

    A server that refuses a large request answers before it has read it, and closes.
    """
    if body is None:
        return None
    for part in body.parts():
        try:
            connection.send(part)
        except (BrokenPipeError, ConnectionResetError) as error:
            return error
    return None


def _proxy(address: Address) -> Address | None:
    """Return the proxy that the environment names; None where there is none to take."""
    if address.scheme != "https" or address.is_on_this_computer:
        return None
    named = urllib.request.getproxies().get("https")
    if not named or urllib.request.proxy_bypass(f"{address.host}:{address.port}"):
        return None
    parts = urlsplit(named if "://" in named else f"http://{named}")
    if not parts.hostname:
        return None
    return Address("http", parts.hostname, parts.port or 8080)
