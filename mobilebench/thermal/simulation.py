"""Simulate a phone that computes frames at a fixed rate, in simulated time.

    frame due -> the width in force, the clock step -> latency with noise -> in time, or late
    every 0.1 s: power -> heat.advance -> temperatures; the governor polls -> clock step
    every second: the sensors are read

A frame that takes longer than the interval drops the frames that come meanwhile. Noise is drawn by
the number of the frame, so two policies on one phone meet the same disturbances.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mobilebench.thermal import heat
from mobilebench.thermal.observation import Decision, Observation, Reading, Reason
from mobilebench.values.device import ThermalState
from mobilebench.values.phone import Node, Phone, Sensor, StateLimits
from mobilebench.values.widths import WidthCost

_S = 1_000_000_000
TICK_NS = 100_000_000
_SENSE_NS = _S


@dataclass(frozen=True)
class Use:
    """How a phone is used: what it runs, how often, for how long, and where."""

    widths: tuple[WidthCost, ...]
    interval_ns: int
    """Time from one frame due to the next."""
    deadline_ns: int
    duration_ns: int
    air_c: float
    seed: int = 0

    @property
    def frames_due(self) -> int:
        """Frames that the camera gives."""
        return self.duration_ns // self.interval_ns


@dataclass(slots=True)
class Truth:
    """What a phone knows and a controller does not: temperatures and clock as they are."""

    temperatures_c: list[float]
    """Of the nodes in their order."""
    cap_step: int
    """The fastest clock step that the governor allows."""
    step: int
    """The clock step in force."""


class Driver(Protocol):
    """Chooses widths in a simulation. Only an oracle looks at the truth."""

    def decide(self, seen: Observation, truth: Truth) -> Decision:
        """Return the width for the frames from now on."""


@dataclass(frozen=True)
class Shift:
    """One change of the width."""

    t_ns: int
    from_index: int
    to_index: int
    reason: Reason
    inputs: dict[str, float]


@dataclass(frozen=True)
class Run:
    """Everything that happened in one simulation, as columns of equal length."""

    use: Use
    start_ns: NDArray[np.int64]
    """Of each frame that was computed."""
    latency_ns: NDArray[np.int64]
    index: NDArray[np.int8]
    """Of the width that computed it."""
    seconds: NDArray[np.float64]
    """Shape (ticks, 5): die, skin and battery in degrees, the cap, and the clock step in force."""
    energy_j: float
    shifts: tuple[Shift, ...]


@dataclass
class _Sensor:
    """A temperature as programs see it."""

    sensor: Sensor
    shown_c: float
    keep: float = field(init=False)

    def __post_init__(self) -> None:
        lag = self.sensor.lag_ns
        self.keep = math.exp(-TICK_NS / lag) if lag else 0.0

    def follow(self, degrees: float) -> None:
        self.shown_c += (1 - self.keep) * (degrees - self.shown_c)

    def read(self) -> float:
        quantum = self.sensor.quantum_c
        return round(self.shown_c / quantum) * quantum if quantum else self.shown_c


class Simulation:
    """A phone at one moment: temperatures, clock, sensors."""

    def __init__(self, phone: Phone, air_c: float, start_c: Sequence[float] | None = None) -> None:
        """Begin with a phone that has idled for a long time, or with the nodes at `start_c`."""
        self._phone = phone
        self._air_c = air_c
        keep, add = heat.advance(phone.heat, TICK_NS / _S)
        self._keep = [[float(part) for part in row] for row in keep]
        self._add = [[float(part) for part in row] for row in add]
        resting = heat.resting(phone.heat, phone.idle_w, phone.leakage, air_c)
        first = [float(part) for part in (resting if start_c is None else start_c)]
        self.truth = Truth(temperatures_c=first, cap_step=0, step=0)
        self.energy_j = 0.0
        self._steps = phone.steps
        self._governor = phone.governor
        self._reads = phone.governor.reads.position
        self._next_poll_ns = self._moved_ns = 0
        self._skin = phone.skin and _Sensor(phone.skin, first[Node.SKIN.position])
        self._battery = phone.battery and _Sensor(phone.battery, first[Node.BATTERY.position])
        self._slope = self._before = 0.0
        self._leaks = phone.leakage.at_25_w > 0

    def tick(self, t_ns: int, busy: float, demand: float) -> None:
        """Go on by `TICK_NS` to `t_ns`.

        The unit is busy for a share of the time. `demand` is the latency of the last frame over the
        time that it has; a governor that follows load looks at it.
        """
        truth, phone = self.truth, self._phone
        die, skin, battery = truth.temperatures_c
        leak = heat.leaked_w(phone.leakage, die) if self._leaks else 0.0
        unit_w = busy * self._steps[truth.step].active_w + leak
        idle_w, air = phone.idle_w, self._air_c
        self.energy_j += (unit_w + idle_w) * (TICK_NS / _S)
        truth.temperatures_c = [
            k[0] * die + k[1] * skin + k[2] * battery + a[0] * unit_w + a[1] * idle_w + a[2] * air
            for k, a in zip(self._keep, self._add, strict=True)
        ]
        if self._skin:
            self._skin.follow(truth.temperatures_c[1])
        if self._battery:
            self._battery.follow(truth.temperatures_c[2])
        if t_ns >= self._next_poll_ns:
            self._poll(t_ns)
        follows = self._governor.follows_load
        truth.step = self._step_for(demand) if follows else truth.cap_step

    def _poll(self, t_ns: int) -> None:
        """Let the governor look once."""
        governor, truth = self._governor, self.truth
        self._next_poll_ns = t_ns + governor.poll_ns
        if t_ns - self._moved_ns < governor.least_ns and self._moved_ns:
            return
        degrees, step = truth.temperatures_c[self._reads], truth.cap_step
        if step < len(governor.trips_c) and degrees > governor.trips_c[step]:
            truth.cap_step += 1
            self._moved_ns = t_ns
        elif step and degrees < governor.trips_c[step - 1] - governor.hysteresis_c:
            truth.cap_step -= 1
            self._moved_ns = t_ns

    def _step_for(self, demand: float) -> int:
        """Return the slowest step that serves the load, no faster than the cap."""
        truth = self.truth
        needed = min(1.0, demand) * self._steps[truth.step].speed / self._governor.target_busy
        for step in range(len(self._steps) - 1, truth.cap_step, -1):
            if self._steps[step].speed >= needed:
                return step
        return truth.cap_step

    def read(self, busy: float) -> Reading:
        """Read the sensors that the phone has; `busy` is the share since the last reading."""
        phone, truth = self._phone, self.truth
        skin = truth.temperatures_c[1]
        # Android's headroom forecasts; the slope of the last second is what it can know.
        self._slope += 0.1 * ((skin - self._before if self._before else 0.0) - self._slope)
        self._before = skin
        return Reading(
            state=state(phone.states, skin),
            headroom=self._headroom(skin) if phone.headroom else None,
            skin_c=self._skin.read() if self._skin else None,
            battery_c=self._battery.read() if self._battery else None,
            busy=busy,
        )

    def _headroom(self, skin_c: float) -> float | None:
        """Return the forecast for ten seconds: 1 at the last trip, 30 degrees are 1."""
        trips = self._governor.trips_c
        if not trips or self._reads != Node.SKIN.position:
            return None
        return max(0.0, 1 + (skin_c + 10 * self._slope - trips[-1]) / 30)


def state(limits: StateLimits, skin_c: float) -> ThermalState:
    """Return the thermal state that a vendor's limits give to a temperature of the skin."""
    for limit, reached in (
        (limits.critical_c, ThermalState.CRITICAL),
        (limits.serious_c, ThermalState.SERIOUS),
        (limits.fair_c, ThermalState.FAIR),
    ):
        if limit is not None and skin_c >= limit:
            return reached
    return ThermalState.NOMINAL


def noise(phone: Phone, frames: int, seed: int) -> list[float]:
    """Return the factor of each frame's latency, drawn by a seed."""
    draw = np.random.default_rng(seed)
    factors = np.exp(phone.noise.spread * draw.standard_normal(frames))
    spiked = draw.random(frames) < phone.noise.spike_share
    return [float(factor) for factor in np.where(spiked, phone.noise.spike_factor, 1) * factors]


def run(
    phone: Phone,
    use: Use,
    driver: Driver,
    start_c: Sequence[float] | None = None,
    first: int = 0,
) -> Run:
    """Serve every frame due.

    The phone has idled for a long time, unless the nodes are at `start_c`. `first` is the index of
    the width that begins.
    """
    now = Simulation(phone, use.air_c, start_c)
    truth = now.truth
    factors = noise(phone, use.frames_due, use.seed)
    slowdown = [phone.slowdown(step) for step in range(len(phone.steps))]
    cool_ns = [cost.cool_ns for cost in use.widths]
    interval, decide = use.interval_ns, driver.decide
    starts: list[int] = []
    latencies: list[int] = []
    indices: list[int] = []
    seconds: list[tuple[float, ...]] = []
    shifts: list[Shift] = []
    index = first
    slot = busy_ns = busy_since_read_ns = 0
    next_tick, next_read = TICK_NS, _SENSE_NS
    # A frame that takes longer than a tick keeps the unit busy in the ticks after it.
    while slot < use.frames_due:
        start = slot * interval
        while next_tick <= start:
            share = min(busy_ns, TICK_NS)
            busy_ns -= share
            now.tick(next_tick, share / TICK_NS, latencies[-1] / interval)
            seconds.append((*truth.temperatures_c, truth.cap_step, truth.step))
            next_tick += TICK_NS
        latency = int(cool_ns[index] * slowdown[truth.step] * factors[slot])
        starts.append(start)
        latencies.append(latency)
        indices.append(index)
        busy_ns += latency
        busy_since_read_ns += latency
        end = start + latency
        reading = None
        if start >= next_read:
            reading = now.read(min(1.0, busy_since_read_ns / _SENSE_NS))
            busy_since_read_ns = 0
            next_read += _SENSE_NS
        decision = decide(Observation(end, index, latency, reading), truth)
        if decision.index != index:
            shifts.append(Shift(end, index, decision.index, decision.reason, dict(decision.inputs)))
            index = decision.index
        slot = max(slot + 1, -(-end // interval))
    return Run(
        use=use,
        start_ns=np.array(starts, np.int64),
        latency_ns=np.array(latencies, np.int64),
        index=np.array(indices, np.int8),
        seconds=np.array(seconds),
        energy_j=now.energy_j,
        shifts=tuple(shifts),
    )
