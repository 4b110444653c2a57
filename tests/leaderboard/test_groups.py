"""Rank only what compares: groups of equal conditions, and ranks inside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mobilebench.leaderboard import Row, groups, rank
from mobilebench.leaderboard.columns import NAMES, offered
from mobilebench.leaderboard.groups import CONDITIONS
from mobilebench.leaderboard.notes import notes
from mobilebench.leaderboard.rows import Status
from mobilebench.regress.sides import FIELDS
from mobilebench.values.artifact import ArtifactFacts
from mobilebench.values.device import DeviceKind, DeviceState, ThermalState
from mobilebench.values.measurement import (
    Diagnosis,
    Failure,
    Measurement,
    Phase,
    Samples,
    Stage,
    Validity,
)
from mobilebench.values.protocol import protocol
from mobilebench.values.recipe import ExportRecipe, Format, Precision
from mobilebench.values.record import Record
from tests.records import failed_export, measured, sustained


def rounds(model: str, medians_ms: Sequence[float], **changes: object) -> Record:
    """Return a burst of rounds with these medians, of a file that is the model's."""
    record = measured(
        model=model,
        protocol_id="burst-1",
        record_id=f"{model}-{'-'.join(map(str, medians_ms))}"[:64],
        **changes,  # type: ignore[arg-type]
    )
    assert isinstance(record.outcome, Measurement)
    around = [round(1e6 * median * part) for median in medians_ms for part in (0.999, 1, 1.001)]
    samples = Samples(
        t_ns=tuple(place * 10**9 for place in range(len(around))),
        latency_ns=tuple(around),
        phase=(Phase.MEASURED,) * len(around),
        round=tuple(place // 3 for place in range(len(around))),
    )
    return of_file(replace(record, outcome=replace(record.outcome, samples=samples)), model)


def of_file(record: Record, name: str) -> Record:
    """Return the record with the file of a name."""
    assert isinstance(record.artifact, ArtifactFacts)
    sha256 = name.encode().hex().ljust(64, "0")[:64]
    return replace(record, artifact=replace(record.artifact, sha256=sha256))


A = rounds("a", [10.0, 10.1, 10.2, 10.0, 10.1])
B = rounds("b", [10.2, 10.3, 10.4, 10.3, 10.3])
C = rounds("c", [15.0, 15.1, 15.2, 15.0, 15.1])
"""A and B overlap at 10.2; C is slower."""


def _ranks(rows: Sequence[Row]) -> dict[str, str | None]:
    return {row.model: row.place for row in rows}


def _doubtful(record: Record, *reasons: Diagnosis) -> Record:
    assert isinstance(record.outcome, Measurement)
    outcome = replace(record.outcome, validity=Validity.SUSPECT, reasons=reasons)
    return replace(record, outcome=outcome)


def test_conditions_are_the_identity_without_what_is_ranked() -> None:
    named = {
        "runtime_version": "runtime",
        "inputs": "resolution",
        "device": "specimen",
    }
    ranked = {"format", "target", "delegate", "choice"}
    shared = {named.get(field, field) for field in FIELDS if field not in ranked}
    assert shared | {"os"} == {condition.field for condition in CONDITIONS}


def test_rows_whose_intervals_overlap_share_a_rank() -> None:
    rows = rank([C, B, A])
    assert [row.model for row in rows] == ["a", "b", "c"]
    assert _ranks(rows) == {"a": "1=", "b": "1=", "c": "3"}
    assert "rank: rows with = are not told apart" in " ".join(notes(rows, NAMES))


@pytest.mark.parametrize(
    "changed",
    [
        replace(C, device=replace(C.device, os_build="23C54")),
        replace(C, device=replace(C.device, model="Another phone")),
        replace(C, device=replace(C.device, soc="another chip")),
        rounds("c", [15.0, 15.1], threads=2),
        rounds("c", [15.0, 15.1], resolution=256),
        replace(
            C,
            recipe=ExportRecipe(
                format=Format.ONNX, target="opset20", precision=Precision.FP16_WEIGHTS
            ),
        ),
    ],
)
def test_rows_under_other_conditions_are_in_a_group_of_their_own(changed: Record) -> None:
    rows = rank([A, B, changed])
    parts = groups(rows)
    assert [len(part.rows) for part in parts] in ([2, 1], [1, 2])
    assert len({part.heading for part in parts}) == 2
    assert {row.place for row in rows if row.record_id == changed.record_id} == {"1"}


def test_the_conditions_of_an_outcome_part_groups_too() -> None:
    assert isinstance(C.outcome, Measurement)
    newer = replace(C.outcome, runtime=replace(C.outcome.runtime, version="2.0"))
    warm = replace(C.outcome, before=DeviceState(t_ns=0, thermal=ThermalState.FAIR))
    set_ = replace(C.outcome, runtime=replace(C.outcome.runtime, settings={"arena": "off"}))
    for outcome in (newer, warm, set_):
        assert len(groups(rank([A, replace(C, outcome=outcome)]))) == 2


def test_a_heading_says_what_tells_groups_apart_and_no_more() -> None:
    [alone] = groups(rank([A, B]))
    assert alone.heading == "Made-up phone (ios:0000, cpu), protocol burst-1"
    assert "iOS 26.1" in alone.details and "onnxruntime 1.0" in alone.details
    parts = groups(rank([A, rounds("b", [11.0, 11.1], threads=2)]))
    assert [part.heading for part in parts] == [
        "Made-up phone (ios:0000, cpu), protocol burst-1, 1 thread",
        "Made-up phone (ios:0000, cpu), protocol burst-1, 2 threads",
    ]


def test_files_of_other_formats_and_targets_are_ranked_together() -> None:
    other = replace(B, recipe=ExportRecipe(format=Format.ONNX, target="opset21"))
    assert len(groups(rank([A, other]))) == 1


def test_two_simulated_phones_of_a_model_are_one_group_that_names_both() -> None:
    second = replace(C, device=replace(C.device, id="ios:1111"), record_id="second")
    rows = rank([A, B, second])
    [group] = groups(rows)
    assert group.heading == "Made-up phone (2 devices, cpu), protocol burst-1"
    assert group.devices == ("ios:0000", "ios:1111")
    assert "device" in [column.name for column in offered(rows)]
    assert "device" not in [column.name for column in offered(rank([A, B]))]


def test_two_real_phones_of_a_model_are_two_groups() -> None:
    first, second = (
        replace(each, device=replace(each.device, kind=DeviceKind.PHONE, id=id_), record_id=id_)
        for each, id_ in ((A, "ios:2222"), (B, "ios:3333"))
    )
    assert [part.heading for part in groups(rank([first, second]))] == [
        "Made-up phone (ios:2222, cpu), protocol burst-1",
        "Made-up phone (ios:3333, cpu), protocol burst-1",
    ]


def test_what_has_no_place_is_shown_with_the_reason() -> None:
    failed = replace(
        A,
        record_id="f",
        model=replace(A.model, name="f"),
        outcome=Failure(stage=Stage.RUN, error="Crashed", message="signal 11"),
    )
    suspect = _doubtful(rounds("s", [9.0, 9.1]), Diagnosis.BACKGROUND_LOAD)
    single = rounds("one", [9.0])
    rows = rank([failed, A, suspect, single, failed_export(target="opset18")])
    assert _ranks(rows) == {"a": "1", "s": None, "one": None, "f": None, "mobilevig_ti": None}
    by_model = {row.model: row for row in rows}
    assert by_model["s"].unranked == "suspect" and by_model["s"].status is Status.SUSPECT
    assert by_model["one"].unranked == "its protocol gives no interval"
    assert by_model["f"].unranked == "failed" and by_model["f"].status is Status.FAILED
    assert by_model["f"].group == by_model["a"].group, "as far as its conditions are known"
    assert [row.model for row in rows][-2:] == ["f", "mobilevig_ti"]
    assert any("not ranked: suspect" in sentence for sentence in notes(rows, NAMES))


def test_a_protocol_that_is_too_short_for_a_result_gives_no_rank() -> None:
    assert A.job is not None and isinstance(A.outcome, Measurement)
    samples = replace(A.outcome.samples, round=(0,) * 7 + (1,) * 8)
    job = replace(A.job, protocol=protocol("smoke-1"))
    [row] = rank([replace(A, job=job, outcome=replace(A.outcome, samples=samples))])
    assert row.spread_kind is not None and row.place is None
    assert row.unranked == "its protocol is too short for a result"


def test_a_failed_run_of_another_runtime_has_its_own_group() -> None:
    assert A.job is not None
    failed = replace(
        A,
        record_id="f",
        job=replace(A.job, runtime="onnx"),
        outcome=Failure(stage=Stage.RUN, error="Crashed", message="signal 11"),
    )
    assert len(groups(rank([failed, B]))) == 2


def test_a_group_has_the_same_id_whatever_else_is_on_the_board() -> None:
    [group] = groups(rank([A]))
    assert group.id in {
        part.id for part in groups(rank([A, B, rounds("c", [1.0, 2.0], threads=2)]))
    }


def test_a_long_run_is_ranked_by_its_last_ten_minutes() -> None:
    """The one that is ahead cool falls behind, and being throttled takes nobody's rank."""
    quick = _doubtful(
        of_file(sustained([10.0] * 5 + [20.0] * 25, model="quick", record_id="q"), "q"),
        Diagnosis.THROTTLED,
    )
    steady = of_file(sustained([14.0] * 30, model="steady", record_id="s"), "s")
    rows = rank([quick, steady])
    assert [row.model for row in rows] == ["steady", "quick"]
    assert _ranks(rows) == {"steady": "1", "quick": "2"}
    assert rows[1].status is Status.SUSPECT and rows[1].change == pytest.approx(1.0)
    assert (rows[1].first_ms, rows[1].last_ms) == (10.0, 20.0)
    assert "ranks by the median of the last ten minutes" in " ".join(notes(rows, NAMES))
    doubtful = _doubtful(quick, Diagnosis.THROTTLED, Diagnosis.BACKGROUND_LOAD)
    assert rank([doubtful])[0].place is None


def test_burst_and_sustained_of_one_file_stand_beside_each_other() -> None:
    long = of_file(sustained([14.0] * 30, model="a", record_id="l"), "a")
    rows = rank([A, B, long])
    by_id = {row.record_id: row for row in rows}
    burst, sustained_ = by_id[A.record_id], by_id["l"]
    assert (burst.burst_ms, burst.sustained_ms) == (burst.p50_ms, 14.0)
    assert (sustained_.burst_ms, sustained_.sustained_ms) == (burst.p50_ms, 14.0)
    assert burst.sustained_protocol == "paced-1fps-30min-1"
    assert by_id[B.record_id].sustained_ms is None
    names = [column.name for column in offered(rows)]
    assert "burst" in names and "sustained" in names
    sentence = "sustained: median of paced-1fps-30min-1 for the same file"
    assert sentence in " ".join(notes(rows, NAMES))
    assert "burst" not in [column.name for column in offered(rank([A, B]))]


def test_the_sustained_run_of_another_file_or_device_stands_beside_nothing() -> None:
    long = of_file(sustained([14.0] * 30, model="a", record_id="l"), "a")
    other_file = of_file(long, "other")
    other_phone = replace(long, device=replace(long.device, os_build="23C54"))
    for record in (other_file, other_phone, _doubtful(long, Diagnosis.DEBUG_BUILD)):
        rows = {row.record_id: row for row in rank([A, record])}
        assert rows[A.record_id].sustained_ms is None
