"""Provoke the rules of every table one by one on real files."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mobilebench import plugins
from mobilebench.inspecting.placement import rules
from mobilebench.inspecting.placement.conditions import CONDITIONS
from mobilebench.inspecting.placement.placing import placements
from mobilebench.values.artifact import Artifact
from mobilebench.values.forecast import Basis, Placement
from mobilebench.values.graph import Graph, Operation, Tensor
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.recipe import Format

TABLES = sorted((Path(rules.__file__).parent / "tables").glob("*-*.toml"))


def _placed(graph: Graph, file_format: Format) -> dict[str, Placement]:
    return {placement.forecast.id: placement for placement in placements(graph, file_format)}


def _reasons(graph: Graph, table: str) -> dict[str, str]:
    placement = _placed(graph, Format(table.partition("-")[0]))[table]
    return {refusal.kind: refusal.reason for refusal in placement.refusals}


def _onnx(path: Path, kind: str, x: list[int | str], **attributes: Any) -> Graph:
    """Write one node, its constants `_w=array`, `_1=array` ... beside its attributes."""
    constants = {name: value for name, value in attributes.items() if name.startswith("_")}
    settings = {name: value for name, value in attributes.items() if not name.startswith("_")}
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", *constants], ["y"], **settings)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)
    return plugins.exporter("onnx").graph(path)


W2D, W1D = np.zeros((2, 3, 3, 3), np.float32), np.zeros((2, 3, 3), np.float32)
ONNX = [
    ("onnx-qnn", "Celu", [1, 3, 8, 8], {}, rules.NOT_LISTED),
    ("onnx-qnn", "Relu", ["n", 3, 8, 8], {}, "a size that is not fixed"),
    ("onnx-qnn", "Relu", [1, 3, 8, 8], {}, None),
    ("onnx-qnn", "Gather", [4, 4], {"_i": np.array([-1])}, "Only supports positive indices"),
    ("onnx-qnn", "Gather", [4, 4], {"_i": np.array([1])}, None),
    ("onnx-nnapi", "Conv", [1, 3, 8, 8], {"_w": W2D}, None),
    ("onnx-nnapi", "Conv", [1, 3, 8], {"_w": W1D}, "Only 2D Conv is supported"),
    ("onnx-nnapi", "Gelu", [1, 3], {}, rules.NOT_LISTED),
    ("onnx-nnapi", "DepthToSpace", [1, 4, 8, 8], {"blocksize": 2, "mode": "CRD"},
     "Only DCR mode DepthToSpace is supported"),
    ("onnx-nnapi", "Pad", [4, 4], {"_p": np.array([0, -1, 0, 0])},
     "Input pads values should be non-negative"),
    ("onnx-nnapi", "Pad", [4, 4], {"_p": np.array([0, 1, 0, 0]), "mode": "reflect"},
     "Only constant mode Pad is supported"),
    ("onnx-coreml", "Conv", [1, 3, 8], {"_w": W1D}, None),
    ("onnx-coreml", "Conv", [1, 3, 8, 8, 8], {"_w": np.zeros((2, 3, 3, 3, 3), np.float32)},
     "Only 1D/2D Conv is supported"),
    ("onnx-coreml", "Abs", [1, 3], {}, rules.NOT_LISTED),
    ("onnx-coreml", "Relu", [1, 1, 1, 1, 1, 2], {}, "more than 5 dimensions"),
    ("onnx-xnnpack", "MatMul", [2, 5, 7], {"_w": np.zeros((7, 3), np.float32)},
     "Only 2D Op is supported"),
    ("onnx-xnnpack", "MatMul", [5, 7], {"_w": np.zeros((7, 3), np.float32)}, None),
    ("onnx-xnnpack", "Add", [5, 7], {"_w": np.zeros(7, np.float32)}, rules.NOT_LISTED),
]  # fmt: skip


@pytest.mark.parametrize(("table", "kind", "x", "attributes", "reason"), ONNX)
def test_onnx_rules(
    tmp_path: Path,
    table: str,
    kind: str,
    x: list[int | str],
    attributes: dict[str, Any],
    reason: str | None,
) -> None:
    graph = _onnx(tmp_path / "m.onnx", kind, x, **attributes)
    assert _reasons(graph, table).get(kind) == reason


def _tflite(
    path: Path, kind: str, tensors: list[tuple[Any, ...]], options: tuple[str, Any] | None = None
) -> Graph:
    """Write one operator and read its graph.

    Tensors are (shape, type), or (array,) for a constant; the last is the result.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, graph, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    model.version, model.operatorCodes, model.buffers = 3, [code], [schema.BufferT()]
    graph.tensors = []
    for index, tensor_spec in enumerate(tensors):
        tensor = schema.TensorT()
        tensor.name, tensor.buffer = f"t{index}", 0
        if isinstance(tensor_spec[0], np.ndarray):
            array = tensor_spec[0]
            buffer = schema.BufferT()
            buffer.data = list(array.tobytes())
            model.buffers.append(buffer)
            tensor.buffer, tensor.shape = len(model.buffers) - 1, list(array.shape)
            tensor.type = getattr(schema.TensorType, array.dtype.name.upper())
        else:
            tensor.shape = [abs(size) for size in tensor_spec[0]]
            tensor.shapeSignature = list(tensor_spec[0])
            tensor.type = getattr(schema.TensorType, tensor_spec[1])
        graph.tensors.append(tensor)
    last = len(tensors) - 1
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, list(range(last)), [last]
    if options:
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options[0])
        operator.builtinOptions = getattr(schema, f"{options[0]}T")()
        for name, value in options[1].items():
            setattr(operator.builtinOptions, name, value)
    graph.operators, graph.inputs, graph.outputs = [operator], [0], [last]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
    return plugins.exporter("tflite").graph(path)


def _f(*shape: int) -> tuple[tuple[int, ...], str]:
    return shape, "FLOAT32"


def _i(*numbers: int) -> tuple[np.ndarray[Any, np.dtype[np.int32]]]:
    return (np.array(numbers, np.int32),)


STRIDED = [_f(1, 8, 8, 2), _i(0, 0, 0, 0), _i(1, 8, 8, 2), _i(1, 2, 1, 1), _f(1, 4, 8, 2)]
PADDING = (np.zeros((2, 2), np.int32),)
TFLITE = [
    ("tflite-gpu", "CONV_2D", [_f(1, 8, 8, 2), (np.zeros((4, 3, 3, 2), np.float32),),
     _f(1, 8, 8, 4)], ("Conv2DOptions", {"strideW": 1, "strideH": 1}), None),
    ("tflite-gpu", "BROADCAST_TO", [_f(1, 2), _i(4, 2), _f(4, 2)], None, rules.NOT_LISTED),
    ("tflite-gpu", "ABS", [_f(1, 1, 1, 1, 4), _f(1, 1, 1, 1, 4)], None, "more than 4 dimensions"),
    ("tflite-gpu", "ABS", [_f(-1, 4), _f(-1, 4)], None, "a size that is not fixed"),
    ("tflite-gpu", "ADD", [_f(2, 4, 8), _f(4, 8), _f(2, 4, 8)], None,
     "operands of different ranks"),
    ("tflite-gpu", "ADD", [_f(1, 2, 4, 8), _f(2, 4, 8), _f(1, 2, 4, 8)], None, None),
    ("tflite-gpu", "ADD", [_f(2, 2, 4, 8), _f(2, 4, 8), _f(2, 2, 4, 8)], None,
     "operands of different ranks"),
    ("tflite-gpu", "SLICE", [_f(8, 8), _i(0, 0), _i(4, 4), _f(4, 4)], None,
     "sliced tensor is not of rank 3 or 4"),
    ("tflite-gpu", "PAD", [_f(8, 8), PADDING, _f(8, 8)], None,
     "padding of a tensor that is not of rank 3 or 4"),
    ("tflite-gpu", "MEAN", [_f(1, 8, 8, 2), ((2,), "INT32"), _f(1, 2)], None,
     "axes that are not constant"),
    ("tflite-gpu", "SOFTMAX", [_f(1, 8), _f(1, 8)], ("SoftmaxOptions", {"beta": 2.0}),
     "beta other than 1"),
    ("tflite-gpu", "GATHER", [_f(8, 4), ((2,), "INT64"), _f(2, 4)], None,
     "a type that the delegate does not compute with"),
    ("tflite-gpu", "GATHER", [_f(8, 4), ((1, 2), "INT32"), _f(1, 2, 4)], None,
     "indices that are not a vector of int32"),
    ("tflite-qnn", "GATHER", [_f(8, 4), ((1, 2), "INT32"), _f(1, 2, 4)], None, None),
    ("tflite-qnn", "CUMSUM", [_f(-1, 4), _i(0), _f(-1, 4)], None, "a size that is not fixed"),
    ("tflite-qnn", "ONE_HOT", [((4,), "INT32"), _i(4), _f(1), _f(1), _f(4, 4)], None,
     rules.NOT_LISTED),
    ("tflite-xnnpack", "CONCATENATION", [*[_f(1, 2)] * 5, _f(5, 2)], None, "more than 4 inputs"),
    ("tflite-xnnpack", "CONCATENATION", [*[_f(1, 2)] * 4, _f(4, 2)], None, None),
    ("tflite-xnnpack", "FULLY_CONNECTED", [_f(1, 4), _f(3, 4), _f(1, 3)], None,
     "weights or bias that are not constant"),
    ("tflite-xnnpack", "STRIDED_SLICE", STRIDED, None, "slice with a step"),
    ("tflite-xnnpack", "STRIDED_SLICE", [*STRIDED[:3], _i(1, 1, 1, 1), _f(1, 8, 8, 2)],
     ("StridedSliceOptions", {"newAxisMask": 1}), "new axis mask"),
    ("tflite-xnnpack", "PAD", [_f(8, 8), (np.array([[0, -1], [0, 0]], np.int32),), _f(7, 8)], None,
     "negative padding"),
    ("tflite-xnnpack", "ADD", [_f(1, 8), _f(1, 8), _f(1, 8)],
     ("AddOptions", {"fusedActivationFunction": 4}),
     "fused activation that XNNPACK does not have"),
    ("tflite-xnnpack", "ABS", [((4,), "INT32"), ((4,), "INT32")], None,
     "neither floats nor 8-bit numbers"),
    ("tflite-xnnpack", "GELU", [((1, 8), "INT8"), ((1, 8), "INT8")], None,
     "not on the list of 8-bit operations"),
    ("tflite-xnnpack", "DEPTHWISE_CONV_2D",
     [_f(1, 8, 8, 2), (np.zeros((1, 3, 3, 2), np.int8),), _f(1, 8, 8, 2)], None,
     "8-bit weights for activations in floats"),
    ("tflite-xnnpack", "GATHER_ND", [_f(8, 4), _i(1), _f(4)], None, rules.NOT_LISTED),
]  # fmt: skip


@pytest.mark.parametrize(("table", "kind", "tensors", "options", "reason"), TFLITE)
def test_tflite_rules(
    tmp_path: Path,
    table: str,
    kind: str,
    tensors: list[tuple[Any, ...]],
    options: tuple[str, Any] | None,
    reason: str | None,
) -> None:
    graph = _tflite(tmp_path / "m.tflite", kind, tensors, options)
    assert _reasons(graph, table).get(kind) == reason


def _conv(mb: Any, x: Any, **settings: Any) -> Any:
    import numpy

    size = settings.pop("size", 3)
    weight = numpy.zeros((4, 4, size, size), numpy.float16)
    return mb.conv(x=x, weight=weight, pad_type="same", **settings)


MIL: list[tuple[tuple[int, ...], Callable[[Any, Any], Any], str, str | None]] = [
    ((1, 4, 32, 32), lambda mb, x: _conv(mb, x), "conv", None),
    ((1, 4, 32, 32), lambda mb, x: _conv(mb, x, dilations=[2, 2]), "conv", "dilated convolution"),
    ((1, 4, 32, 32), lambda mb, x: _conv(mb, x, size=15), "conv", "kernel larger than 13"),
    ((1, 4, 4, 16385), lambda mb, x: mb.relu(x=x), "relu", "a dimension above 16384"),
    ((4, 4), lambda mb, x: mb.gather(x=x, indices=[1, 0], axis=0), "gather",
     "indexing by a tensor"),
    ((4, 4), lambda mb, x: mb.reduce_prod(x=x, axes=[0]), "reduce_prod", rules.NOT_LISTED),
    ((4, 4), lambda mb, x: mb.cast(x=mb.cast(x=x, dtype="int32"), dtype="fp16"), "cast",
     "integers of 32 bits or more"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # coremltools runs in this process and emits its own warnings
@pytest.mark.parametrize(("shape", "build", "kind", "reason"), MIL)
def test_neural_engine_rules(
    tmp_path: Path,
    shape: tuple[int, ...],
    build: Callable[[Any, Any], Any],
    kind: str,
    reason: str | None,
) -> None:
    import coremltools as ct
    from coremltools.converters.mil import Builder as mb
    from coremltools.converters.mil.mil import types

    @mb.program(
        input_specs=[mb.TensorSpec(shape=shape, dtype=types.fp16)], opset_version=ct.target.iOS16
    )
    def program(x: Any) -> Any:
        return build(mb, x)

    pipeline = ct.PassPipeline.EMPTY
    converted = ct.convert(
        program,
        convert_to="mlprogram",
        skip_model_load=True,
        pass_pipeline=pipeline,
        minimum_deployment_target=ct.target.iOS16,
    )
    converted.save(str(tmp_path / "m.mlpackage"))
    graph = plugins.exporter("coreml").graph(tmp_path / "m.mlpackage")
    assert _reasons(graph, "coreml-ane").get(kind) == reason
    assert _reasons(graph, "coreml-cpu") == {}


def test_a_program_in_single_precision_is_refused_by_the_neural_engine_alone(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    def forecasts(name: str) -> dict[str, Placement]:
        path = tiny_artifacts[name].model_path
        return _placed(plugins.exporter("coreml").graph(path), Format.COREML)

    single, half = forecasts("coreml-fp32"), forecasts("coreml-fp16")
    assert single["coreml-ane"].forecast.taken == 0
    assert single["coreml-ane"].forecast.islands == 0
    assert single["coreml-ane"].forecast.macs_off_share == 1
    assert {r.reason for r in single["coreml-ane"].refusals} == {"not in half precision"}
    assert single["coreml-gpu"].forecast.taken == single["coreml-gpu"].forecast.operations
    # The input comes in single precision, and is cast to half outside.
    assert [refusal.kind for refusal in half["coreml-ane"].refusals] == ["cast"]
    assert half["coreml-ane"].forecast.islands == 1
    assert half["coreml-ane"].forecast.macs_off_share == 0


def test_executorch_is_no_forecast_but_the_files_own_partition(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    graph = plugins.exporter("executorch").graph(tiny_artifacts["executorch-fp32"].model_path)
    [placement] = placements(graph, Format.EXECUTORCH)
    assert placement.forecast.basis is Basis.FILE
    assert placement.forecast.unit is ComputeUnit.CPU
    assert placement.forecast.islands == 2
    assert placement.forecast.macs_off_share == 0
    assert [refusal.kind for refusal in placement.refusals] == ["aten::mean"]


@pytest.mark.parametrize(("ep", "table"), [("nnapi", "onnx-nnapi"), ("coreml", "onnx-coreml")])
@pytest.mark.parametrize("name", ["onnx-fp32", "onnx-int8-weights"])
def test_islands_are_those_of_onnxruntimes_own_checker(
    tiny_artifacts: dict[str, Artifact], ep: str, table: str, name: str
) -> None:
    from onnxruntime.tools.mobile_helpers import usability_checker

    path = tiny_artifacts[name].model_path
    model = onnx.load(path)
    theirs = (
        usability_checker.check_nnapi_partitions(model, False)
        if ep == "nnapi"
        else usability_checker.check_coreml_partitions(
            model, False, "coreml_supported_mlprogram_ops.md"
        )
    )
    ours = _placed(plugins.exporter("onnx").graph(path), Format.ONNX)[table].forecast
    assert ours.islands == theirs.num_partitions
    assert ours.operations - ours.taken == theirs.nodes_unsupported_due_to_op - _unpacked(theirs)


def _unpacked(theirs: Any) -> int:
    """Return 1 where their count includes the unpacking of constant weights, else 0.

    A runtime unpacks them once.
    """
    return 1 if "ai.onnx:DequantizeLinear" in theirs.unsupported_ops else 0


@pytest.mark.parametrize("name", ["tflite-fp32", "tflite-int8", "tflite-int8-dynamic"])
def test_xnnpack_islands_are_those_that_litert_makes_here(
    tiny_artifacts: dict[str, Artifact], name: str
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    path = tiny_artifacts[name].model_path
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    delegate_calls = sum(o["op_name"] == "DELEGATE" for o in interpreter._get_ops_details())
    graph = plugins.exporter("tflite").graph(path)
    assert _placed(graph, Format.TFLITE)["tflite-xnnpack"].forecast.islands == delegate_calls


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_names_its_source_and_asks_known_questions_only(path: Path) -> None:
    plain = tomllib.loads(path.read_text())
    assert plain["source"]["title"] and plain["source"]["url"].startswith("https://")
    assert ("shipped" in plain) != ("as_of" in plain["source"])
    conditions = [entry["when"] for entry in plain.get("limits", ())]
    conditions += [note["when"] for note in plain.get("notes", {}).values() if note]
    assert set(conditions) <= CONDITIONS.keys()
    assert all(entry["reason"] for entry in plain.get("limits", ()))


@pytest.mark.parametrize("path", [path for path in TABLES if "shipped" in path.read_text()],
                         ids=lambda path: path.stem)  # fmt: skip
def test_every_sentence_that_onnxruntime_ships_is_known(path: Path) -> None:
    """A new version of the toolkit with a new limit fails here, not silently."""
    plain = tomllib.loads(path.read_text())
    table = rules._shipped(plain["shipped"]["package"], plain["shipped"]["file"])
    assert table and len(table) > 40
    assert {sentence for note in table.values() for sentence in note} == plain["notes"].keys()


def test_every_condition_is_used_by_a_table() -> None:
    text = "".join(path.read_text() for path in TABLES)
    assert [name for name in CONDITIONS if f'"{name}"' not in text] == []


def test_what_a_file_does_not_say_refuses_nothing() -> None:
    blank = Tensor(name="x", shape=None, dtype="unknown")
    operation = Operation(name="o", kind="k", inputs=(blank,), outputs=(blank,), attributes={})
    stated = {"always", "size_not_fixed", "input_form_not", "input_not_constant"}
    values: dict[str, Any] = {
        "dtype_in": ["float32"], "input_rank_not_in": [4], "attribute_not_in": {"a": [1]},
        "rows_not_in": {"input": 0, "allowed": [3]}, "attribute_set": "a", "kept_over_ranks": "a",
        "not_all_ones": 0, "negative_numbers": 0,
    }  # fmt: skip
    for name in CONDITIONS.keys() - stated:
        assert not CONDITIONS[name](operation, values.get(name, 5)), name
