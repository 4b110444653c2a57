"""Verify every sentence of `interfaces.Exporter`, for every installed exporter."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from mobilebench import plugins
from mobilebench.conversion.loading import describe
from mobilebench.errors import MissingToolkit, RecipeError
from mobilebench.exporting.choosing import choose
from mobilebench.exporting.order import Terms
from mobilebench.inputs import seeded
from mobilebench.interfaces import Exporter
from mobilebench.machine import isolated
from mobilebench.pipeline import export_module
from mobilebench.values.artifact import (
    AGREEMENT_FILE,
    LOG_FILE,
    MANIFEST_FILE,
    REFERENCE_FILE,
    Artifact,
    content_sha256,
)
from mobilebench.values.measurement import Stage
from mobilebench.values.modelspec import CALLER, ModelSpec
from mobilebench.values.recipe import ExportRecipe, Feature, Precision
from mobilebench.values.tensor import parse_tensor
from mobilebench.verifying import parity, verification
from mobilebench.zoo.fingerprint import fingerprint
from tests import models

NAMES = plugins.exporter_names()


@pytest.fixture(params=NAMES)
def exporter(request: pytest.FixtureRequest) -> Exporter:
    return plugins.exporter(request.param)


def _recipes(exporter: Exporter) -> list[ExportRecipe]:
    return [exporter.recipe(precision) for precision in sorted(exporter.precisions())]


def test_it_is_found_by_the_name_of_its_format(exporter: Exporter) -> None:
    assert plugins.exporter(exporter.format) is exporter


def test_it_offers_at_least_one_precision(exporter: Exporter) -> None:
    assert exporter.precisions()
    assert all(isinstance(precision, Precision) for precision in exporter.precisions())


def test_a_recipe_is_complete_and_asking_again_changes_nothing(exporter: Exporter) -> None:
    for recipe in _recipes(exporter):
        assert recipe.format == exporter.format
        assert exporter.recipe(recipe.precision, recipe.target, recipe.delegate) == recipe


def test_a_choice_that_is_not_offered_is_refused_saying_what_is(exporter: Exporter) -> None:
    precision = sorted(exporter.precisions())[0]
    for target, delegate in (("iOS3", None), (None, "magic")):
        with pytest.raises(RecipeError, match=r"it offers|it has no choice"):
            exporter.recipe(precision, target, delegate)
    for refused in set(Precision) - exporter.precisions():
        with pytest.raises(RecipeError, match="it offers fp32"):
            exporter.recipe(refused)


CHOICES = [
    *(("onnx", target, None) for target in ("opset18", "opset19", "opset21")),
    ("executorch", "iOS26", "coreml"),
    ("executorch", None, "vulkan"),
    ("executorch", None, "qualcomm"),
    ("executorch", None, "ethos-u"),
]
"""Every target and delegate beside the defaults, which `tiny_artifacts` covers, and the targets of
Core ML, which `tests/exporters/test_coreml.py` goes through without a process for each."""


@pytest.mark.parametrize(("name", "target", "delegate"), CHOICES)
@pytest.mark.filterwarnings("ignore")  # the toolkits run in this process and warn of themselves
def test_a_target_or_delegate_makes_the_same_network_or_says_why_not(
    name: str, target: str | None, delegate: str | None, tmp_path: Path
) -> None:
    exporter = plugins.exporter(name)
    offered = exporter.precisions(target, delegate)
    precision = Precision.FP32 if Precision.FP32 in offered else min(offered)
    recipe = exporter.recipe(precision, target, delegate)
    assert exporter.recipe(recipe.precision, recipe.target, recipe.delegate) == recipe
    spec = ModelSpec(name="tiny", inputs=(parse_tensor("1x3x32x32"),))
    loaded = describe(models.tiny().eval(), spec, CALLER)
    try:
        [exported] = export_module(loaded, [recipe], tmp_path)
    except MissingToolkit as error:
        assert delegate in ("qualcomm", "ethos-u")
        assert str(delegate) in str(error) and ("Download" in str(error) or "run" in str(error))
        assert not any(tmp_path.iterdir()), "found out before any work"
        return
    assert isinstance(exported.outcome, Artifact), exported.outcome
    facts = exported.outcome.manifest.facts
    assert exporter.io(exported.outcome.model_path).delegate == delegate
    if exporter.unverifiable(recipe) is None:
        assert facts.unverified is None
        assert facts.parity and all(result.passed for result in facts.parity)
    else:
        assert facts.parity == () and facts.unverified == exporter.unverifiable(recipe)
        assert verification.verify_bundle(exported.outcome) == ()


def test_a_feature_is_offered_or_refused_naming_who_has_it(exporter: Exporter) -> None:
    terms = {
        Feature.IMAGE_INPUT: Terms(image_input=True),
        Feature.CLASS_LABELS: Terms(class_labels=("cat", "dog")),
    }
    precision = sorted(exporter.precisions())[0]
    for feature, request in terms.items():
        if feature in exporter.features():
            [recipe] = choose([exporter.format], [precision], terms=request).recipes
            assert (recipe.class_labels is None) == (not request.class_labels)
            continue
        with pytest.raises(RecipeError, match=f"{feature}, which it does not have.*coreml"):
            choose([exporter.format], [precision], terms=request)


def test_tool_versions_name_torch_and_the_toolkit(exporter: Exporter) -> None:
    versions = exporter.tool_versions()
    assert versions["torch"] == torch.__version__
    assert len(versions) >= 2
    assert all(version[0].isdigit() for version in versions.values())


@pytest.mark.filterwarnings("ignore")  # the toolkits run in this process and warn of themselves
def test_its_file_lies_in_the_folder_and_nothing_lies_elsewhere(
    exporter: Exporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "folder"
    elsewhere.mkdir()
    folder.mkdir()
    module, before = models.tiny().eval(), fingerprint(models.tiny().eval())
    monkeypatch.chdir(elsewhere)
    # In this process here, so that what it does to the module shows.
    path = exporter.export(module, [parse_tensor("1x3x32x32")], _recipes(exporter)[0], folder)
    assert path.exists() and path.parent == folder
    assert list(folder.iterdir()) == [path]
    assert list(elsewhere.iterdir()) == []
    assert fingerprint(module) == before
    structure = exporter.inspect(path)
    assert structure.op_histogram and all(n > 0 for n in structure.op_histogram.values())
    assert exporter.inspect(path) == structure
    graph = exporter.graph(path)
    assert [tensor.shape for tensor in graph.inputs] == [(1, 3, 32, 32)]
    assert [tensor.shape for tensor in graph.outputs] == [(1, 10)]
    assert graph.operations and graph.macs and graph.weight_bytes
    assert exporter.graph(path) == graph
    io = exporter.io(path)
    assert [tensor.shape for tensor in io.inputs] == [(1, 3, 32, 32)]
    assert [tensor.dtype for tensor in io.inputs] == ["float32"]
    assert [tensor.shape for tensor in io.outputs] == [(1, 10)]
    assert io.delegate == _recipes(exporter)[0].delegate
    assert list(folder.iterdir()) == [path]


EVERY = [
    f"{name}-{precision}"
    for name in NAMES
    for precision in sorted(plugins.exporter(name).precisions())
]


@pytest.mark.parametrize("name", EVERY)
def test_its_artifacts_are_whole_and_equal_to_pytorch(
    tiny_artifacts: dict[str, Artifact], name: str
) -> None:
    artifact = tiny_artifacts[name]
    again = Artifact.load(artifact.folder)
    assert again.manifest == artifact.manifest
    facts = artifact.manifest.facts
    assert facts.parity and all(parity.passed for parity in facts.parity)
    assert all(parity.inputs == 16 for parity in facts.parity)
    assert facts.sha256 == content_sha256(artifact.model_path)
    assert facts.forecast and all(0 <= f.taken <= f.operations for f in facts.forecast)
    names = {MANIFEST_FILE, LOG_FILE, REFERENCE_FILE, artifact.manifest.model_file}
    if artifact.manifest.recipe.precision.quantized:
        names.add(AGREEMENT_FILE)
        assert facts.agreement is not None and facts.agreement.passed
        assert (facts.agreement.inputs, facts.agreement.source) == (256, "noise")
    assert {path.name for path in artifact.folder.iterdir()} == names


def test_a_file_that_computes_something_else_fails_parity(
    tiny_artifacts: dict[str, Artifact], exporter: Exporter, tmp_path: Path
) -> None:
    """Parity can fail: against another network's outputs it does."""
    shutil.copytree(tiny_artifacts[f"{exporter.format}-fp32"].folder, tmp_path / "other")
    artifact = Artifact.load(tmp_path / "other")
    reference = seeded.load_batches(artifact.folder / REFERENCE_FILE)
    shifted = [[array + np_step(array) for array in batch] for batch in reference]
    seeded.save_batches(artifact.folder / REFERENCE_FILE, shifted)
    assert not any(result.passed for result in verification.verify_bundle(artifact))
    assert len(reference) == parity.INPUTS


def np_step(array: seeded.Array) -> float:
    """Return a hundredth of the largest output: far above rounding, too small to see."""
    return float(abs(array).max()) / 100


def test_an_evaluator_answers_in_a_child_process(
    tiny_artifacts: dict[str, Artifact], exporter: Exporter, tmp_path: Path
) -> None:
    artifact = tiny_artifacts[f"{exporter.format}-fp32"]
    recipe = artifact.manifest.recipe
    evaluator = exporter.evaluator(recipe)
    if evaluator is None:
        runtimes = plugins.runner("host").runtimes(recipe.format, recipe.delegate)
        assert runtimes, "a format without evaluator runs on the host"
        return
    inputs, outputs = tmp_path / "inputs.npz", tmp_path / "outputs.npz"
    seeded.save_batches(inputs, seeded.samples(artifact.manifest.model.inputs, 2, 0))
    evaluated_by = isolated.call(
        evaluator(artifact.model_path, inputs, outputs, None), stage=Stage.PARITY, timeout_s=120
    )
    assert evaluated_by
    assert [batch[0].shape for batch in seeded.load_batches(outputs)] == [(1, 10), (1, 10)]
