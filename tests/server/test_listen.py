"""How a server listens."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from mobilebench.server import listen, settings
from tests.server.running import free_port


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def _delays(protocol: type[asyncio.Protocol]) -> list[bool]:
    """Answer one request on a socket as workers share it; return what its connection delays."""
    seen = []

    class Watched(protocol):  # type: ignore[misc, valid-type]
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            connection = transport.get_extra_info("socket")
            seen.append(not connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    config = uvicorn.Config(
        _hello, port=free_port(), http=Watched, lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    shared = config.bind_socket()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[shared])))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        assert httpx.get(f"http://127.0.0.1:{config.port}/").text == "hello"
    finally:
        server.should_exit = True
        thread.join()
        shared.close()
    return seen


def test_no_part_of_an_answer_waits_for_the_client() -> None:
    assert _delays(listen.Prompt) == [False]
    assert _delays(AutoHTTPProtocol) == [True], "uvicorn does it by itself now: drop ours"


def test_a_server_answers_in_that_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: given.update(options))
    monkeypatch.setenv(settings.VARIABLE, "")  # and put it back afterwards
    store, folder = str(tmp_path / "records.sqlite"), str(tmp_path / "files")
    listen.serve(settings.Settings(store=store, files=folder, port=free_port()))
    assert given["http"] is listen.Prompt
