"""Make rows again about a model file that was not exported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench import pipeline
from mobilebench.exporting.workers import LocalWorkers
from mobilebench.inspecting import given
from mobilebench.observer import Silent
from mobilebench.reproducing.plan import plan
from mobilebench.reproducing.reproduction import reproduce
from mobilebench.reproducing.row import Likeness, Row
from mobilebench.reproducing.supplies import Supplies
from mobilebench.values.artifact import Artifact
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
