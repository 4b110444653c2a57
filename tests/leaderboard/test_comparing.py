"""Compare two models or two devices, and call nothing equal that is not shown to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilebench.errors import UserError
from mobilebench.leaderboard import rank
from mobilebench.leaderboard.comparing import Outcome, devices, models
from mobilebench.regress.rule import Rule
from mobilebench.values.measurement import Diagnosis, Measurement, Validity
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.values.record import Record
from tests.leaderboard.test_groups import A, B, C, rounds

OTHER = replace(A.device, id="ios:1111", model="Another phone", soc="A18", os_build="23C54")


def _on(record: Record, **changes: object) -> Record:
    device = replace(OTHER, **changes)  # type: ignore[arg-type]
    return replace(record, device=device, record_id=f"other-{record.record_id}"[:64])


def test_a_model_that_is_faster_for_certain_is_said_to_be() -> None:
    [pair] = models(rank([A, B, C]), "c", "a")
    assert pair.outcome is Outcome.SECOND and pair.differences == ()
    assert pair.ratio == pytest.approx(10.1 / 15.1, rel=0.01)
    assert pair.interval is not None and pair.interval[0] < pair.ratio < pair.interval[1] < 1
    assert models(rank([A, B, C]), "a", "c")[0].outcome is Outcome.FIRST


def test_equal_is_only_what_lies_within_the_tolerance_whole() -> None:
    rows = rank([A, B])
    [pair] = models(rows, "a", "b")
    assert pair.outcome is Outcome.OPEN, "the interval of the ratio reaches 4 %"
    assert models(rows, "a", "b", Rule(tolerance=0.05))[0].outcome is Outcome.EQUAL
    wide = rounds("wide", [8.0, 12.0, 10.0, 9.0, 11.0])
    assert models(rank([A, wide]), "a", "wide", Rule(tolerance=0.05))[0].outcome is Outcome.OPEN


def test_a_suspect_shows_nothing() -> None:
    assert isinstance(C.outcome, Measurement)
    outcome = replace(C.outcome, validity=Validity.SUSPECT, reasons=(Diagnosis.BACKGROUND_LOAD,))
    [pair] = models(rank([A, replace(C, outcome=outcome)]), "a", "c")
    assert pair.outcome is Outcome.NOT_COMPARABLE and "second has no result" in pair.reason


def test_a_single_round_shows_nothing() -> None:
    [pair] = models(rank([A, rounds("one", [99.0])]), "a", "one")
    assert pair.outcome is Outcome.OPEN and pair.interval is None


def test_models_are_paired_by_recipe_and_else_by_their_fastest() -> None:
    recipe = ExportRecipe(format=Format.ONNX, target="opset21")
    second = replace(rounds("a", [9.0, 9.1]), recipe=recipe)
    slow, fast = replace(rounds("b", [12.0, 12.1]), recipe=recipe), B
    pairs = models(rank([A, second, slow, fast]), "a", "b")
    assert {(pair.first.artifact, pair.second.artifact) for pair in pairs} == {
        ("onnx-fp32-opset20", "onnx-fp32-opset20"),
        ("onnx-fp32-opset21", "onnx-fp32-opset21"),
    }
    [pair] = models(rank([A, slow]), "a", "b")
    assert [(each.title, each.first, each.second) for each in pair.differences] == [
        ("artifact", "onnx-fp32-opset20", "onnx-fp32-opset21")
    ]


def test_models_under_other_conditions_are_no_pair() -> None:
    with pytest.raises(UserError, match="never measured under the same conditions"):
        models(rank([A, rounds("b", [9.0, 9.1], threads=2)]), "a", "b")
    with pytest.raises(UserError, match="No row is about the model 'x'; there are: a, b"):
        models(rank([A, B]), "a", "x")


def test_two_devices_compare_where_only_the_device_differs() -> None:
    [pair] = devices(rank([A, _on(A)]), "Made-up phone", "Another phone")
    assert pair.outcome is Outcome.EQUAL and pair.differences == ()
    [pair] = devices(rank([A, _on(rounds("a", [5.0, 5.1]))]), "Made-up phone", "ios:1111")
    assert pair.outcome is Outcome.SECOND and pair.second.device_model == "Another phone"


def test_what_else_differs_is_said_and_leaves_nothing_to_compare() -> None:
    assert isinstance(A.outcome, Measurement)
    newer = replace(A.outcome, runtime=replace(A.outcome.runtime, version="2.0"))
    [pair] = devices(rank([A, _on(replace(A, outcome=newer))]), "Made-up phone", "Another phone")
    assert [(each.title, each.first, each.second) for each in pair.differences] == [
        ("runtime", "onnxruntime 1.0", "onnxruntime 2.0")
    ]
    assert pair.outcome is Outcome.NOT_COMPARABLE and "runtime" in pair.reason


def test_the_second_of_a_pair_is_the_row_that_differs_least() -> None:
    two = rounds("a", [8.0, 8.1], threads=2)
    pairs = devices(rank([A, _on(A), _on(two)]), "Made-up phone", "Another phone")
    assert [pair.second.threads for pair in pairs] == [1]


def test_devices_that_measured_nothing_alike_are_refused() -> None:
    with pytest.raises(UserError, match="have measured no network"):
        devices(rank([A, _on(B)]), "Made-up phone", "Another phone")
