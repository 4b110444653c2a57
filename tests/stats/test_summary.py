"""Summarise many numbers by single ones."""

from __future__ import annotations

import pytest
from scipy import stats as scipy_stats

from mobilebench import stats


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
