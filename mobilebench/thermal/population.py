"""Simulate many phones at once, back to back.

skin above a trip            -> one clock step down, below it less the hysteresis one up
clock step in force          -> heat, and the latency of that step
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobilebench.thermal.ladders import (
    FASTEST_W,
    IDLE_W,
    POLL_S,
    POLLS,
    Array,
    Parameters,
    ladder,
    modes,
)

_HALVINGS = 14
"""Of the range of the levels, when the median of a minute with several of them is sought."""


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
    everywhere = np.broadcast_to(logs.reshape(len(logs), 1, -1, *shape[2:]), frames.shape)
    most = frames.max(axis=0)
    middle = np.take_along_axis(everywhere, frames.argmax(axis=0)[None], axis=0)[0].copy()
    mixed = most < 1
    if mixed.any():
        middle[mixed] = _mixture(frames[:, mixed], everywhere[:, mixed], spread)
    result: Array = np.exp(middle)
    return result


def _mixture(shares: Array, logs: Array, spread: float) -> Array:
    """Return the medians of mixtures of normal distributions; (K, M) each -> (M,)."""
    from scipy.special import ndtr

    low, high = logs.min(axis=0), logs.max(axis=0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = (shares * ndtr((middle - logs) / spread)).sum(axis=0) < 0.5
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    middle_of_last: Array = (low + high) / 2
    return middle_of_last
