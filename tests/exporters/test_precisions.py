"""Test precisions by the content of files: stored dtypes, and parts that stay in floats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from mobilebench import export, plugins
from mobilebench.errors import CellFailed, RecipeError, UserError
from mobilebench.exporting.choosing import choose
from mobilebench.inputs import seeded
from mobilebench.inputs.source import InputSource
from mobilebench.values.artifact import Artifact
from mobilebench.values.recipe import NOISE, Calibration, ExportRecipe, Format, Precision
from mobilebench.values.tensor import parse_tensor
from mobilebench.verifying import verification
from mobilebench_exporters._float_parts import stays_float
from tests.conftest import shared_folder

# Some exports here run in this process, where the toolkits raise their own warnings.
pytestmark = pytest.mark.filterwarnings("ignore")

INT8 = [f"{name}-int8" for name in ("onnx", "tflite", "executorch", "coreml")]


def _initializers(path: Path) -> dict[str, Any]:
    model = onnx.load(path)
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _tflite_types(path: Path, *, constant: bool) -> Counter[str]:
    """Count the element types of tensors that hold data (`constant`), or of the others."""
    from ai_edge_litert import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}
    model = schema.Model.GetRootAs(path.read_bytes())
    graph = model.Subgraphs(0)
    counts: Counter[str] = Counter()
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        if (model.Buffers(tensor.Buffer()).DataLength() > 64) == constant:
            counts[names[tensor.Type()]] += 1
    return counts


def test_onnx_int8_has_pairs_around_convolutions_and_weights_by_channel(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    path = tiny_artifacts["onnx-int8"].model_path
    operations = Counter(node.op_type for node in onnx.load(path).graph.node)
    assert operations["QuantizeLinear"] > 0
    assert operations["DequantizeLinear"] > operations["QuantizeLinear"]
    weights = [array for array in _initializers(path).values() if array.dtype == np.int8]
    scales = [
        array
        for name, array in _initializers(path).items()
        if name.endswith("_scale") and array.ndim == 1 and array.size > 1
    ]
    assert {array.ndim for array in weights} >= {4}
    assert scales, "weights have one scale for each output channel"


def test_onnx_int8_weights_computes_in_floats(tiny_artifacts: dict[str, Artifact]) -> None:
    path = tiny_artifacts["onnx-int8-weights"].model_path
    operations = Counter(node.op_type for node in onnx.load(path).graph.node)
    assert operations["QuantizeLinear"] == 0 and operations["DequantizeLinear"] > 0
    large = [a for a in _initializers(path).values() if a.ndim >= 2 and a.size >= 256]
    assert large and all(array.dtype == np.int8 for array in large)


def test_onnx_fp16_stores_and_computes_in_half_with_float_borders(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    path = tiny_artifacts["onnx-fp16"].model_path
    graph = onnx.load(path).graph
    borders = [*graph.input, *graph.output]
    assert {value.type.tensor_type.elem_type for value in borders} == {onnx.TensorProto.FLOAT}
    floats = [a for a in _initializers(path).values() if a.dtype.kind == "f"]
    assert floats and all(array.dtype == np.float16 for array in floats)


@pytest.mark.parametrize(
    ("precision", "constants"),
    [
        ("fp16-weights", "FLOAT16"),
        ("int8-dynamic", "INT8"),
        ("int8-weights", "INT8"),
        ("int8", "INT8"),
        ("int8-io", "INT8"),
    ],
)
def test_tflite_stores_what_the_precision_says(
    tiny_artifacts: dict[str, Artifact], precision: str, constants: str
) -> None:
    path = tiny_artifacts[f"tflite-{precision}"].model_path
    assert _tflite_types(path, constant=True)[constants] >= 3
    computed = _tflite_types(path, constant=False)
    if precision in ("int8", "int8-io"):
        assert computed["INT8"] > computed["FLOAT32"]
    elif precision == "int8-weights":
        assert computed["INT8"] == 0


@pytest.mark.parametrize(("precision", "dtype"), [("int8", "float32"), ("int8-io", "int8")])
def test_tflite_borders_are_what_the_precision_says(
    tiny_artifacts: dict[str, Artifact], precision: str, dtype: str
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(tiny_artifacts[f"tflite-{precision}"].model_path))
    borders = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    assert {np.dtype(border["dtype"]).name for border in borders} == {dtype}


@pytest.mark.parametrize("name", INT8)
def test_calibrated_files_say_noise_where_no_images_were_given(
    tiny_artifacts: dict[str, Artifact], name: str
) -> None:
    recipe = tiny_artifacts[name].manifest.recipe
    assert recipe.calibration == Calibration(source=NOISE, inputs=32)
    assert "int8-noise" in recipe.label


def test_only_calibrated_precisions_have_a_calibration() -> None:
    with pytest.raises(ValueError, match="takes no calibration"):
        ExportRecipe(format=Format.ONNX, calibration=Calibration())
    with pytest.raises(ValueError, match="needs calibration"):
        ExportRecipe(format=Format.ONNX, precision=Precision.INT8)
    with pytest.raises(UserError, match="at least one input"):
        Calibration(inputs=0)


@pytest.mark.parametrize("name", ["onnx", "tflite", "executorch", "coreml"])
def test_a_precision_that_a_format_lacks_is_refused_saying_what_it_has(name: str) -> None:
    exporter = plugins.exporter(name)
    for precision in set(Precision.exported()) - exporter.precisions():
        with pytest.raises(RecipeError) as error:
            exporter.recipe(precision)
        match = re.search(
            rf"asked for with precision {precision}; it offers .*; "
            rf"(the nearest is (?P<nearest>[\w-]+)|--delegate .* has {precision})\.$",
            str(error.value),
        )
        assert match, error.value
        assert match["nearest"] in {None, *exporter.precisions()} - {Precision.FP32}


@pytest.mark.parametrize(
    ("name", "precision", "choices", "advice"),
    [
        ("tflite", Precision.FP16, {}, "; the nearest is fp16-weights."),
        ("tflite", Precision.PALETTE4, {}, "; the nearest is int8-weights."),
        ("onnx", Precision.FP16_WEIGHTS, {}, "; the nearest is fp16."),
        ("onnx", Precision.INT8_IO, {}, "; the nearest is int8."),
        ("coreml", Precision.INT8_DYNAMIC, {}, "; the nearest is int8-weights."),
        (
            "coreml",
            Precision.INT8,
            {"target": "neuralnetwork"},
            "; for other targets it offers int8.",
        ),
        ("executorch", Precision.FP16, {}, "; --delegate coreml or vulkan or qualcomm has fp16."),
        ("executorch", Precision.FP16_WEIGHTS, {}, "; the nearest is int8."),
        (
            "executorch",
            Precision.INT8,
            {"delegate": "vulkan"},
            "; --delegate xnnpack or ethos-u has int8.",
        ),
    ],
)
def test_the_nearest_precision_is_offered(
    name: str, precision: Precision, choices: dict[str, str], advice: str
) -> None:
    with pytest.raises(RecipeError) as error:
        plugins.exporter(name).recipe(precision, **choices)
    assert str(error.value).endswith(advice)


def test_what_is_left_out_names_the_nearest_precision() -> None:
    assert choose(["onnx", "tflite"], ["fp16"]).left_out == (
        "tflite has no fp16; left out; the nearest that it has is fp16-weights.",
    )
    with pytest.raises(RecipeError) as error:
        choose(["onnx", "tflite"], ["palette4"])
    assert str(error.value) == (
        "The precision palette4 is not offered by onnx, tflite; the nearest: onnx has "
        "int8-weights, tflite has int8-weights."
    )


class Gate(nn.Module):
    """A gate, named like the part of a network that must stay in floats."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(-(x.abs() * 50).sum(1, keepdim=True))


def test_the_parts_that_stay_in_floats_are_known_by_their_classes() -> None:
    assert stays_float("a.B/mobilebench.deploy.scan.Scan/torch.nn.modules.linear.Linear")
    assert stays_float("torch.nn.modules.normalization.LayerNorm")
    assert stays_float("mobilebench.zoo.vcmamba.SnakeMamba")
    assert not stays_float("torch.nn.modules.conv.Conv2d")
    assert not stays_float("mobilebench.deploy.aggregation.Shifted")


class Attending(nn.Module):
    """(1, 3, 32, 32) -> (1, 10), with attention between a convolution and a head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv2d(3, 32, 4, 4), nn.Linear(32, 10)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x).flatten(2).transpose(1, 2)
        y = y + self.attention(y, y, y, need_weights=False)[0]
        scores: Tensor = self.head(y.mean(1))
        return scores


def test_onnx_keeps_parts_in_floats_by_their_classes_and_not_the_classes(tmp_path: Path) -> None:
    network = Attending().eval()
    words = {"precision": "int8", "inputs": ["1x3x32x32"], "out_dir": tmp_path}
    artifact = export(network, "onnx", **words)
    assert b"class_hierarchy" not in artifact.model_path.read_bytes()
    graph = onnx.load(artifact.model_path).graph
    producers = {name: node.op_type for node in graph.node for name in node.output}
    quantized = {
        node.name: {producers.get(name) for name in node.input[:2]} == {"DequantizeLinear"}
        for node in graph.node
        if node.op_type in ("Conv", "MatMul", "Gemm")
    }
    in_attention = [quantized[node.name] for node in graph.node if "'attention'" in _names(node)]
    assert len(in_attention) == 4 and not any(in_attention)
    assert sum(quantized.values()) == 2, "the convolution and the head"


def _names(node: Any) -> str:
    if node.op_type not in ("Conv", "MatMul", "Gemm"):
        return ""
    return " ".join(entry.value for entry in node.metadata_props)


class Normalised(nn.Module):
    """(1, 3, 16, 16) -> (1, 10), with a LayerNorm between two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first = nn.Conv2d(3, 16, 3, padding=1)
        self.norm = nn.LayerNorm([16, 16, 16])
        self.second = nn.Conv2d(16, 16, 3, padding=1)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.second(self.norm(self.first(x))).mean((2, 3)))
        return y


@pytest.fixture(scope="module")
def normalised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    network, inputs_ = Normalised().eval(), ["1x3x16x16"]
    with shared_folder(tmp_path_factory, "normalised") as out:
        return {
            name: export(network, name, precision="int8", inputs=inputs_, out_dir=out)
            for name in ("onnx", "tflite", "executorch", "coreml")
        }


def test_a_norm_stays_in_floats_in_onnx(normalised: dict[str, Artifact]) -> None:
    graph = onnx.load(normalised["onnx"].model_path).graph
    producers = {name: node for node in graph.node for name in node.output}
    [norm] = [node for node in graph.node if node.op_type == "LayerNormalization"]
    assert graph.node, norm
    consumers = [node for node in graph.node if norm.output[0] in node.input]
    assert [node.op_type for node in consumers] == ["QuantizeLinear"]  # for the convolution
    weights = [producers.get(name) for name in norm.input[1:]]
    assert weights == [None, None], "its scale and shift are plain float constants"


def test_a_norm_stays_in_floats_in_coreml(normalised: dict[str, Artifact]) -> None:
    from mobilebench_exporters._mlprogram import MLProgram

    kinds = MLProgram.load(normalised["coreml"].model_path).op_histogram()
    assert (kinds["layer_norm"], kinds["conv"]) == (1, 2) and kinds["quantize"] > 0


@pytest.mark.parametrize(
    ("precision", "kind"),
    [
        ("int8-weights", "constexpr_affine_dequantize"),
        ("palette6", "constexpr_lut_to_dense"),
        ("palette4", "constexpr_lut_to_dense"),
    ],
)
def test_coreml_stores_large_weights_compressed(tmp_path: Path, precision: str, kind: str) -> None:
    exporter = plugins.exporter("coreml")
    recipe = exporter.recipe(Precision(precision))
    path = exporter.export(Normalised().eval(), [parse_tensor("1x3x16x16")], recipe, tmp_path)
    graph = exporter.graph(path)
    assert graph.folded[kind] >= 1 and "quantize" not in {op.kind for op in graph.operations}


class Reordered(nn.Module):
    """(1, 3, 7, 7) -> (1, 10), with every second row of the image reversed.

    The rows are reversed by a product with a permutation matrix, as in VCMamba's scan.
    """

    order: Tensor

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(6)
        self.first = nn.Conv2d(3, 64, 3, padding=1)
        rows = torch.arange(49).reshape(7, 7)
        rows[1::2] = rows[1::2].flip(1)
        self.register_buffer("order", torch.eye(49)[rows.flatten()].unsqueeze(0))
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        pixels = self.first(x).flatten(2).transpose(1, 2)
        y: Tensor = self.head((self.order @ pixels)[:, :5].mean(1))
        return y


@pytest.mark.parametrize(
    "precision", [pytest.param("palette6", marks=pytest.mark.slow), "palette4"]
)
def test_a_constant_of_few_values_is_left_out_of_a_palette(tmp_path: Path, precision: str) -> None:
    """With palette6, k-means maps this whole permutation to the entry for zero."""
    artifact = export(
        Reordered().eval(), "coreml", precision=precision, inputs=["1x3x7x7"], out_dir=tmp_path
    )
    [result] = artifact.manifest.facts.parity
    assert result.snr_db is not None and result.snr_db > (8 if precision == "palette4" else 20)


class Weighed(nn.Module):
    """(1, 4, 16, 16) -> (1, 4, 16, 32), by a convolution and an einsum with a table of weights.

    Core ML's operation for it has a list of operands.
    """

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.first = nn.Conv2d(4, 4, 3, padding=1)
        self.table = nn.Parameter(torch.randn(1, 16, 16, 32))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.einsum("nchw,nwhu->nchu", self.first(x), self.table)
        return y


def test_a_network_with_an_einsum_gets_a_palette(tmp_path: Path) -> None:
    """coremltools fails to list the weights of such a network."""
    artifact = export(
        Weighed().eval(), "coreml", precision="palette6", inputs=["1x4x16x16"], out_dir=tmp_path
    )
    graph = plugins.exporter("coreml").graph(artifact.model_path)
    assert "einsum" in {op.kind for op in graph.operations}
    assert graph.folded["constexpr_lut_to_dense"] >= 1


def test_all_formats_agree_about_a_norm_between_convolutions(
    normalised: dict[str, Artifact],
) -> None:
    for artifact in normalised.values():
        [result, *_] = artifact.manifest.facts.parity
        # Two convolutions in 8 bits; a norm in 8 bits would make the error several times as large.
        assert result.snr_db is not None and result.snr_db > 25, artifact.name


class Outlier(nn.Module):
    """(1, 3, 16, 16) -> (1, 10), with an outlier channel that does not affect the result.

    That channel is a million times as large as the channels that do.
    """

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.first = nn.Conv2d(3, 16, 1)
        self.second = nn.Conv2d(16, 16, 1)
        self.head = nn.Linear(16, 10)
        with torch.no_grad():
            self.first.weight[0] *= 1e4
            self.second.weight[:, 0] = 0

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.second(self.first(x)).mean((2, 3)))
        return y


def test_a_file_that_names_other_classes_is_kept_only_when_that_is_allowed(tmp_path: Path) -> None:
    module = Outlier().eval()
    with pytest.raises(CellFailed, match=r"parity failed") as caught:
        export(module, "onnx", precision="int8", inputs=["1x3x16x16"], out_dir=tmp_path)
    assert caught.value.stage == "parity"
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    artifact = export(
        module,
        "onnx",
        precision="int8",
        inputs=["1x3x16x16"],
        out_dir=tmp_path,
        allow_parity_failure=True,
    )
    facts = artifact.manifest.facts
    assert facts.agreement is not None and not facts.agreement.passed
    assert Artifact.load(artifact.folder).manifest.facts.agreement == facts.agreement


def test_agreement_is_proven_again_from_the_bundle(tiny_artifacts: dict[str, Artifact]) -> None:
    artifact = tiny_artifacts["tflite-int8"]
    assert verification.agree_bundle(artifact, InputSource()) == artifact.manifest.facts.agreement


def test_parity_inputs_are_none_of_the_calibration(tiny_artifacts: dict[str, Artifact]) -> None:
    manifest = tiny_artifacts["onnx-int8"].manifest
    spec, samples = manifest.model, InputSource()

    def draw() -> Iterator[bytes]:
        for seed in manifest.facts.preflight.seeds:
            yield seeded.sample(spec.inputs, seed)[0].tobytes()
        for batch in samples.for_calibration(spec):
            yield batch[0].tobytes()
        for part in samples.for_agreement(spec):
            for batch in part:
                yield batch[0].tobytes()

    contents = list(draw())
    assert len(contents) == 16 + 32 + 256 == len(set(contents))
