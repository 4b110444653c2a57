"""The address of a server: https, or http on this computer alone."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from mobilebench.errors import UserError

_PORTS = {"https": 443, "http": 80}
_EXAMPLE = "https://bench.example.org"
VARIABLE = "MOBILEBENCH_SERVER"


@dataclass(frozen=True)
class Address:
    """Where a server is reached."""

    scheme: str
    host: str
    port: int
    path: str = ""
    """What stands before `/v1`, behind a proxy that serves more than this; without a last slash."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address.

        Raises `UserError` for other text, and for http to another computer: everyone on the way
        could read the token.
        """
        try:
            parts = urlsplit(text.strip())
            port = parts.port
        except ValueError as error:
            raise UserError(f"The server's address {text!r} cannot be read: {error}.") from error
        host = (parts.hostname or "").rstrip(".")
        if parts.username is not None or parts.password is not None:
            # Not shown again: it may hold a password.
            raise UserError(
                "The server's address holds a name or a password; leave it out, and enrol with "
                "`mobilebench enrol`."
            )
        if parts.scheme not in _PORTS or not host or parts.query or parts.fragment:
            raise UserError(
                f"The server's address was given as {text!r}; write one such as {_EXAMPLE}."
            )
        if parts.scheme == "http" and not is_loopback(host):
            raise UserError(
                f"The server's address {text} is http, which everyone on the way can read, the "
                f"token included; write https://. Only a server on this computer may be http."
            )
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"))

    @classmethod
    def chosen(cls, text: str | None) -> Self:
        """Read an address, or else that of `MOBILEBENCH_SERVER`; raises as `parse` does."""
        given = text or os.environ.get(VARIABLE)
        if not given:
            raise UserError(
                f"No server is named; give --server {_EXAMPLE}, or set {VARIABLE} to its address."
            )
        return cls.parse(given)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def folder(self) -> str:
        """The name of the folder in which this computer keeps what belongs to the server."""
        digest = hashlib.sha256(str(self).encode()).hexdigest()[:12]
        return f"{''.join(c if c.isalnum() else '-' for c in self.host)[:60]}-{digest}"

    @property
    def is_on_this_computer(self) -> bool:
        """Whether what is sent there does not leave this computer."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Return whether a host is this computer."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
