"""Tables and live lines of the command line, for results that are seldom seen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mobilebench.cli.export import show_exports
from mobilebench.cli.progress import MatrixProgress
from mobilebench.exporting.matrix import Exported
from mobilebench.values.artifact import Artifact, Manifest, Parity
from mobilebench.values.recipe import Precision
from mobilebench.verifying import parity
from tests.records import measured


def _parity(expected: float, output: float) -> Parity:
    return parity.compare(
        [[np.full((1, 4), expected)]],
        [[np.full((1, 4), output)]],
        bound=parity.limits(Precision.FP32),
        evaluated_by="onnxruntime 1.0",
    )


def _exported(result: Parity) -> Exported:
    record = measured()
    assert record.artifact is not None
    manifest = Manifest(
        created=record.created,
        mobilebench_version="0.1",
        model=record.model,
        recipe=record.recipe,
        model_file="model.onnx",
        facts=dataclasses.replace(record.artifact, parity=(result,)),
    )
    return Exported("tiny", record.recipe, Artifact(Path("kept"), manifest), record.model)


@pytest.mark.parametrize(
    ("result", "error", "snr"),
    [
        (_parity(1.0, float("nan")), "not finite", "not finite"),
        (_parity(1.0, 1.0), "0.0e+00", "equal"),
        (_parity(0.0, 1.0), "infinite", "none"),
        (_parity(1.0, 1.1), "1.0e-01", "20"),
    ],
)
def test_a_kept_file_that_differs_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], result: Parity, error: str, snr: str
) -> None:
    show_exports([_exported(result)])
    _, row, *_ = capsys.readouterr().out.splitlines()
    assert " ".join(row.split()).startswith(f"tiny onnx-fp32-opset20 3.00 s {error} {snr} ")


def test_two_cells_of_one_name_may_run_at_once() -> None:
    with MatrixProgress("export", 2) as progress:
        networks = [progress.preparing("mobilevig_ti") for _ in range(2)]
        for network in networks:
            network.finished("prepared")
        cells = [progress.started("mobilevig_ti onnx-fp32") for _ in range(2)]
        for cell in cells:
            cell.stage("export")
            cell.finished("exported")
        [matrix] = progress.bar.tasks
        assert (matrix.completed, matrix.total) == (2, 2)
