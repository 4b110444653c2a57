"""Find steps in a series of runs, and the commits on both sides of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from mobilebench.errors import UnknownName, UserError
from mobilebench.regress.history import Question, histories
from mobilebench.values import wire
from mobilebench.values.measurement import Measurement, Memory
from mobilebench.values.record import Record
from tests.conftest import Ran
from tests.records import failed_export, runs


def _series(levels: Sequence[float], commits: Sequence[str | None]) -> list[Record]:
    return [
        dataclasses.replace(
            record,
            created=f"2026-{1 + day // 28:02}-{1 + day % 28:02}T00:00:00.000Z",
            provenance=dataclasses.replace(record.provenance, source_commit=commit),
        )
        for day, (record, commit) in enumerate(zip(runs(levels), commits, strict=True))
    ]


def _levels() -> np.ndarray:
    noise = np.exp(np.random.default_rng(0).normal(0, 0.01, 30))
    return np.asarray([10.0] * 18 + [11.0] * 12) * noise


def test_a_step_lies_between_two_commits() -> None:
    commits = [f"{index // 2:02x}" * 20 for index in range(30)]
    [history] = histories(_series(_levels(), commits))
    [step] = history.steps
    assert step.ratio == pytest.approx(1.1, abs=0.02)
    assert (step.before.commit, step.after.commit) == (commits[17], commits[18])
    assert step.commits == f"{'08' * 5}..{'09' * 5}"
    assert len(history.points) == 30 and history.unit == "ms"


def test_a_step_within_a_commit_is_not_the_codes() -> None:
    [history] = histories(_series(_levels(), ["a" * 40] * 30))
    assert "not the code" in history.steps[0].commits
    [history] = histories(_series(_levels(), [None] * 30))
    assert history.steps[0].commits == "2026-01-18T00:00:00.000Z to 2026-01-19T00:00:00.000Z"


def test_a_bump_inside_is_two_steps() -> None:
    levels = _levels()
    levels[:] = 10 * np.exp(np.random.default_rng(0).normal(0, 0.01, 30))
    levels[12:17] *= 2
    commits = [f"{index:02x}" * 20 for index in range(30)]
    [history] = histories(_series(levels, commits))
    assert [step.commits for step in history.steps] == [
        f"{'0b' * 5}..{'0c' * 5}", f"{'10' * 5}..{'11' * 5}",
    ]  # fmt: skip
    assert [step.runs for step in history.steps] == [5, 13]
    assert history.undecided is None


@pytest.mark.parametrize("count", [12, 30])
def test_a_step_three_runs_before_the_end_is_named_or_undecided(count: int) -> None:
    levels = 10 * np.exp(np.random.default_rng(1).normal(0, 0.01, count))
    levels[-3:] *= 1.1
    commits = [f"{index:02x}" * 20 for index in range(count)]
    [history] = histories(_series(levels, commits))
    step = history.undecided if count == 12 else history.steps[0]
    assert step is not None and step.commits == f"{commits[-4][:10]}..{commits[-3][:10]}"
    assert step.runs == 3 and len(history.steps) == (count == 30)


def test_the_program_says_that_it_cannot_decide_yet(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    levels = 10 * np.exp(np.random.default_rng(1).normal(0, 0.01, 12))
    levels[-3:] *= 1.1
    commits = [f"{index:02x}" * 20 for index in range(12)]
    records = [wire.to_plain(record) for record in _series(levels, commits)]
    (tmp_path / "all.json").write_text(json.dumps(records))
    done = mobilebench("history", "all.json")
    assert done.code == 0 and "no step" not in done.stdout
    assert f"in the last 3 runs, {'08' * 5}..{'09' * 5}: too few to decide yet" in done.stdout


def test_runs_without_the_number_are_left_out() -> None:
    records = _series(_levels(), [None] * 30)
    outcome = records[4].outcome
    assert isinstance(outcome, Measurement)
    empty = dataclasses.replace(outcome, memory=Memory(peak_bytes=0, before_load_bytes=0))
    records[4] = dataclasses.replace(records[4], outcome=empty)
    question = Question(metric="peak memory")
    assert len(histories(records, question)[0].points) == 29
    with pytest.raises(UserError, match="No record has a peak memory above zero"):
        histories([records[4]], question)


def test_a_quiet_series_has_no_step_and_a_small_one_is_left_out() -> None:
    flat = _series(_levels()[:18], [None] * 18)
    assert histories(flat)[0].steps == ()
    stepped = _series(_levels(), [None] * 30)
    assert histories(stepped, Question(smallest=0.2))[0].steps == ()


def test_each_cell_has_a_history_of_its_own() -> None:
    other = runs([10.0, 10.0], seed=1, threads=2)
    told = histories([*_series(_levels(), [None] * 30), *other, failed_export(target="opset18")])
    assert [len(history.points) for history in told] == [30, 2]


def test_nothing_has_no_history() -> None:
    with pytest.raises(UserError, match="no measurements"):
        histories([failed_export(target="opset18")])
    with pytest.raises(UnknownName, match="latency p50"):
        histories([], Question(metric="size"))


def test_the_program_shows_series_and_steps(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    commits = [f"{index:02x}" * 20 for index in range(30)]
    records = [wire.to_plain(record) for record in _series(_levels(), commits)]
    (tmp_path / "all.json").write_text(json.dumps(records))
    done = mobilebench("history", "all.json")
    assert done.code == 0, done.stderr
    assert "30 runs from 2026-01-01 to 2026-02-02" in done.stdout
    assert f"{'11' * 5}..{'12' * 5}" in done.stdout
    assert "▁" in done.stdout and "█" in done.stdout
    [plain] = json.loads(mobilebench("history", "all.json", "--json").stdout)
    assert len(plain["steps"]) == 1
