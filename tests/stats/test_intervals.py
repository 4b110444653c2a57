"""Intervals cover what they claim: the noise of iterations counts once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from mobilebench.stats.intervals import paired_interval, unpaired_interval, unpaired_rise
from mobilebench.stats.permutation import sign_flip

Array = np.ndarray[Any, Any]
TRIALS, RUNS, ITERATIONS = 1000, 8, 60


def _runs(rng: np.random.Generator, iteration: float, between: float) -> Array:
    """Simulate latencies without a change: (trials, runs, iterations)."""
    levels = rng.normal(0, between, (TRIALS, RUNS, 1))
    return np.exp(levels + rng.normal(0, iteration, (TRIALS, RUNS, ITERATIONS)))


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("percent", [50, 90])
@pytest.mark.parametrize(
    ("iteration", "between"), [(0.15, 0.0), (0.02, 0.0), (0.4, 0.0), (0.15, 0.03), (0.05, 0.1)]
)
def test_an_interval_of_95_percent_holds_the_truth_as_often(
    iteration: float, between: float, percent: int, paired: bool
) -> None:
    rng = np.random.default_rng([percent, round(1000 * iteration), round(1000 * between)])
    first, second = (
        np.log(np.percentile(_runs(rng, iteration, between), percent, axis=-1)) for _ in range(2)
    )
    low, high = paired_interval(second - first) if paired else unpaired_interval(first, second)
    assert 0.93 <= np.mean((low <= 0) & (high >= 0)) <= 0.97


@pytest.mark.parametrize(
    "noise",
    [
        lambda rng, size: rng.standard_t(2, size),
        lambda rng, size: rng.choice((-1.0, 0.0, 0.0, 1.0), size) + rng.normal(0, 0.1, size),
        lambda rng, size: rng.normal(0, 1, size) * rng.choice((1.0, 20.0), size),
    ],
    ids=["heavy tails", "modes", "two spreads"],
)
def test_an_interval_of_pairs_is_exact_for_any_symmetric_noise(
    noise: Callable[[np.random.Generator, tuple[int, ...]], Array],
) -> None:
    rng = np.random.default_rng(7)
    low, high = paired_interval(noise(rng, (4000, 8)))
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(1 - 12 / 256, abs=0.011)


def test_an_interval_of_pairs_holds_what_the_test_does_not_reject() -> None:
    differences = np.random.default_rng(1).normal(0.05, 0.03, 8)
    low, high = paired_interval(differences)
    for end, sign in ((low, 1.0), (high, -1.0)):
        inside, outside = end + sign * 1e-9, end - sign * 1e-9
        assert sign_flip((sign * (differences - inside)).tolist()) > 0.025
        assert sign_flip((sign * (differences - outside)).tolist()) <= 0.025


def test_an_interval_of_few_pairs_is_students() -> None:
    ratios = np.array([0.01, 0.03, -0.02, 0.05])
    students = scipy_stats.ttest_1samp(ratios, 0).confidence_interval(0.95)
    assert paired_interval(ratios) == pytest.approx((students.low, students.high))


def test_an_interval_of_groups_is_welchs() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(0, 0.01, 8), rng.normal(0.1, 0.1, 5)
    theirs = scipy_stats.ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    assert unpaired_interval(first, second) == pytest.approx((theirs.low, theirs.high))
    assert unpaired_interval(np.zeros(3), np.zeros(3)) == (0.0, 0.0)


def test_a_rise_of_groups_is_welchs_test() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.normal(0, 0.01, (5, 8)), rng.normal(0.02, 0.05, (5, 6))
    theirs = scipy_stats.ttest_ind(second, first, axis=1, equal_var=False, alternative="greater")
    assert unpaired_rise(first, second) == pytest.approx(theirs.pvalue)
    assert unpaired_rise(np.zeros(3), np.ones(3)) == 0.0
    assert unpaired_rise(np.ones(3), np.zeros(3)) == 1.0
    assert unpaired_rise(np.zeros(3), np.zeros(3)) == 0.5


def test_many_pairs_use_a_sample_of_the_subsets() -> None:
    differences = np.random.default_rng(3).normal(0.02, 0.05, 40)
    students = scipy_stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert paired_interval(differences) == pytest.approx((students.low, students.high), abs=0.002)


def test_pairs_take_out_what_both_sides_share() -> None:
    rng = np.random.default_rng(3)
    shared = rng.normal(0, 0.2, 8)
    first, second = (shared + change + rng.normal(0, 0.02, 8) for change in (0.0, 0.1))
    low, high = paired_interval(second - first)
    loose_low, loose_high = unpaired_interval(first, second)
    assert 0 < low < 0.1 < high
    assert high - low < 0.3 * (loose_high - loose_low)


def test_too_few_runs_have_no_interval() -> None:
    with pytest.raises(ValueError, match="two pairs"):
        paired_interval(np.ones(1))
    with pytest.raises(ValueError, match="two runs each"):
        unpaired_interval(np.ones(2), np.ones(1))
