"""What a server is started with; its workers read the same."""

from __future__ import annotations

import ipaddress
import os
from typing import Self

from mobilebench.values import require_range, value, wire

VARIABLE = "MOBILEBENCH_SERVER_SETTINGS"
"""Environment variable by which the workers get the settings."""
MIB = 1 << 20


@value
class Limits:
    """The largest and the most that the server takes."""

    sent_bytes: int = 32 * MIB
    """Of one body, as it is sent."""
    document_bytes: int = 64 * MIB
    """Of one document, unpacked."""
    batch_bytes: int = 512 * MIB
    """Of a batch of records, unpacked."""
    request_bytes: int = MIB
    """Of any other body, unpacked."""
    file_bytes: int = 4096 * MIB
    """Of a file of a job."""
    depth: int = 64
    """Levels of JSON."""
    wait_s: float = 30
    """How long a body may pause."""
    requests_per_s: float = 200
    requests_at_once: int = 1000
    failures_per_minute: float = 20

    def __post_init__(self) -> None:
        require_range(self, "sent_bytes", "document_bytes", "batch_bytes", "request_bytes", least=1)
        require_range(self, "file_bytes", "depth", "requests_at_once", least=1)
        require_range(self, "wait_s", "requests_per_s", "failures_per_minute", least=0.001)


@value
class Settings:
    """A server: its store, its folder of files, its address and its limits."""

    store: str
    """A path or an SQLAlchemy URL."""
    files: str
    """Folder of the files of jobs."""
    host: str = "127.0.0.1"
    port: int = 8400
    url: str | None = None
    """How clients reach the server; None for its own address."""
    workers: int = 1
    lease_s: int = 120
    heartbeat_s: int = 30
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        require_range(self, "port", most=65535)
        require_range(self, "workers", "lease_s", "heartbeat_s", least=1)

    @property
    def address(self) -> str:
        """The URL by which clients reach the server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def publish(self) -> None:
        """Put the settings into the environment, for this process and its workers."""
        os.environ[VARIABLE] = wire.dumps(self)

    @classmethod
    def of_environment(cls) -> Self:
        """Return the settings that `publish` put into the environment."""
        return wire.loads(cls, os.environ[VARIABLE], VARIABLE)
