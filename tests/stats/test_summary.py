"""Summarise many numbers by single ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from mobilebench import stats
from mobilebench.stats.summary import percentiles, tick


def test_summary_is_computed_from_samples() -> None:
    summary = stats.summarise([4, 1, 3, 2, 10])
    assert (summary.count, summary.min_ns, summary.p50_ns, summary.mean_ns) == (5, 1, 3.0, 4.0)
    assert summary.p90_ns == pytest.approx(7.6)


def test_nothing_has_no_summary() -> None:
    with pytest.raises(ValueError, match="no samples"):
        stats.summarise([])


def test_deviations_and_trimmed_means_are_those_of_scipy() -> None:
    values = [5.0, 1.0, 9.0, 2.0, 2.5, 7.0, 100.0, 3.0, 4.0, 0.5]
    assert stats.mad(values) == pytest.approx(scipy_stats.median_abs_deviation(values))
    assert stats.trimmed_mean(values, 2, 2) == pytest.approx(scipy_stats.trim_mean(values, 0.2))
    assert stats.trimmed_mean(values, 0, 1) == pytest.approx(sum(sorted(values)[:-1]) / 9)
    with pytest.raises(ValueError, match="cannot do without"):
        stats.trimmed_mean(values, 5, 5)
    with pytest.raises(ValueError, match="no values"):
        stats.mad([])


def test_a_coarse_clock_shows_in_the_gaps_between_values() -> None:
    assert tick([10e6, 11e6, 13e6] * 10) == 1e6
    assert tick([10e6] * 20) == 10e6, "nothing finer was seen"
    assert tick([1e6, 2e6]) == 0.0, "two values say nothing"
    fine = np.random.default_rng(0).normal(10e6, 0.1e6, 200)
    assert tick(fine.tolist()) < 1e-3 * 0.1e6


@pytest.mark.parametrize(
    ("count", "places", "confidence"),
    [
        (2, (1, 2), 0.5),
        (5, (1, 5), 0.9375),
        (6, (1, 6), 0.96875),
        (9, (2, 8), 0.9609375),
        (20, (6, 15), 0.9586),
    ],
)
def test_the_interval_of_a_median_is_that_of_order_statistics(
    count: int, places: tuple[int, int], confidence: float
) -> None:
    values = np.random.default_rng(0).permutation(np.arange(1.0, count + 1)).tolist()
    low, high, certainty = stats.median_interval(values)
    assert (low, high) == places
    assert certainty == pytest.approx(confidence, abs=5e-5)
    assert certainty == pytest.approx(1 - 2 * scipy_stats.binom.cdf(places[0] - 1, count, 0.5))


def test_the_interval_of_a_median_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(4000):
        low, high, _confidence = stats.median_interval(rng.lognormal(0, 1, 5).tolist())
        covered += low <= 1 <= high
    assert covered / 4000 == pytest.approx(0.9375, abs=0.012), "three standard errors"


def test_one_value_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two values"):
        stats.median_interval([1.0])


def test_percentiles_of_sorted_numbers_are_those_of_numpy_to_the_last_bit() -> None:
    rng = np.random.default_rng(7)
    for count in (1, 2, 3, 10, 97, 1000):
        numbers = rng.integers(1, 10**9, count)
        percents = (0, 10, 50, 90, 99, 99.9, 100)
        expected = tuple(stats.percentile(numbers.tolist(), percent) for percent in percents)
        assert percentiles(np.sort(numbers.astype(float)), *percents) == expected
