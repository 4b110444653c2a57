"""Exact tests for few runs: what a difference is worth when nothing is known of the noise.

All are one-sided, of a rise; a fall is tested by changing the sign. Up to `EXACT` rearrangements
every one is looked at; above that, `EXACT` random ones of a fixed seed, with the observed one
counted among them, so that p is never 0.
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
    """P-value of paired differences having no mean above zero: were A and B of each pair exchanged
    at will, how often would the mean be as high.

    Needs nothing but that A and B of one pair would be exchangeable if they were equal: pairs may
    differ from each other as much as they like. Raises `ValueError` for none.
    """
    values = _some(differences)
    if values.size == 1:  # fewer than scipy takes
        return 0.5 if values[0] > 0 else 1.0
    return _p_value((values,), _mean, "samples")


def permutation(first: Sequence[float], second: Sequence[float]) -> float:
    """P-value of the second group having no higher mean than the first: were their members dealt
    out anew, how often would it be as much higher. Raises `ValueError` where a group is empty."""
    groups = (_some(second), _some(first))
    if min(group.size for group in groups) == 1:  # fewer than scipy takes
        return _dealt_out(*groups)
    return _p_value(groups, _difference, "independent")


def least_sign_flip(pairs: int) -> float:
    """The smallest p-value that `sign_flip` can give: all differences are above zero."""
    return 1.0 / (1 << pairs)


def least_permutation(first: int, second: int) -> float:
    """The smallest p-value that `permutation` can give: the groups do not overlap."""
    return 1.0 / comb(first + second, first)


def adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values adjusted for being many, in their order: calling those below q different lets a
    share q of what is called so be wrong (Benjamini and Hochberg, JRSS B 57, 1995)."""
    if not p_values:
        return ()
    return tuple(map(float, scipy_stats.false_discovery_control(list(p_values))))


def _p_value(
    groups: tuple[np.ndarray, ...], statistic: Callable[..., np.ndarray], rearranged: str
) -> float:
    found = scipy_stats.permutation_test(
        groups,
        statistic,
        permutation_type=rearranged,
        alternative="greater",
        vectorized=True,
        n_resamples=EXACT,
        rng=np.random.default_rng(_SEED),
    )
    return float(found.pvalue)


def _dealt_out(second: np.ndarray, first: np.ndarray) -> float:
    """As `permutation`, for groups that are few enough to go through every deal here."""
    pooled = np.concatenate((second, first))
    observed = second.mean() - first.mean()
    deals = [list(chosen) for chosen in combinations(range(pooled.size), second.size)]
    rises = [pooled[deal].mean() - np.delete(pooled, deal).mean() for deal in deals]
    slack = 1e-12 * np.abs(pooled).max()
    return float(np.mean(np.asarray(rises) >= observed - slack))


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    mean: np.ndarray = np.mean(values, axis=axis)
    return mean


def _difference(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    difference: np.ndarray = np.mean(first, axis=axis) - np.mean(second, axis=axis)
    return difference


def _some(values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"a test needs finite numbers, and was given {list(values)[:5]}")
    return array
