"""Compute intervals of a log ratio from one number for each run.

A run's number already varies by its own iterations as well as by the state of the device, so the
spread of the numbers between runs holds both. To resample the iterations on top would count their
noise twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mobilebench.stats.permutation import flips

Array = np.ndarray[Any, Any]
_FEW = 1e-9
"""Slack for a share of subsets that rounding moves below a whole number."""


def paired_interval(differences: Array, confidence: float = 0.95) -> tuple[Array, Array]:
    """Compute the interval of the mean of paired differences.

    The differences are (..., pairs), the ends (...). It holds the changes that the sign-flip test
    would not reject. Its ends are order statistics of the means of all subsets of the pairs, so it
    is exact for any symmetric noise (Hartigan, JASA 64, 1969). Where the pairs are too few for that
    confidence it is Student's. Raises `ValueError` for fewer than two pairs.
    """
    values = np.asarray(differences, dtype=np.float64)
    pairs = values.shape[-1]
    if pairs < 2:
        raise ValueError(f"an interval needs two pairs, not {pairs}")
    subsets = (flips(pairs)[1:] < 0).astype(np.float64)
    subsets = subsets[subsets.any(axis=1)]
    rank = int((1 - confidence) / 2 * (len(subsets) + 1) + _FEW)
    if rank < 1:
        return _students(values, confidence)
    means = values @ subsets.T / subsets.sum(axis=1)
    means.partition((rank - 1, len(subsets) - rank), axis=-1)
    return means[..., rank - 1], means[..., len(subsets) - rank]


def unpaired_interval(first: Array, second: Array, confidence: float = 0.95) -> tuple[Array, Array]:
    """Compute the interval of the second group's mean less that of the first.

    The groups are (..., runs), the ends (...). The groups may have unequal spreads (Welch,
    Biometrika 34, 1947). Raises `ValueError` where a group has fewer than two runs.
    """
    middle, error, freedom = _welch(first, second)
    return _around(middle, error, freedom, confidence)


def unpaired_rise(first: Array, second: Array) -> Array:
    """Compute the p-value of the second group's mean being no higher, by Welch's t-test.

    The groups are (..., runs). A permutation test alone calls groups of equal means and unequal
    spreads different too often. Raises `ValueError` where a group has fewer than two runs.
    """
    from scipy import stats as scipy_stats

    middle, error, freedom = _welch(first, second)
    without = error == 0
    p_values = scipy_stats.t.sf(middle / np.where(without, 1.0, error), freedom)
    certain: Array = np.where(without, (1 - np.sign(middle)) / 2, p_values)
    return certain


def _welch(first: Array, second: Array) -> tuple[Array, Array, Array]:
    """Return the difference of means, its standard error and its degrees of freedom."""
    groups = [np.asarray(group, dtype=np.float64) for group in (first, second)]
    counts = [group.shape[-1] for group in groups]
    if min(counts) < 2:
        raise ValueError(f"groups need two runs each: {counts[0]}, {counts[1]}")
    parts = [
        group.var(axis=-1, ddof=1) / count for group, count in zip(groups, counts, strict=True)
    ]
    variance = parts[0] + parts[1]
    weighted = sum(part**2 / (count - 1) for part, count in zip(parts, counts, strict=True))
    # Without any spread the freedom is 0 / 0, and the error is 0 whatever it is.
    spread = weighted > 0
    freedom = np.where(spread, variance**2 / np.where(spread, weighted, 1.0), 1.0)
    return groups[1].mean(axis=-1) - groups[0].mean(axis=-1), np.sqrt(variance), freedom


def _students(values: Array, confidence: float) -> tuple[Array, Array]:
    count = values.shape[-1]
    error = values.std(axis=-1, ddof=1) / np.sqrt(count)
    return _around(values.mean(axis=-1), error, count - 1, confidence)


def _around(
    middle: Array, error: Array, freedom: Array | int, confidence: float
) -> tuple[Array, Array]:
    from scipy import stats as scipy_stats

    half = scipy_stats.t.ppf((1 + confidence) / 2, freedom) * error
    return middle - half, middle + half
