"""Compute bootstrap intervals by resampling runs, then blocks of iterations.

Runs are independent. Iterations of one run follow each other on one machine state, so they are
drawn in blocks, never one by one. An interval from single iterations is too narrow by the square
root of their autocorrelation time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_MOST = 1000
Statistic = Callable[[Array], Array]
"""Function of the last axis, such as `np.median(samples, axis=-1)`."""


def median(samples: Array) -> Array:
    """Compute the median of the last axis."""
    medians: Array = np.median(samples, axis=-1)
    return medians


def percentile_of(percent: float) -> Statistic:
    """Return a function that computes a percentile of the last axis."""

    def statistic(samples: Array) -> Array:
        percentiles: Array = np.percentile(samples, percent, axis=-1)
        return percentiles

    return statistic


def block_length(count: int) -> int:
    """Return the length of blocks for a series of `count` iterations: its cube root.

    At that order the bootstrap of a mean has the smallest error (Hall, Horowitz and Jing,
    Biometrika 82, 1995).
    """
    return max(1, round(math.cbrt(count)))


def blocks(samples: Sequence[float], resamples: int, rng: np.random.Generator) -> Array:
    """Draw resampled series of the same length: (resamples, N).

    Each is joined from blocks that start anywhere and wrap around (the circular block bootstrap of
    Politis and Romano, 1992).
    """
    series = np.asarray(samples, dtype=np.float64)
    count = series.size
    length = block_length(count)
    pieces = -(-count // length)
    starts = rng.integers(0, count, size=(resamples, pieces, 1))
    index = (starts + np.arange(length)) % count
    resampled: Array = series[index.reshape(resamples, -1)[:, :count]]
    return resampled


def run_statistics(
    runs: Sequence[Sequence[float]],
    statistic: Statistic,
    resamples: int,
    rng: np.random.Generator,
) -> Array:
    """Compute the statistic of each run, its iterations resampled in blocks.

    The result is (resamples, runs).
    """
    return np.stack([statistic(blocks(_thinned(run), resamples, rng)) for run in runs], axis=1)


def _thinned(run: Sequence[float]) -> Sequence[float]:
    """Return at most `_MOST` evenly spaced iterations of a run.

    These are enough for the statistic to vary less within a run than from run to run. With fewer
    iterations it varies more, so no interval becomes too narrow.
    """
    return run[:: -(-len(run) // _MOST)]


def paired_interval(
    first: Sequence[Sequence[float]],
    second: Sequence[Sequence[float]],
    statistic: Statistic,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Compute the interval of the mean log ratio of `second` over `first`, in pairs of runs.

    Pairs are resampled, then the iterations of both runs of each pair in blocks. With few pairs a
    bootstrap of means is too narrow, so the spread is widened to that of Student's t for the same
    number of pairs. Raises `ValueError` for fewer than two pairs and for unequal numbers of runs.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"pairs need as many runs on both sides: {len(first)}, {len(second)}")
    rng = np.random.default_rng(seed)
    ratios = np.log(run_statistics(second, statistic, resamples, rng)) - np.log(
        run_statistics(first, statistic, resamples, rng)
    )
    picks = rng.integers(0, len(first), size=ratios.shape)
    means = np.take_along_axis(ratios, picks, axis=1).mean(axis=1)
    return _widened(means, len(first) - 1, confidence)


def unpaired_interval(
    first: Sequence[Sequence[float]],
    second: Sequence[Sequence[float]],
    statistic: Statistic,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Compute the interval of the log ratio of `second` over `first`, as groups of runs.

    Raises `ValueError` where a group has fewer than two runs.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(f"groups need two runs each: {len(first)}, {len(second)}")
    rng = np.random.default_rng(seed)
    means = []
    for runs in (first, second):
        logs = np.log(run_statistics(runs, statistic, resamples, rng))
        picks = rng.integers(0, len(runs), size=logs.shape)
        means.append(np.take_along_axis(logs, picks, axis=1).mean(axis=1))
    return _widened(means[1] - means[0], min(len(first), len(second)) - 1, confidence)


def _widened(means: Array, freedom: int, confidence: float) -> tuple[float, float]:
    """Widen the bootstrap's interval about its median for the small number of runs.

    It is stretched as t is wider than the normal, and as the spread of n numbers about their own
    mean is smaller than about the true one.
    """
    from scipy import stats as scipy_stats

    tail = (1 - confidence) / 2
    low, middle, high = np.quantile(means, (tail, 0.5, 1 - tail))
    stretch = float(scipy_stats.t.ppf(1 - tail, freedom) / scipy_stats.norm.ppf(1 - tail))
    stretch *= float(np.sqrt((freedom + 1) / freedom))
    return (
        float(middle - stretch * (middle - low)),
        float(middle + stretch * (high - middle)),
    )
