"""Divide two sessions by a reference that both measured: the day goes, its noise counts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobilebench.errors import UserError
from mobilebench.regress import Verdict, check
from mobilebench.values import wire
from mobilebench.values.record import Record, Session
from tests.conftest import Ran
from tests.records import MEDIAN, levels, runs

REFERENCE = "mobilevig_ti onnx-fp32-opset20"
SHA256 = "abcdef" + "0" * 58


def _session(
    change: float, day: float, seed: int, between: float = 0.003, count: int = 8, date: str = "02"
) -> list[Record]:
    """Return runs of a network and of the reference on one day, all slower by its factor."""
    tested = runs(levels(count, between, seed) * change * day, seed=seed, model="rapidnet_ti")
    reference = runs(levels(count, between, seed + 50) * day / 2, seed=seed + 50)
    result = []
    for record in (*tested, *reference):
        assert record.artifact is not None
        if record in reference:
            facts = dataclasses.replace(record.artifact, sha256=SHA256)
            record = dataclasses.replace(record, artifact=facts)
        result.append(dataclasses.replace(record, created=f"2026-01-{date}T03:04:05.678Z"))
    return result


def test_a_slower_day_is_no_regression_with_an_anchor() -> None:
    before, after = _session(1.0, 1.0, 1), _session(1.0, 1.2, 2, date="20")
    plain = check(before, after, metrics=MEDIAN)
    assert plain.verdict is Verdict.REGRESSED, "the day alone"
    for name in (REFERENCE, "mobilevig_ti", "abcdef"):
        report = check(before, after, metrics=MEDIAN, anchor=name)
        [comparison] = report.comparisons
        assert comparison.cell.startswith("rapidnet_ti"), "the reference is not judged"
        assert comparison.verdict is Verdict.UNCHANGED
        assert comparison.effect == pytest.approx(0.0, abs=0.01)
        assert comparison.anchor == f"{REFERENCE} (abcdef000000)"
        assert "which itself changed by +20." in comparison.reason
        assert comparison.candidate == pytest.approx(12.0, rel=0.02), "as measured"


def test_a_faster_day_does_not_hide_a_regression() -> None:
    before, after = _session(1.0, 1.0, 1), _session(1.1, 0.9, 2)
    assert check(before, after, metrics=MEDIAN).verdict is not Verdict.REGRESSED
    [comparison] = check(before, after, metrics=MEDIAN, anchor=REFERENCE).comparisons
    assert comparison.verdict is Verdict.REGRESSED
    assert comparison.effect == pytest.approx(0.1, abs=0.01)
    assert comparison.words == "regressed, by an anchor"


def test_the_noise_of_the_anchor_enters_the_interval() -> None:
    def width(anchor_noise: float) -> float:
        sides = []
        for seed in (1, 2):
            steady = _session(1.0, 1.0, seed, between=0.001)
            noisy = _session(1.0, 1.0, seed, between=anchor_noise)
            sides.append([*steady[:8], *noisy[8:]])
        [comparison] = check(*sides, metrics=MEDIAN, anchor=REFERENCE).comparisons
        assert comparison.interval is not None
        return comparison.interval[1] - comparison.interval[0]

    assert width(0.05) > 5 * width(0.001)


def test_coverage_and_alarms_hold_with_an_anchor() -> None:
    covered = alarms = 0
    for trial in range(100):
        sides = [
            _session(1.0, day, 100 * trial + seed, between=0.02)
            for seed, day in ((1, 1.0), (2, 1.1))
        ]
        [comparison] = check(*sides, metrics=MEDIAN, anchor=REFERENCE).comparisons
        assert comparison.interval is not None
        covered += comparison.interval[0] <= 0 <= comparison.interval[1]
        alarms += comparison.verdict is Verdict.REGRESSED
    assert 0.95 * 100 - 3 * np.sqrt(100 * 0.05 * 0.95) <= covered
    assert alarms <= 100 * 0.01 + 3 * np.sqrt(100 * 0.01)


def test_runs_take_the_reference_of_their_own_pair_and_lose_what_has_none() -> None:
    before, after = _session(1.0, 1.0, 1), _session(1.0, 1.0, 2)

    def paired(records: list[Record], session: str) -> list[Record]:
        half = len(records) // 2
        return [
            dataclasses.replace(
                record,
                session=Session(id=session, position=n, pair=n % half, side="BA"[n >= half]),
            )
            for n, record in enumerate(records)
        ]

    first, second = paired(before, "x"), paired(after, "y")
    del second[10]
    [comparison] = check(first, second, metrics=MEDIAN, anchor=REFERENCE).comparisons
    assert comparison.runs == (8, 7) and comparison.dropped == (0, 1)


@pytest.mark.parametrize(
    ("before", "after", "anchor", "words"),
    [
        (slice(8), slice(None), REFERENCE, "the baseline has no measured run of such"),
        (slice(None), slice(8), "abcdef", "the candidate has no measured run of such"),
        (slice(None), slice(None), "nothing", "'mobilevig_ti onnx-fp32-opset20'"),
        (slice(None), slice(None), "abc", "no measured run"),
    ],
)
def test_an_anchor_that_a_side_lacks_is_refused(
    before: slice, after: slice, anchor: str, words: str
) -> None:
    sides = _session(1.0, 1.0, 1)[before], _session(1.0, 1.0, 2)[after]
    with pytest.raises(UserError, match=words):
        check(*sides, metrics=MEDIAN, anchor=anchor)


def test_an_anchor_that_shows_nothing_is_refused() -> None:
    before, after = _session(1.0, 1.0, 1), _session(1.0, 1.0, 2)
    changed = [
        dataclasses.replace(r, artifact=dataclasses.replace(r.artifact, sha256="e" * 64))
        for r in after[8:]
        if r.artifact is not None
    ]
    with pytest.raises(UserError, match="2 different files"):
        check(before, [*after[:8], *changed], anchor=REFERENCE)
    with pytest.raises(UserError, match="selects none"):
        check(before, after, metrics=["size"], anchor=REFERENCE)
    late = [dataclasses.replace(r, created="2026-03-01T00:00:00.000Z") for r in after[8:]]
    with pytest.raises(UserError, match="not measured within a day"):
        check(before, [*after[:8], *late], anchor=REFERENCE)
    threads = runs(levels(8, 0.01), seed=99, model="rapidnet_ti", threads=2)
    again = runs(levels(8, 0.01), seed=98, model="rapidnet_ti", threads=2)
    with pytest.raises(UserError, match="only under other conditions"):
        check([*threads, *before[8:]], [*again, *after[8:]], anchor=REFERENCE)
    shared = levels(8, 0.01)
    pairs = [
        [*runs(shared, side, model="rapidnet_ti"), *session[8:]]
        for side, session in (("A", before), ("B", after))
    ]
    with pytest.raises(UserError, match="leave out --anchor"):
        check(*pairs, anchor=REFERENCE)


def test_the_program_divides_by_an_anchor(mobilebench: Callable[..., Ran], tmp_path: Path) -> None:
    for name, records in (("a", _session(1.0, 1.0, 1)), ("b", _session(1.0, 1.2, 2))):
        plain = [wire.to_plain(record) for record in records]
        (tmp_path / f"{name}.json").write_text(json.dumps(plain))
    command = ("check", "--baseline", "a.json", "--candidate", "b.json", "--metric", "latency p50")
    assert mobilebench(*command).code == 1
    done = mobilebench(*command, "--anchor", REFERENCE)
    assert done.code == 0, done.stderr
    assert "divided by the anchor mobilevig_ti onnx-fp32-opset20 (abcdef000000)" in done.stdout
    absent = mobilebench(*command, "--anchor", "vig")
    assert absent.code == 2 and "the baseline has no measured run" in absent.stderr
