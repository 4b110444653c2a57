"""Read a Core ML package back as a graph, from its protobuf alone.

`import coremltools` takes many seconds. The protobuf modules that define the file format are part
of coremltools but do not import the rest of it, so they are loaded alone under a separate name.
Both names share protobuf's single pool of message types.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

from mobilebench.errors import MissingToolkit, ModelFileError
from mobilebench.values.graph import (
    Attribute,
    Graph,
    ModelIO,
    Operation,
    Shape,
    Tensor,
    assemble,
    einsum_macs,
    stored_bytes,
    times,
)

_PROTO = "_mobilebench_coreml_proto"
_MODEL = Path("Data") / "com.apple.CoreML" / "model.mlmodel"
MAIN = "main"
"""The function that computes where none is chosen."""
_SHORT = 32
# Codes in FeatureTypes.proto.
_ARRAY_TYPES = {65568: "float32", 65600: "float64", 65552: "float16", 131104: "int32"}
_GRAYSCALE = (10, 40)
_NAMES = {"kernel_sizes": "kernel"}
# Parameters that are operands, not settings; those that carry data come first.
_OPERANDS = (
    "x", "y", "a", "b", "values", "input", "data", "query", "key", "value", "attn_mask", "indices",
    "cond", "update", "weight", "bias", "gamma", "beta", "mean", "variance", "alpha",
)  # fmt: skip


def load(path: Path) -> Any:
    """Return the model of a `.mlpackage` folder or `.mlmodel` file, which is an ML Program.

    Raises `ModelFileError` if the file is missing or damaged, or of another kind.
    """
    model = _load(path)
    kind = model.WhichOneof("Type")
    if kind != "mlProgram":
        raise ModelFileError(
            f"{path} was read as a Core ML ML Program, but it is a model of the kind {kind}; "
            f"convert it with convert_to='mlprogram'."
        )
    return model


def read_io(path: Path) -> ModelIO:
    """Return what a model of any kind takes and gives.

    Raises as `read` does for a damaged file.
    """
    description = described(_load(path))
    return ModelIO(
        inputs=tuple(_feature(feature) for feature in description.input),
        outputs=tuple(
            _feature(feature)
            for feature in description.output
            # The label of a classifier; its scores determine it.
            if feature.type.WhichOneof("Type") != "stringType"
        ),
    )


def described(model: Any) -> Any:
    """Return what a model takes and gives; of one with several functions, what `main` does."""
    functions = [each for each in model.description.functions if each.name == MAIN]
    return functions[0] if functions else model.description


def weights(path: Path) -> dict[str, dict[str, int]]:
    """Return the bytes of the stored weights that each function of a package reads.

    They are called by their place in the file of weights. Empty for a package of one function.
    Raises as `read` does.
    """
    model = _load(path)
    names = [function.name for function in model.description.functions]
    if len(names) < 2:
        return {}
    return {name: _Program(model, name).weights() for name in names}


def _feature(feature: Any) -> Tensor:
    kind = feature.type.WhichOneof("Type")
    if kind == "imageType":
        image = feature.type.imageType
        channels = 1 if image.colorSpace in _GRAYSCALE else 3
        return Tensor(
            name=feature.name, shape=(1, channels, image.height, image.width), dtype="uint8"
        )
    if kind != "multiArrayType":
        return Tensor(name=feature.name, shape=None, dtype=str(kind).removesuffix("Type"))
    array = feature.type.multiArrayType
    return Tensor(
        name=feature.name, shape=_sizes(array), dtype=_ARRAY_TYPES.get(array.dataType, "unknown")
    )


def _sizes(array: Any) -> Shape:
    """Return the sizes of an array; None for each that the file allows to vary."""
    if array.WhichOneof("ShapeFlexibility") == "shapeRange":
        ranges = array.shapeRange.sizeRanges
        return tuple(
            int(size.lowerBound) if size.lowerBound == size.upperBound else None for size in ranges
        )
    shapes = [tuple(shape.shape) for shape in array.enumeratedShapes.shapes]
    shapes.append(tuple(array.shape))
    return tuple(
        int(sizes[0]) if len(set(sizes)) == 1 else None for sizes in zip(*shapes, strict=False)
    )


def _load(path: Path) -> Any:
    from google.protobuf.message import DecodeError

    file = path / _MODEL if path.is_dir() else path
    if not file.is_file():
        raise ModelFileError(f"{path} was read as a Core ML package, but it holds no {_MODEL}.")
    model = _messages().Model()
    try:
        model.ParseFromString(file.read_bytes())
    except DecodeError as error:
        raise ModelFileError(
            f"{path} was read as a Core ML package, but it is damaged; export it again."
        ) from error
    if model.WhichOneof("Type") is None:
        raise ModelFileError(f"{path} was read as a Core ML model, but it is not one.")
    return model


def read(path: Path) -> Graph:
    """Return the graph of a package's `main` function, or of its first function.

    Raises `ModelFileError` if the file is missing or damaged, or is not an ML Program.
    """
    model = load(path)
    try:
        return _Program(model).graph()
    except (KeyError, IndexError) as error:
        raise ModelFileError(
            f"{path} was read as a Core ML package, but its program refers to values that do not "
            f"exist; export it again."
        ) from error


@cache
def _messages() -> Any:
    if "coremltools" in sys.modules:
        return importlib.import_module("coremltools.proto.Model_pb2")
    spec = find_spec("coremltools")
    folders = (spec.submodule_search_locations if spec else None) or ()
    if not folders:
        raise MissingToolkit(
            "Reading a Core ML package needs the package 'coremltools', which is not installed; "
            "run: pip install 'mobilebench[coreml]'"
        )
    package = module_from_spec(ModuleSpec(_PROTO, None, is_package=True))
    package.__path__ = [str(Path(folder) / "proto") for folder in folders]
    sys.modules[_PROTO] = package
    return importlib.import_module(f"{_PROTO}.Model_pb2")


class _Program:
    def __init__(self, model: Any, name: str | None = None) -> None:
        program = model.mlProgram
        if name is None:
            name = MAIN if MAIN in program.functions else sorted(program.functions)[0]
        self._function = program.functions[name]
        self._block = self._function.block_specializations[self._function.opset]
        types = program.DESCRIPTOR.file.enum_types_by_name["DataType"].values
        self._types = {entry.number: entry.name.lower() for entry in types}
        self._values: dict[str, Tensor] = {}
        self._settings: dict[str, Attribute] = {}

    def graph(self) -> Graph:
        for value in self._function.inputs:
            self._values[value.name] = self._tensor(value.name, value.type)
        operations = list(self._operations())
        return assemble(
            operations,
            [self._values[value.name] for value in self._function.inputs],
            [self._values[name] for name in self._block.outputs],
        )

    def weights(self) -> dict[str, int]:
        """Return the bytes of each part of the file of weights that the function reads."""
        values = [
            value
            for op in self._block.operations
            for value in (
                *op.attributes.values(),
                *(a.value for i in op.inputs.values() for a in i.arguments if a.HasField("value")),
            )
            if value.WhichOneof("value") == "blobFileValue"
        ]
        return {
            f"at {value.blobFileValue.offset}": self._constant_tensor("", value).size_bytes or 0
            for value in values
        }

    def _operations(self) -> Iterator[Operation]:
        for op in self._block.operations:
            if op.type == "const":
                self._constant(op)
                continue
            inputs, attributes, by_name = self._arguments(op)
            outputs = [self._tensor(output.name, output.type) for output in op.outputs]
            self._values |= {output.name: output for output in outputs}
            name = op.attributes["name"].immediateValue.tensor.strings.values
            weight = by_name.get("weight")
            if op.type.startswith("conv") and weight is not None and weight.shape:
                kernel = weight.shape[2:]
                if None not in kernel:
                    attributes["kernel"] = tuple(size or 0 for size in kernel)
            yield Operation(
                name=name[0] if name else outputs[0].name,
                kind=op.type,
                inputs=tuple(inputs),
                outputs=tuple(outputs),
                attributes=attributes,
                macs=_macs(op.type, by_name, outputs, attributes),
                layer=_layer(weight),
            )

    def _constant(self, op: Any) -> None:
        output = op.outputs[0]
        value = op.attributes["val"]
        self._values[output.name] = self._constant_tensor(output.name, value)
        setting = _setting(value)
        if setting is not None:
            self._settings[output.name] = setting

    def _constant_tensor(self, name: str, value: Any) -> Tensor:
        """Return a constant as a tensor, whether its numbers are in the program or beside it."""
        tensor = self._tensor(name, value.type)
        size = stored_bytes(tensor.elements, tensor.dtype)
        setting = _setting(value)
        integers = setting if isinstance(setting, tuple) and tensor.dtype.startswith("int") else ()
        return Tensor(
            name=name,
            shape=tensor.shape,
            dtype=tensor.dtype,
            constant=True,
            size_bytes=size,
            integers=tuple(int(number) for number in integers) or None,
        )

    def _arguments(self, op: Any) -> tuple[list[Tensor], dict[str, Attribute], dict[str, Tensor]]:
        """Return an operation's inputs, its settings, and its inputs by parameter name."""
        inputs: list[Tensor] = []
        attributes: dict[str, Attribute] = {}
        by_name: dict[str, Tensor] = {}
        for parameter in sorted(op.inputs, key=_rank):
            for position, argument in enumerate(op.inputs[parameter].arguments):
                immediate = argument.WhichOneof("binding") == "value"
                name = f"{op.outputs[0].name} {parameter}" if immediate else argument.name
                if immediate:
                    self._values[name] = self._constant_tensor(name, argument.value)
                    if (setting := _setting(argument.value)) is not None:
                        self._settings[name] = setting
                if name in self._settings and parameter not in _OPERANDS:
                    attributes[_NAMES.get(parameter, parameter)] = self._settings[name]
                    continue
                tensor = self._values[name]
                inputs.append(tensor)
                by_name.setdefault(parameter if not position else f"{parameter} {position}", tensor)
        if op.type.startswith("constexpr_"):
            # Up to iOS 17 the compressed weights are attributes.
            for parameter in sorted(op.attributes):
                if parameter != "name":
                    name = f"{op.outputs[0].name} {parameter}"
                    inputs.append(self._constant_tensor(name, op.attributes[parameter]))
        return inputs, attributes, by_name

    def _tensor(self, name: str, kind: Any) -> Tensor:
        if kind.WhichOneof("type") != "tensorType":
            return Tensor(name=name, shape=None, dtype=str(kind.WhichOneof("type")))
        tensor_type = kind.tensorType
        shape: Shape | None = tuple(
            int(size.constant.size) if size.WhichOneof("dimension") == "constant" else None
            for size in tensor_type.dimensions
        )
        if tensor_type.rank < 0:
            shape = None
        return Tensor(
            name=name, shape=shape, dtype=self._types.get(tensor_type.dataType, "unknown")
        )


def _rank(parameter: str) -> tuple[int, str]:
    known = parameter in _OPERANDS
    return (_OPERANDS.index(parameter) if known else len(_OPERANDS), parameter)


def _setting(value: Any) -> Attribute | None:
    """Return the numbers or the text of a short immediate value; None for weights."""
    if value.WhichOneof("value") != "immediateValue":
        return None
    tensor = value.immediateValue.tensor
    kind = tensor.WhichOneof("value")
    if kind in (None, "bytes"):
        return None
    numbers = getattr(tensor, kind).values
    scalar = not value.type.tensorType.rank
    if scalar and len(numbers) == 1:
        number: Attribute = numbers[0]
        return number
    if kind == "strings" or len(numbers) > _SHORT:
        return None
    return tuple(numbers)


def _layer(weight: Tensor | None) -> str | None:
    """Return the module of a weight, from the name that torch.export gives to its parameter."""
    if weight is None:
        return None
    name = weight.name.partition("_to_")[0].partition("_weight_")[0]
    return name.removesuffix("_weight").removeprefix("p_") if name.startswith("p_") else None


def _macs(
    kind: str,
    inputs: Mapping[str, Tensor],
    outputs: list[Tensor],
    attributes: Mapping[str, Attribute],
) -> int | None:
    out = outputs[0].elements if outputs else 0
    if kind in ("conv", "conv_transpose"):
        weight, x = inputs["weight"].shape, inputs["x"]
        if weight is None:
            return None
        return times(out if kind == "conv" else x.elements, *weight[1:])
    if kind == "linear":
        shape = inputs["x"].shape
        return None if not shape else times(out, shape[-1])
    if kind == "matmul":
        shape = inputs["x"].shape
        return None if not shape else times(out, shape[-2 if attributes.get("transpose_x") else -1])
    if kind == "einsum":
        shapes = [tensor.shape for name, tensor in inputs.items() if name.startswith("values")]
        return einsum_macs(str(attributes.get("equation", "")), shapes)
    if kind == "scaled_dot_product_attention":
        key = inputs["key"].shape
        length = key[-2] if key and len(key) > 1 else None
        score_macs, value_macs = times(inputs["query"].elements, length), times(out, length)
        return None if score_macs is None or value_macs is None else score_macs + value_macs
    return 0
