"""Intervals by resampling what was independent: runs first, then blocks of iterations.

Iterations of one run follow each other on one machine state, so they are drawn in blocks, never
one by one; an interval from single iterations is too narrow by the square root of their
autocorrelation time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_MOST = 1000
Statistic = Callable[[Array], Array]
"""Of the last axis, as `np.median(samples, axis=-1)`."""


def median(samples: Array) -> Array:
    """The median of the last axis."""
    found: Array = np.median(samples, axis=-1)
    return found


def percentile_of(percent: float) -> Statistic:
    """A percentile of the last axis."""

    def statistic(samples: Array) -> Array:
        found: Array = np.percentile(samples, percent, axis=-1)
        return found

    return statistic


def block_length(count: int) -> int:
    """Length of blocks for a series of that many iterations: its cube root, the order at which
    the bootstrap of a mean errs least (Hall, Horowitz and Jing, Biometrika 82, 1995)."""
    return max(1, round(math.cbrt(count)))


def blocks(samples: Sequence[float], resamples: int, rng: np.random.Generator) -> Array:
    """Resampled series of the same length: (resamples, N), glued of blocks that start anywhere
    and wrap around (the circular block bootstrap of Politis and Romano, 1992)."""
    series = np.asarray(samples, dtype=np.float64)
    count = series.size
    length = block_length(count)
    pieces = -(-count // length)
    starts = rng.integers(0, count, size=(resamples, pieces, 1))
    index = (starts + np.arange(length)) % count
    drawn: Array = series[index.reshape(resamples, -1)[:, :count]]
    return drawn


def run_statistics(
    runs: Sequence[Sequence[float]],
    statistic: Statistic,
    resamples: int,
    rng: np.random.Generator,
) -> Array:
    """(resamples, runs): the statistic of each run, its iterations drawn again in blocks."""
    return np.stack([statistic(blocks(_thinned(run), resamples, rng)) for run in runs], axis=1)


def _thinned(run: Sequence[float]) -> Sequence[float]:
    """At most `_MOST` iterations of a run, evenly: enough for its statistic to vary less than
    from run to run, and with fewer it varies more, so that no interval becomes too narrow."""
    return run[:: -(-len(run) // _MOST)]


def paired_interval(
    first: Sequence[Sequence[float]],
    second: Sequence[Sequence[float]],
    statistic: Statistic,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the mean log ratio of `second` over `first`, run by run in pairs.

    Pairs are drawn again, then within each the iterations of both runs in blocks. Few pairs make
    a bootstrap of means too narrow, so the spread is widened to that of Student's t for the same
    number of pairs. Raises `ValueError` for less than two pairs.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"pairs need as many runs on both sides: {len(first)}, {len(second)}")
    rng = np.random.default_rng(seed)
    ratios = np.log(run_statistics(second, statistic, resamples, rng)) - np.log(
        run_statistics(first, statistic, resamples, rng)
    )
    drawn = rng.integers(0, len(first), size=ratios.shape)
    means = np.take_along_axis(ratios, drawn, axis=1).mean(axis=1)
    return _widened(means, len(first) - 1, confidence)


def unpaired_interval(
    first: Sequence[Sequence[float]],
    second: Sequence[Sequence[float]],
    statistic: Statistic,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the log ratio of `second` over `first`, as groups of runs.

    Raises `ValueError` where a group has less than two runs.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(f"groups need two runs each: {len(first)}, {len(second)}")
    rng = np.random.default_rng(seed)
    means = []
    for runs in (first, second):
        logs = np.log(run_statistics(runs, statistic, resamples, rng))
        drawn = rng.integers(0, len(runs), size=logs.shape)
        means.append(np.take_along_axis(logs, drawn, axis=1).mean(axis=1))
    return _widened(means[1] - means[0], min(len(first), len(second)) - 1, confidence)


def _widened(means: Array, freedom: int, confidence: float) -> tuple[float, float]:
    """The bootstrap's interval, stretched about its middle as t is wider than the normal, and as
    the spread of n numbers about their own mean is smaller than about the true one."""
    from scipy import stats as scipy_stats

    tail = (1 - confidence) / 2
    low, middle, high = np.quantile(means, (tail, 0.5, 1 - tail))
    stretch = float(scipy_stats.t.ppf(1 - tail, freedom) / scipy_stats.norm.ppf(1 - tail))
    stretch *= float(np.sqrt((freedom + 1) / freedom))
    return (
        float(middle - stretch * (middle - low)),
        float(middle + stretch * (high - middle)),
    )
