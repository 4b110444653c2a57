"""Summarise many numbers by single ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from mobilebench import stats
from mobilebench.stats.summary import tick


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
