"""Intervals cover what they claim, also where iterations follow each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from mobilebench.stats.bootstrap import (
    block_length,
    blocks,
    median,
    paired_interval,
    percentile_of,
    unpaired_interval,
)

Run = list[float]


def _run(rng: np.random.Generator, level: float, iterations: int = 60) -> Run:
    """Simulate iterations whose noise of 5 % carries on from one to the next."""
    noise = np.zeros(iterations)
    for index in range(1, iterations):
        noise[index] = 0.6 * noise[index - 1] + rng.normal(0, 0.04)
    return (level * np.exp(noise)).tolist()


def test_blocks_are_pieces_of_the_series_in_its_order() -> None:
    series = list(range(27))
    assert block_length(27) == 3
    resampled = blocks(series, 200, np.random.default_rng(0))
    assert resampled.shape == (200, 27)
    steps = np.diff(resampled, axis=1)
    within = np.delete(steps, np.arange(2, 26, 3), axis=1)
    assert set(np.unique(within)) <= {1.0, -26.0}, "the end is followed by the beginning"


def test_means_of_resampled_series_vary_as_means_of_new_ones_do() -> None:
    rng = np.random.default_rng(5)
    alone = rng.normal(0, 1, 1000)
    following = np.convolve(rng.normal(0, 1, 1009), np.ones(10) / np.sqrt(10), "valid")
    spreads = [blocks(series, 2000, rng).mean(axis=1).std() for series in (alone, following)]
    assert spreads[0] == pytest.approx(1 / np.sqrt(1000), rel=0.15)
    assert spreads[1] > 2 * spreads[0], "sums of ten, which blocks of ten keep together"


def test_an_interval_of_pairs_without_noise_within_is_students() -> None:
    ratios = np.array([0.01, 0.03, -0.02, 0.05, 0.02, 0.0])
    sides = [[[10.0] * 20] * 6, [[10 * np.exp(ratio)] * 20 for ratio in ratios]]
    low, high = paired_interval(sides[0], sides[1], median, resamples=20_000)
    students = scipy_stats.ttest_1samp(ratios, 0).confidence_interval(0.95)
    assert high - low == pytest.approx(students.high - students.low, rel=0.05)


@pytest.mark.parametrize("paired", [True, False])
def test_an_interval_of_95_percent_holds_the_truth_as_often(paired: bool) -> None:
    rng = np.random.default_rng(2)
    interval = paired_interval if paired else unpaired_interval
    covered = 0
    for trial in range(200):
        sides = [
            [_run(rng, level * np.exp(rng.normal(0, 0.03))) for _ in range(6)]
            for level in (10.0, 10.5)
        ]
        low, high = interval(sides[0], sides[1], median, resamples=300, seed=trial)
        covered += low <= np.log(1.05) <= high
    assert covered >= 0.95 * 200 - 3 * np.sqrt(200 * 0.95 * 0.05)


def test_pairs_take_out_what_both_sides_share() -> None:
    rng = np.random.default_rng(3)
    levels = np.exp(rng.normal(0, 0.2, 8))
    sides = [[_run(rng, factor * level) for level in levels] for factor in (10.0, 11.0)]
    low, high = paired_interval(sides[0], sides[1], median)
    loose_low, loose_high = unpaired_interval(sides[0], sides[1], median)
    assert 0 < low < np.log(1.1) < high
    assert high - low < 0.3 * (loose_high - loose_low)


def test_percentiles_have_intervals_too() -> None:
    rng = np.random.default_rng(4)
    sides = [[_run(rng, level) for _ in range(6)] for level in (10.0, 20.0)]
    low, high = paired_interval(sides[0], sides[1], percentile_of(90))
    assert low < np.log(2) < high


def test_too_few_runs_have_no_interval() -> None:
    with pytest.raises(ValueError, match="pairs need as many runs"):
        paired_interval([[1.0]], [[1.0]], median)
    with pytest.raises(ValueError, match="two runs each"):
        unpaired_interval([[1.0], [2.0]], [[1.0]], median)
