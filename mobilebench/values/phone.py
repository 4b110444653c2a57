"""A phone as the simulator knows it: how it heats, and how its clock is capped.

unit (power) -> die -> skin -> battery -> air        heat flows along thermal resistances
a sensor     -> governor -> clock step -> latency    one step down above a trip, one up below it
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from mobilebench.values import require_finite, require_range, value

PHONE_SCHEMA_VERSION = 1
_MOST_C = 150
_MOST_W = 100
_MOST_J_PER_C = 100_000
_MOST_C_PER_W = 1_000
_LEAST_PART = 1e-3
_MOST_STEPS = 16
_HOUR_NS = 3600 * 1_000_000_000


class Node(StrEnum):
    """A part of the phone that has one temperature."""

    DIE = "die"
    SKIN = "skin"
    BATTERY = "battery"

    @property
    def position(self) -> int:
        """Its place in a tuple of temperatures."""
        return list(Node).index(self)


class Origin(StrEnum):
    """Where the numbers of a simulated phone come from."""

    NAMED = "named"
    """Chosen by hand, to show one behaviour."""
    DRAWN = "drawn"
    """Drawn from a distribution that the documentation states."""
    FITTED = "fitted"
    """Fitted to a recorded series; most of the numbers are not known well by that."""


@value
class HeatPaths:
    """Heat capacities in joules a degree, and thermal resistances in degrees a watt."""

    die_j_per_c: float
    skin_j_per_c: float
    battery_j_per_c: float
    die_skin_c_per_w: float
    skin_battery_c_per_w: float
    battery_air_c_per_w: float
    skin_air_c_per_w: float | None = None
    """None where the skin gives its heat to the battery alone."""

    def __post_init__(self) -> None:
        capacities = ("die_j_per_c", "skin_j_per_c", "battery_j_per_c")
        require_range(self, *capacities, least=_LEAST_PART, most=_MOST_J_PER_C)
        require_range(
            self,
            "die_skin_c_per_w",
            "skin_battery_c_per_w",
            "battery_air_c_per_w",
            "skin_air_c_per_w",
            least=_LEAST_PART,
            most=_MOST_C_PER_W,
        )


@value
class ClockStep:
    """One clock that the governor chooses from."""

    speed: float
    """As a share of the fastest clock."""
    active_w: float
    """Power of the unit while it computes at this clock, without leakage."""

    def __post_init__(self) -> None:
        require_range(self, "speed", least=0.01, most=1)
        require_range(self, "active_w", most=_MOST_W)


@value
class Leakage:
    """Power that grows with the temperature of the die, whether it computes or not."""

    at_25_w: float = 0.0
    doubling_c: float = 30.0
    """Degrees after which it is twice as large."""

    def __post_init__(self) -> None:
        require_range(self, "at_25_w", most=_MOST_W)
        require_range(self, "doubling_c", least=5, most=1000)


@value
class Governor:
    """What caps the clock: it looks at one temperature, and moves one step at a time."""

    trips_c: tuple[float, ...]
    """Above the first it leaves the fastest step, above the second the next, and so on."""
    hysteresis_c: float
    """It moves up again below the trip less this."""
    reads: Node = Node.SKIN
    poll_ns: int = 1_000_000_000
    least_ns: int = 10_000_000_000
    """Least time between two moves."""
    follows_load: bool = False
    """True where the clock is also no faster than the load needs, as on a busy phone."""
    target_busy: float = 0.85
    """Share of the time that a governor that follows load keeps the unit busy."""

    def __post_init__(self) -> None:
        require_range(self, "trips_c", most=_MOST_C)
        require_range(self, "hysteresis_c", most=50)
        require_range(self, "poll_ns", least=1_000_000, most=_HOUR_NS)
        require_range(self, "least_ns", most=_HOUR_NS)
        require_range(self, "target_busy", least=0.1, most=1)


@value
class Sensor:
    """How a temperature is shown: in coarse steps, and late."""

    quantum_c: float = 0.1
    """It shows multiples of this; 0 for no rounding."""
    lag_ns: int = 0
    """Time constant with which it follows."""

    def __post_init__(self) -> None:
        require_range(self, "quantum_c", most=20)
        require_range(self, "lag_ns", most=_HOUR_NS)


@value
class StateLimits:
    """Temperatures of the skin from which a vendor says each thermal state; None: never."""

    fair_c: float | None = None
    serious_c: float | None = None
    critical_c: float | None = None

    def __post_init__(self) -> None:
        require_range(self, "fair_c", "serious_c", "critical_c", least=-40, most=_MOST_C)


@value
class Noise:
    """How latencies vary at a constant clock."""

    spread: float = 0.02
    """Standard deviation of the logarithm."""
    spike_share: float = 0.0
    """Share of frames that something else delays."""
    spike_factor: float = 1.6

    def __post_init__(self) -> None:
        require_range(self, "spread", "spike_share", most=1)
        require_range(self, "spike_factor", least=1, most=100)


@value
class Phone:
    """A simulated phone; the document that `mobilebench thermal fit` writes."""

    READS_SINCE: ClassVar = 1

    schema_version: int = PHONE_SCHEMA_VERSION
    name: str
    origin: Origin
    source: str
    """What it was made from, in a sentence."""
    heat: HeatPaths
    steps: tuple[ClockStep, ...]
    """The fastest first."""
    governor: Governor
    idle_w: float = 0.5
    """Power of everything but the unit: screen, camera, radio."""
    leakage: Leakage = Leakage()
    memory_share: float = 0.0
    """Share of the latency that does not depend on the clock."""
    skin: Sensor | None = Sensor()
    """None where programs cannot read the temperature of the skin."""
    battery: Sensor | None = Sensor(quantum_c=0.1, lag_ns=30_000_000_000)
    headroom: bool = True
    """Whether it forecasts its thermal headroom, as Android does."""
    states: StateLimits = StateLimits()
    noise: Noise = Noise()
    assumptions: tuple[str, ...] = ()
    """What was assumed and not seen, a sentence each."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("the phone has no name")
        if not 1 <= len(self.steps) <= _MOST_STEPS:
            raise ValueError(f"a phone has 1 to {_MOST_STEPS} clock steps, not {len(self.steps)}")
        if self.steps[0].speed != 1:
            raise ValueError(f"the first clock step has the speed {self.steps[0].speed}, not 1")
        if any(later.speed >= earlier.speed for earlier, later in pairwise(self.steps)):
            raise ValueError("clock steps are not in the order of falling speed")
        if len(self.governor.trips_c) != len(self.steps) - 1:
            raise ValueError(
                f"{len(self.steps)} clock steps need {len(self.steps) - 1} trips, not "
                f"{len(self.governor.trips_c)}"
            )
        require_range(self, "idle_w", most=_MOST_W)
        require_range(self, "memory_share", most=1)
        require_finite(self)

    def slowdown(self, step: int) -> float:
        """Return the latency at a clock step, as a multiple of that at the fastest."""
        return self.memory_share + (1 - self.memory_share) / self.steps[step].speed
