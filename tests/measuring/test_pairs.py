"""Confirm verdicts by a second session, and compare networks in real sessions."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from mobilebench.errors import UserError
from mobilebench.measuring.pairs import compare_pairs, confirmed, whole_pairs
from mobilebench.measuring.setting import Setting, plan_pairs
from mobilebench.regress import Comparison, Rule, Verdict, check
from mobilebench.values.artifact import Artifact, content_sha256
from mobilebench.values.measurement import Failure, Stage
from mobilebench.values.protocol import protocol
from mobilebench.values.record import Record
from tests.records import MEDIAN, levels, runs

SHARED = levels(8, 0.05)


def _comparison(factor: float) -> Comparison:
    [comparison] = check(runs(SHARED, "A"), runs(SHARED * factor, "B"), metrics=MEDIAN).comparisons
    return comparison


def test_a_regression_stays_one_where_a_second_session_says_the_same() -> None:
    comparison = confirmed(_comparison(1.08), _comparison(1.07))
    assert comparison.verdict is Verdict.REGRESSED
    reason = comparison.reason
    assert "a second session measured +7" in reason or "a second session measured +6" in reason


@pytest.mark.parametrize("again", [1.0, 0.9])
def test_a_regression_that_does_not_come_back_is_inconclusive(again: float) -> None:
    comparison = confirmed(_comparison(1.08), _comparison(again))
    assert comparison.verdict is Verdict.INCONCLUSIVE
    assert comparison.reason.startswith("not confirmed")


def test_what_did_not_regress_needs_no_second_session() -> None:
    comparison = _comparison(0.9)
    assert confirmed(comparison, None) == comparison
    assert confirmed(_comparison(1.08), None).verdict is Verdict.REGRESSED


def test_a_session_with_a_failed_run_keeps_its_whole_pairs() -> None:
    first, second = runs(SHARED, "A"), runs(SHARED, "B")
    failure = Failure(stage=Stage.RUN, error="Crash", message="signal 11")
    second[2] = dataclasses.replace(second[2], outcome=failure)
    whole = whole_pairs("a cell", (first, second))
    assert whole.paired and whole.counts == (7, 7) and whole.dropped == (1, 0)
    assert [r.session and r.session.pair for r in whole.candidate] == [0, 1, 3, 4, 5, 6, 7]
    assert whole.failures == ([], [failure])


def _setting(*runtimes: str) -> Setting:
    return Setting(device_id="host", protocol=protocol("smoke-1"), runtimes=runtimes)


def test_sessions_take_every_cell_and_give_every_record_away(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    artifacts = [tiny_artifacts["onnx-fp32"], tiny_artifacts["tflite-fp32"]]
    records: list[Record] = []
    cells = plan_pairs(artifacts, artifacts, _setting()).cells
    report = compare_pairs(cells, Rule(), pairs=1, metrics=MEDIAN, keep=records.append)
    assert [comparison.runs for comparison in report.comparisons] == [(1, 1), (1, 1)]
    assert {comparison.verdict for comparison in report.comparisons} == {Verdict.INCONCLUSIVE}
    assert len(records) == 4
    assert len({record.session.id for record in records if record.session}) == 2
    assert all(record.signature is not None for record in records)


def test_sides_that_cannot_be_compared_are_refused(tiny_artifacts: dict[str, Artifact]) -> None:
    onnx, tflite = tiny_artifacts["onnx-fp32"], tiny_artifacts["tflite-fp32"]
    with pytest.raises(UserError, match="same number of artifacts on both sides"):
        plan_pairs([onnx], [], _setting())
    with pytest.raises(UserError, match="No runtime runs both"):
        plan_pairs([onnx], [tflite], _setting())
    with pytest.raises(UserError, match="No runtime of those asked for"):
        plan_pairs([onnx], [onnx], _setting("litert"))


def test_a_side_that_fails_ends_the_session(
    tiny_artifacts: dict[str, Artifact], tmp_path_factory: pytest.TempPathFactory
) -> None:
    good = tiny_artifacts["onnx-fp32"]
    broken = tmp_path_factory.mktemp("broken") / "model.onnx"
    broken.write_bytes(good.model_path.read_bytes()[:-500])
    folder = broken.parent
    facts = replace(good.manifest.facts, sha256=content_sha256(broken))
    manifest = replace(good.manifest, facts=facts)
    cells = plan_pairs([good], [Artifact(folder, manifest)], _setting()).cells
    records: list[Record] = []
    report = compare_pairs(cells, Rule(), pairs=8, keep=records.append)
    assert report.verdict is Verdict.REGRESSED
    [outcome] = report.comparisons
    assert outcome.metric == "outcome" and "load failed" in outcome.reason
    assert (outcome.baseline, outcome.candidate) == (0, 2)
    assert 3 <= len(records) <= 4, "no pair after the second failure"

    turned = compare_pairs([(cell[1], cell[0]) for cell in cells], Rule(), pairs=8)
    assert turned.verdict is Verdict.INCONCLUSIVE, "there is nothing to compare with"
    assert "load failed" in turned.comparisons[0].reason
