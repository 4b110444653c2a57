"""Rank the same runs at minute 1 and at minute 30."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilebench.leaderboard import rank
from mobilebench.leaderboard.over_time import Ranking, rankings
from mobilebench.results import Entry
from mobilebench.values.measurement import Diagnosis, Measurement, Validity
from mobilebench.values.record import Record
from tests.leaderboard.test_groups import A, of_file
from tests.records import sustained


def _run(model: str, minutes_ms: list[float], *reasons: Diagnosis) -> Record:
    record = of_file(sustained(minutes_ms, model=model, record_id=model), model)
    assert isinstance(record.outcome, Measurement)
    if reasons:
        outcome = replace(record.outcome, validity=Validity.SUSPECT, reasons=reasons)
        record = replace(record, outcome=outcome)
    return record


QUICK = _run("quick", [10.0] * 5 + [20.0] * 25, Diagnosis.THROTTLED)
STEADY = _run("steady", [14.0] * 30)
LIKE = _run("like", [14.0] * 30)


def _rankings(*records: Record, minutes: tuple[int, ...] = (1, 30)) -> list[Ranking]:
    entries = [Entry.of(record) for record in records]
    return rankings(rank(entries), entries, minutes)


def test_the_quick_one_is_first_in_minute_1_and_last_in_minute_30() -> None:
    [ranking] = _rankings(QUICK, STEADY, LIKE)
    shown = [
        (runner.row.model, *(each.place.text if each.place else None for each in runner.standings))
        for runner in ranking.runners
    ]
    assert shown == [("like", "2=", "1="), ("steady", "2=", "1="), ("quick", "1", "3")]
    assert ranking.reordered
    quick = ranking.runners[-1]
    assert quick.change == pytest.approx(1.0) and quick.shift == 2
    assert [each.stretch.p50_ns for each in quick.standings if each.stretch] == [10e6, 20e6]


def test_an_order_that_intervals_do_not_show_has_not_changed() -> None:
    [ranking] = _rankings(STEADY, LIKE)
    assert not ranking.reordered and [runner.shift for runner in ranking.runners] == [0, 0]


def test_a_run_without_the_last_minute_has_no_place_in_it() -> None:
    [ranking] = _rankings(STEADY, _run("short", [9.0] * 12))
    short = ranking.runners[-1]
    assert short.row.model == "short" and short.standings[0].place is not None
    assert short.standings[1].place is None and short.change is None and short.shift is None


def test_only_runs_with_minutes_and_no_other_doubts_are_there() -> None:
    assert _rankings(A) == []
    doubtful = _run("s", [9.0] * 30, Diagnosis.THROTTLED, Diagnosis.DEBUG_BUILD)
    [ranking] = _rankings(STEADY, doubtful)
    assert [runner.row.model for runner in ranking.runners] == ["steady"]


def test_any_minutes_can_be_asked_for() -> None:
    [ranking] = _rankings(QUICK, STEADY, minutes=(1, 5, 6, 30))
    quick = ranking.runners[-1]
    assert [each.place.text for each in quick.standings if each.place] == ["1", "1", "2", "2"]
