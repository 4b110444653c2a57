"""Read the part of an ExecuTorch program that XNNPACK runs, node by node."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import cached_property

from mobilebench.values.graph import Attribute, Operation, Tensor, stored_bytes, times
from mobilebench_exporters._flatbuffer import Schema, Table

DELEGATE = "XnnpackBackend"
_DTYPES = {
    "fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "pfp32": "float32",
    "qint8": "int8", "quint8": "uint8", "qint32": "int32", "qcint8": "int8", "qcint32": "int32",
    "qcint4": "int4", "qdint8": "int8", "qbint4": "int4", "qpint8": "int8", "int32": "int32",
}  # fmt: skip
_INPUTS = (
    "input1_id", "input_id", "input2_id", "input3_id", "input4_id", "input5_id", "query_id",
    "key_id", "value_id", "scale_id", "mask_id", "filter_id", "bias_id",
)  # fmt: skip
_OUTPUTS = ("output_id", "output_value_id", "output_index_id")
_ABSENT = 0xFFFFFFFF
_PAIRS = {
    "kernel": ("kernel_height", "kernel_width"),
    "strides": ("subsampling_height", "subsampling_width"),
    "dilations": ("dilation_height", "dilation_width"),
}
_OWN_NAMES = ("groups", "axis", "perm", "new_shape", "offsets", "sizes")


def operations(
    schema: Schema,
    payload: memoryview,
    call: int,
    externals: Mapping[int, Tensor],
    named_sizes: Mapping[str, int],
) -> Iterator[Operation]:
    """Yield the nodes of one payload as operations.

    `call` is the number of the delegate's call. `externals` maps positions in the call to its
    tensors. `named_sizes` maps the constants that the program holds for all its delegates to their
    sizes in bytes. Shapes are those of XNNPACK, channels last.
    """
    graph = _XnnGraph(schema, payload, call, externals, named_sizes)
    for position, node in enumerate(graph.nodes):
        yield graph.operation(position, node)


def constants(
    schema: Schema, payload: memoryview, own: str, named_sizes: Mapping[str, int]
) -> dict[str, int]:
    """Return the bytes of the constants of one payload, by the program's names for them.

    Those inside the payload are called after it, by `own` and their number.
    """
    entries = _XnnGraph(schema, payload, 0, {}, named_sizes).constant_data
    return {
        key or f"{own} {position}": size or named_sizes.get(key, 0)
        for position, (key, size) in enumerate(entries)
        if key or size
    }


class _XnnGraph:
    def __init__(
        self,
        schema: Schema,
        payload: memoryview,
        call: int,
        externals: Mapping[int, Tensor],
        named_sizes: Mapping[str, int],
    ) -> None:
        start = 0
        if bytes(payload[4:8]) == b"XH00":
            start = struct.unpack_from("<I", payload, 10)[0]
        self._root = schema.root(payload, "XNNGraph", start)
        self._call, self._externals, self._named_sizes = call, externals, named_sizes
        codes = schema.enums["XNNDatatype"][1]
        self._dtypes = {
            code: _DTYPES.get(name.removeprefix("xnn_datatype_"), "unknown")
            for name, code in codes.items()
        }
        self.nodes = self._root["xnodes"] or ()

    @property
    def constant_data(self) -> list[tuple[str, int]]:
        """The program's name of each constant, or none, and its bytes in the payload."""
        entries = self._root["constant_data"] or ()
        return [(entry["named_key"] or "", entry["size"]) for entry in entries]

    @cached_property
    def _tensors(self) -> dict[int, Tensor]:
        tensors: dict[int, Tensor] = {}
        for entry in self._root["xvalues"] or ():
            value = entry["xvalue_union"]
            if entry.tag("xvalue_union") == "XNNQuantizedTensorValue":
                value = value["tensor_value"]
            tensors[value["id_out"]] = self._tensor(value)
        return tensors

    def _tensor(self, value: Table) -> Tensor:
        index = value["id_out"]
        outer = self._externals.get(value["external_id"])
        constant = value["constant_buffer_idx"]
        dtype = self._dtypes.get(value["datatype"], "unknown")
        shape = tuple(value["dims"] or ())
        name = outer.name if outer and not constant else f"delegate {self._call} value {index}"
        tensor = Tensor(name=name, shape=shape, dtype=dtype)
        if not constant:
            return tensor
        return Tensor(
            name=name,
            shape=shape,
            dtype=dtype,
            constant=True,
            size_bytes=self._constant_bytes(constant) or stored_bytes(tensor.elements, dtype),
        )

    def _constant_bytes(self, index: int) -> int:
        offsets = self._root["constant_data"] or ()
        if index >= len(offsets):
            return 0
        entry = offsets[index]
        size: int = entry["size"]
        return size or self._named_sizes.get(entry["named_key"] or "", 0)

    def operation(self, position: int, node: Table) -> Operation:
        kind, body = node.tag("xnode_union") or "unknown", node["xnode_union"]
        inputs = [self._tensors[index] for index in self._ids(kind, body, _INPUTS)]
        outputs = [self._tensors[index] for index in self._ids(kind, body, _OUTPUTS)]
        return Operation(
            name=f"delegate {self._call} {kind} {position}",
            kind=kind,
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            attributes=_attributes(body),
            macs=_macs(kind, inputs, outputs),
            delegate=DELEGATE,
            delegate_call=self._call,
        )

    def _ids(self, kind: str, body: Table, names: tuple[str, ...]) -> list[int]:
        indices = [body[name] for name in names if name in body.fields]
        if kind.startswith("XNNConcatenate"):
            # The table has five fields for inputs; unused ones hold 0, which is a valid index too.
            indices = indices[: int(kind[-1])]
        return [index for index in indices if index != _ABSENT and index in self._tensors]


def _attributes(body: Table) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    for name, pair in _PAIRS.items():
        if all(part in body.fields for part in pair):
            attributes[name] = tuple(body[part] for part in pair)
    for name in _OWN_NAMES:
        if name in body.fields and body[name] is not None:
            attributes[name] = body[name]
    return attributes


def _macs(kind: str, inputs: list[Tensor], outputs: list[Tensor]) -> int | None:
    if not outputs:
        return 0
    out = outputs[0]
    if kind in ("XNNConv2d", "XNNDepthwiseConv2d") and len(inputs) > 1 and out.shape:
        weights, channels = inputs[1].elements, out.shape[-1]
        return None if not weights or not channels else times(out.elements, weights // channels)
    if kind == "XNNConvTranspose2d" and len(inputs) > 1 and inputs[0].shape:
        weights, channels = inputs[1].elements, inputs[0].shape[-1]
        if not weights or not channels:
            return None
        return times(inputs[0].elements, weights // channels)
    if kind in ("XNNFullyConnected", "XNNBatchMatrixMultiply") and inputs[0].shape:
        return times(out.elements, inputs[0].shape[-1])
    if kind == "XNNScaledDotProductAttention":
        query, key = inputs[0], inputs[1]
        length = (key.shape or (None,))[-2] if key.shape and len(key.shape) > 1 else None
        score_macs, value_macs = times(query.elements, length), times(out.elements, length)
        return None if score_macs is None or value_macs is None else score_macs + value_macs
    return 0
