"""What a controller sees and decides: the seam that the apps implement too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from mobilebench.values.device import ThermalState


# Plain classes with slots: one of each is made for every frame.
@dataclass(frozen=True, slots=True)
class Reading:
    """What the sensors of a device say at one moment; what cannot be read is None."""

    state: ThermalState | None = None
    headroom: float | None = None
    """Android's forecast: at 1 the system throttles severely. NaN counts as not readable."""
    skin_c: float | None = None
    battery_c: float | None = None
    cap: float | None = None
    """Highest clock that the system allows now, as a share of the highest ever."""
    busy: float | None = None
    """Share of the time that the unit computed, since the reading before."""
    energy_mj: float | None = None
    """Energy of a frame since the reading before, in millijoules."""

    def known(self) -> dict[str, float]:
        """Return the numbers that are there; NaN, which Android gives for a lack, is not."""
        numbers = {
            "state": None if self.state is None else self.state.level,
            "headroom": self.headroom,
            "skin_c": self.skin_c,
            "battery_c": self.battery_c,
            "cap": self.cap,
            "busy": self.busy,
            "energy_mj": self.energy_mj,
        }
        return {
            name: float(number)
            for name, number in numbers.items()
            if number is not None and math.isfinite(number)
        }


@dataclass(frozen=True, slots=True)
class Observation:
    """One moment: the end of a frame, a reading of the sensors, or both."""

    t_ns: int
    index: int
    """Of the width that computed the frame, and that is in force."""
    latency_ns: int | None = None
    """None where no frame ended."""
    reading: Reading | None = None
    """None where the sensors were not read; they are read about once a second."""


class Reason(StrEnum):
    """Why a controller chose a width."""

    HOLD = "hold"
    """Nothing changed."""
    LATE = "late"
    """The width before gives fewer accurate frames in time than this one, at the clock seen."""
    ROOM = "room"
    """A wider network has been in reach for long enough."""
    PROBE = "probe"
    """A wider network is tried, since the clock at this load says little about it."""
    HEAT = "heat"
    """A limit on heat is passed, or soon will be."""
    COOLED = "cooled"
    """The device has been well below the limit for long enough."""
    CAPPED = "capped"
    """The clock was capped, and the aim is that it is not."""
    GAVE_UP = "gave up"
    """Even the narrowest network does not keep the limit, so the deadline alone counts now."""
    TRIES_AGAIN = "tries again"
    """The limit counts again, some time after the controller gave up."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The width for the frames from now on, and the numbers that it was decided by."""

    index: int
    reason: Reason
    inputs: Mapping[str, float] = field(default_factory=dict)
    """Empty where nothing changed. Units are in the names: `pace`, `skin_c`, `wait_s`."""


class Controller(Protocol):
    """Decides after every observation; a pure state machine that holds what it has seen."""

    def decide(self, seen: Observation) -> Decision:
        """Return the width to use from now on. Observations come in the order of their time."""
