"""Planned cells are the measured ones, and each record states how its device was reached."""

from __future__ import annotations

import pytest

from mobilebench import plugins
from mobilebench.measuring.bench import measure
from mobilebench.measuring.setting import plan
from mobilebench.values.artifact import Artifact
from mobilebench_device_runners.host import HostRunner
from tests.protocols import quick


def test_a_plan_holds_only_runtimes_that_take_the_format(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    artifacts = [tiny_artifacts["onnx-fp32"], tiny_artifacts["tflite-fp32"]]
    cells = plan(artifacts, quick("litert", "onnxruntime", threads=(1, 2))).cells
    assert [(cell.job.runtime, cell.job.threads) for cell in cells] == [
        ("onnxruntime", 1),
        ("onnxruntime", 2),
        ("litert", 1),
        ("litert", 2),
    ]


class CabledRunner(HostRunner):
    """The host runner, as if this machine lay at the end of a cable."""

    transport = "a cable"


def test_a_record_states_the_transport_of_its_runner(
    tiny_artifacts: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "runner", lambda _: CabledRunner())
    [record] = measure(plan([tiny_artifacts["onnx-fp32"]], quick()).cells)
    assert record.provenance.transport == "a cable"
