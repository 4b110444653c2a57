"""Tell a server that a job goes on, while another thread does it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from mobilebench.errors import Cancelled, ServerAway, ServerRefused
from mobilebench.submitting.client import Server


class Heartbeat:
    """Speaks up for a lease while its context lasts.

    A lease that is over does not end the measurement: its record is sent all the same, and the
    server decides.
    """

    def __init__(
        self, server: Server, lease: str, every_s: float, say: Callable[[str], object]
    ) -> None:
        """`server` is used by nothing else; `say` gets a sentence where the lease is over."""
        self._server = server
        self._lease = lease
        self._every_s = every_s
        self._say = say
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._server.cut()
        self._thread.join(5.0)
        self._server.close()

    def _beat(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                going_on = self._server.heartbeat(self._lease)
            except ServerAway:
                continue
            except Cancelled:
                return
            except ServerRefused as error:
                self._say(f"{error} The measurement goes on.")
                return
            if not going_on:
                self._say("the lease is over; the measurement goes on, and its record is sent")
                return
