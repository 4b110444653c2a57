"""Find change points where there are some, and none in noise alone."""

from __future__ import annotations

import numpy as np
import pytest

from mobilebench.stats.changes import changes, steady_from, undecided


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


@pytest.mark.parametrize("length", [3, 4, 10, 30])
@pytest.mark.parametrize("start", [3, 40, 67])
def test_a_bump_of_any_length_is_two_changes(start: int, length: int) -> None:
    series = np.random.default_rng([start, length]).normal(10, 0.1, 100)
    series[start : start + length] *= 1.1
    first, second = changes(series.tolist())
    assert (first.index, second.index) == (start, start + length)
    assert first.ratio == pytest.approx(1.1, abs=0.02) == 1 / second.ratio


def test_a_step_is_found_from_three_entries_before_the_end() -> None:
    series = np.random.default_rng(2).normal(10, 0.1, 40)
    series[37:] *= 1.1
    assert [change.index for change in changes(series.tolist())] == [37]


def test_several_steps_and_a_bump_are_all_found() -> None:
    rng = np.random.default_rng(3)
    lengths, levels = (30, 10, 25, 20, 15), (10.0, 11.0, 10.0, 12.0, 10.5)
    series = np.concatenate(
        [rng.normal(level, 0.15, length) for length, level in zip(lengths, levels, strict=True)]
    )
    edges = np.cumsum(lengths)[:-1].tolist()
    assert [change.index for change in changes(series.tolist())] == pytest.approx(edges, abs=1)


def test_single_outliers_are_no_levels() -> None:
    rng = np.random.default_rng(4)
    for trial in range(30):
        series = rng.normal(10, 0.1, 60)
        series[rng.choice(60, 6, replace=False)] *= 3
        assert changes(series.tolist()) == (), trial


def test_a_series_that_wanders_has_few_changes() -> None:
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(100):
        series = rng.normal(10, 1, 100)
        for index in range(1, 100):
            series[index] = 10 + 0.3 * (series[index - 1] - 10) + (series[index] - 10) * 0.954
        alarms += bool(changes(series.tolist()))
    assert alarms <= 8, "without its correlation 18"


def test_the_end_of_a_series_may_be_undecided() -> None:
    series = np.random.default_rng(5).normal(10, 0.1, 14)
    series[12:] *= 1.2
    assert changes(series.tolist()) == ()
    hint = undecided(series.tolist())
    assert hint is not None and hint.index == 12 and hint.ratio == pytest.approx(1.2, abs=0.02)
    assert undecided(series[:12].tolist()) is None
    assert undecided([1.0, 2.0]) is None


def test_a_remark_about_the_end_is_rare_without_a_change() -> None:
    rng = np.random.default_rng(6)
    remarks = [undecided(rng.normal(10, 1, 30).tolist(), shuffles=199) for _ in range(400)]
    share = np.mean([remark is not None for remark in remarks])
    assert share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_noise_alone_has_a_change_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(2)
    for noise in (rng.normal, lambda *_: 10 + rng.standard_t(2, 30)):
        detections = [
            bool(changes(noise(10, 0.3, 30).tolist(), alpha=0.05, shuffles=199)) for _ in range(400)
        ]
        assert np.mean(detections) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


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
