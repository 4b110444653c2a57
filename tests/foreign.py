"""Model files as other people's toolkits write them: names, layouts and open sizes of theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def light(name: str) -> Path:
    """Return a published network that the onnx package ships without its weights."""
    path = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx"
    assert path.is_file(), f"this version of onnx has no {path.name}"
    return path


def convolution(path: Path, *, sizes: tuple[int | str, ...] = ("N", 3, "H", "W")) -> Path:
    """Write an ONNX file with one convolution, which leaves the sizes that are words open."""
    weight = np.linspace(-1, 1, 4 * 3 * 3 * 3, dtype=np.float32).reshape(4, 3, 3, 3)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image/0:0", "weight"], ["map"], pads=[1, 1, 1, 1])],
        "convolution",
        [helper.make_tensor_value_info("image/0:0", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, (sizes[0], 4, *sizes[2:]))],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, path)
    return path


def image_sum(path: Path, shape: tuple[int, ...], axes: tuple[int, ...], names: str) -> Path:
    """Write an ONNX file with two outputs: the mean over the image, and twice the image.

    `names` is the letter that its outputs' names start with.
    """
    means, doubled = f"{names}_mean", f"{names}_double"
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x", "axes"], [means], keepdims=0),
            helper.make_node("Add", ["x", "x"], [doubled]),
        ],
        "image",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(means, TensorProto.FLOAT, (shape[0], 3)),
            helper.make_tensor_value_info(doubled, TensorProto.FLOAT, shape),
        ],
        [numpy_helper.from_array(np.array(axes, np.int64), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, path)
    return path


def difference(path: Path, *, batch: int = 1) -> Path:
    """Write a TFLite file that computes `b_10 - a_2`, in this order, without a signature.

    A batch of -1 leaves the first size open.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    def tensor(name: str) -> schema.TensorT:
        made = schema.TensorT()
        made.name, made.shape = name, [1, 4]
        made.shapeSignature = [batch, 4] if batch < 0 else None
        made.type, made.buffer = schema.TensorType.FLOAT32, 0
        return made

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SUB
    code.version = 1
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0, 1], [2]
    operator.builtinOptionsType = schema.BuiltinOptions.SubOptions
    operator.builtinOptions = schema.SubOptionsT()
    graph = schema.SubGraphT()
    graph.tensors = [tensor("b_10"), tensor("a_2"), tensor("out")]
    graph.inputs, graph.outputs, graph.operators = [0, 1], [2], [operator]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path
