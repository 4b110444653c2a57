"""The phones that a fit looks among: their parameters, and the flow of heat in them.

    air + fast state + slow state = skin         the same as a ladder of resistances (`ladder`)

Temperatures are shares of the rise that the fastest step would cause in the end: what a series of
latencies says does not depend on how many degrees that is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
