"""Read an ExecuTorch program back as a graph, and XNNPACK's part of it node by node.

The wheel contains the schemas of a program and of XNNPACK's part. ExecuTorch's own reader would
import torch and all of `executorch.exir`, which takes seconds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from mobilebench.errors import MissingToolkit, ModelFileError
from mobilebench.values.graph import (
    Attribute,
    Graph,
    ModelIO,
    Operation,
    Shape,
    Tensor,
    assemble,
    stored_bytes,
    times,
)
from mobilebench_exporters import _xnnpack_graph
from mobilebench_exporters._flatbuffer import Schema, Table

_SCALAR_TYPES = {
    "BYTE": "uint8", "CHAR": "int8", "SHORT": "int16", "INT": "int32", "LONG": "int64",
    "HALF": "float16", "FLOAT": "float32", "DOUBLE": "float64", "BOOL": "bool",
    "BFLOAT16": "bfloat16", "BITS16": "uint16", "UINT16": "uint16", "UINT32": "uint32",
    "UINT64": "uint64",
}  # fmt: skip
_STATIC = 0
_USUAL = "forward"
_DELEGATES = {
    _xnnpack_graph.DELEGATE: "xnnpack",
    "CoreMLBackend": "coreml",
    "VulkanBackend": "vulkan",
    "QnnBackend": "qualcomm",
    "EthosUBackend": "ethos-u",
}
"""Names of delegates by their identifiers in a program."""


def read(path: Path) -> Graph:
    """Return the graph of a `.pte` file.

    Raises `ModelFileError` if the file is not an ExecuTorch program or is damaged.
    """
    with _reading(path) as program:
        return program.graph()


def read_io(path: Path) -> ModelIO:
    """Return what a `.pte` file takes and gives, and its delegates; raises as `read` does."""
    with _reading(path) as program:
        return program.io()


def weights(path: Path) -> dict[str, dict[str, int]]:
    """Return the bytes of the constants that each method of a program reads, by their names.

    Empty for a program of one method. Raises as `read` does.
    """
    with _reading(path) as first:
        if first.methods == 1:
            return {}
        data = path.read_bytes()
        methods = [_Program(data, position) for position in range(first.methods)]
        return {method.name: method.weights() for method in methods}


@contextmanager
def _reading(path: Path) -> Iterator[_Program]:
    try:
        data = path.read_bytes()
        if data[4:6] != b"ET":
            raise ModelFileError(f"{path} was read as an ExecuTorch program, but it is not one.")
        yield _Program(data)
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise ModelFileError(
            f"{path} was read as an ExecuTorch program, but it is damaged; export it again."
        ) from error


def schema_text(name: str) -> str:
    """Return the text of a schema in the executorch package, by its path there.

    Raises `MissingToolkit` if ExecuTorch is not installed.
    """
    spec = find_spec("executorch")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (file := Path(folder) / name).is_file():
            return file.read_text(encoding="utf-8")
    raise MissingToolkit(
        "Reading an ExecuTorch program needs the package 'executorch', which is not installed; "
        "run: pip install 'mobilebench[executorch]'"
    )


class _Program:
    """A method of a program, with the tables that its instructions refer to.

    By default that is `forward`, or else the first.
    """

    def __init__(self, data: bytes, position: int | None = None) -> None:
        folder = "exir/_serialize"
        self._schema = Schema.parse(
            schema_text(f"{folder}/program.fbs"), schema_text(f"{folder}/scalar_type.fbs")
        )
        self._data = memoryview(data)
        self._program = self._schema.root(data, "Program")
        plans = self._program["execution_plan"]
        self.methods = len(plans)
        names = [plan["name"] for plan in plans]
        if position is None:
            position = names.index(_USUAL) if _USUAL in names else 0
        self._plan = plans[position]
        self.name: str = names[position]
        self._values = self._plan["values"] or ()
        codes = self._schema.enums["ScalarType"][1]
        self._dtypes = {code: _SCALAR_TYPES.get(name, name.lower()) for name, code in codes.items()}

    def graph(self) -> Graph:
        return assemble(self._operations(), self._ends("inputs"), self._ends("outputs"))

    def io(self) -> ModelIO:
        """Return inputs and outputs, which a program numbers, and the delegates in use."""
        inputs, outputs = (
            tuple(
                replace(tensor, name=f"{side}{place}")
                for place, tensor in enumerate(self._ends(f"{side}s"))
            )
            for side in ("input", "output")
        )
        identifiers = [delegate["id"] for delegate in self._plan["delegates"] or ()]
        names = dict.fromkeys(_DELEGATES.get(identifier, identifier) for identifier in identifiers)
        return ModelIO(inputs=inputs, outputs=outputs, delegate="+".join(names) or None)

    def weights(self) -> dict[str, int]:
        """Return the bytes of the constants that the method reads.

        Those that the program holds for all delegates have its names for them, and others such as
        no other method uses.
        """
        weights: dict[str, int] = {}
        for place, delegate in enumerate(self._plan["delegates"] or ()):
            own = f"{self.name} delegate {place}"
            payload = self._payload(delegate["processed"])
            if delegate["id"] == _xnnpack_graph.DELEGATE:
                schema = Schema.parse(schema_text("backends/xnnpack/serialization/schema.fbs"))
                sizes = self._named_sizes()
                weights |= _xnnpack_graph.constants(schema, payload, own, sizes)
            else:
                weights[own] = len(payload)
        for index, value in enumerate(self._values):
            if value.tag("val") == "Tensor" and (tensor := self._tensor(index)).constant:
                weights[f"buffer {value['val']['data_buffer_idx']}"] = tensor.size_bytes or 0
        return weights

    def _ends(self, side: str) -> list[Tensor]:
        indices = self._plan[side] or ()
        return [self._tensor(index) for index in indices if self._is_tensor(index)]

    def _operations(self) -> Iterator[Operation]:
        position = 0
        for chain in self._plan["chains"] or ():
            for instruction in chain["instructions"] or ():
                call, kind = instruction["instr_args"], instruction.tag("instr_args")
                if kind == "KernelCall":
                    yield self._kernel(call, position)
                elif kind == "DelegateCall":
                    yield from self._delegate_operations(call, position)
                position += 1

    def _kernel(self, call: Table, position: int) -> Operation:
        operator = self._plan["operators"][call["op_index"]]
        arguments: tuple[int, ...] = call["args"]
        # Every kernel is an out variant: its last argument is the result, which is passed twice.
        last = arguments[-1]
        operands = [index for index in arguments if index != last]
        inputs = [tensor for index in operands for tensor in self._tensors(index)]
        outputs = self._tensors(last)
        kind = operator["name"]
        return Operation(
            name=f"{kind} {position}",
            kind=kind,
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            attributes=self._integers(operands),
            macs=_kernel_macs(kind, inputs, outputs),
        )

    def _delegate_operations(self, call: Table, position: int) -> Iterator[Operation]:
        delegate = self._plan["delegates"][call["delegate_index"]]
        identifier = delegate["id"]
        arguments = call["args"] or ()
        tensors = {
            place: self._tensor(index)
            for place, index in enumerate(arguments)
            if self._is_tensor(index)
        }
        payload = self._payload(delegate["processed"])
        if identifier == _xnnpack_graph.DELEGATE:
            schema = Schema.parse(schema_text("backends/xnnpack/serialization/schema.fbs"))
            yield from _xnnpack_graph.operations(
                schema, payload, position, tensors, self._named_sizes()
            )
            return
        yield Operation(
            name=f"{identifier} {position}",
            kind=identifier,
            inputs=tuple(tensors.values())[:-1],
            outputs=tuple(tensors.values())[-1:],
            attributes={},
            macs=None,
            weight_bytes=len(payload),
            delegate=identifier,
            delegate_call=position,
        )

    def _payload(self, reference: Table) -> memoryview:
        if reference["location"] == 1:
            segment = self._program["segments"][reference["index"]]
            # The extended header follows the file identifier; its third field is the base offset.
            base = struct.unpack_from("<Q", self._data, 24)[0]
            start = base + segment["offset"]
            return self._data[start : start + segment["size"]]
        inline: memoryview = self._program["backend_delegate_data"][reference["index"]]["data"]
        return inline

    def _named_sizes(self) -> dict[str, int]:
        segments = self._program["segments"] or ()
        return {
            entry["key"]: segments[entry["segment_index"]]["size"]
            for entry in self._program["named_data"] or ()
        }

    def _is_tensor(self, index: int) -> bool:
        return bool(self._values[index].tag("val") == "Tensor")

    def _tensors(self, index: int) -> list[Tensor]:
        value = self._values[index]
        if value.tag("val") == "Tensor":
            return [self._tensor(index)]
        if value.tag("val") == "TensorList":
            return [self._tensor(item) for item in value["val"]["items"] or ()]
        return []

    def _tensor(self, index: int) -> Tensor:
        record = self._values[index]["val"]
        sizes = record["sizes"] or ()
        static = record["shape_dynamism"] == _STATIC
        shape: Shape = tuple(size if static else None for size in sizes)
        dtype = self._dtypes.get(record["scalar_type"], "unknown")
        constant = record["data_buffer_idx"] > 0 and record["allocation_info"] is None
        tensor = Tensor(name=f"value {index}", shape=shape, dtype=dtype, constant=constant)
        if not constant:
            return tensor
        return Tensor(
            name=tensor.name,
            shape=shape,
            dtype=dtype,
            constant=True,
            size_bytes=stored_bytes(tensor.elements, dtype),
        )

    def _integers(self, arguments: Sequence[int]) -> dict[str, Attribute]:
        """Return the numbers among a kernel's arguments by position; the file has no names."""
        fields = {"Int": "int_val", "Bool": "bool_val", "Double": "double_val"}
        numbers: dict[str, Attribute] = {}
        for place, index in enumerate(arguments):
            value = self._values[index]
            if (tag := value.tag("val")) in fields:
                numbers[f"argument {place}"] = value["val"][fields[tag]]
        return numbers


def _kernel_macs(kind: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int | None:
    shapes = [tensor.shape or () for tensor in inputs]
    if not outputs:
        return 0
    if kind == "aten::convolution" and len(shapes) > 1:
        return times(outputs[0].elements, *shapes[1][1:])
    if kind in ("aten::mm", "aten::bmm", "aten::linear") and shapes:
        return times(outputs[0].elements, shapes[0][-1])
    if kind == "aten::addmm" and len(shapes) > 1:
        return times(outputs[0].elements, shapes[1][-1])
    return 0
