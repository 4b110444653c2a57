"""A server for the tests of one module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.running import Device, Server, enrolled, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server on SQLite."""
    with running(tmp_path_factory.mktemp("server"), lease_s=2, heartbeat_s=1) as server:
        yield server


@pytest.fixture
def phone(server: Server) -> Device:
    """Return an enrolled phone."""
    return enrolled(server)
