"""Read a TFLite file back as a graph."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mobilebench.errors import ModelFileError
from mobilebench.values.graph import (
    Attribute,
    Graph,
    ModelIO,
    Operation,
    Shape,
    Tensor,
    assemble,
    times,
)

_SHORT = 32
# The fields of each table of options that decide where an operation can run.
_OPTIONS: dict[str, tuple[str, ...]] = {
    "Conv2DOptions": ("FusedActivationFunction",),
    "DepthwiseConv2DOptions": ("DepthMultiplier", "FusedActivationFunction"),
    "TransposeConvOptions": ("FusedActivationFunction",),
    "Pool2DOptions": ("FusedActivationFunction",),
    "AddOptions": ("FusedActivationFunction",),
    "SubOptions": ("FusedActivationFunction",),
    "MulOptions": ("FusedActivationFunction",),
    "DivOptions": ("FusedActivationFunction",),
    "FullyConnectedOptions": ("FusedActivationFunction", "KeepNumDims"),
    "ConcatenationOptions": ("Axis", "FusedActivationFunction"),
    "SoftmaxOptions": ("Beta",),
    "GeluOptions": ("Approximate",),
    "ReducerOptions": ("KeepDims",),
    "BatchMatMulOptions": ("AdjX", "AdjY"),
    "GatherOptions": ("Axis", "BatchDims"),
    "PackOptions": ("Axis",),
    "UnpackOptions": ("Axis",),
    "SplitOptions": ("NumSplits",),
    "SplitVOptions": ("NumSplits",),
    "DepthToSpaceOptions": ("BlockSize",),
    "SpaceToDepthOptions": ("BlockSize",),
    "ResizeBilinearOptions": ("AlignCorners", "HalfPixelCenters"),
    "ResizeNearestNeighborOptions": ("AlignCorners", "HalfPixelCenters"),
    "StridedSliceOptions": (
        "BeginMask",
        "EndMask",
        "EllipsisMask",
        "NewAxisMask",
        "ShrinkAxisMask",
    ),
    "MirrorPadOptions": ("Mode",),
}
_PAIRS = {
    "kernel": ("FilterHeight", "FilterWidth"),
    "strides": ("StrideH", "StrideW"),
    "dilations": ("DilationHFactor", "DilationWFactor"),
}


def root(path: Path) -> Any:
    """Return the model of a `.tflite` file.

    Raises `ModelFileError` if the file is not a TFLite model.
    """
    from ai_edge_litert import schema_py_generated as schema

    data = path.read_bytes()
    if data[4:8] != b"TFL3":
        raise ModelFileError(f"{path} was read as a TFLite model, but it is not one.")
    return schema.Model.GetRootAs(data)


def read(path: Path) -> Graph:
    """Return the first subgraph of a `.tflite` file as a graph.

    Raises `ModelFileError` if the file is not a TFLite model or is damaged.
    """
    with _reading(path) as graph:
        return graph.graph()


def read_io(path: Path) -> ModelIO:
    """Return what the first subgraph of a `.tflite` file takes and gives.

    Raises as `read` does.
    """
    with _reading(path) as graph:
        return graph.io()


def weights(path: Path) -> dict[str, dict[str, int]]:
    """Return the bytes of the buffers that each signature of a file reads, by their numbers.

    Empty for a file of one subgraph. Raises as `read` does.
    """
    model = root(path)
    if model.SubgraphsLength() < 2:
        return {}
    with _reading(path):
        signatures = [model.SignatureDefs(i) for i in range(model.SignatureDefsLength())]
        return {
            signature.SignatureKey().decode(): _buffers(model, signature.SubgraphIndex())
            for signature in signatures
        }


def _buffers(model: Any, subgraph: int) -> dict[str, int]:
    graph = model.Subgraphs(subgraph)
    numbers = {graph.Tensors(index).Buffer() for index in range(graph.TensorsLength())}
    sizes = {number: model.Buffers(number) for number in numbers}
    return {
        f"buffer {number}": buffer.DataLength() or buffer.Size()
        for number, buffer in sizes.items()
        if buffer.DataLength() or buffer.Size()
    }


@contextmanager
def _reading(path: Path) -> Iterator[_TfliteGraph]:
    model = root(path)
    try:
        yield _TfliteGraph(model)
    except (struct.error, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{path} was read as a TFLite model, but it is damaged; export it again."
        ) from error


def operator_name(code: Any, names: Mapping[int, str]) -> str:
    """Return an operator's name in the schema, or the name that a custom operator declares."""
    # Codes above 127 do not fit into the old field, which then holds 127.
    name = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    return str(code.CustomCode().decode()) if name == "CUSTOM" else name


def names(enum: type) -> dict[int, str]:
    """Return the names of a generated enum by their codes."""
    return {code: name for name, code in vars(enum).items() if isinstance(code, int)}


class _TfliteGraph:
    def __init__(self, model: Any) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self._schema = schema
        self._model = model
        self._graph = model.Subgraphs(0)
        self._dtypes = {code: name.lower() for code, name in names(schema.TensorType).items()}
        self._options = names(schema.BuiltinOptions)
        self._activations = names(schema.ActivationFunctionType)
        kinds = names(schema.BuiltinOperator)
        self._kinds = [
            operator_name(model.OperatorCodes(index), kinds)
            for index in range(model.OperatorCodesLength())
        ]
        self._tensors: dict[int, Tensor] = {}

    def graph(self) -> Graph:
        inputs, outputs = self._graph.InputsAsNumpy(), self._graph.OutputsAsNumpy()
        return assemble(
            self._operations(),
            [self._tensor(int(index)) for index in inputs],
            [self._tensor(int(index)) for index in outputs],
        )

    def io(self) -> ModelIO:
        """Return inputs and outputs by their names in the signature, where the file has one."""
        names = self._signature_names()

        def ends(indices: Any) -> tuple[Tensor, ...]:
            tensors = [self._tensor(int(index)) for index in indices]
            # The tensors of a graph are called `INDEX NAME`, for names need not be unique.
            return tuple(
                replace(tensor, name=names.get(int(index), tensor.name.partition(" ")[2]))
                for index, tensor in zip(indices, tensors, strict=True)
            )

        return ModelIO(
            inputs=ends(self._graph.InputsAsNumpy()), outputs=ends(self._graph.OutputsAsNumpy())
        )

    def _signature_names(self) -> dict[int, str]:
        """Return the names of tensors in the signature of the first subgraph."""
        for position in range(self._model.SignatureDefsLength()):
            signature = self._model.SignatureDefs(position)
            if signature.SubgraphIndex() == 0:
                entries = [signature.Inputs(i) for i in range(signature.InputsLength())]
                entries += [signature.Outputs(i) for i in range(signature.OutputsLength())]
                return {e.TensorIndex(): e.Name().decode("utf-8", "replace") for e in entries}
        return {}

    def _operations(self) -> Iterator[Operation]:
        for position in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(position)
            kind = self._kinds[operator.OpcodeIndex()]
            inputs = self._values(operator.InputsAsNumpy(), operator.InputsLength())
            outputs = self._values(operator.OutputsAsNumpy(), operator.OutputsLength())
            attributes = self._attributes(operator)
            if kind.endswith("CONV_2D") or kind == "TRANSPOSE_CONV":
                _add_kernel(attributes, inputs)
            yield Operation(
                name=f"{kind} {position}",
                kind=kind,
                inputs=inputs,
                outputs=outputs,
                attributes=attributes,
                macs=_macs(kind, inputs, outputs, attributes),
                layer=_layer(outputs[0].name) if outputs else None,
            )

    def _values(self, indices: Any, count: int) -> tuple[Tensor, ...]:
        # An optional input that is absent is -1.
        return tuple(self._tensor(int(i)) for i in (indices if count else ()) if i >= 0)

    def _tensor(self, index: int) -> Tensor:
        if index not in self._tensors:
            self._tensors[index] = self._read_tensor(index)
        return self._tensors[index]

    def _read_tensor(self, index: int) -> Tensor:
        record = self._graph.Tensors(index)
        dtype = self._dtypes.get(record.Type(), "unknown")
        buffer = self._model.Buffers(record.Buffer())
        size = buffer.DataLength() or buffer.Size()
        sizes = record.ShapeSignatureAsNumpy() if record.ShapeSignatureLength() else None
        if sizes is None:
            sizes = record.ShapeAsNumpy() if record.ShapeLength() else ()
        shape: Shape = tuple(None if size < 0 else int(size) for size in sizes)
        integers = None
        if buffer.DataLength() and dtype in ("int32", "int64"):
            width, code = (4, "i") if dtype == "int32" else (8, "q")
            count = buffer.DataLength() // width
            if count <= _SHORT:
                integers = struct.unpack(f"<{count}{code}", buffer.DataAsNumpy().tobytes())
        return Tensor(
            name=f"{index} {record.Name().decode('utf-8', 'replace')}",
            shape=shape,
            dtype=dtype,
            constant=size > 0,
            size_bytes=int(size),
            integers=integers,
        )

    def _attributes(self, operator: Any) -> dict[str, Attribute]:
        attributes: dict[str, Attribute] = {}
        table = self._options.get(operator.BuiltinOptionsType(), "NONE")
        record = operator.BuiltinOptions()
        reader = getattr(self._schema, table, None)
        if record is None or reader is None:
            return attributes
        options = reader()
        options.Init(record.Bytes, record.Pos)
        for name, pair in _PAIRS.items():
            if all(hasattr(options, part) for part in pair):
                attributes[name] = tuple(int(getattr(options, part)()) for part in pair)
        for field in _OPTIONS.get(table, ()):
            value = getattr(options, field)()
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", field).lower()
            if field == "FusedActivationFunction":
                attributes["activation"] = self._activations[value]
            else:
                attributes[name] = value
        return attributes


def _add_kernel(attributes: dict[str, Attribute], inputs: Sequence[Tensor]) -> None:
    weight = inputs[1].shape if len(inputs) > 1 else None
    if weight and len(weight) == 4 and weight[1] is not None and weight[2] is not None:
        attributes["kernel"] = (weight[1], weight[2])


# `a.b.Stem_stem/torch.nn.modules.conv.Conv2d_0;2` is the third value of the module `stem.0`.
_MODULE = re.compile(r"(?:[A-Za-z]\w*\.)+[A-Za-z]\w*?_(\w+)")


def _layer(name: str) -> str | None:
    """Return the path of the module that LiteRT Torch writes into the name of a result."""
    path = name.partition(" ")[2].partition(";")[0]
    parts = [match[1] for part in path.split("/")[1:] if (match := _MODULE.fullmatch(part))]
    return ".".join(parts) or None


def _macs(
    kind: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    attributes: dict[str, Attribute],
) -> int | None:
    if not outputs:
        return 0
    out = outputs[0].elements
    if kind == "CONV_2D":
        weight = inputs[1].shape
        return None if weight is None else times(out, *weight[1:])
    if kind == "DEPTHWISE_CONV_2D":
        weight = inputs[1].shape
        return None if weight is None else times(out, *weight[1:3])
    if kind == "TRANSPOSE_CONV":
        weight = inputs[1].shape
        return None if weight is None else times(inputs[2].elements, *weight[:3])
    if kind == "CONV_3D":
        weight = inputs[1].shape
        return None if weight is None else times(out, *weight[:4])
    if kind == "FULLY_CONNECTED":
        weight = inputs[1].shape
        return None if not weight else times(out, weight[-1])
    if kind == "BATCH_MATMUL":
        shape = inputs[0].shape
        return None if not shape else times(out, shape[-2 if attributes.get("adj_x") else -1])
    return 0
