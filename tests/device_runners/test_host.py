"""Whatever goes wrong in a runtime is one recorded failure and stops nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mobilebench.errors import CellFailed, MissingToolkit, UserError
from mobilebench.inputs import seeded
from mobilebench.values.artifact import Artifact, content_sha256
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.recipe import Format
from mobilebench_device_runners.host import HostRunner, RuntimeEntry
from tests.models import two_inputs
from tests.protocols import job_for


def _double(name: str, library: str = "numpy") -> HostRunner:
    entry = RuntimeEntry(Format.ONNX, f"tests.doubles:{name}", library, "onnx")
    return HostRunner({"double": entry}, overhead_s=3.0)


@pytest.mark.parametrize(
    ("name", "stage", "error"),
    [
        ("CrashingRuntime", "run", "Crash"),
        ("HangingRuntime", "run", "Timeout"),
        ("RefusingRuntime", "load", "ValueError"),
    ],
)
def test_a_runtime_that_fails_is_one_failed_cell(
    tiny_artifacts: dict[str, Artifact], name: str, stage: str, error: str
) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    job = job_for(artifact, "double")
    quick = dataclasses.replace(job.protocol, max_duration_ns=10**9)
    with pytest.raises(CellFailed) as caught:
        _double(name).run("host", artifact, dataclasses.replace(job, protocol=quick))
    assert (caught.value.stage, caught.value.error) == (stage, error)


def _spoilt(artifact: Artifact, folder: Path, content: bytes) -> Artifact:
    """Return a bundle whose model file is `content`, recorded as if exported so."""
    folder.mkdir()
    path = folder / artifact.manifest.model_file
    path.write_bytes(content)
    facts = dataclasses.replace(artifact.manifest.facts, sha256=content_sha256(path))
    return Artifact(folder, dataclasses.replace(artifact.manifest, facts=facts))


@pytest.mark.parametrize(
    ("name", "runtime"),
    [("onnx-fp32", "onnxruntime"), ("tflite-fp32", "litert"), ("executorch-fp32", "executorch")],
)
def test_a_file_that_a_real_runtime_refuses_fails_at_load(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path, name: str, runtime: str
) -> None:
    artifact = _spoilt(tiny_artifacts[name], tmp_path / "spoilt", b"not a model" * 100)
    with pytest.raises(CellFailed) as caught:
        HostRunner().run("host", artifact, job_for(artifact, runtime))
    # A runtime may refuse in words or abort; both are a failure of this cell alone.
    assert (caught.value.stage, caught.value.error) != ("", "")
    assert caught.value.stage == "load" or caught.value.error == "Crash"


def test_a_model_that_never_ends_in_a_real_runtime_is_stopped(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    from onnx import TensorProto, helper

    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Sin", ["x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 32, 32]),
        ],
    )
    shape = [1, 3, 32, 32]
    graph = helper.make_graph(
        [helper.make_node("Loop", ["times", "", "input"], ["output"], body=body)],
        "endless",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)],
        [helper.make_tensor("times", TensorProto.INT64, [], [2**62])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    artifact = _spoilt(tiny_artifacts["onnx-fp32"], tmp_path / "endless", model.SerializeToString())
    job = job_for(artifact, "onnxruntime")
    quick = dataclasses.replace(job.protocol, max_duration_ns=10**9)
    with pytest.raises(CellFailed, match="did not end within") as caught:
        HostRunner(overhead_s=5.0).run("host", artifact, dataclasses.replace(job, protocol=quick))
    assert caught.value.error == "Timeout"


def test_a_runtime_that_is_not_installed_names_its_extra(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    with pytest.raises(MissingToolkit, match=r"pip install 'mobilebench\[onnx\]'"):
        _double("RefusingRuntime", "no_such_library").run(
            "host", artifact, job_for(artifact, "double")
        )


def test_the_host_measures_no_npu(tiny_artifacts: dict[str, Artifact]) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    job = dataclasses.replace(job_for(artifact, "onnxruntime"), compute_unit=ComputeUnit.NPU)
    with pytest.raises(UserError, match="and the device has only cpu"):
        HostRunner().run("host", artifact, job)


def test_a_runtime_that_reuses_its_buffer_gives_distinct_outputs(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    batches = [[np.full((1, 1), value, np.float32)] for value in (1.0, 2.0)]
    _, outputs = _double("ReusingRuntime").predict(
        "host", artifact.model_path, artifact.manifest.recipe, "double", batches
    )
    assert [float(batch[0][0]) for batch in outputs] == [1.0, 2.0]


def test_a_job_needs_a_thread(tiny_artifacts: dict[str, Artifact]) -> None:
    with pytest.raises(ValueError, match="at least one thread"):
        job_for(tiny_artifacts["onnx-fp32"], "onnxruntime", threads=0)


@pytest.mark.filterwarnings("ignore")  # the toolkits run in this process and warn of themselves
@pytest.mark.parametrize("format_", ["onnx", "tflite", "executorch", "coreml"])
def test_several_inputs_and_outputs_keep_their_order(tmp_path: Path, format_: str) -> None:
    from mobilebench import export

    artifact = export(
        two_inputs().eval(),
        format_,
        inputs=["a=1x3x8x8", "b=1x3x8x8"],
        out_dir=tmp_path,
    )
    assert [tensor.shape for tensor in artifact.manifest.facts.preflight.outputs] == [
        (1, 3, 8, 8),
        (1, 3),
    ]
    assert all(parity.passed for parity in artifact.manifest.facts.parity)
    assert seeded.load_batches(artifact.folder / "reference.npz")[0][0].shape == (1, 3, 8, 8)
