"""Read a device from outside now and then, on the measurement's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.measuring import journal
from mobilebench.values.device import DeviceState
from mobilebench_device_runners._tools import ToolFailed


class Outside:
    """Readings of a device by its tools, each with the device's own time since it started.

    A reading takes a while, and its time is that of some moment in between.
    """

    def __init__(self, reading: Callable[[], DeviceState | None], every_s: float) -> None:
        """`reading` gives a state whose `t_ns` is the time since the device started.

        It gives None where the device does not tell that time.
        """
        self._reading = reading
        self._every_s = every_s
        self._last = 0.0
        self._states: list[DeviceState] = []
        self.uncertainty_ns: int | None = None
        """How far the time of a reading may be off; None before the first."""

    def look(self) -> None:
        """Take a reading where it is time for one; a device that does not answer has none."""
        began = time.monotonic()
        if began - self._last < self._every_s:
            return
        self._last = began
        with suppress(ToolFailed):
            state = self._reading()
            if state is not None:
                self._states.append(state)
                took_ns = round((time.monotonic() - began) * 1e9)
                self.uncertainty_ns = max(took_ns, self.uncertainty_ns or 0)

    def placed(self, path: Path, job: bytes) -> tuple[DeviceState, ...]:
        """Return the readings on the clock of the journal at `path`.

        The start of the journal says how long the device had been up. Where it does not, or there
        is no journal, the readings have no place on that clock.
        """
        try:
            start = journal.read(path, job).starts[0]
        except UserError:
            return ()
        began_ns = start.device.boot_age_ns
        if began_ns is None:
            return ()
        return tuple(
            replace(state, t_ns=state.t_ns - began_ns)
            for state in self._states
            if state.t_ns >= began_ns
        )
