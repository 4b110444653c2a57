"""Find when a device began to throttle, by what it said itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from mobilebench.values import require_range, value
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.event import EventKind
from mobilebench.values.measurement import Measurement

_THROTTLED_FROM = ThermalState.SERIOUS
"""The state that diagnoses call too hot: Android's severe, iOS's serious."""
_FULL = 0.98
"""Share of the highest clock below which it counts as capped, as for policies of widths."""
_CAP = "cap_mhz"


class Sign(StrEnum):
    """What said that a device throttles."""

    STATUS = "thermal status"
    CLOCK_CAP = "clock cap"


@value
class Onset:
    """The first reading or event that says that a device throttles."""

    after_ns: int
    """Since the first measured sample; 0 where it was so from the start."""
    sign: Sign
    state: ThermalState | None = None
    """Of a thermal status."""
    cap_mhz: float | None = None
    """Of a clock cap, where its clock is known."""

    def __post_init__(self) -> None:
        require_range(self, "after_ns", "cap_mhz")


def onset(
    measurement: Measurement, origin_ns: int, readings: Sequence[DeviceState] = ()
) -> Onset | None:
    """Return the first sign that the device throttled; None where there is no sign.

    `readings` are those that a computer took from outside, on the measurement's clock. No sign
    means that it did not throttle only where `known` is true.
    """
    signs = [*_statuses(measurement, readings), *_caps(measurement, readings)]
    if not signs:
        return None
    # Of two at one time, the status: it is the system's own word for it.
    t_ns, _, sign, state, cap_mhz = min(signs, key=lambda each: each[:2])
    after_ns = max(0, t_ns - origin_ns)
    return Onset(after_ns=after_ns, sign=sign, state=state, cap_mhz=cap_mhz)


_Reading = tuple[int, int, Sign, ThermalState | None, float | None]


def _statuses(measurement: Measurement, readings: Sequence[DeviceState]) -> Iterator[_Reading]:
    for state in (measurement.before, *measurement.states, *readings, measurement.after):
        if state.thermal is not None and state.thermal.level >= _THROTTLED_FROM.level:
            yield state.t_ns, 0, Sign.STATUS, state.thermal, None


def _caps(measurement: Measurement, readings: Sequence[DeviceState]) -> Iterator[_Reading]:
    """Yield each time at which the allowed clock is below the highest one before.

    An event of a cap without its clock says that the clock changed, so it counts as it is.
    """
    caps: list[tuple[int, float | None]] = [
        (event.t_ns, event.readings.get(_CAP))
        for event in measurement.events
        if event.kind is EventKind.CLOCK_CAP
    ]
    states = (measurement.before, *measurement.states, *readings, measurement.after)
    caps += [(state.t_ns, state.cpu_cap_mhz) for state in states if state.cpu_cap_mhz is not None]
    highest = 0.0
    for t_ns, cap_mhz in sorted(caps, key=lambda cap: cap[0]):
        if cap_mhz is None or cap_mhz < _FULL * highest:
            yield t_ns, 1, Sign.CLOCK_CAP, None, cap_mhz
        highest = max(highest, cap_mhz or 0.0)


def known(measurement: Measurement, readings: Sequence[DeviceState] = ()) -> bool:
    """Return whether the device told its thermal state or its clock cap while it ran.

    Where it told neither, nothing is known of an onset.
    """
    capped = any(event.kind is EventKind.CLOCK_CAP for event in measurement.events)
    return capped or any(
        state.thermal is not None or state.cpu_cap_mhz is not None
        for state in (*measurement.states, *readings)
    )


def warmest(measurement: Measurement, readings: Sequence[DeviceState] = ()) -> ThermalState | None:
    """Return the warmest thermal state that was read; None where none was."""
    states = (measurement.before, *measurement.states, *readings, measurement.after)
    thermal = [state.thermal for state in states if state.thermal is not None]
    return max(thermal, key=lambda state: state.level, default=None)
