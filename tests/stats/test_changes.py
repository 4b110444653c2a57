"""Find change points where there are some, and none in noise alone."""

from __future__ import annotations

import numpy as np
import pytest

from mobilebench.stats.changes import changes, steady_from


def test_steps_are_found_where_they_are() -> None:
    rng = np.random.default_rng(0)
    series = np.concatenate(
        [rng.normal(10, 0.2, 40), rng.normal(10.6, 0.2, 30), rng.normal(9.8, 0.2, 30)]
    )
    points = changes(series.tolist())
    assert all(abs(change.index - at) <= 2 for change, at in zip(points, (40, 70), strict=True))
    assert points[0].ratio == pytest.approx(1.06, abs=0.02)
    assert points[1].ratio == pytest.approx(9.8 / 10.6, abs=0.02)
    assert all(change.p_value <= 0.01 for change in points)


def test_a_p_value_counts_the_series_as_it_was_among_the_shuffled_ones() -> None:
    [change] = changes([1.0, 1.1, 1.2, 1.0, 1.1] * 4 + [9.0, 9.1, 9.2, 9.0, 9.1] * 4, shuffles=199)
    assert change.index == 20 and change.p_value == 1 / 200


def test_a_change_of_spread_alone_is_one() -> None:
    rng = np.random.default_rng(1)
    series = np.concatenate([rng.normal(10, 0.1, 60), rng.normal(10, 1.5, 60)])
    [change] = changes(series.tolist())
    assert abs(change.index - 60) <= 6


def test_noise_alone_has_a_change_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(2)
    detections = [
        bool(changes(rng.normal(10, 0.3, 30).tolist(), alpha=0.05, shuffles=99)) for _ in range(200)
    ]
    assert np.mean(detections) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_a_short_series_has_none() -> None:
    assert changes([1.0, 9.0, 1.0]) == ()
    assert changes([]) == ()


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        changes([1.0, float("nan")])


def test_steady_state_begins_where_the_series_stays_on_one_level() -> None:
    rng = np.random.default_rng(3)
    level = rng.normal(14, 0.1, 60)
    warming = np.concatenate([np.linspace(10, 14, 20), level]).tolist()
    start = steady_from(warming)
    assert start is not None and 15 <= start <= 24
    assert steady_from(level.tolist()) == 0
    assert steady_from(np.linspace(10, 20, 80).tolist()) is None
    assert steady_from([*[10.0] * 60, 20.0, 20.1, 19.9, 20.0, 20.2]) is None, "the end is too short"
