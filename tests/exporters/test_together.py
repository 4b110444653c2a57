"""Several widths of a network in one file: each computes its cut network, chosen by its entry."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from mobilebench import export, plugins
from mobilebench.errors import CellFailed, MobilebenchError, RecipeError, UserError
from mobilebench.inputs import seeded
from mobilebench.interfaces import Exporter
from mobilebench.slimmable import SharedNetwork, extract
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact, Manifest
from mobilebench.values.recipe import Precision
from mobilebench.verifying import parity
from mobilebench.zoo.layers.initialise import for_verification
from mobilebench.zoo.layers.pyramid import Pyramid
from mobilebench.zoo.rapidnet import _network
from mobilebench_device_runners import _runtimes
from mobilebench_exporters import _onnx_together

FORMATS = plugins.exporter_names()
WIDTHS = (0.5, 1, 0.75)
"""Not in the order of the file, and three: programs list their methods in another order."""
INPUT = "1x3x32x32"
RUNTIMES = {
    "onnx": _runtimes.OnnxRuntime,
    "executorch": _runtimes.ExecuTorch,
    "tflite": _runtimes.LiteRT,
}
ENTRIES = {
    "onnx": ("narrow=0", "narrow=1", "narrow=2"),
    "executorch": ("forward", "w0_75", "w0_5"),
    "tflite": ("w1", "w0_75", "w0_5"),
    "coreml": ("main", "w0_75", "w0_5"),
}


def network() -> Pyramid:
    """Build a RapidNet with one block in each stage."""
    small = _network(((1, 0), (1, 0), (1, 0), (0, 1)), (32, 48, 64, 96), 64, num_classes=10)
    for_verification(small)
    return small.eval()


@pytest.fixture(scope="module", params=FORMATS)
def together(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp(request.param)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the toolkits run in this process and warn of themselves
        return export(network(), request.param, widths=WIDTHS, inputs=[INPUT], out_dir=folder)


def _weights(path: Path) -> int:
    """Return the bytes of all weights in an ONNX file, those of branches included."""
    model = onnx.load(path)
    graphs = [model.graph, *_onnx_together.branches(model)]
    return sum(_onnx_together._bytes(each) for graph in graphs for each in graph.initializer)


def _outputs(artifact: Artifact, entry: str | None, image: seeded.Array) -> seeded.Array:
    """Compute one image by the runtime, or by the evaluator where no runtime is here."""
    path, format_name = artifact.model_path, artifact.manifest.recipe.format
    if format_name == "coreml":
        from mobilebench_exporters._mlprogram import MLProgram

        chosen = {} if entry is None else {"function": entry}
        [output] = MLProgram.load(path).evaluate([image], **chosen)
        return output
    model = RUNTIMES[format_name]().load(path, 1, entry)
    [output] = model.decode(model.run(model.encode([image])))
    return np.array(output)


@pytest.mark.filterwarnings("ignore")
def test_every_width_computes_its_cut_network(together: Artifact) -> None:
    manifest = together.manifest
    assert manifest.recipe.widths == ("w1", "w0.75", "w0.5")
    assert tuple(width.entry for width in manifest.widths) == ENTRIES[manifest.recipe.format]
    image = np.random.default_rng(3).standard_normal((1, 3, 32, 32)).astype("float32")
    bound = parity.limits(Precision.FP32)
    for width, share in zip(manifest.widths, (1, 0.75, 0.5), strict=True):
        assert width.parity and all(result.passed for result in width.parity)
        narrow = extract(network(), share)
        assert width.model.params == sum(p.numel() for p in narrow.parameters())
        assert width.model.width == share
        with torch.no_grad():
            expected = narrow(torch.from_numpy(image)).numpy()
        output = _outputs(together, width.entry, image)
        result = parity.compare([[expected]], [[output]], bound=bound, evaluated_by="here")
        assert result.passed, result.description
    assert manifest.widths[0].parity == manifest.facts.parity
    assert len({width.model.macs for width in manifest.widths}) == 3


def test_the_bundle_is_read_back(together: Artifact) -> None:
    assert Artifact.load(together.folder).manifest == together.manifest


@pytest.mark.filterwarnings("ignore")
def test_without_a_choice_it_is_the_widest(together: Artifact) -> None:
    recipe = together.manifest.recipe
    exporter = plugins.exporter(recipe.format)
    [taken] = exporter.io(together.model_path).inputs
    assert taken.shape == (1, 3, 32, 32)
    graph = exporter.graph(together.model_path)
    assert [tensor.shape for tensor in graph.inputs] == [(1, 3, 32, 32)]
    widest = together.manifest.widths[0].model
    assert widest.macs is not None
    assert graph.macs == pytest.approx(widest.macs.total, rel=0.01)
    image = np.ones((1, 3, 32, 32), np.float32)
    chosen = _outputs(together, together.manifest.widths[0].entry, image)
    assert np.array_equal(_outputs(together, None, image), chosen)


@pytest.mark.filterwarnings("ignore")
def test_another_entry_is_refused_by_name(together: Artifact) -> None:
    image = np.zeros((1, 3, 32, 32), np.float32)
    with pytest.raises(MobilebenchError, match="nothing_of_this=7") as caught:
        _outputs(together, "nothing_of_this=7", image)
    assert all(entry in str(caught.value) for entry in ENTRIES[together.manifest.recipe.format])


def test_a_manifest_with_other_widths_than_its_recipe_is_refused(together: Artifact) -> None:
    plain = wire.to_plain(together.manifest)
    plain["widths"] = plain["widths"][:2]
    with pytest.raises(UserError, match="the file holds the widths"):
        wire.from_plain(Manifest, plain)


def test_weights_are_counted_as_the_file_has_them(together: Artifact) -> None:
    manifest = together.manifest
    read = plugins.exporter(manifest.recipe.format).weights(together.model_path)
    assert set(read) == set(ENTRIES[manifest.recipe.format])
    for width in manifest.widths:
        assert width.own_bytes + width.shared_bytes == sum(read[width.entry].values())
    every = {name: size for entry in read.values() for name, size in entry.items()}
    stored = sum(every.values())
    assert 0.8 * manifest.facts.size_bytes < stored <= manifest.facts.size_bytes


@pytest.mark.filterwarnings("ignore")
def test_an_onnx_file_stores_the_weights_of_the_widest_alone(together: Artifact) -> None:
    manifest = together.manifest
    widest, *_, narrowest = manifest.widths
    assert widest.model.params is not None and narrowest.model.params is not None
    if manifest.recipe.format == "onnx":
        assert _weights(together.model_path) < 1.1 * 4 * widest.model.params
        assert narrowest.own_bytes < 0.1 * narrowest.shared_bytes
    else:  # equal tensors alone are shared, as counted in the file
        assert narrowest.own_bytes > 4 * narrowest.shared_bytes


@pytest.mark.filterwarnings("ignore")
def test_a_private_batchnorm_is_a_scale_of_shared_weights(tmp_path: Path) -> None:
    shared = SharedNetwork(network(), [1, 0.5]).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for tensor in (*shared.norms.parameters(), *shared.norms.buffers()):
            if tensor.is_floating_point():
                tensor.mul_(0.8 + 0.4 * torch.rand(tensor.shape, generator=generator))
    artifact = export(shared, "onnx", widths=(1, 0.5), inputs=[INPUT], out_dir=tmp_path)
    widest = artifact.manifest.widths[0].model
    assert widest.name == "Pyramid" and widest.params is not None
    assert _weights(artifact.model_path) < 1.1 * 4 * widest.params
    kinds = plugins.exporter("onnx").inspect(artifact.model_path).op_histogram
    assert kinds["If"] == 1 and kinds["Mul"] > 5
    narrow = shared.extract(0.5)
    image = np.random.default_rng(3).standard_normal((1, 3, 32, 32)).astype("float32")
    with torch.no_grad():
        expected = narrow(torch.from_numpy(image)).numpy()
    output = _outputs(artifact, "narrow=1", image)
    assert np.abs(output - expected).max() < 1e-5 * np.abs(expected).max()


def test_what_is_cut_is_found_in_halves_and_only_where_every_bit_is_equal() -> None:
    full = np.arange(8 * 12, dtype=np.float32).reshape(8, 12)
    halves = np.concatenate([full[:4, :2], full[:4, 6:8]], axis=1)
    assert _onnx_together._cut(halves, full) == (((0, 4),), ((0, 2), (6, 8)))
    assert _onnx_together._cut(full, full) == (None, None)
    other = halves.copy()
    other[0, 0] = -0.0  # equal to 0.0 as a number, and not bit by bit
    assert _onnx_together._cut(other, full) is None
    assert _onnx_together._cut(full, halves) is None
    scaled = halves * np.linspace(0.5, 2, 4, dtype=np.float32)[:, None]
    part = _onnx_together._scaled("weight", scaled, full + 1)
    assert part is None  # no scale makes one the other
    part = _onnx_together._scaled("weight", scaled + 0, full)
    assert part is None  # the first element is zero, which says nothing of a scale
    part = _onnx_together._scaled("weight", (halves + 1) * scaled[:, 1:2], full + 1)
    assert part is not None and len(part.scales) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_what_has_no_such_files_is_refused_naming_what_has(name: str) -> None:
    exporter: Exporter = plugins.exporter(name)
    offered = exporter.recipe_together(("w1", "w0.5"), Precision.FP32)
    assert offered.widths == ("w1", "w0.5") and offered.label.endswith("w1+w0.5")
    with pytest.raises(RecipeError, match=r"Several widths in one file .*int8.*such files with fp"):
        exporter.recipe_together(("w1", "w0.5"), Precision.INT8)
    if name == "coreml":
        assert offered.target == "iOS18"
        with pytest.raises(RecipeError, match="target iOS16; coreml has such files with iOS18"):
            exporter.recipe_together(("w1", "w0.5"), Precision.FP32, "iOS16")
    if name == "executorch":
        with pytest.raises(RecipeError, match="delegate vulkan; .* with xnnpack"):
            exporter.recipe_together(("w1", "w0.5"), Precision.FP32, None, "vulkan")


def test_a_network_with_branches_is_not_joined() -> None:
    inner = onnx.helper.make_graph([], "inner", [], [])
    node = onnx.helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    node.attribute[0].g.node.append(onnx.helper.make_node("Neg", ["x"], ["z"]))
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "outer", [], []))
    with pytest.raises(CellFailed, match="this one has If; export each width by itself"):
        _onnx_together.join([model, model], ["w1", "w0.5"])


@pytest.mark.filterwarnings("ignore")
def test_a_width_that_computes_something_else_fails_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    join = _onnx_together.join

    def of_one(models: list[object], names: list[str]) -> object:
        return join([models[0], models[0]], names)

    monkeypatch.setattr(_onnx_together, "join", of_one)
    with pytest.raises(CellFailed, match="the width w0.5: relative error"):
        export(network(), "onnx", widths=(1, 0.5), inputs=[INPUT], out_dir=tmp_path)
    assert not list(tmp_path.glob("*/manifest.json"))
