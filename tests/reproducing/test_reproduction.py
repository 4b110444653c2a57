"""Make rows again about a model file that was not exported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench import pipeline
from mobilebench.exporting.workers import LocalWorkers
from mobilebench.inspecting import given
from mobilebench.observer import Silent
from mobilebench.reproducing import reproduction
from mobilebench.reproducing.plan import plan
from mobilebench.reproducing.reproduction import reproduce
from mobilebench.reproducing.row import Likeness, Row
from mobilebench.reproducing.supplies import Supplies
from mobilebench.stats import summarise
from mobilebench.values.artifact import Artifact
from mobilebench.values.device import Device, DeviceKind, published
from mobilebench.values.job import Variant
from mobilebench.values.measurement import Measurement
from mobilebench.values.policy import Policy, PolicyRule
from mobilebench.values.record import Record
from tests.protocols import quick


@pytest.fixture(scope="module")
def model_file(tiny_artifacts: dict[str, Artifact]) -> Path:
    return tiny_artifacts["onnx-fp32"].model_path


@pytest.fixture(scope="module")
def record(model_file: Path) -> Record:
    [artifact] = given.open_artifacts([model_file])
    [record] = pipeline.benchmark_cells([artifact], quick())
    return record


def _again(record: Record, path: Path, out: Path, device: str | None = None) -> Row:
    planned = plan([record], Supplies.read([path]))
    [row] = reproduce(planned, out, LocalWorkers(), Silent(), device_id=device)
    return row


def test_a_given_file_is_measured_again_by_the_rows_own_job(
    record: Record, model_file: Path, tmp_path: Path
) -> None:
    row = _again(record, model_file, tmp_path)
    assert row.likeness is Likeness.SAME_FILE and row.again is not None
    assert row.again.job == record.job
    assert row.ratio is not None and row.elsewhere == ()


def test_a_device_that_is_not_here_leaves_the_file_compared(
    record: Record, model_file: Path, tmp_path: Path
) -> None:
    row = _again(record, model_file, tmp_path, device="moon:0000")
    assert row.likeness is Likeness.SAME_FILE and row.again is None
    assert row.missing and "no kind of device called 'moon'" in str(row.not_measured)


def test_a_runtime_that_is_not_here_leaves_the_file_compared(
    record: Record, model_file: Path, tmp_path: Path
) -> None:
    assert record.job is not None
    other = replace(record, job=replace(record.job, runtime="another"))
    row = _again(other, model_file, tmp_path)
    assert row.missing and row.not_measured == "another is not available on host"


def test_a_phone_that_its_app_has_named_has_to_be_named_here(
    record: Record, model_file: Path, tmp_path: Path
) -> None:
    phone = replace(record.device, id="android-0123456789ab", model="A phone")
    row = _again(replace(record, device=phone), model_file, tmp_path)
    assert row.likeness is Likeness.SAME_FILE and row.missing
    assert row.not_measured == (
        "A phone measured it and is known by its app's name android-0123456789ab alone; name such "
        "a device here with --device, such as adb:SERIAL."
    )


def test_a_device_is_found_by_the_digest_in_its_record(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = replace(record.device, id="ssh:pi@board", kind=DeviceKind.BOARD)

    class Boards:
        def devices(self) -> tuple[Device, ...]:
            return (replace(here, id="ssh:other"), here)

    monkeypatch.setattr("mobilebench.plugins.runner", lambda _: Boards())
    assert published(here).id != here.id
    assert reproduction._at_hand(published(here)) == "ssh:pi@board"
    unknown = replace(here, id="ssh:0123456789ab")
    assert reproduction._at_hand(unknown) == "ssh:0123456789ab", "the runner says what it lacks"


def test_each_row_is_run_as_often_as_was_asked_for(
    record: Record, model_file: Path, tmp_path: Path
) -> None:
    planned = plan([record], Supplies.read([model_file]))
    [row] = reproduce(planned, tmp_path, LocalWorkers(), Silent(), runs=3)
    assert len({run.record_id for run in row.runs}) == 3
    assert (
        row.p50_ns[1]
        == sorted(
            summarise(run.outcome.samples.latencies_ns()).p50_ns
            for run in row.runs
            if isinstance(run.outcome, Measurement)
        )[1]
    )


def test_a_run_at_several_widths_is_not_measured_at_one(
    record: Record, model_file: Path, tmp_path: Path
) -> None:
    assert record.job is not None
    variants = tuple(
        Variant(
            name=f"{width}",
            model_file=record.job.model_file if width == 1 else f"variants/{width}.onnx",
            model_sha256=record.job.model_sha256,
            width=width,
        )
        for width in (1.0, 0.5)
    )
    job = replace(record.job, variants=variants, policy=Policy(rule=PolicyRule.DEADLINE))
    row = _again(replace(record, job=job), model_file, tmp_path)
    assert row.missing and "widths were chosen by deadline of 1, 0.5" in str(row.not_measured)
    assert row.again is None
