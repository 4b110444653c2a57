"""Name a board: a host of ~/.ssh/config, or user@host with a port."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mobilebench.errors import UserError

SCHEME = "ssh"
_USER = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_HOST = r"[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?\]"
_TARGET = re.compile(rf"(?:(?P<user>{_USER})@)?(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?")
_MOST_PORT = 65535


@dataclass(frozen=True)
class Target:
    """A board, as the user names it. What is not said comes from ~/.ssh/config."""

    name: str
    user: str | None
    host: str
    port: int | None

    @property
    def device_id(self) -> str:
        """Return its id, such as `ssh:pi@raspberrypi.local`."""
        return f"{SCHEME}:{self.name}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return it as arguments of `ssh`; the last is the host, which begins with no dash."""
        port = () if self.port is None else ("-p", str(self.port))
        user = () if self.user is None else ("-l", self.user)
        return (*port, *user, self.host.strip("[]"))

    @property
    def typed(self) -> str:
        """Return it as people type it behind `ssh`."""
        return " ".join(
            (
                *(() if self.port is None else ("-p", str(self.port))),
                self.host.strip("[]") if self.user is None else f"{self.user}@{self.host}",
            )
        )


def parse(device_id: str) -> Target:
    """Read an id such as `ssh:NAME` or `ssh:user@host:port`; raises `UserError`."""
    scheme, _, name = device_id.partition(":")
    match = _TARGET.fullmatch(name)
    if scheme != SCHEME or match is None:
        raise UserError(
            f"{device_id!r} names no board; write ssh:NAME with a name of ~/.ssh/config, or "
            f"ssh:user@host, or ssh:user@host:port (an IPv6 address in brackets)."
        )
    port = match["port"]
    if port is not None and not 1 <= int(port) <= _MOST_PORT:
        raise UserError(f"{device_id!r} has the port {port}; ports are from 1 to {_MOST_PORT}.")
    return Target(name, match["user"], match["host"], None if port is None else int(port))
