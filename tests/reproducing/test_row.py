"""When a row that was made again is the one of the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilebench.machine import host
from mobilebench.reproducing import summary
from mobilebench.reproducing.row import (
    Likeness,
    Row,
    compare_failures,
    compare_files,
    compare_given,
)
from mobilebench.values.artifact import ArtifactFacts, Manifest
from mobilebench.values.measurement import Diagnosis, Failure, Stage
from mobilebench.values.record import Record
from tests.records import failed_export, measured


def _now() -> Record:
    """Return a row that was made by the version of mobilebench that is here."""
    record = measured()
    return replace(record, provenance=replace(record.provenance, harness_version=host.version()))


def _manifest(record: Record, **changes: object) -> Manifest:
    facts = record.artifact
    assert isinstance(facts, ArtifactFacts)
    return Manifest(
        created=record.created,
        mobilebench_version="0.1",
        model=record.model,
        recipe=record.recipe,
        model_file="model.onnx",
        facts=replace(facts, **changes),  # type: ignore[arg-type]
    )


def test_equal_bytes_are_the_same_file() -> None:
    row = compare_files(_now(), _manifest(_now()))
    assert (row.likeness, row.reason) == (Likeness.SAME_FILE, None)


def test_another_version_explains_another_file() -> None:
    again = _manifest(_now(), sha256="9" * 64, tool_versions={"onnx": "2.0"})
    row = compare_files(_now(), again)
    assert (row.likeness, row.reason, row.explained) == (
        Likeness.OTHER_FILE, "onnx 1.0 (here 2.0)", True,
    )  # fmt: skip


def test_a_version_of_mobilebench_explains_another_file() -> None:
    row = compare_files(measured(), _manifest(measured(), sha256="9" * 64))
    assert row.reason == f"mobilebench 0.1 (here {host.version()})"


def test_nothing_explains_another_file_of_the_same_tools() -> None:
    row = compare_files(_now(), _manifest(_now(), sha256="9" * 64))
    assert not row.explained and "but not the bytes" in str(row.reason)


def test_versions_do_not_explain_another_network() -> None:
    record = _now()
    assert record.model.weights is not None
    model = replace(
        record.model,
        params=7,
        weights=replace(record.model.weights, state_sha256="8" * 64),
    )
    changed = _manifest(record, sha256="9" * 64, tool_versions={"onnx": "2.0"})
    row = compare_files(record, replace(changed, model=model))
    assert not row.explained
    assert row.reason == (
        "the network has 7 parameters, and had 5271074; its weights are others; onnx 1.0 (here 2.0)"
    )


def test_another_graph_is_another_network() -> None:
    record = _now()
    assert record.artifact is not None and record.artifact.preflight is not None
    check = replace(record.artifact.preflight, program_sha256="6" * 64)
    record = replace(record, artifact=replace(record.artifact, preflight=check))
    again = _manifest(record, sha256="9" * 64, preflight=replace(check, program_sha256="7" * 64))
    row = compare_files(record, again)
    assert (row.reason, row.explained) == ("its code gives another graph", False)


def test_graphs_of_two_versions_of_torch_are_not_compared() -> None:
    record = _now()
    assert record.artifact is not None and record.artifact.preflight is not None
    check = replace(record.artifact.preflight, program_sha256="6" * 64)
    record = replace(record, artifact=replace(record.artifact, preflight=check))
    newer = replace(check, program_sha256="7" * 64, torch_version="3.0")
    again = _manifest(record, sha256="9" * 64, preflight=newer, tool_versions={"onnx": "2.0"})
    row = compare_files(record, again)
    assert (row.reason, row.explained) == ("onnx 1.0 (here 2.0)", True)


@pytest.mark.parametrize(
    ("stage", "error", "likeness"),
    [
        (Stage.EXPORT, "Unsupported", Likeness.SAME_FAILURE),
        (Stage.EXPORT, "OutOfMemory", Likeness.FAILED),
        (Stage.PARITY, "Unsupported", Likeness.FAILED),
    ],
)
def test_a_failure_is_the_same_by_stage_and_error(
    stage: Stage, error: str, likeness: Likeness
) -> None:
    failure = Failure(stage=stage, error=error, message="no such operator")
    assert compare_failures(failed_export(), failure).likeness is likeness
    assert compare_failures(_now(), failure).likeness is Likeness.FAILED


def test_another_message_is_not_the_same_failure() -> None:
    failure = Failure(stage=Stage.EXPORT, error="Unsupported", message="no room left")
    assert compare_failures(failed_export(), failure).likeness is Likeness.FAILURE_OF_THE_KIND


def test_a_network_of_which_nothing_is_known_is_not_called_the_same() -> None:
    record = _now()
    record = replace(record, model=replace(record.model, weights=None))
    row = compare_files(record, _manifest(record, sha256="9" * 64))
    assert not row.explained and row.reason == (
        "the versions of all tools are the same, but not the bytes; whether the network is the "
        "same cannot be told"
    )


def test_what_differs_in_another_file_is_named() -> None:
    record = _now()
    assert record.artifact is not None
    again = _manifest(
        record,
        sha256="9" * 64,
        size_bytes=record.artifact.size_bytes + 1,
        op_histogram={"Conv": 47, "Relu": 2},
        tool_versions={"onnx": "2.0"},
    )
    row = compare_files(record, again)
    assert row.differs == (
        "size 21,225,214 bytes then, 21,225,215 bytes now",
        "operations: Conv 48 then, 47 now, Relu not there then, 2 now",
    )
    assert "row 1, what differs in the file: size " in " ".join(summary.sentences([row]))
    alike = compare_files(record, _manifest(record, sha256="9" * 64, tool_versions={"onnx": "2"}))
    assert "what differs in the file: nothing that its facts show." in " ".join(
        summary.sentences([alike])
    )


def test_a_given_file_that_changed_is_not_called_the_same() -> None:
    record = _now()
    assert record.artifact is not None
    assert compare_given(record, record.artifact).likeness is Likeness.SAME_FILE
    row = compare_given(record, replace(record.artifact, sha256="9" * 64))
    assert (row.likeness, row.explained) == (Likeness.OTHER_FILE, False)


def test_latencies_are_compared_beside_what_differs() -> None:
    again = measured(latencies_ns=(1, 22_000_000, 22_000_000), threads=2)
    row = Row(_now(), Likeness.SAME_FILE, again=again)
    assert row.ratio == 2.0
    assert row.elsewhere == ("threads",)
    assert list(summary.sentences([row])) == [
        "1 row: 1 same file.",
        "row 1: not signed.",
        "row 1, measured elsewhere: threads 1 then, 2 now.",
        "Ratios are of runs at different times, and no verdict: `mobilebench bench --ab` gives "
        "one.",
    ]


def test_every_reason_is_told_once_with_its_rows() -> None:
    rows = [
        Row(_now(), Likeness.NOT_TRIED, "It needs the class labels."),
        Row(_now(), Likeness.SAME_FILE, not_measured="there is no phone."),
        Row(_now(), Likeness.NOT_TRIED, "It needs the class labels."),
    ]
    assert list(summary.sentences(rows)) == [
        "3 rows: 1 same file, 2 not tried.",
        "rows 1, 3: It needs the class labels.",
        "rows 1, 2, 3: not signed.",
        "row 2, not measured: there is no phone.",
    ]
    assert rows[1].missing and not rows[0].missing


def test_versions_of_a_table_stand_beside_those_here() -> None:
    lines = list(summary.versions([measured(), failed_export()]))
    assert f"mobilebench 0.1 (here {host.version()})" in lines
    assert [line for line in lines if line.startswith("onnx 1.0 (here ")]


def test_doubts_about_the_new_measurement_are_told() -> None:
    again = measured(reasons=(Diagnosis.BACKGROUND_LOAD, Diagnosis.BIMODAL_LATENCY))
    row = Row(measured(), Likeness.SAME_FILE, again=again)
    assert (
        "row 1, the new measurement is suspect: background load, bimodal latency."
    ) in summary.sentences([row])
