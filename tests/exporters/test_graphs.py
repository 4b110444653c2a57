"""Test the graphs that are read back from files of every format against the network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from mobilebench import plugins
from mobilebench.errors import ModelFileError
from mobilebench.values.artifact import Artifact
from mobilebench.values.graph import Graph
from mobilebench.values.recipe import Format
from mobilebench.zoo.complexity import count_macs, count_params
from tests import models


def _graph(artifact: Artifact) -> Graph:
    return plugins.exporter(artifact.manifest.recipe.format).graph(artifact.model_path)


def test_every_format_and_precision_counts_the_networks_macs(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    own = count_macs(models.tiny().eval(), [torch.zeros(1, 3, 32, 32)])
    counted = {name: _graph(artifact).macs for name, artifact in tiny_artifacts.items()}
    assert counted == dict.fromkeys(counted, own.conv + own.linear)


@pytest.mark.parametrize("file_format", list(Format))
def test_constants_are_the_networks_weights(
    tiny_artifacts: dict[str, Artifact], file_format: Format
) -> None:
    graph = _graph(tiny_artifacts[f"{file_format}-fp32"])
    # BatchNorm's four vectors of 8 are folded into the convolution before it; axes and sizes of
    # slices are constants too, in some formats.
    folded = 4 * count_params(models.tiny()) - 4 * 2 * 8
    assert folded <= graph.weight_bytes <= folded + 400


@pytest.mark.parametrize(
    "name",
    ["coreml-int8", "onnx-int8", "tflite-int8", "executorch-int8"],
)
def test_weights_in_8_bits_are_counted_as_stored(
    tiny_artifacts: dict[str, Artifact], name: str
) -> None:
    full = _graph(tiny_artifacts[f"{name.partition('-')[0]}-fp32"])
    small = _graph(tiny_artifacts[name])

    def convolutions(graph: Graph) -> int:
        return sum(o.weight_bytes for o in graph.operations if "conv" in o.kind.lower())

    # Biases and scales keep their width and are a large part of such a small network.
    assert convolutions(full) / 4 < convolutions(small) < convolutions(full) / 2


def test_unpacking_of_constant_weights_is_no_operation(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    graph = _graph(tiny_artifacts["onnx-int8"])
    assert graph.folded["DequantizeLinear"] == 8  # weights and biases of four layers
    assert graph.histogram["DequantizeLinear"] >= 1  # those of activations stay


@pytest.mark.filterwarnings(
    "ignore"
)  # coremltools runs in this process and raises its own warnings
@pytest.mark.parametrize(
    ("compression", "kind", "packed"),
    [
        # 64 x 32 x 3 x 3 weights in 8 bits, a scale of 2 bytes and a zero of 1 per output channel;
        # in 4 bits, a table of 16 values, and the shape that they unpack to.
        ("int8", "constexpr_affine_dequantize", 18432 + 64 * 2 + 64 + 4),
        ("palette4", "constexpr_lut_to_dense", 18432 // 2 + 16 * 2 + 4 * 4),
    ],
)
def test_compressed_weights_of_core_ml_count_as_stored(
    tmp_path: Path, compression: str, kind: str, packed: int
) -> None:
    import coremltools as ct
    from coremltools.converters.mil import Builder as mb
    from coremltools.optimize import coreml as optimize

    weights = np.random.default_rng(0).normal(size=(64, 32, 3, 3)).astype(np.float32)

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 32, 8, 8))], opset_version=ct.target.iOS16)
    def program(x: object) -> object:
        return mb.conv(x=x, weight=weights, pad_type="same")

    model = ct.convert(program, convert_to="mlprogram", skip_model_load=True,
                       minimum_deployment_target=ct.target.iOS16)  # fmt: skip
    if compression == "int8":
        linear = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int8")
        model = optimize.linear_quantize_weights(model, optimize.OptimizationConfig(linear))
    else:
        table = optimize.OpPalettizerConfig(mode="uniform", nbits=4)
        model = optimize.palettize_weights(model, optimize.OptimizationConfig(table))
    model.save(str(tmp_path / "m.mlpackage"))
    # coremltools is loaded here, so the graph is read with its protobuf messages.
    graph = plugins.exporter("coreml").graph(tmp_path / "m.mlpackage")
    assert graph.folded == {kind: 1}
    [conv] = [operation for operation in graph.operations if operation.kind == "conv"]
    assert packed - 4 <= conv.weight_bytes <= packed
    assert conv.macs == 64 * 8 * 8 * 32 * 9


@pytest.mark.parametrize("file_format", ["onnx", "tflite", "coreml"])
def test_an_operation_names_its_layer(
    tiny_artifacts: dict[str, Artifact], file_format: str
) -> None:
    graph = _graph(tiny_artifacts[f"{file_format}-fp32"])
    [conv] = [o for o in graph.operations if o.layer == "depthwise" and "conv" in o.kind.lower()]
    assert conv.attributes["kernel"] == (3, 3)
    assert conv.macs == 8 * 16 * 16 * 9


def test_what_xnnpack_took_over_is_read_node_by_node(tiny_artifacts: dict[str, Artifact]) -> None:
    graph = _graph(tiny_artifacts["executorch-fp32"])
    assert graph.histogram["XNNConv2d"] == 2 and graph.histogram["XNNDepthwiseConv2d"] == 1
    # XNNPACK does not support a mean that drops its dimensions, so the file has two delegates.
    [outside] = [operation for operation in graph.operations if operation.delegate is None]
    assert outside.kind == "aten::mean"
    assert {o.delegate for o in graph.operations} == {None, "XnnpackBackend"}
    assert len({o.delegate_call for o in graph.operations if o.delegate}) == 2


@pytest.mark.parametrize("file_format", list(Format))
def test_every_value_is_an_input_a_constant_or_made_before_it_is_used(
    tiny_artifacts: dict[str, Artifact], file_format: Format
) -> None:
    graph = _graph(tiny_artifacts[f"{file_format}-fp32"])
    known = {tensor.name for tensor in graph.inputs}
    for operation in graph.operations:
        assert all(t.constant or t.name in known for t in operation.inputs), operation
        known |= {result.name for result in operation.outputs}
    assert {tensor.name for tensor in graph.outputs} <= known
    assert [tensor.shape for tensor in graph.outputs] == [(1, 10)]


def _onnx(path: Path, *nodes: onnx.NodeProto, x: list[int | str], **constants: object) -> Path:
    initializers = [
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    ]
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        initializers,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)
    return path


def _zeros(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    ("kind", "x", "w", "macs", "attributes"),
    [
        ("Conv", [1, 4, 8, 8], (6, 2, 3, 3), 6 * 36 * 2 * 9, {"group": 2}),
        ("ConvTranspose", [1, 4, 8, 8], (4, 6, 2, 2), 4 * 64 * 6 * 4, {"strides": [2, 2]}),
        ("Gemm", [5, 7], (7, 3), 5 * 7 * 3, {}),
        ("Gemm", [7, 5], (7, 3), 5 * 7 * 3, {"transA": 1}),
        ("MatMul", [2, 5, 7], (7, 3), 2 * 5 * 7 * 3, {}),
        ("Einsum", [2, 5, 7], (7, 3), 2 * 5 * 7 * 3, {"equation": "bij,jk->bik"}),
        ("Add", [5, 7], (7,), 0, {}),
    ],
)
def test_macs_follow_from_shapes_that_the_file_leaves_to_be_inferred(
    tmp_path: Path,
    kind: str,
    x: list[int | str],
    w: tuple[int, ...],
    macs: int,
    attributes: dict[str, object],
) -> None:
    node = helper.make_node(kind, ["x", "w"], ["y"], **attributes)
    path = _onnx(tmp_path / "m.onnx", node, x=x, w=_zeros(*w))
    graph = plugins.exporter("onnx").graph(path)
    assert graph.macs == macs
    assert graph.weight_bytes == 4 * int(np.prod(w))


def test_macs_of_a_size_that_is_not_fixed_are_not_known(tmp_path: Path) -> None:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = _onnx(tmp_path / "m.onnx", node, x=["batch", 7], w=_zeros(7, 3))
    graph = plugins.exporter("onnx").graph(path)
    assert graph.macs is None
    assert graph.inputs[0].text == "?x7 float32"


def test_a_constant_that_two_operations_share_is_counted_once(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("MatMul", ["h", "w"], ["y"]),
    ]
    path = _onnx(tmp_path / "m.onnx", *nodes, x=[2, 7], w=_zeros(7, 7))
    graph = plugins.exporter("onnx").graph(path)
    assert [operation.weight_bytes for operation in graph.operations] == [4 * 49, 0]


@pytest.mark.parametrize("file_format", list(Format))
def test_a_damaged_file_is_one_sentence(
    tiny_artifacts: dict[str, Artifact], file_format: Format, tmp_path: Path
) -> None:
    source = tiny_artifacts[f"{file_format}-fp32"].model_path
    if source.is_dir():
        source = source / "Data" / "com.apple.CoreML" / "model.mlmodel"
    path, whole = tmp_path / source.name, source.read_bytes()
    exporter = plugins.exporter(file_format)
    for content in (whole[: len(whole) // 3], whole[:5], b"", b"<html>no model</html>" * 20):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=f"{path} was read as "):
            exporter.graph(path)


def test_reading_loads_neither_torch_nor_coremltools(tiny_artifacts: dict[str, Artifact]) -> None:
    for file_format in Format:
        path = tiny_artifacts[f"{file_format}-fp32"].model_path
        script = (
            "import sys; from pathlib import Path; from mobilebench import plugins\n"
            f"graph = plugins.exporter({file_format.value!r}).graph(Path({str(path)!r}))\n"
            "assert graph.operations\nprint(*sys.modules)"
        )
        process = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
        )
        loaded = {name.partition(".")[0] for name in process.stdout.split()}
        assert loaded.isdisjoint({"torch", "jax", "coremltools", "onnxruntime", "torchao"})
