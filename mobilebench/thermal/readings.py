"""What the state of a device says to a controller."""

from __future__ import annotations

from collections.abc import Mapping

from mobilebench.thermal.observation import Reading
from mobilebench.values.device import DeviceState


class Readings:
    """Turns states into readings; remembers the highest clock, of which a cap is a share."""

    def __init__(self) -> None:
        self._most_mhz = 0.0

    def of(self, state: DeviceState) -> Reading:
        """Return the reading of a state. Sensors are told by their names, as Android has them."""
        temperatures = state.temperatures_c or {}
        cap = None
        if state.cpu_cap_mhz is not None:
            self._most_mhz = max(self._most_mhz, state.cpu_cap_mhz)
            cap = state.cpu_cap_mhz / self._most_mhz if self._most_mhz else None
        return Reading(
            state=state.thermal,
            headroom=state.headroom,
            skin_c=_hottest(temperatures, "skin"),
            battery_c=_hottest(temperatures, "battery"),
            cap=cap,
            busy=state.busy_fraction,
        )


def _hottest(temperatures: Mapping[str, float], word: str) -> float | None:
    """Return the highest temperature of the sensors whose name holds a word."""
    return max((c for name, c in temperatures.items() if word in name.lower()), default=None)
