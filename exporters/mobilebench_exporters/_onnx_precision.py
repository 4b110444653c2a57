"""Other precisions than float32 for ONNX files."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilebench.inputs.seeded import Array, Batch
from mobilebench_exporters._float_parts import stays_float

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto
    from torch import Tensor, nn

QUANTIZED_OPS = (
    "Add",
    "AveragePool",
    "Clip",
    "Concat",
    "Conv",
    "ConvTranspose",
    "Gemm",
    "GlobalAveragePool",
    "MatMul",
    "MaxPool",
    "Mul",
    "Pad",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Resize",
    "Slice",
    "Split",
    "Transpose",
)
_WEIGHT_AXES = {"Conv": 0, "ConvTranspose": 1, "MatMul": -1}
_SMALLEST_WEIGHT = 256
"""Elements; scales would take more room than 8 bits save in a smaller one."""


def in_half(module: nn.Module) -> nn.Module:
    """The network with weights and arithmetic in float16, inputs and outputs still in float32.

    Made in PyTorch: ONNX Runtime's converter leaves graphs that the ONNX checker refuses where
    several of the operations that it keeps in float32 read one tensor.
    """
    import torch
    from torch.utils._pytree import tree_map

    class InHalf(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = copy.deepcopy(module).half()

        def forward(self, *inputs: Tensor) -> Any:
            found = self.network(
                *[tensor.half() if tensor.is_floating_point() else tensor for tensor in inputs]
            )
            return tree_map(lambda output: output.float(), found)

    return InHalf().eval()


def to_int8(path: Path, names: Sequence[str], calibration: Sequence[Batch]) -> None:
    """Bring activations and weights to 8 bits in pairs of QuantizeLinear and DequantizeLinear,
    weights by output channel, except in the parts that stay in floats."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(calibration)

        def get_next(self) -> dict[str, Array] | None:
            batch = next(self._batches, None)
            return None if batch is None else dict(zip(names, batch, strict=True))

    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    quantize_static(
        model,
        path,
        Reader(),
        op_types_to_quantize=list(QUANTIZED_OPS),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[node.name for node in model.graph.node if stays_float(_scope(node))],
        extra_options={"MatMulConstBOnly": True},
    )


def to_int8_weights(path: Path) -> None:
    """Store the weights of convolutions and linear layers in 8 bits by output channel, each
    followed by a DequantizeLinear; arithmetic stays in float32."""
    import onnx

    model = onnx.load(path)
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    dequantizers = []
    for node, name, axis in list(_weights(model)):
        tensor = initializers.pop(name, None)
        if tensor is None:  # another layer shares it and came first
            continue
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _SMALLEST_WEIGHT or values.ndim < 2:
            continue
        stored, scales = _symmetric(values, axis)
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(onnx.numpy_helper.from_array(stored, f"{name}.int8"))
        model.graph.initializer.append(onnx.numpy_helper.from_array(scales, f"{name}.scale"))
        dequantizers.append(
            onnx.helper.make_node(
                "DequantizeLinear",
                [f"{name}.int8", f"{name}.scale"],
                [name],
                name=f"{node.name}.dequantize",
                axis=axis % values.ndim,
            )
        )
    for dequantizer in reversed(dequantizers):
        model.graph.node.insert(0, dequantizer)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _weights(model: ModelProto) -> Iterator[tuple[NodeProto, str, int]]:
    """Layers with the names of their second inputs and the axis of output channels there."""
    for node in model.graph.node:
        if node.op_type in _WEIGHT_AXES:
            yield node, node.input[1], _WEIGHT_AXES[node.op_type]
        elif node.op_type == "Gemm":
            transposed = any(entry.name == "transB" and entry.i for entry in node.attribute)
            yield node, node.input[1], 0 if transposed else 1


def _symmetric(values: Array, axis: int) -> tuple[Array, Array]:
    others = tuple(index for index in range(values.ndim) if index != axis % values.ndim)
    largest = np.abs(values).max(axis=others)
    scales = (np.where(largest > 0, largest, 1.0) / 127.0).astype(np.float32)
    stored = np.rint(values / np.expand_dims(scales, others)).clip(-127, 127).astype(np.int8)
    return stored, scales


def _scope(node: Any) -> str:
    """The classes of the modules that a node came from, as the exporter wrote them down."""
    return next(
        (
            str(entry.value)
            for entry in node.metadata_props
            if entry.key == "pkg.torch.onnx.class_hierarchy"
        ),
        "",
    )
