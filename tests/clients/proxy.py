"""A way between a client and a server that is slow, counts, and breaks where a test says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_PIECE = 4096


class Proxy:
    """Passes bytes on, from a port of its own to another one of this machine."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.down_bytes = 0
        """Bytes from the server to the client."""
        self.up_bytes = 0
        self.pause_s = 0.0
        """A pause behind each piece of 4096 bytes from the server."""
        self.watch_up: Callable[[bytes], bool] | None = None
        """Sees each piece of the client before it is passed on; True breaks the connection."""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """What a client is told."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._to_port), timeout=30)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            threading.Thread(target=self._connect, args=(client, server), daemon=True).start()

    def _connect(self, client: socket.socket, server: socket.socket) -> None:
        """Pass bytes on both ways until both have ended."""
        with client, server:
            up = threading.Thread(target=self._pass, args=(client, server, True), daemon=True)
            up.start()
            self._pass(server, client, False)
            up.join()

    def _pass(self, give: socket.socket, take: socket.socket, up: bool) -> None:
        try:
            while piece := give.recv(_PIECE):
                if up:
                    self.up_bytes += len(piece)
                    if self.watch_up is not None and self.watch_up(piece):
                        break
                else:
                    self.down_bytes += len(piece)
                    time.sleep(self.pause_s)
                take.sendall(piece)
            else:
                take.shutdown(socket.SHUT_WR)
                return
        except OSError:
            pass
        for each in (give, take):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
