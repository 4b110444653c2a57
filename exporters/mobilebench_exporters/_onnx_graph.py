"""Read an ONNX file back as a graph."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mobilebench.errors import ModelFileError
from mobilebench.values.graph import (
    Attribute,
    Graph,
    ModelIO,
    Operation,
    Tensor,
    assemble,
    einsum_macs,
    stored_bytes,
    times,
)
from mobilebench_exporters import _onnx_together

_NAMES = {"kernel_shape": "kernel", "group": "groups"}
_SCOPES = "pkg.torch.onnx.name_scopes"
# Elements up to which a constant is read: axes, sizes and paddings are shorter.
_SHORT = 32
# Bytes above which a constant is dropped before shape inference, which reads only small ones.
_SMALL_BYTES = 1024


def load(path: Path) -> Any:
    """Return the model of an `.onnx` file; external data is not read.

    Raises `ModelFileError` if the file is not an ONNX model or is damaged.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise ModelFileError(
            f"{path} was read as an ONNX model, but it is not one or is damaged; export it again."
        ) from error
    if not model.opset_import or not model.graph.output:
        raise ModelFileError(f"{path} was read as an ONNX model, but it holds no graph.")
    return model


def read(path: Path) -> Graph:
    """Return the graph of an `.onnx` file.

    Raises `ModelFileError` if the file is not an ONNX model or is damaged.
    """
    return _OnnxGraph(_widest(load(path))).graph()


def read_io(path: Path) -> ModelIO:
    """Return what an `.onnx` file takes and gives, and the files of its weights.

    Raises as `read` does.
    """
    model = load(path)
    graph = _OnnxGraph(_widest(model)).graph()
    files = {
        entry.value
        for initializer in model.graph.initializer
        for entry in initializer.external_data
        if entry.key == "location"
    }
    return ModelIO(inputs=graph.inputs, outputs=graph.outputs, weight_files=tuple(sorted(files)))


def _widest(model: Any) -> Any:
    """Return the widest of several widths as a model; any other model as it is."""
    return _onnx_together.alone(model) if _onnx_together.listed(model) else model


class _OnnxGraph:
    def __init__(self, model: Any) -> None:
        import onnx

        self._elements = onnx.TensorProto
        self._constants = {c.name: self._constant(c.name, c) for c in model.graph.initializer}
        self._graph = model.graph
        names_with_shape = {
            value.name
            for value in (*model.graph.value_info, *model.graph.output)
            if value.type.tensor_type.HasField("shape")
        }
        if any(o and o not in names_with_shape for node in model.graph.node for o in node.output):
            _drop_weights(model.graph)
            self._graph = onnx.shape_inference.infer_shapes(model).graph
        self._values = {
            value.name: self._tensor(value)
            for value in (*self._graph.value_info, *self._graph.input, *self._graph.output)
        }
        self._values |= self._constants

    def graph(self) -> Graph:
        inputs = [v for v in self._graph.input if v.name not in self._constants]
        return assemble(
            self._operations(),
            [self._values[value.name] for value in inputs],
            [self._values[value.name] for value in self._graph.output],
        )

    def _operations(self) -> Iterator[Operation]:
        for position, node in enumerate(self._graph.node):
            attributes, constants = self._attributes(node)
            inputs = [self._value(name) for name in node.input if name] + constants
            outputs = [self._value(name) for name in node.output if name]
            kind = node.op_type
            if node.domain not in ("", "ai.onnx"):
                kind = f"{node.domain}:{kind}"
            yield Operation(
                name=node.name or f"{node.op_type} {position}",
                kind=kind,
                inputs=tuple(inputs),
                outputs=tuple(outputs),
                attributes=attributes,
                macs=_macs(node.op_type, inputs, outputs, attributes),
                layer=_layer(node),
            )

    def _value(self, name: str) -> Tensor:
        return self._values.get(name) or Tensor(name=name, shape=None, dtype="unknown")

    def _attributes(self, node: Any) -> tuple[dict[str, Attribute], list[Tensor]]:
        """Return the attributes of a node, and the constants that it holds itself."""
        import onnx

        attributes: dict[str, Attribute] = {}
        constants: list[Tensor] = []
        for attribute in node.attribute:
            value = onnx.helper.get_attribute_value(attribute)
            name = _NAMES.get(attribute.name, attribute.name)
            if isinstance(value, bytes):
                attributes[name] = value.decode("utf-8", "replace")
            elif isinstance(value, int | float):
                attributes[name] = value
            elif isinstance(value, list) and all(isinstance(v, int | float) for v in value):
                attributes[name] = tuple(value)
            elif isinstance(value, onnx.TensorProto):
                constants.append(self._constant(f"{node.output[0]} {name}", value))
        return attributes, constants

    def _constant(self, name: str, proto: Any) -> Tensor:
        shape = tuple(proto.dims)
        dtype = self._dtype(proto.data_type)
        elements = math.prod(shape)
        integers = None
        if elements <= _SHORT and dtype in ("int32", "int64") and not proto.external_data:
            from onnx import numpy_helper

            integers = tuple(int(v) for v in numpy_helper.to_array(proto).ravel())
        return Tensor(
            name=name,
            shape=shape,
            dtype=dtype,
            constant=True,
            size_bytes=stored_bytes(elements, dtype),
            integers=integers,
        )

    def _tensor(self, value: Any) -> Tensor:
        kind = value.type.tensor_type
        shape = None
        if kind.HasField("shape"):
            shape = tuple(
                size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim
            )
        return Tensor(name=value.name, shape=shape, dtype=self._dtype(kind.elem_type))

    def _dtype(self, code: int) -> str:
        name = str(self._elements.DataType.Name(code)).lower()
        return {"float": "float32", "double": "float64", "undefined": "unknown"}.get(name, name)


def _drop_weights(graph: Any) -> None:
    for initializer in graph.initializer:
        if len(initializer.raw_data) > _SMALL_BYTES:
            initializer.ClearField("raw_data")


def _layer(node: Any) -> str | None:
    """Return the innermost module that torch.export names; the last scope is the call itself."""
    for entry in node.metadata_props:
        if entry.key == _SCOPES:
            scopes = [scope for scope in re.findall(r"'([^']*)'", str(entry.value))[:-1] if scope]
            return scopes[-1] if scopes else None
    return None


def _macs(
    kind: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    attributes: dict[str, Attribute],
) -> int | None:
    if not outputs:
        return 0
    out = outputs[0].elements
    if kind in ("Conv", "ConvInteger", "FusedConv", "QLinearConv"):
        weight = inputs[3 if kind == "QLinearConv" else 1].shape
        return None if weight is None else times(out, *weight[1:])
    if kind == "ConvTranspose":
        weight = inputs[1].shape
        return None if weight is None else times(inputs[0].elements, *weight[1:])
    if kind in ("MatMul", "MatMulInteger", "QLinearMatMul", "Gemm", "FusedMatMul"):
        shape = inputs[0].shape
        return None if not shape else times(out, shape[-2 if attributes.get("transA") else -1])
    if kind == "Einsum":
        return einsum_macs(str(attributes.get("equation", "")), [tensor.shape for tensor in inputs])
    return 0
