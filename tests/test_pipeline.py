"""The main path on the tiny network: caching, failures, damage and the Python API."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mobilebench import benchmark, export, failures, pipeline, plugins
from mobilebench.conversion.loading import describe
from mobilebench.conversion.memory import InThisProcess
from mobilebench.errors import BundleError, CellFailed, ModelRefused, SchemaError, UserError
from mobilebench.exporting.matrix import Exported
from mobilebench.exporting.order import Terms
from mobilebench.exporting.workers import LocalWorkers
from mobilebench.observer import Observer, Progress, Silent, SilentProgress
from mobilebench.pipeline import export_matrix
from mobilebench.values.artifact import MANIFEST_FILE, REFERENCE_FILE, Artifact, content_sha256
from mobilebench.values.measurement import Failure, Measurement
from mobilebench.values.modelspec import CALLER, RANDOM, ModelSpec
from mobilebench.values.recipe import ExportRecipe, Precision
from mobilebench.values.request import Request
from mobilebench.values.tensor import parse_tensor
from mobilebench.verifying import verification
from tests import models
from tests.conftest import MODELS, TINY, export_quickly, shared_folder
from tests.protocols import quick

IMAGE = (parse_tensor("1x3x32x32"),)
in_this_process = pytest.mark.filterwarnings("ignore")  # the toolkit warns of itself


def _recipe(name: str = "onnx") -> ExportRecipe:
    return plugins.exporter(name).recipe(Precision.FP32)


def _export(
    out: Path,
    reference: str = TINY,
    *names: str,
    force: bool = False,
    jobs: int = 1,
    observer: Observer | None = None,
) -> list[Exported]:
    return export_matrix(
        [Request(reference=reference, inputs=IMAGE)],
        [_recipe(name) for name in names or ("onnx",)],
        out,
        terms=Terms(force=force),
        workers=LocalWorkers(jobs),
        observer=observer,
    )


def _export_here(
    out: Path, *, force: bool = False, observer: Observer | None = None
) -> list[Exported]:
    """Export the tiny network by the same matrix, in this process: no torch is loaded again."""
    spec = ModelSpec(name="models.tiny", inputs=IMAGE)
    return export_matrix(
        [Request(reference=TINY, inputs=IMAGE)],
        [_recipe()],
        out,
        terms=Terms(force=force),
        workers=InThisProcess(describe(models.tiny().eval(), spec, CALLER)),
        observer=observer,
    )


def _bundles(out: Path) -> list[Path]:
    return [path for path in out.iterdir() if not path.name.startswith(".")]


class Remembering(Silent):
    """An observer that remembers the cells and their steps."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def expect(self, cells: int) -> None:
        self.words.append(f"{cells} more")

    def preparing(self, network: str) -> Progress:
        self.words.append("preparing")
        return SilentProgress()

    def started(self, cell: str) -> Progress:
        self.words.append("started")
        return self

    def skipped(self, cell: str, outcome: str) -> None:
        self.words.append(outcome)

    def stage(self, name: str) -> None:
        self.words.append(name)

    def finished(self, outcome: str) -> None:
        self.words.append(outcome.partition(" in ")[0])


@in_this_process
def test_the_same_export_is_found_again_and_nothing_is_made(tmp_path: Path) -> None:
    observer = Remembering()
    [first] = _export_here(tmp_path, observer=observer)
    assert isinstance(first.outcome, Artifact) and not first.cached
    assert observer.words == ["preparing", "started", "export", "parity", "exported"]
    stamp = first.outcome.model_path.stat().st_mtime_ns
    observer = Remembering()
    [second] = _export_here(tmp_path, observer=observer)
    assert second.cached and isinstance(second.outcome, Artifact)
    assert observer.words == ["preparing", "cached"]  # a network of one's own is always loaded
    assert second.outcome.model_path.stat().st_mtime_ns == stamp
    [third] = _export_here(tmp_path, force=True)
    assert isinstance(third.outcome, Artifact) and not third.cached
    assert third.outcome.folder == first.outcome.folder
    assert third.outcome.model_path.stat().st_mtime_ns > stamp


@in_this_process
def test_a_damaged_bundle_is_noticed_and_made_anew(tmp_path: Path) -> None:
    [first] = _export_here(tmp_path)
    assert isinstance(first.outcome, Artifact)
    path = first.outcome.model_path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match="is not the one that was exported"):
        Artifact.load(first.outcome.folder)
    [second] = _export_here(tmp_path)
    assert not second.cached and isinstance(second.outcome, Artifact)
    assert second.damage is not None and "is not the one that was exported" in second.damage
    assert (
        Artifact.load(second.outcome.folder).manifest.facts.key == first.outcome.manifest.facts.key
    )


@in_this_process
def test_bundles_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no manifest.json"):
        Artifact.load(tmp_path)
    [exported] = _export_here(tmp_path)
    assert isinstance(exported.outcome, Artifact)
    manifest = exported.outcome.folder / MANIFEST_FILE
    plain = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(plain | {"schema_version": 99}))
    with pytest.raises(SchemaError, match="newer"):
        Artifact.load(exported.outcome.folder)
    manifest.write_text(json.dumps(plain))
    exported.outcome.model_path.unlink()
    with pytest.raises(BundleError, match="lost its model file"):
        Artifact.load(exported.outcome.folder)


@in_this_process
def test_a_bundle_without_its_reference_cannot_be_verified(tmp_path: Path) -> None:
    [exported] = _export_here(tmp_path)
    assert isinstance(exported.outcome, Artifact)
    (exported.outcome.folder / REFERENCE_FILE).unlink()
    with pytest.raises(BundleError, match="lost its reference.npz"):
        verification.verify_bundle(exported.outcome)


def test_a_failed_format_is_a_failure_and_the_others_go_on(tmp_path: Path) -> None:
    done = _export(tmp_path, f"{MODELS}:unsupported", "onnx", "tflite", jobs=2)
    assert [exported.recipe.format for exported in done] == ["onnx", "tflite"]
    for exported in done:
        assert isinstance(exported.outcome, Failure)
        assert exported.outcome.stage in ("export", "parity")
        assert exported.outcome.message and exported.outcome.log_tail
        record = pipeline.record_of_failed_export(exported)
        assert record.outcome == failures.shared(exported.outcome) and record.artifact is None
        assert str(Path(MODELS).parent) not in record.outcome.message + record.outcome.log_tail
    assert _bundles(tmp_path) == []
    [good] = _export(tmp_path)
    assert isinstance(good.outcome, Artifact)


@in_this_process
def test_an_export_that_succeeded_is_no_failed_record(tmp_path: Path) -> None:
    [good] = _export_here(tmp_path)
    with pytest.raises(ValueError, match="did not fail"):
        pipeline.record_of_failed_export(good)


def test_a_factory_that_builds_another_network_each_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="another network each time"):
        _export(tmp_path, f"{MODELS}:different_each_time")
    assert _bundles(tmp_path) == []


def test_other_weights_are_another_artifact(tmp_path: Path) -> None:
    first, second = models.tiny().eval(), models.tiny().eval()
    with torch.no_grad():
        second.head.bias[0] += 1
    folders = {
        export(module, "onnx", inputs=["1x3x32x32"], out_dir=tmp_path).folder
        for module in (first, second, first)
    }
    assert len(folders) == 2


def test_a_module_in_memory_is_exported_and_measured(tmp_path: Path) -> None:
    artifact = export(models.tiny().eval(), "onnx", inputs=["image=1x3x32x32"], out_dir=tmp_path)
    assert artifact.manifest.model.name == "Tiny"
    assert artifact.manifest.model.weights is not None
    assert artifact.manifest.model.weights.origin == CALLER
    assert artifact.manifest.model.macs is not None and artifact.manifest.model.macs.conv > 0
    record = benchmark(artifact.folder, protocol="smoke-1")
    assert isinstance(record.outcome, Measurement)
    assert record.job is not None and record.job.threads == 1
    assert record.artifact == artifact.manifest.facts


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"checkpoint": "w.pth"}, "load it before the export, with mobilebench.load_checkpoint"),
        ({"checkpoint_key": "net"}, "load it before the export"),
        ({"ema": True}, "load it before the export"),
        ({"resolution": 64}, "a module's size is in inputs"),
    ],
)
def test_options_that_a_module_in_memory_cannot_take_are_refused(
    options: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=sentence):
        export(models.tiny().eval(), "onnx", inputs=["1x3x32x32"], out_dir=tmp_path, **options)
    assert _bundles(tmp_path) == []


def test_python_chooses_an_entry_of_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    other = {key: (part * 2).to(part.dtype) for key, part in models.tiny().state_dict().items()}
    torch.save({"model": models.tiny().state_dict(), "teacher": {"module": other}}, path)
    artifact = export(
        *(TINY, "onnx"),
        inputs=["1x3x32x32"],
        checkpoint=path,
        checkpoint_key="teacher.module",
        out_dir=tmp_path,
    )
    weights = artifact.manifest.model.weights
    assert weights is not None and weights.key == "teacher.module" and weights.from_checkpoint


def test_a_failed_export_raises_in_python(tmp_path: Path) -> None:
    with pytest.raises(CellFailed):
        export(f"{MODELS}:unsupported", "onnx", inputs=["1x3x32x32"], out_dir=tmp_path)


@pytest.mark.filterwarnings("ignore")  # the toolkit runs in this process and warns of itself
def test_a_network_that_no_toolkit_takes_fails_in_this_process_too(tmp_path: Path) -> None:
    with pytest.raises(CellFailed) as caught:
        export(models.unsupported().eval(), "tflite", inputs=["1x3x32x32"], out_dir=tmp_path)
    assert caught.value.log_tail


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"format": "tensorrt"}, "no export format called 'tensorrt'"),
        ({"precision": "fp8"}, "no precision called 'fp8'"),
        ({"precision": "palette4"}, "it offers fp32"),
        ({"target": "opset7"}, "it offers opset20"),
    ],
)
def test_an_impossible_export_is_refused_before_any_work(
    tmp_path: Path, arguments: dict[str, str], sentence: str
) -> None:
    choices = {"format": "onnx"} | arguments
    with pytest.raises(UserError, match=sentence):
        export("mobilevig_ti", out_dir=tmp_path, **choices)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"device": "moon:1"}, "no kind of device called 'moon'"),
        ({"device": "host:1"}, "no device 'host:1'"),
        ({"runtime": "litert"}, "cannot be measured on host with litert"),
        ({"protocol": "burst-9"}, "did you mean burst-1"),
        ({"compute_unit": "tpu"}, "no compute unit called 'tpu'"),
        ({"compute_unit": "npu"}, "the compute unit npu, and the device has only cpu"),
    ],
)
def test_an_impossible_measurement_is_refused(
    tiny_artifacts: dict[str, Artifact], arguments: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        benchmark(tiny_artifacts["onnx-fp32"], **({"protocol": "smoke-1"} | arguments))  # type: ignore[arg-type]


def test_a_cell_that_fails_is_recorded_and_the_matrix_goes_on(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    good = tiny_artifacts["onnx-fp32"]
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"no model")
    facts = replace(good.manifest.facts, sha256=content_sha256(folder / "model.onnx"))
    broken = Artifact(folder, replace(good.manifest, facts=facts))
    records = list(pipeline.benchmark_cells([broken, good], quick(threads=(1, 2))))
    assert [record.outcome.kind for record in records] == ["failure"] * 2 + ["measurement"] * 2
    failed = records[0].outcome
    assert isinstance(failed, Failure) and failed.stage == "load"


def test_runtimes_run_in_turn_on_the_formats_that_they_take(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    records = list(
        pipeline.benchmark_cells(
            [tiny_artifacts["onnx-fp32"], tiny_artifacts["tflite-fp32"]],
            quick("litert", "onnxruntime"),
        )
    )
    assert [record.job.runtime for record in records if record.job] == ["onnxruntime", "litert"]


def test_random_weights_of_the_zoo_are_recorded_as_random(zoo_artifacts: list[Artifact]) -> None:
    for artifact in zoo_artifacts:
        weights = artifact.manifest.model.weights
        assert weights is not None and weights.origin == RANDOM


def test_a_zoo_network_is_equal_to_pytorch_in_every_format(zoo_artifacts: list[Artifact]) -> None:
    assert {artifact.manifest.recipe.label.partition("-i")[0] for artifact in zoo_artifacts} == {
        "onnx-fp32-opset20",
        "tflite-fp32",
        "executorch-fp32-xnnpack",
        "coreml-fp32",
        "coreml-fp16",
    }
    for artifact in zoo_artifacts:
        for parity in artifact.manifest.facts.parity:
            assert parity.passed
            assert parity.top1_agreement == 1.0
            assert parity.inputs == 16


def test_a_zoo_network_becomes_one_xnnpack_delegate(zoo_artifacts: list[Artifact]) -> None:
    [program] = [a for a in zoo_artifacts if a.manifest.recipe.format == "executorch"]
    assert program.manifest.facts.structure["delegates"] == "XnnpackBackend x1"


def test_no_graph_op_of_a_zoo_network_becomes_a_gather_or_a_roll(
    zoo_artifacts: list[Artifact],
) -> None:
    for artifact in zoo_artifacts:
        operations = {name.lower() for name in artifact.manifest.facts.op_histogram}
        assert operations and not any("gather" in name or "roll" in name for name in operations)


def test_the_plain_form_is_another_artifact_of_the_same_network(
    zoo_artifacts: list[Artifact], tmp_path: Path
) -> None:
    [deployed] = [a for a in zoo_artifacts if a.manifest.recipe.format == "onnx"]
    plain = export("mobilevig_ti", "onnx", deploy=False, out_dir=tmp_path)
    assert (deployed.manifest.recipe.form, plain.manifest.recipe.form) == ("deployed", "plain")
    assert plain.manifest.recipe.label == "onnx-fp32-opset20-plain"
    assert plain.manifest.facts.key != deployed.manifest.facts.key
    assert plain.manifest.model == deployed.manifest.model
    ops = [sum(a.manifest.facts.op_histogram.values()) for a in (deployed, plain)]
    assert ops[0] < ops[1]
    # Two heads against one: 513,000 fewer numbers of four bytes.
    assert plain.manifest.facts.size_bytes - deployed.manifest.facts.size_bytes > 2_000_000


@pytest.fixture(scope="module")
def zoo_artifacts(tmp_path_factory: pytest.TempPathFactory) -> list[Artifact]:
    """Export mobilevig_ti to every format by the real toolkits, and to Core ML's fp16."""
    recipes = [_recipe(name) for name in plugins.exporter_names()]
    recipes.append(plugins.exporter("coreml").recipe(Precision.FP16))
    with shared_folder(tmp_path_factory, "zoo-artifacts") as out:
        done = export_quickly(Request(reference="mobilevig_ti"), recipes, out)
    outcomes = [exported.outcome for exported in done]
    assert all(isinstance(outcome, Artifact) for outcome in outcomes), outcomes
    return [outcome for outcome in outcomes if isinstance(outcome, Artifact)]


def test_identities_of_two_thread_counts_differ_in_that_alone(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    first, second = pipeline.benchmark_cells([tiny_artifacts["onnx-fp32"]], quick(threads=(1, 2)))
    assert first.identity.differences(second.identity) == ("threads",)
    assert dataclasses.replace(first.identity, threads=2) == second.identity
