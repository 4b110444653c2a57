"""Bring ONNX models to other precisions than float32."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilebench.inputs.seeded import Array, Batch
from mobilebench_exporters import _onnx_graph
from mobilebench_exporters._divisions import in_floats, steps_of
from mobilebench_exporters._float_parts import stays_float
from mobilebench_exporters._onnx_metadata import take_classes

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
"""In elements; in a smaller weight the scales take more room than 8 bits save."""


def in_half(module: nn.Module) -> nn.Module:
    """Return the network in float16, with inputs and outputs still in float32.

    Weights and arithmetic are converted in PyTorch. ONNX Runtime's converter writes graphs that the
    ONNX checker refuses if several of the operations that it keeps in float32 read one tensor.
    """
    import torch
    from torch.utils._pytree import tree_map

    class InHalf(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = copy.deepcopy(module).half()

        def forward(self, *inputs: Tensor) -> Any:
            outputs = self.network(
                *[tensor.half() if tensor.is_floating_point() else tensor for tensor in inputs]
            )
            return tree_map(lambda output: output.float(), outputs)

    return InHalf().eval()


def to_int8(
    path: Path, names: Sequence[str], calibration: Sequence[Batch], *, external: bool
) -> None:
    """Quantize activations and weights to 8 bits, except the parts that stay in floats.

    The file has pairs of QuantizeLinear and DequantizeLinear. Weights have one scale for each
    output channel. With `external` the weights lie beside the file, before and after.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(calibration)

        def get_next(self) -> dict[str, Array] | None:
            batch = next(self._batches, None)
            return None if batch is None else dict(zip(names, batch, strict=True))

    divisions = in_floats(steps_of(_onnx_graph.read(path)))
    shaped = path.with_name("shaped.onnx")  # in the same folder: it names the weights beside it
    onnx.shape_inference.infer_shapes_path(str(path), str(shaped))
    model = onnx.load(shaped)
    shaped.unlink()
    _remove(path)
    classes = take_classes(model)
    quantize_static(
        model,
        path,
        Reader(),
        op_types_to_quantize=list(QUANTIZED_OPS),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[
            node.name
            for node in model.graph.node
            if stays_float(classes.get(node.name, "")) or node.name in divisions
        ],
        extra_options={"MatMulConstBOnly": True},
        use_external_data_format=external,
    )


def _remove(path: Path) -> None:
    """Remove a file and the weights beside it; writers of ONNX append to weights that exist."""
    path.unlink()
    path.with_name(f"{path.name}.data").unlink(missing_ok=True)


def to_int8_weights(path: Path, one_file_bytes: int) -> None:
    """Store the weights of convolutions and linear layers in 8 bits.

    Weights have one scale for each output channel and are followed by a DequantizeLinear.
    Arithmetic stays in float32. A file of more than `one_file_bytes` has its weights beside it.
    """
    import onnx

    model = onnx.load(path)
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    dequantizers = []
    for node, name, axis in list(_weights(model)):
        tensor = initializers.pop(name, None)
        if tensor is None:  # shared with an earlier layer, which replaced it
            continue
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _SMALLEST_WEIGHT or values.ndim < 2:
            continue
        levels, scales = _quantize_symmetric(values, axis)
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(onnx.numpy_helper.from_array(levels, f"{name}.int8"))
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
    _remove(path)
    external = sum(len(tensor.raw_data) for tensor in model.graph.initializer) > one_file_bytes
    onnx.save(
        model,
        path,
        save_as_external_data=external,
        location=f"{path.name}.data",  # without small ones: runtimes read axes from the file
    )
    onnx.checker.check_model(str(path))


def _weights(model: ModelProto) -> Iterator[tuple[NodeProto, str, int]]:
    """Yield each layer, the name of its weight, and the axis of output channels in it."""
    for node in model.graph.node:
        if node.op_type in _WEIGHT_AXES:
            yield node, node.input[1], _WEIGHT_AXES[node.op_type]
        elif node.op_type == "Gemm":
            transposed = any(entry.name == "transB" and entry.i for entry in node.attribute)
            yield node, node.input[1], 0 if transposed else 1


def _quantize_symmetric(values: Array, axis: int) -> tuple[Array, Array]:
    others = tuple(index for index in range(values.ndim) if index != axis % values.ndim)
    largest = np.abs(values).max(axis=others)
    scales = (np.where(largest > 0, largest, 1.0) / 127.0).astype(np.float32)
    levels = np.rint(values / np.expand_dims(scales, others)).clip(-127, 127).astype(np.int8)
    return levels, scales
