"""Exact permutation tests for few runs, which assume nothing about the noise.

All tests are one-sided, for a rise; change the sign to test for a fall. Up to `EXACT`
rearrangements all are evaluated. Above that, `EXACT` random ones with a fixed seed are drawn, and
the observed one is counted among them, so p is never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import comb

import numpy as np
from scipy import stats as scipy_stats

EXACT = 1 << 16
_SEED = 20_220_610


def sign_flip(differences: Sequence[float]) -> float:
    """Compute the p-value of paired differences that have no mean above zero.

    It is how often the mean would be as high if A and B of each pair were exchanged at random. The
    test needs only that A and B of one pair would be exchangeable if they were equal; pairs may
    differ from each other by any amount. Raises `ValueError` for no differences and for ones that
    are not finite.
    """
    values = _finite(differences)
    if values.size == 1:  # fewer than scipy takes
        return 0.5 if values[0] > 0 else 1.0
    return _p_value((values,), _mean, "samples")


def permutation(first: Sequence[float], second: Sequence[float]) -> float:
    """Compute the p-value of the second group having no higher mean than the first.

    It is how often the mean would be as much higher if the members were assigned to the groups at
    random. Raises `ValueError` where a group is empty or has a number that is not finite.
    """
    groups = (_finite(second), _finite(first))
    if min(group.size for group in groups) == 1:  # fewer than scipy takes
        return _every_assignment(*groups)
    return _p_value(groups, _difference, "independent")


def least_sign_flip(pairs: int) -> float:
    """Return the smallest p-value of `sign_flip`: all differences are above zero."""
    return 1.0 / (1 << pairs)


def least_permutation(first: int, second: int) -> float:
    """Return the smallest p-value of `permutation`: the groups do not overlap."""
    return 1.0 / comb(first + second, first)


def adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values for multiple comparisons, in their order.

    If those below q are called different, a share q of these calls may be wrong (Benjamini and
    Hochberg, JRSS B 57, 1995).
    """
    if not p_values:
        return ()
    return tuple(map(float, scipy_stats.false_discovery_control(list(p_values))))


def _p_value(
    groups: tuple[np.ndarray, ...], statistic: Callable[..., np.ndarray], permutation_type: str
) -> float:
    result = scipy_stats.permutation_test(
        groups,
        statistic,
        permutation_type=permutation_type,
        alternative="greater",
        vectorized=True,
        n_resamples=EXACT,
        rng=np.random.default_rng(_SEED),
    )
    return float(result.pvalue)


def _every_assignment(second: np.ndarray, first: np.ndarray) -> float:
    """Compute `permutation` for groups small enough to evaluate every assignment here."""
    pooled = np.concatenate((second, first))
    observed = second.mean() - first.mean()
    assignments = [list(indices) for indices in combinations(range(pooled.size), second.size)]
    rises = [pooled[members].mean() - np.delete(pooled, members).mean() for members in assignments]
    slack = 1e-12 * np.abs(pooled).max()
    return float(np.mean(np.asarray(rises) >= observed - slack))


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    mean: np.ndarray = np.mean(values, axis=axis)
    return mean


def _difference(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    difference: np.ndarray = np.mean(first, axis=axis) - np.mean(second, axis=axis)
    return difference


def _finite(values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"a test needs finite numbers, and was given {list(values)[:5]}")
    return array
