"""Reads a Core ML package back as a graph, from its protobuf alone.

`import coremltools` takes many seconds. The file format is defined by protobuf modules that lie
inside it and need nothing of it, so those are loaded under a name of their own; both names share
protobuf's one pool of message types.
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
_SHORT = 32
_NAMES = {"kernel_sizes": "kernel"}
# Parameters that are numbers to compute with, not choices of how to compute; the data first.
_OPERANDS = (
    "x", "y", "a", "b", "values", "input", "data", "query", "key", "value", "attn_mask", "indices",
    "cond", "update", "weight", "bias", "gamma", "beta", "mean", "variance", "alpha",
)  # fmt: skip


def load(path: Path) -> Any:
    """The model of a `.mlpackage` folder or `.mlmodel` file; raises `ModelFileError`."""
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
    kind = model.WhichOneof("Type")
    if kind != "mlProgram":
        raise ModelFileError(
            f"{path} was read as a Core ML ML Program, but it is "
            f"{'no Core ML model' if kind is None else f'a model of the kind {kind}'}; "
            f"convert it with convert_to='mlprogram'."
        )
    return model


def read(path: Path) -> Graph:
    """The graph of a package's `main` function, or of its first; raises `ModelFileError`."""
    model = load(path)
    try:
        return _Program(model).graph()
    except (KeyError, IndexError) as error:
        raise ModelFileError(
            f"{path} was read as a Core ML package, but its program refers to what is not there; "
            f"export it again."
        ) from error


@cache
def _messages() -> Any:
    if "coremltools" in sys.modules:
        return importlib.import_module("coremltools.proto.Model_pb2")
    found = find_spec("coremltools")
    places = (found.submodule_search_locations if found else None) or ()
    if not places:
        raise MissingToolkit(
            "Reading a Core ML package needs the package 'coremltools', which is not installed; "
            "run: pip install 'mobilebench[coreml]'"
        )
    package = module_from_spec(ModuleSpec(_PROTO, None, is_package=True))
    package.__path__ = [str(Path(place) / "proto") for place in places]
    sys.modules[_PROTO] = package
    return importlib.import_module(f"{_PROTO}.Model_pb2")


class _Program:
    def __init__(self, model: Any) -> None:
        program = model.mlProgram
        name = "main" if "main" in program.functions else sorted(program.functions)[0]
        self._function = program.functions[name]
        self._block = self._function.block_specializations[self._function.opset]
        types = program.DESCRIPTOR.file.enum_types_by_name["DataType"].values
        self._types = {entry.number: entry.name.lower() for entry in types}
        self._values: dict[str, Tensor] = {}
        self._settings: dict[str, Attribute] = {}

    def graph(self) -> Graph:
        for given in self._function.inputs:
            self._values[given.name] = self._tensor(given.name, given.type)
        operations = list(self._operations())
        return assemble(
            operations,
            [self._values[given.name] for given in self._function.inputs],
            [self._values[name] for name in self._block.outputs],
        )

    def _operations(self) -> Iterator[Operation]:
        for stored in self._block.operations:
            if stored.type == "const":
                self._constant(stored)
                continue
            inputs, attributes, by_name = self._arguments(stored)
            outputs = [self._tensor(output.name, output.type) for output in stored.outputs]
            self._values |= {output.name: output for output in outputs}
            name = stored.attributes["name"].immediateValue.tensor.strings.values
            weight = by_name.get("weight")
            if stored.type.startswith("conv") and weight is not None and weight.shape:
                kernel = weight.shape[2:]
                if None not in kernel:
                    attributes["kernel"] = tuple(size or 0 for size in kernel)
            yield Operation(
                name=name[0] if name else outputs[0].name,
                kind=stored.type,
                inputs=tuple(inputs),
                outputs=tuple(outputs),
                attributes=attributes,
                macs=_macs(stored.type, by_name, outputs, attributes),
                layer=_layer(weight),
            )

    def _constant(self, stored: Any) -> None:
        output = stored.outputs[0]
        value = stored.attributes["val"]
        self._values[output.name] = self._held(output.name, value)
        setting = _setting(value)
        if setting is not None:
            self._settings[output.name] = setting

    def _held(self, name: str, value: Any) -> Tensor:
        """A constant, wherever its numbers are."""
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

    def _arguments(
        self, stored: Any
    ) -> tuple[list[Tensor], dict[str, Attribute], dict[str, Tensor]]:
        """Inputs, settings, and the inputs by the names of the parameters they are bound to."""
        inputs: list[Tensor] = []
        attributes: dict[str, Attribute] = {}
        by_name: dict[str, Tensor] = {}
        for parameter in sorted(stored.inputs, key=_rank):
            for position, argument in enumerate(stored.inputs[parameter].arguments):
                held = argument.WhichOneof("binding") == "value"
                name = f"{stored.outputs[0].name} {parameter}" if held else argument.name
                if held:
                    self._values[name] = self._held(name, argument.value)
                    if (setting := _setting(argument.value)) is not None:
                        self._settings[name] = setting
                if name in self._settings and parameter not in _OPERANDS:
                    attributes[_NAMES.get(parameter, parameter)] = self._settings[name]
                    continue
                tensor = self._values[name]
                inputs.append(tensor)
                by_name.setdefault(parameter if not position else f"{parameter} {position}", tensor)
        if stored.type.startswith("constexpr_"):
            # Up to iOS 17 the compressed weights are attributes.
            for parameter in sorted(stored.attributes):
                if parameter != "name":
                    name = f"{stored.outputs[0].name} {parameter}"
                    inputs.append(self._held(name, stored.attributes[parameter]))
        return inputs, attributes, by_name

    def _tensor(self, name: str, kind: Any) -> Tensor:
        if kind.WhichOneof("type") != "tensorType":
            return Tensor(name=name, shape=None, dtype=str(kind.WhichOneof("type")))
        stored = kind.tensorType
        shape: Shape | None = tuple(
            int(size.constant.size) if size.WhichOneof("dimension") == "constant" else None
            for size in stored.dimensions
        )
        if stored.rank < 0:
            shape = None
        return Tensor(name=name, shape=shape, dtype=self._types.get(stored.dataType, "unknown"))


def _rank(parameter: str) -> tuple[int, str]:
    known = parameter in _OPERANDS
    return (_OPERANDS.index(parameter) if known else len(_OPERANDS), parameter)


def _setting(value: Any) -> Attribute | None:
    """The numbers or the word of a short immediate value; None for weights."""
    if value.WhichOneof("value") != "immediateValue":
        return None
    tensor = value.immediateValue.tensor
    kind = tensor.WhichOneof("value")
    if kind in (None, "bytes"):
        return None
    numbers = getattr(tensor, kind).values
    scalar = not value.type.tensorType.rank
    if scalar and len(numbers) == 1:
        found: Attribute = numbers[0]
        return found
    if kind == "strings" or len(numbers) > _SHORT:
        return None
    return tuple(numbers)


def _layer(weight: Tensor | None) -> str | None:
    """The module that a weight belongs to, by the name that torch.export gives to parameters."""
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
        scores, mixed = times(inputs["query"].elements, length), times(out, length)
        return None if scores is None or mixed is None else scores + mixed
    return 0
