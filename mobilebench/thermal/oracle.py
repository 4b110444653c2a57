"""`oracle`: what could be reached by a controller that knows the phone. In simulations only.

Dynamic programming, backwards in time, over the temperatures of skin and battery, the cap and the
width in force. A period is five seconds; the width of the plan is looked up at every frame, from
the temperatures and the cap as they are then.

    value = accuracy x chance to be in time - price of a shift - price of a broken limit

`BestAtCap` makes no plan. Neither is a bound: a plan is made on a grid, and with a governor that is
asked every five seconds, so that on some phones the choice without a plan is the better one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mobilebench.thermal import heat
from mobilebench.thermal.observation import Decision, Observation, Reason
from mobilebench.thermal.simulation import Truth, Use
from mobilebench.values.phone import Node, Phone

_S = 1_000_000_000
_PERIOD_NS = 5 * _S
_SKIN_C, _BATTERY_C = 0.5, 1.0
"""Distances of the grid."""
_ABOVE_AIR_C = 32.0


@dataclass(frozen=True)
class Prices:
    """What a plan pays, in points of accuracy."""

    shift: float = 0.2
    """For each change of the width, in points times seconds."""
    capped: float = 0.0
    """For each second with a capped clock, in points."""
    skin_c: float = math.inf
    """Limit of the skin."""
    beyond: float = 0.0
    """For each second above that limit."""
    dwell_ns: int = 0
    """Not a price: the least time between two shifts, unless the cap moves. A plan between two
    points of the grid flutters without it."""


class Oracle:
    """Follows a plan that was made with the phone's own physics."""

    def __init__(self, phone: Phone, use: Use, prices: Prices | None = None) -> None:
        self._grid = _Grid.over(use.air_c)
        self._plan = _plan(phone, use, self._grid, prices or Prices())
        self._decisions = tuple(Decision(i, Reason.HOLD) for i in range(len(use.widths)))
        self._dwell_ns = 0 if prices is None else prices.dwell_ns
        self._moved_ns = -self._dwell_ns
        self._cap = 0

    def decide(self, seen: Observation, truth: Truth) -> Decision:
        """Return the width of the plan."""
        if truth.cap_step == self._cap and seen.t_ns - self._moved_ns < self._dwell_ns:
            return self._decisions[seen.index]
        index = self._planned(seen, truth)
        if index != seen.index:
            self._moved_ns, self._cap = seen.t_ns, truth.cap_step
        return self._decisions[index]

    def _planned(self, seen: Observation, truth: Truth) -> int:
        period = min(seen.t_ns // _PERIOD_NS, len(self._plan) - 1)
        skin, battery = self._grid.nearest(truth.temperatures_c)
        return int(self._plan[period][skin, battery, truth.cap_step, seen.index])


@dataclass(frozen=True)
class BestAtCap:
    """Takes the best width for the clock as it is; knows the cap, and does not look ahead."""

    decisions: tuple[Decision, ...]
    """By the step of the cap."""

    def decide(self, seen: Observation, truth: Truth) -> Decision:
        """Return the width for the cap."""
        return self.decisions[truth.cap_step]


def best_at_cap(phone: Phone, use: Use) -> BestAtCap:
    """Return a driver that knows the cap and the noise."""

    def best(step: int) -> Decision:
        values = [
            cost.top1 * in_time(phone, use, index, step) for index, cost in enumerate(use.widths)
        ]
        return Decision(values.index(max(values)), Reason.HOLD)

    return BestAtCap(tuple(best(step) for step in range(len(phone.steps))))


@dataclass(frozen=True)
class _Grid:
    """Temperatures at which values are kept."""

    low_c: float
    skins: int
    batteries: int

    @staticmethod
    def over(air_c: float) -> _Grid:
        return _Grid(air_c, int(_ABOVE_AIR_C / _SKIN_C) + 1, int(_ABOVE_AIR_C / _BATTERY_C) + 1)

    def nearest(self, temperatures_c: list[float]) -> tuple[int, int]:
        skin = int((temperatures_c[1] - self.low_c) / _SKIN_C + 0.5)
        battery = int((temperatures_c[2] - self.low_c) / _BATTERY_C + 0.5)
        return min(max(skin, 0), self.skins - 1), min(max(battery, 0), self.batteries - 1)


def in_time(phone: Phone, use: Use, index: int, step: int) -> float:
    """Return the share of the frames due that a width serves in time at a clock step."""
    median_ns = use.widths[index].cool_ns * phone.slowdown(step)
    noise = phone.noise

    def below(factor: float) -> float:
        ratio = use.deadline_ns / (median_ns * factor)
        if noise.spread == 0:
            return float(ratio >= 1)
        return NormalDist().cdf(math.log(ratio) / noise.spread)

    share = (1 - noise.spike_share) * below(1) + noise.spike_share * below(noise.spike_factor)
    # A late frame drops those that come while it is computed.
    dropped = max(1, math.ceil(median_ns / use.interval_ns)) - 1
    return share / (1 + (1 - share) * max(dropped, 1))


def _plan(phone: Phone, use: Use, grid: _Grid, prices: Prices) -> list[NDArray[np.int8]]:
    """Return for each period the width by (skin, battery, cap, width in force)."""
    widths, steps = len(use.widths), len(phone.steps)
    seconds = _PERIOD_NS / _S
    skin_c = grid.low_c + _SKIN_C * np.arange(grid.skins, dtype=np.float64)[:, None]
    battery_c = grid.low_c + _BATTERY_C * np.arange(grid.batteries, dtype=np.float64)[None, :]
    shape = (grid.skins, grid.batteries)
    gains = np.empty((widths, steps))
    moves = []  # for each width and cap: where the temperatures and the cap go
    for index in range(widths):
        row = []
        for cap in range(steps):
            gains[index, cap] = use.widths[index].top1 * in_time(phone, use, index, cap)
            row.append(_move(phone, use, grid, (index, cap), skin_c, battery_c))
        moves.append(row)
    gains *= seconds
    switch = prices.shift * (1 - np.eye(widths))  # (from, to)
    broken = prices.beyond * seconds * (np.broadcast_to(skin_c, shape) > prices.skin_c)
    value = np.zeros((*shape, steps, widths))
    plan: list[NDArray[np.int8]] = []
    for _ in range(math.ceil(use.duration_ns / _PERIOD_NS)):
        options = np.empty((*shape, steps, widths))
        for index in range(widths):
            for cap in range(steps):
                options[:, :, cap, index] = (
                    gains[index, cap]
                    - broken
                    - prices.capped * seconds * (cap > 0)
                    + moves[index][cap](value[..., index])
                )
        # (skin, battery, cap, from, to)
        priced = options[:, :, :, None, :] - switch
        plan.append(priced.argmax(axis=-1).astype(np.int8))
        value = priced.max(axis=-1)
    plan.reverse()
    return plan


class _Move:
    """Where one period takes the temperatures and the cap; reads values there."""

    def __init__(
        self, grid: _Grid, skin_c: NDArray[np.float64], battery_c: NDArray[np.float64],
        caps: NDArray[np.int64],
    ) -> None:  # fmt: skip
        skin = np.clip((skin_c - grid.low_c) / _SKIN_C, 0, grid.skins - 1.001)
        battery = np.clip((battery_c - grid.low_c) / _BATTERY_C, 0, grid.batteries - 1.001)
        self._skin, self._battery = skin.astype(int), battery.astype(int)
        self._right, self._up = skin - self._skin, battery - self._battery
        self._caps = caps

    def __call__(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value (skin, battery) of the state after the period, by interpolation."""
        skin, battery, caps = self._skin, self._battery, self._caps
        right, up = self._right, self._up
        result: NDArray[np.float64] = (
            (1 - right) * (1 - up) * value[skin, battery, caps]
            + right * (1 - up) * value[skin + 1, battery, caps]
            + (1 - right) * up * value[skin, battery + 1, caps]
            + right * up * value[skin + 1, battery + 1, caps]
        )
        return result


def _move(
    phone: Phone,
    use: Use,
    grid: _Grid,
    state: tuple[int, int],
    skin_c: NDArray[np.float64],
    battery_c: NDArray[np.float64],
) -> _Move:
    """Return the move of one period at a width and a cap."""
    index, cap = state
    step = phone.steps[cap]
    busy = min(1.0, use.widths[index].cool_ns * phone.slowdown(cap) / use.interval_ns)
    keep, add = heat.advance(phone.heat, _PERIOD_NS / _S)
    shape = np.broadcast_shapes(skin_c.shape, battery_c.shape)
    skin, battery = np.broadcast_to(skin_c, shape), np.broadcast_to(battery_c, shape)
    # The die follows the skin within seconds; one turn for the leakage is enough.
    die = skin + busy * step.active_w * phone.heat.die_skin_c_per_w
    leak_w = phone.leakage.at_25_w * np.power(2, (die - 25) / phone.leakage.doubling_c)
    unit_w = busy * step.active_w + leak_w
    before = np.stack([die, skin, battery])
    drive = np.stack([unit_w, np.full(shape, phone.idle_w), np.full(shape, use.air_c)])
    after = np.tensordot(keep, before, 1) + np.tensordot(add, drive, 1)
    watched = after[phone.governor.reads.position]
    trips = phone.governor.trips_c
    caps = np.full(shape, cap)
    if cap < len(trips):
        caps += watched > trips[cap]
    if cap:
        caps -= watched < trips[cap - 1] - phone.governor.hysteresis_c
    return _Move(grid, after[Node.SKIN.position], after[Node.BATTERY.position], caps)
