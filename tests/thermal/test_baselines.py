"""Baselines: each against a plain recomputation of what its name says."""

from __future__ import annotations

import random
from itertools import combinations, pairwise
from pathlib import Path
from statistics import fmean

import pytest

from mobilebench.thermal import baselines
from mobilebench.thermal.series import Minute, Series, read_series

DATA = Path(__file__).parent.parent / "data" / "thermal"
FIGURES = {
    # constant and last value in percent, as another program had them
    "galaxym53-dimensity900-1280": (7.0, 2.7),
    "galaxyzfold-sm8850-1280": (6.9, 3.9),
    "pixel8pro-tensor-g3-1280": (21.0, 3.7),
    "pixel8pro-tensor-g3-1280-warm-start": (21.4, 10.6),
}


def _series(*values: float) -> Series:
    return Series("run", tuple(Minute(index, value) for index, value in enumerate(values)), ())


@pytest.mark.parametrize("name", FIGURES)
def test_the_real_series_have_the_errors_of_a_plain_computation(name: str) -> None:
    series = read_series(DATA / f"{name}.csv")
    constant, last = FIGURES[name]
    assert 100 * baselines.constant_error(series) == pytest.approx(constant, abs=0.05)
    error = baselines.last_value_error(series)
    assert error is not None and 100 * error == pytest.approx(last, abs=0.05)
    values = series.medians_ms
    plain = fmean(abs(before - after) / after for before, after in pairwise(values))
    assert error == pytest.approx(plain, rel=1e-12)
    ordered = sorted(values)
    half = len(ordered) // 2
    middle = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    plain = fmean(abs(middle - value) / value for value in values)
    assert baselines.constant_error(series) == pytest.approx(plain, rel=1e-12)


def test_errors_are_shares_of_what_was_recorded() -> None:
    series = _series(10, 20, 40)
    assert baselines.constant_error(series) == pytest.approx((1 + 0 + 0.5) / 3)
    assert baselines.last_value_error(series) == pytest.approx((0.5 + 0.5) / 2)


def test_the_minute_after_a_gap_has_no_last_value() -> None:
    minutes = (Minute(0, 10), Minute(2, 30), Minute(3, 20))
    assert baselines.last_value_error(Series("run", minutes, (1,))) == pytest.approx(0.5)
    assert baselines.last_value_error(Series("run", minutes[:2], (1,))) is None


@pytest.mark.parametrize("pieces", [1, 2, 3, 4])
def test_the_best_pieces_are_those_of_all_that_were_tried(pieces: int) -> None:
    generator = random.Random(pieces)
    values = [generator.uniform(10, 20) for _ in range(9)]

    def cost(part: list[float]) -> float:
        return min(sum(abs(level / value - 1) for value in part) for level in part)

    every = [
        sum(cost(values[a:b]) for a, b in pairwise((0, *cuts, 9))) / 9
        for cuts in combinations(range(1, 9), pieces - 1)
    ]
    assert baselines.pieces_error(_series(*values), pieces) == pytest.approx(min(every), rel=1e-9)


def test_more_pieces_than_minutes_leave_no_error() -> None:
    assert baselines.pieces_error(_series(1, 2, 3), 9) == pytest.approx(0, abs=1e-12)
