"""Summarise many numbers: percentiles, spreads, means, and intervals of shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Statistic = Callable[[Array], Array]
"""Function of the last axis, such as `median`."""
_ENOUGH = 20


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Summary of one run's measured samples, computed when shown and never stored."""

    count: int
    p50_ns: float
    p90_ns: float
    min_ns: int
    mean_ns: float


def percentile(latencies_ns: Sequence[int], percent: float) -> float:
    """Compute a percentile, linear between the two nearest samples (Hyndman-Fan 7)."""
    return float(np.percentile(np.asarray(latencies_ns, dtype=np.float64), percent))


def percentiles(ordered: Array, *percents: float) -> tuple[float, ...]:
    """Compute percentiles of numbers that are in order already; the same as `percentile` does.

    `ordered` is a sorted array of at least one number. Without numpy's checks it is far quicker,
    which counts where records come in by the thousand.
    """
    last = len(ordered) - 1
    results = []
    for percent in percents:
        place = last * (percent / 100)
        below = int(place)
        share = place - below
        low, high = float(ordered[below]), float(ordered[min(below + 1, last)])
        # As numpy does it, so that both give the same number to the last bit.
        step = high - low
        results.append(high - step * (1 - share) if share >= 0.5 else low + step * share)
    return tuple(results)


def summarise(latencies_ns: Sequence[int]) -> Summary:
    """Summarise at least one latency; raises `ValueError` for none."""
    if not latencies_ns:
        raise ValueError("there are no samples to summarise")
    return Summary(
        count=len(latencies_ns),
        p50_ns=percentile(latencies_ns, 50),
        p90_ns=percentile(latencies_ns, 90),
        min_ns=min(latencies_ns),
        mean_ns=float(np.mean(np.asarray(latencies_ns, dtype=np.float64))),
    )


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


def tick(values: Sequence[float]) -> float:
    """Return the step of the clock that values show: the smallest gap between different ones.

    It is the value itself where all are equal, for nothing finer was seen. Values of a fine clock
    leave a gap of about their spread divided by the square of their count. 0 for fewer than twenty
    values, whose gaps say nothing.
    """
    if len(values) < _ENOUGH:
        return 0.0
    different = np.unique(np.asarray(values, dtype=np.float64))
    return float(different[0] if different.size == 1 else np.diff(different).min())


def mad(values: Sequence[float]) -> float:
    """Compute the median absolute deviation from the median, in the units of the values.

    Multiplied by 1.4826 it is the standard deviation of normal values. Raises `ValueError` for no
    values.
    """
    if not values:
        raise ValueError("there are no values to take a deviation of")
    array = np.asarray(values, dtype=np.float64)
    return float(np.median(np.abs(array - np.median(array))))


def trimmed_mean(values: Sequence[float], lowest: int, highest: int) -> float:
    """Compute the mean without the `lowest` smallest and the `highest` largest values.

    Raises `ValueError` where no value is left.
    """
    if lowest < 0 or highest < 0 or lowest + highest >= len(values):
        raise ValueError(f"{len(values)} values cannot do without {lowest} and {highest}")
    remaining = np.sort(np.asarray(values, dtype=np.float64))[lowest : len(values) - highest]
    return float(np.mean(remaining))


def median_interval(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float, float, float]:
    """Compute an interval of the median that holds for any distribution, and its confidence.

    Its ends are two of the values, the same number of places from either end: the median lies
    beyond the k-th of n independent values with probability P(Binomial(n, 1/2) < k). The interval
    is the shortest that reaches the confidence. Few values cannot reach it; then it is their range
    (2 values: 50 %, 5: 94 %, 6: 97 %). Raises `ValueError` for fewer than two values.
    """
    count = len(values)
    if count < 2:
        raise ValueError(f"an interval of the median needs two values, not {count}")
    ordered = sorted(values)
    place, beyond = 0, 2.0 ** (1 - count)
    while place + 1 < count // 2:
        further = beyond + math.comb(count, place + 1) * 2.0 ** (1 - count)
        if 1 - further < confidence:
            break
        place, beyond = place + 1, further
    return ordered[place], ordered[count - 1 - place], 1 - beyond


def wilson_interval(hits: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Compute the score interval of a share, without continuity correction.

    The source is E. B. Wilson, JASA 22, 1927. Unlike the usual interval it stays within 0..1 and
    has a width at 0 and at 1. Raises `ValueError` where nothing was counted.
    """
    if not 0 <= hits <= count or count == 0:
        raise ValueError(f"{hits} of {count} is not a share")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    half /= 1 + z * z / count
    # At the ends the two terms are equal except for rounding.
    low = 0.0 if hits == 0 else middle - half
    high = 1.0 if hits == count else middle + half
    return low, high
