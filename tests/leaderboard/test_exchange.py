"""Export for other tools every measured row with its marks, and no other row."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mobilebench.leaderboard import exchange, rank
from mobilebench.store import RecordStore
from mobilebench.values.measurement import ComputeUnit, Measurement
from mobilebench.values.protocol import protocol
from mobilebench.values.recipe import Calibration, ExportRecipe, Form, ImageInput, Precision
from mobilebench.values.record import Record
from mobilebench.values.reported import Latency, Reported
from mobilebench.values.tensor import DType
from tests.conftest import Ran
from tests.records import failed_export, measured

ROWS = rank([measured(), measured(record_id="c" * 32, threads=2), failed_export(target="opset18")])


def test_github_action_benchmark_takes_medians_in_ms() -> None:
    entries = json.loads(exchange.as_github_benchmark(ROWS))
    assert [(entry["value"], entry["unit"]) for entry in entries] == [(11.0, "ms"), (11.0, "ms")]
    assert len({entry["name"] for entry in entries}) == 2
    assert "random weights" in entries[0]["extra"]


def test_bencher_takes_nanoseconds_and_bytes() -> None:
    told = json.loads(exchange.as_bencher(ROWS))
    assert len(told) == 2
    for measures in told.values():
        latency = measures["latency"]
        assert latency["value"] == 11_000_000
        assert latency["lower_value"] == 10_000_000 <= latency["value"] <= latency["upper_value"]
        assert measures["file-size"] == {"value": 21_225_214}


def test_names_stay_the_same_when_the_runtime_is_updated() -> None:
    [entry] = json.loads(exchange.as_github_benchmark(rank([measured()])))
    assert entry["name"] == (
        "mobilevig_ti onnx-fp32-opset20, onnxruntime cpu x1, Made-up phone (ios:0000), smoke-1"
    )


def _cells() -> list[Record]:
    """Return records that differ from the first in one thing each, which makes another cell."""
    first = measured()
    assert first.job is not None and isinstance(first.outcome, Measurement)
    job, device, model = first.job, first.device, first.model

    def of_job(**changes: object) -> Record:
        return replace(first, job=replace(job, **changes))  # type: ignore[arg-type]

    def by(recipe: ExportRecipe) -> Record:
        return replace(first, recipe=recipe)

    def of(**tensor: object) -> Record:
        changed = replace(model.inputs[0], **tensor)  # type: ignore[arg-type]
        return replace(first, model=replace(model, inputs=(changed,)))

    int8 = replace(first.recipe, precision=Precision.INT8, calibration=Calibration())
    records = [
        first,
        of_job(threads=2),
        of_job(compute_unit=ComputeUnit.GPU),
        of_job(runtime="litert"),
        of_job(protocol=protocol("burst-1")),
        replace(first, device=replace(device, id="ios:0001")),
        replace(first, device=replace(device, model="Another phone")),
        replace(first, model=replace(model, name="other")),
        of(shape=(1, 3, 256, 256)),
        of(shape=(2, 3, 224, 224)),
        of(shape=(1, 1, 224, 224)),
        of(shape=(1, 77)),
        of(shape=(1, 78)),
        of(name="x"),
        of(dtype=DType.UINT8),
        replace(first, model=replace(model, inputs=model.inputs * 2)),
        by(replace(first.recipe, target="opset18")),
        by(replace(first.recipe, delegate="xnnpack")),
        by(replace(first.recipe, form=Form.PLAIN)),
        by(replace(first.recipe, class_labels="0" * 64)),
        by(replace(first.recipe, class_labels="1" * 64)),
        by(replace(first.recipe, image_input=ImageInput(mean=(0.0,) * 3, std=(1.0,) * 3))),
        by(replace(first.recipe, image_input=ImageInput(mean=(0.5,) * 3, std=(1.0,) * 3))),
        by(int8),
        by(replace(int8, calibration=Calibration(inputs=64))),
        by(replace(int8, calibration=Calibration(source="0" * 64))),
        by(replace(int8, calibration=Calibration(source="1" * 64))),
        # Names that look the same where what nobody sees is written as a space.
        replace(first, model=replace(model, name="two words")),
        replace(first, model=replace(model, name="two\nwords")),
    ]
    return [replace(record, record_id=f"r{place}") for place, record in enumerate(records)]


def test_no_two_cells_share_a_name_and_no_row_is_lost() -> None:
    records = _cells()
    assert len({record.cell for record in records}) == len(records)
    rows = rank(records)
    assert len({row.name for row in rows}) == len(rows) == len(records)
    assert len(json.loads(exchange.as_bencher(rows))) == len(records)
    entries = json.loads(exchange.as_github_benchmark(rows))
    assert len({entry["name"] for entry in entries}) == len(records)
    alone = {row.name for record in records[:-2] for row in rank([record])}
    assert alone <= {row.name for row in rows}, "a name does not depend on the other rows"


def test_a_line_states_what_a_format_has_no_place_for(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    failed = replace(failed_export(target="opset18"), record_id="f")
    result = Reported(report_id="r", source="a paper", file="x.csv", latency=Latency(mean_ns=5e6))
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_all([measured(), failed], [result])
    for shape, sentence in (
        ("github-action-benchmark", "Left out: 1 failed row and 1 reported result, for which "),
        ("bencher", "Left out: 1 failed row and 1 reported result, for which bencher has no place"),
        ("csv", "Left out: 1 reported result, for which csv has no place"),
        ("json", "Left out: 1 reported result, for which json has no place"),
        ("markdown", ""),
        ("latex", ""),
        ("html", ""),
        ("table", ""),
    ):
        done = mobilebench("leaderboard", "--as", shape)
        assert done.code == 0 and len(done.stderr.splitlines()) == bool(sentence), done.stderr
        assert sentence in done.stderr
        assert sentence or ("a paper" in done.stdout and "opset18" in done.stdout)


def test_a_store_of_reported_results_alone_is_shown_in_every_form(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    result = Reported(report_id="r", source="a paper", file="x.csv", latency=Latency(mean_ns=5e6))
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_reported(result)
    for shape in ("table", "markdown", "latex", "html", "csv", "json", "bencher"):
        done = mobilebench("leaderboard", "--as", shape)
        assert done.code == 0, done.stderr
        assert "5.00 ms (mean)" in done.stdout or "1 reported result" in done.stderr
