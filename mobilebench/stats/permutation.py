"""Exact permutation tests for few runs, which assume nothing about the noise.

All tests are one-sided, for a rise; change the sign to test for a fall. Up to `EXACT`
rearrangements all are evaluated. Above that, `EXACT` random ones with a fixed seed are drawn, and
the observed one is counted among them, so p is never 0.

The joint tests take several numbers of the same runs, such as two percentiles. Their p-values are
adjusted so that the probability of any false one stays that of a single test (step-down maxT,
Westfall and Young, 1993). All numbers of a run are rearranged together, so numbers that say the
same cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
EXACT = 1 << 16
_SEED = 20_220_610
_AT_ONCE = 1 << 23
"""Numbers that one step holds in memory."""


def sign_flip(differences: Sequence[float]) -> float:
    """Compute the p-value of paired differences that have no mean above zero.

    It is how often the mean would be as high if A and B of each pair were exchanged at random. The
    test needs only that A and B of one pair would be exchangeable if they were equal; pairs may
    differ from each other by any amount. Raises `ValueError` for no differences and for ones that
    are not finite.
    """
    return float(joint_sign_flip(_finite(differences)[None])[0])


def permutation(first: Sequence[float], second: Sequence[float]) -> float:
    """Compute the p-value of the second group having no higher mean than the first.

    It is how often the mean would be as much higher if the members were assigned to the groups at
    random. Raises `ValueError` where a group is empty or has a number that is not finite.
    """
    return float(joint_permutation(_finite(first)[None], _finite(second)[None])[0])


def joint_sign_flip(differences: Array, ways: Array | None = None) -> Array:
    """Compute `sign_flip` for several numbers of the same pairs, adjusted for their count.

    `differences` is (..., numbers, pairs), the p-values are (..., numbers). `ways` are the signs to
    try, by default those of `flips`.
    """
    values = _scaled(_finite(differences))
    signs = flips(values.shape[-1]) if ways is None else ways
    return _step_down(values, signs / values.shape[-1])


def joint_permutation(first: Array, second: Array) -> Array:
    """Compute `permutation` for several numbers of the same runs, adjusted for their count.

    The groups are (..., numbers, runs), the p-values (..., numbers).
    """
    sides = [_finite(first), _finite(second)]
    counts = [side.shape[-1] for side in sides]
    values = np.concatenate(sides, axis=-1)
    middle = values.mean(axis=-1, keepdims=True)
    deviations = np.where(np.isclose(values, middle, rtol=1e-13, atol=0.0), 0.0, values - middle)
    values = _scaled(deviations)
    second_group = assignments(*counts)
    weights = np.where(second_group, 1 / counts[1], -1 / counts[0])
    return _step_down(values, weights)


def flips(pairs: int, most: int = EXACT) -> Array:
    """Return ways to exchange the sides of pairs as signs, (ways, pairs); the first keeps all.

    Where there are more than `most`, as many random ones.
    """
    if 1 << pairs <= most:
        bits = np.arange(1 << pairs)[:, None] >> np.arange(pairs) & 1
        signs: Array = 1.0 - 2.0 * bits
        return signs
    rng = np.random.default_rng(_SEED)
    signs = rng.choice((-1.0, 1.0), size=(most, pairs))
    signs[0] = 1.0
    return signs


def assignments(first: int, second: int) -> Array:
    """Return ways to assign runs to two groups, (ways, runs), True in the second.

    In the first way the last `second` runs are the second group, as observed.
    """
    count = first + second
    if comb(count, second) <= EXACT:
        members = np.asarray(list(combinations(range(count), second)))[::-1]
        ways = np.zeros((len(members), count), dtype=bool)
        ways[np.arange(len(members))[:, None], members] = True
        return ways
    rng = np.random.default_rng(_SEED)
    ways = np.tile(np.arange(count) >= first, (EXACT, 1))
    ways[1:] = rng.permuted(ways[1:], axis=1)
    return ways


def least_sign_flip(pairs: int) -> float:
    """Return the smallest p-value of `sign_flip`: all differences are above zero."""
    return 1.0 / (1 << pairs)


def least_permutation(first: int, second: int) -> float:
    """Return the smallest p-value of `permutation`: the groups do not overlap."""
    return 1.0 / comb(first + second, first)


def share_rise(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Compute the p-value of the second share being no higher than the first (Fisher's test).

    A share is a number of hits and the number of trials.
    """
    from scipy import stats as scipy_stats

    (hits, trials), (other_hits, other_trials) = first, second
    return float(
        scipy_stats.hypergeom.sf(
            other_hits - 1, trials + other_trials, hits + other_hits, other_trials
        )
    )


def adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values for multiple comparisons, in their order.

    If those below q are called different, a share q of these calls may be wrong (Benjamini and
    Hochberg, JRSS B 57, 1995).
    """
    from scipy import stats as scipy_stats

    if not p_values:
        return ()
    return tuple(map(float, scipy_stats.false_discovery_control(list(p_values))))


def _scaled(values: Array) -> Array:
    """Divide by the root mean square, which no rearrangement changes; constant numbers stay 0."""
    size = np.sqrt((values**2).mean(axis=-1, keepdims=True))
    scaled: Array = values / np.where(size > 0, size, 1.0)
    return scaled


def _step_down(values: Array, weights: Array) -> Array:
    """Return adjusted p-values of the weighted sums by the first of the ways: (..., numbers).

    `values` is (..., numbers, runs) and `weights` (ways, runs). A number's p-value is the share of
    ways in which the largest sum, of those numbers whose observed sum is no larger, reaches the
    observed one; and never below that of a number with a larger sum.
    """
    *outer, numbers, runs = values.shape
    flat = values.reshape(-1, numbers, runs)
    p_values = np.empty(flat.shape[:2])
    step = max(1, _AT_ONCE // (numbers * len(weights)))
    for start in range(0, len(flat), step):
        sums = flat[start : start + step] @ weights.T
        order = np.argsort(sums[:, :, 0], axis=1)
        if numbers > 1:
            sums = np.take_along_axis(sums, order[:, :, None], axis=1)
        observed = sums[:, :, :1] - 1e-12
        np.maximum.accumulate(sums, axis=1, out=sums)
        shares = np.count_nonzero(sums >= observed, axis=2) / len(weights)
        shares = np.maximum.accumulate(shares[:, ::-1], axis=1)[:, ::-1]
        np.put_along_axis(p_values[start : start + step], order, shares, axis=1)
    return p_values.reshape(*outer, numbers)


def _finite(values: Sequence[float] | Array) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"a test needs finite numbers, and was given {array.ravel()[:5].tolist()}")
    return array
