"""Simulate many phones at once, back to back, from the parameters of a fit.

    air + fast state + slow state = skin         the same as a ladder of resistances (`ladder`)
    skin above a trip            -> one clock step down, below it less the hysteresis one up
    clock step in force          -> heat, and the latency of that step

Temperatures are shares of the rise that the fastest step would cause in the end: what a series of
latencies says does not depend on how many degrees that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

POLL_S = 5
"""Between two looks of the governor at the temperature."""
POLLS = 60 // POLL_S
"""Looks in a minute."""
FASTEST_W = 4.0
"""Assumed power of the unit at its fastest step: latencies say nothing of watts."""
IDLE_W = 0.5
"""Assumed power of everything else: a series without a pause says nothing of it."""
DIE_SHARE = 0.02
"""Heat capacity of the die, as a share of that of the skin; fixed and small."""
DIE_S = 1.0
"""Heat capacity of the die times its resistance to the skin."""
_HALVINGS = 14
"""Of the range of the levels, when the median of a minute with several of them is sought."""

RANGES: dict[str, tuple[float, float]] = {
    "log_fast_s": (np.log(10.0), np.log(600.0)),
    "log_slow_ratio": (np.log(2.0), np.log(40.0)),
    "fast_share": (0.03, 0.97),
    "power_exponent": (1.0, 3.5),
    "hysteresis": (0.002, 0.4),
    "log_least_s": (np.log(5.0), np.log(600.0)),
    "first_trip": (0.02, 1.0),
}
"""Least and most of each parameter; `further` trips and the `start` of each series follow."""
_FURTHER = (0.0, 0.6)
_START = (0.0, 0.95)


@dataclass(frozen=True)
class Parameters:
    """Parameters of N phones with K clock steps, for S series; every array has N rows."""

    fast_s: Array
    slow_s: Array
    fast_share: Array
    """Share of the rise in the end that the fast state has."""
    exponent: Array
    """The power of a step is that of the fastest times its speed to this."""
    hysteresis: Array
    least_polls: Array
    trips: Array
    """(N, K - 1), rising."""
    starts: Array
    """(N, S): temperature of the whole phone at the start of each series."""

    @classmethod
    def of(cls, vectors: Array, steps: int) -> Parameters:
        """Read vectors (N, D) of the space that `ranges` describes."""
        fixed = len(RANGES)
        names = dict(zip(RANGES, vectors[:, :fixed].T, strict=True))
        further = vectors[:, fixed : fixed + steps - 2]
        first = names["first_trip"][:, None]
        fast_s = np.exp(names["log_fast_s"])
        return cls(
            fast_s,
            fast_s * np.exp(names["log_slow_ratio"]),
            names["fast_share"],
            names["power_exponent"],
            names["hysteresis"],
            np.ceil(np.exp(names["log_least_s"]) / POLL_S - 1e-9),
            np.concatenate([first, first + np.cumsum(further, axis=1)], axis=1),
            vectors[:, fixed + steps - 2 :],
        )


def ranges(steps: int, series: int) -> list[tuple[float, float]]:
    """Return the least and the most of each number of a vector; D pairs."""
    return [*RANGES.values(), *[_FURTHER] * (steps - 2), *[_START] * series]


@dataclass(frozen=True)
class Ladder:
    """Resistances and heat capacities of N phones whose rise in the end is one degree.

    For a rise of R degrees, every resistance is R times as large and every capacity is divided by
    it: that changes no time.
    """

    die_j: Array
    skin_j: Array
    battery_j: Array
    die_skin: Array
    skin_battery: Array
    battery_air: Array


def ladder(phones: Parameters) -> Ladder:
    """Convert two parallel first-order states into the ladder skin, battery, air.

    The impedance R1 / (1 + s t1) + R2 / (1 + s t2) of Foster's first form is written as a continued
    fraction (Cauer's first form); with R1, R2 > 0 every element is positive. The die is put before
    the skin.
    """
    whole = 1 / (FASTEST_W + IDLE_W)
    fast, slow = phones.fast_s, phones.slow_s
    numerator = whole * (phones.fast_share * slow + (1 - phones.fast_share) * fast)
    skin_j = fast * slow / numerator
    rest = fast + slow - skin_j * whole
    skin_battery = numerator / rest
    battery_air = whole - skin_battery
    die_j = DIE_SHARE * skin_j
    return Ladder(die_j, skin_j, rest / battery_air, DIE_S / die_j, skin_battery, battery_air)


@dataclass(frozen=True)
class Modes:
    """The three independent states of N ladders; arrays of (N, 3, ...)."""

    rates: Array
    """(N, 3): minus one over the time constant in seconds, the slowest last."""
    weights: Array
    """(N, 3 nodes, 3 modes): temperature of each node from the states."""
    drive: Array
    """(N, 3 modes, 2): change of the states by the power of the unit and of the rest, a second."""
    first: Array
    """(N, 3): states at one degree everywhere."""

    @property
    def time_constants_s(self) -> Array:
        """(N, 3), the shortest first."""
        times: Array = -1 / self.rates
        return times


def modes(parts: Ladder) -> Modes:
    """Return the independent states of ladders: the symmetric form has real eigenvalues."""
    count = len(parts.die_j)
    flow = np.zeros((count, 3, 3))
    for one, resistance in ((0, parts.die_skin), (1, parts.skin_battery)):
        other = one + 1
        flow[:, one, other] = flow[:, other, one] = 1 / resistance
        flow[:, one, one] -= 1 / resistance
        flow[:, other, other] -= 1 / resistance
    flow[:, 2, 2] -= 1 / parts.battery_air
    root = np.sqrt(np.stack([parts.die_j, parts.skin_j, parts.battery_j], axis=1))
    rates, vectors = np.linalg.eigh(flow / root[:, :, None] / root[:, None, :])
    into = np.swapaxes(vectors, 1, 2)
    return Modes(
        rates,
        vectors / root[:, :, None],
        into[:, :, :2] / root[:, None, :2],
        np.einsum("nmk,nk->nm", into, root),
    )


@dataclass(frozen=True)
class Course:
    """What N phones did in S series."""

    steps: NDArray[np.int8]
    """(minutes, POLLS, N, S): the clock step in force."""
    battery: Array
    """(minutes, N, S): temperature of the battery at the end of each minute."""


def simulate(phones: Parameters, speeds: Array, minutes: int) -> Course:
    """Simulate phones back to back, from the start and with nothing looked up later.

    `speeds` (N, K) are shares of the fastest clock. The governor looks at the end of each poll.
    """
    count, series = phones.starts.shape
    steps = speeds.shape[1]
    states = modes(ladder(phones))
    skin = states.weights[:, 1, :]
    keep = np.exp(states.rates * POLL_S)
    gain = (keep - 1) / states.rates
    power = FASTEST_W * speeds ** phones.exponent[:, None]

    def wide(array: Array) -> Array:
        """(N, 3) -> (3, N * S)."""
        return np.ascontiguousarray(np.repeat(array.T, series, axis=1))

    keep_w = wide(keep)
    unit = wide(skin * gain * states.drive[:, :, 0])
    idle = wide(skin * gain * states.drive[:, :, 1]) * IDLE_W
    state = wide(skin * states.first) * phones.starts.ravel()
    infinite = np.full((count, 1), np.inf)
    down = np.repeat(np.concatenate([phones.trips, infinite], axis=1), series, axis=0).ravel()
    up = np.concatenate([-infinite, phones.trips - phones.hysteresis[:, None]], axis=1)
    up = np.repeat(up, series, axis=0).ravel()
    watts = np.repeat(power, series, axis=0).ravel()
    least = np.repeat(phones.least_polls, series)
    base = np.arange(count * series) * steps
    place = base.copy()
    free = np.zeros(count * series)
    record = np.empty((minutes * POLLS, count * series), np.int8)
    battery = np.empty((minutes, count * series))
    of_battery = wide(states.weights[:, 2, :] / skin)
    heat = np.empty_like(state)
    for poll in range(minutes * POLLS):
        record[poll] = place - base
        np.multiply(unit, watts.take(place), out=heat)
        heat += idle
        state *= keep_w
        state += heat
        if (poll + 1) % POLLS == 0:
            battery[poll // POLLS] = (of_battery * state).sum(axis=0)
        warm = state[0] + state[1] + state[2]
        move = np.subtract(warm > down.take(place), warm < up.take(place), dtype=np.int64)
        move *= free <= poll
        place += move
        free = np.where(move, poll + least, free)
    return Course(
        record.reshape(minutes, POLLS, count, series), battery.reshape(minutes, count, series)
    )


def medians(record: NDArray[np.int8], levels: Array, spread: float) -> Array:
    """Return the median latency of each minute: (minutes, POLLS, N, ...) -> (minutes, N, ...).

    `levels` (N, K) are the latencies of the steps; a slow step has fewer frames in the same time.
    Frames vary around their level by `spread`, the deviation of the logarithm, so that the median
    of a minute with two levels lies between them only where neither has most of the frames.
    """
    shape = (1, levels.shape[0], *[1] * (record.ndim - 3))
    frames = np.stack(
        [
            (record == step).sum(axis=1, dtype=np.int16) / level.reshape(shape)
            for step, level in enumerate(levels.T)
        ]
    )
    frames /= frames.sum(axis=0)
    logs = np.log(levels).T
    everywhere = np.broadcast_to(
        logs.reshape(len(logs), 1, -1, *shape[2:]), frames.shape
    )
    most = frames.max(axis=0)
    middle = np.take_along_axis(everywhere, frames.argmax(axis=0)[None], axis=0)[0].copy()
    mixed = most < 1
    if mixed.any():
        middle[mixed] = _mixture(frames[:, mixed], everywhere[:, mixed], spread)
    result: Array = np.exp(middle)
    return result


def _mixture(shares: Array, logs: Array, spread: float) -> Array:
    """Return the medians of mixtures of normal distributions; (K, M) each -> (M,)."""
    low, high = logs.min(axis=0), logs.max(axis=0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = (shares * ndtr((middle - logs) / spread)).sum(axis=0) < 0.5
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    middle_of_last: Array = (low + high) / 2
    return middle_of_last


def clusters(values: Sequence[float], count: int) -> list[float]:
    """Return the medians of the best `count` groups of neighbouring values, the least first.

    The best groups have the least sum of distances of the logarithms from their median; exact, by
    dynamic programming. Raises `ValueError` where there are fewer different values.
    """
    ordered = np.sort(np.log(np.asarray(values, dtype=float)))
    size = len(ordered)
    if len(np.unique(ordered)) < count:
        raise ValueError(f"there are fewer than {count} different values")
    cost = np.full((size + 1, size + 1), np.inf)
    for start in range(size):
        for end in range(start + 1, size + 1):
            part = ordered[start:end]
            cost[start, end] = np.abs(part - np.median(part)).sum()
    best = cost[0]
    ends: list[NDArray[np.intp]] = []
    for _ in range(count - 1):
        total = best[:, None] + cost
        ends.append(total.argmin(axis=0))
        best = total.min(axis=0)
    cuts = [size]
    for chosen in reversed(ends):
        cuts.append(int(chosen[cuts[-1]]))
    cuts = [0, *reversed(cuts[1:]), size]
    return [float(np.exp(np.median(ordered[a:b]))) for a, b in pairwise(cuts)]
