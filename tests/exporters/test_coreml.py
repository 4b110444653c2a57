"""Test Core ML's image input and class labels, from the export to `mobilebench verify`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench import plugins
from mobilebench.conversion.loading import LoadedModel, describe
from mobilebench.errors import RecipeError, UserError
from mobilebench.exporting.choosing import choose
from mobilebench.exporting.order import Order, Terms
from mobilebench.exporting.preparation import Prepared
from mobilebench.inputs import labels, seeded
from mobilebench.pipeline import export_module
from mobilebench.values.artifact import REFERENCE_FILE, Artifact
from mobilebench.values.modelspec import CALLER, Interpolation, ModelSpec, Preprocessing
from mobilebench.values.recipe import Feature, Precision
from mobilebench.values.request import Request
from mobilebench.values.tensor import DType, parse_tensor
from mobilebench.verifying import parity
from tests import models
from tests.conftest import TINY, Ran

pytest.importorskip("coremltools")
torch = pytest.importorskip("torch")

STDS = (0.229, 0.4, 0.1)
"""Far from each other, so that a wrong order changes the outputs."""
Batches = list[list[seeded.Array]]
NAMES = tuple(f"kind {index}" for index in range(10))

# The toolkit runs in this process and raises its own warnings.
pytestmark = pytest.mark.filterwarnings("ignore")


def tiny(std: tuple[float, float, float] = STDS) -> LoadedModel:
    preprocessing = Preprocessing(
        mean=(0.485, 0.456, 0.406), std=std, crop_pct=0.9, interpolation=Interpolation.BICUBIC
    )
    spec = ModelSpec(name="tiny", inputs=(parse_tensor("1x3x32x32"),), preprocessing=preprocessing)
    return describe(models.tiny().eval(), spec, CALLER)


def export_artifact(folder: Path, network: LoadedModel, target: str | None = None) -> Artifact:
    terms = Terms(image_input=True, class_labels=tuple(NAMES))
    recipes = choose(["coreml"], target=target, terms=terms).recipes
    [result] = export_module(network, recipes, folder, terms=terms)
    assert isinstance(result.outcome, Artifact), result.outcome
    return result.outcome


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return export_artifact(tmp_path_factory.mktemp("image"), tiny())


def evaluate(path: Path, folder: Path, batches: Batches) -> Batches:
    """Compute a file's outputs with the function that the parity process calls."""
    from mobilebench_exporters import coreml

    input_file, output_file = folder / "inputs.npz", folder / "outputs.npz"
    seeded.save_batches(input_file, batches)
    coreml.evaluate(path, input_file, output_file)
    return seeded.load_batches(output_file)


@pytest.fixture(scope="module")
def computed(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Batches:
    """Compute the file's outputs for the images that it was verified on."""
    seeds = artifact.manifest.facts.preflight.seeds
    batches = [seeded.sample(artifact.manifest.inputs, seed) for seed in seeds]
    return evaluate(artifact.model_path, tmp_path_factory.mktemp("computed"), batches)


VERSIONS = {"iOS15": 6, "iOS16": 7, "iOS17": 8, "iOS18": 9, "iOS26": 10, "neuralnetwork": 4}


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
@pytest.mark.parametrize("target", VERSIONS)
def test_every_target_has_its_specification_and_the_network_s_outputs(
    target: str, precision: Precision, tmp_path: Path
) -> None:
    exporter, network = plugins.exporter("coreml"), tiny()
    recipe = exporter.recipe(precision, target)
    path = exporter.export(network.module, network.spec.inputs, recipe, tmp_path)
    version = exporter.inspect(path).details["specification_version"]
    assert version == str(VERSIONS[target])
    batches = seeded.samples(network.spec.inputs, 4, seed=0)
    with torch.no_grad():
        expected = [[network.module(torch.from_numpy(x)).numpy()] for [x] in batches]
    outputs = evaluate(path, tmp_path, batches)
    bound = parity.limits(precision)
    result = parity.compare(expected, outputs, bound=bound, evaluated_by="the evaluator")
    assert result.passed, result.description
    # The error of half precision is visible: it is not single precision under another name.
    assert result.max_relative_error is not None
    assert (result.max_relative_error > 1e-5) == (precision is Precision.FP16)


def _passes(expected: Batches, actual: Batches) -> bool:
    bound = parity.limits(Precision.FP32)
    return parity.compare(expected, actual, bound=bound, evaluated_by="this test").passed


def test_a_file_with_image_input_is_proven_on_pixels(artifact: Artifact) -> None:
    [tensor] = artifact.manifest.inputs
    assert tensor.dtype == DType.UINT8 and artifact.manifest.model.inputs[0].dtype != tensor.dtype
    facts = artifact.manifest.facts
    assert facts.structure["images"].endswith("32x32")
    [result] = facts.parity
    assert result.passed and result.inputs == 16
    reference = seeded.load_batches(artifact.folder / REFERENCE_FILE)
    expected = _eager(artifact, STDS)
    assert all(
        (ours[0] == theirs[0]).all() for ours, theirs in zip(reference, expected, strict=True)
    )


@pytest.mark.parametrize("channel", range(3))
def test_the_deviation_of_each_channel_counts(
    artifact: Artifact, computed: Batches, channel: int
) -> None:
    """One deviation for all channels fails, and so does a wrong one for any channel."""
    wrong = list(STDS)
    wrong[channel] = STDS[(channel + 1) % 3]
    assert _passes(_eager(artifact, STDS), computed)
    assert not _passes(_eager(artifact, (wrong[0], wrong[1], wrong[2])), computed)
    assert not _passes(_eager(artifact, (STDS[channel],) * 3), computed)


def test_a_neural_network_takes_images_and_answers_by_label_too(tmp_path: Path) -> None:
    artifact = export_artifact(tmp_path, tiny(), "neuralnetwork")
    assert artifact.model_path.suffix == ".mlmodel"
    assert all(result.passed for result in artifact.manifest.facts.parity)
    assert artifact.manifest.facts.structure["class_labels"].endswith(labels.sha256(NAMES))


def test_another_normalisation_or_other_labels_are_another_artifact(artifact: Artifact) -> None:
    manifest = artifact.manifest
    image_input = manifest.recipe.image_input
    assert image_input is not None and image_input.std == STDS
    recipes = [
        manifest.recipe,
        replace(manifest.recipe, image_input=None),
        replace(manifest.recipe, image_input=replace(image_input, std=(0.5, 0.5, 0.5))),
        replace(manifest.recipe, class_labels=labels.sha256(NAMES[::-1])),
    ]
    preflight = manifest.facts.preflight
    order = Order(
        request=Request(reference="memory:tiny"),
        recipe=manifest.recipe,
        prepared=Prepared(
            model=manifest.model, fingerprint=preflight.fingerprint, preflight=preflight
        ),
        preparation=artifact.folder,
        tools=manifest.facts.tool_versions,
        terms=Terms(),
    )
    keys = [replace(order, recipe=recipe).key for recipe in recipes]
    assert keys[0] == manifest.facts.key and len(set(keys)) == len(keys)


def test_the_labels_are_in_the_file_and_beside_it(artifact: Artifact) -> None:
    from mobilebench_exporters._mlprogram import MLProgram

    assert MLProgram.load(artifact.model_path).class_labels == list(NAMES)
    assert labels.read(artifact.folder / labels.LABELS_FILE) == NAMES
    assert artifact.manifest.recipe.class_labels == labels.sha256(NAMES)
    assert artifact.manifest.recipe.label == "coreml-fp32-iOS16-image-labels"


def test_the_program_verifies_and_inspects_it(
    artifact: Artifact, mobilebench: Callable[..., Ran]
) -> None:
    verified = mobilebench("verify", artifact.folder)
    assert verified.code == 0 and ": equal" in verified.stdout, verified.stderr
    inspected = mobilebench("inspect", artifact.folder)
    assert "image input" in inspected.stdout and str(STDS)[1:-1] in inspected.stdout


def test_the_program_names_the_formats_that_can(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    labels.write(tmp_path, NAMES)
    for arguments in (
        ["--format", "onnx", "--image-input"],
        ["--format", "tflite", "--class-labels", tmp_path / labels.LABELS_FILE],
    ):
        refused = mobilebench("export", TINY, "--input", "1x3x32x32", *arguments)
        assert refused.code == 2 and "formats that do: coreml" in refused.stderr, refused.stderr
        assert not (tmp_path / "artifacts").exists()


def _export_labelled(network: LoadedModel, names: Sequence[str], folder: Path) -> None:
    terms = Terms(class_labels=tuple(names))
    export_module(network, choose(["coreml"], terms=terms).recipes, folder, terms=terms)


def test_what_does_not_fit_the_network_is_refused_with_nothing_written(tmp_path: Path) -> None:
    recipe = plugins.exporter("coreml").recipe(Precision.FP32)
    network = tiny()
    unknown = replace(network, spec=replace(network.spec, preprocessing=None))
    with pytest.raises(UserError, match="not known how images are prepared"):
        export_module(unknown, [recipe], tmp_path, terms=Terms(image_input=True))
    with pytest.raises(UserError, match="tiny has 10 scores, and 9 class labels for them"):
        _export_labelled(network, NAMES[:9], tmp_path)
    assert not list(tmp_path.iterdir())


def test_networks_that_take_no_image_are_refused(tmp_path: Path) -> None:
    spec = ModelSpec(
        name="two", inputs=(parse_tensor("1x3x8x8", "a"), parse_tensor("1x3x8x8", "b"))
    )
    recipe = plugins.exporter("coreml").recipe(Precision.FP32)
    loaded = describe(models.two_inputs().eval(), spec, CALLER)
    with pytest.raises(UserError, match="one input of 1x3xHxW or 1xHxWx3 only"):
        export_module(loaded, [recipe], tmp_path, terms=Terms(image_input=True))
    with pytest.raises(UserError, match="one output of 1xCLASSES only"):
        _export_labelled(loaded, NAMES, tmp_path)


def test_a_feature_is_refused_before_the_network_is_loaded() -> None:
    with pytest.raises(RecipeError, match="formats that do: coreml"):
        plugins.require_feature("executorch", Feature.IMAGE_INPUT)


def _eager(artifact: Artifact, std: tuple[float, float, float]) -> Batches:
    """Compute PyTorch's outputs on an artifact's pixels, normalised here by the formula."""
    import numpy as np

    network = models.tiny().eval()
    mean = (0.485, 0.456, 0.406)
    outputs = []
    for seed in artifact.manifest.facts.preflight.seeds:
        [pixels] = seeded.sample(artifact.manifest.inputs, seed)
        assert pixels.dtype == np.uint8 and pixels.max() > 200
        planes = [
            (pixels[0, c].astype(np.float32) / np.float32(255) - np.float32(mean[c]))
            / np.float32(std[c])
            for c in range(3)
        ]
        with torch.no_grad():
            outputs.append([network(torch.from_numpy(np.stack(planes)[None])).numpy()])
    return outputs


def test_the_toolkit_loads_without_what_it_only_looks_for() -> None:
    """Those packages take a quarter of its import, and are there for whoever needs them."""
    script = (
        "import sys, importlib.util\n"
        "from mobilebench_exporters._coremltools import ct\n"
        "assert ct.convert\n"
        "print(*{'sklearn', 'transformers'} & sys.modules.keys())\n"
        "assert importlib.util.find_spec('sklearn')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
