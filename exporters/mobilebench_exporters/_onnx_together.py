"""Join the ONNX graphs of several widths into one file that stores their weights once.

Every width is a branch of an `If`, chosen by an input that has a default. What a width reads is cut
from the initializers of the widest one by `Slice` and `Concat` of constants, which runtimes compute
once, when the file is loaded. A weight that is cut and then scaled by channel, as by a private
BatchNorm that was folded into it, is a `Mul` of that. Whatever else differs is stored with its
width.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mobilebench.errors import CellFailed

Array = np.ndarray[Any, Any]
Runs = tuple[tuple[int, int], ...]
"""Pairs (first, last + 1) of the elements that are kept along an axis, in their order."""

SELECTOR = "narrow"
"""The input that chooses: an int64 without a shape. Its default, 0, is the widest."""
ENTRIES = "mobilebench_entries"
"""The entry of a file's metadata that lists the values of the selector."""
_FEWEST_BYTES = 512
"""Bytes from which a weight is cut from another: the nodes that do it take as many."""
_GROUPS = (1, 2, 3, 4, 6, 8)
"""Numbers of maps whose channels lie one behind the other in one axis of a weight."""
_ROUNDING = 4 * float(np.finfo(np.float32).eps)
"""How far a scaled weight may be off: one rounding each of two products and of the scale."""


def entry(position: int) -> str:
    """Return what chooses the width at a position: the input and its value."""
    return f"{SELECTOR}={position}"


def listed(model: Any) -> tuple[str, ...]:
    """Return the entries that a model lists; empty for a model of one network."""
    texts = [prop.value for prop in model.metadata_props if prop.key == ENTRIES]
    return tuple(texts[0].split(",")) if texts else ()


def branches(model: Any) -> list[Any]:
    """Return the graph of each entry that a model lists."""
    graphs, graph = [], model.graph
    for _ in range(len(listed(model)) - 1):
        [choice] = [node for node in graph.node if node.op_type == "If"]
        parts = {attribute.name: attribute.g for attribute in choice.attribute}
        graphs.append(parts["then_branch"])
        graph = parts["else_branch"]
    return [*graphs, graph] if graphs else []


def weights(model: Any) -> dict[str, dict[str, int]]:
    """Return the bytes of each initializer that an entry reads, by entry and name."""
    outer = {tensor.name: _bytes(tensor) for tensor in model.graph.initializer}
    by_entry = {}
    for name, graph in zip(listed(model), branches(model), strict=True):
        read = {value for node in graph.node for value in node.input}
        own = {f"{name} {tensor.name}": _bytes(tensor) for tensor in graph.initializer}
        by_entry[name] = {each: size for each, size in outer.items() if each in read} | own
    return by_entry


def alone(model: Any, position: int = 0) -> Any:
    """Return a model of one of the widths alone, which still cuts its weights from the others'."""
    import onnx

    graph = branches(model)[position]
    single = onnx.ModelProto()
    single.CopyFrom(model)
    del single.graph.node[:], single.graph.output[:], single.graph.value_info[:]
    single.graph.node.extend(graph.node)
    single.graph.output.extend(graph.output)
    single.graph.value_info.extend(graph.value_info)
    single.graph.initializer.extend(graph.initializer)
    return single


def join(models: Sequence[Any], names: Sequence[str]) -> Any:
    """Return one model of several widths, the widest first; `names` tells their values apart.

    Raises `CellFailed` for a graph that has branches or functions itself.
    """
    import onnx
    from onnx import TensorProto, helper

    for model in models:
        _require_flat(model)
    widest = models[0]
    joined = onnx.ModelProto()
    joined.CopyFrom(widest)
    graph = joined.graph
    large = [tensor for tensor in widest.graph.initializer if _bytes(tensor) >= _FEWEST_BYTES]
    del graph.node[:], graph.value_info[:], graph.initializer[:]
    graph.input.append(helper.make_tensor_value_info(SELECTOR, TensorProto.INT64, []))
    graph.initializer.append(helper.make_tensor(SELECTOR, TensorProto.INT64, [], [0]))
    graph.initializer.extend(large)
    store = _Store(graph.initializer)
    parts = [_Branch(model, name, store).graph() for model, name in zip(models, names, strict=True)]
    outputs = [output.name for output in widest.graph.output]
    choices = range(len(models) - 1)
    rest = parts[-1]
    for position in reversed(choices):
        values = outputs if position == 0 else [f"{name} from {position}" for name in outputs]
        choice = helper.make_node(
            "If",
            [f"{SELECTOR} is {position}"],
            values,
            name=f"choose {names[position]}",
            then_branch=parts[position],
            else_branch=rest,
        )
        given = [_named(each, name) for each, name in zip(graph.output, values, strict=True)]
        rest = helper.make_graph([choice], f"from {names[position]}", [], given)
    for position in choices:
        number = store.integers([position], scalar=True)
        graph.node.append(
            helper.make_node("Equal", [SELECTOR, number], [f"{SELECTOR} is {position}"])
        )
    graph.node.extend(rest.node)
    helper.set_model_props(joined, {ENTRIES: ",".join(map(entry, range(len(models))))})
    return joined


class _Store:
    """The initializers that all branches read."""

    def __init__(self, tensors: Any) -> None:
        from onnx import numpy_helper

        self._tensors = tensors
        self.arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in tensors}

    def integers(self, numbers: Sequence[int], *, scalar: bool = False) -> str:
        """Return the name of a constant of int64."""
        from onnx import numpy_helper

        name = f"int64 {', '.join(map(str, numbers))}{' alone' * scalar}"
        if name not in self.arrays:
            array = np.array(numbers[0] if scalar else numbers, np.int64)
            self.arrays[name] = array
            self._tensors.append(numpy_helper.from_array(array, name))
        return name

    def part(self, name: str, wanted: Array) -> Part | None:
        """Return how a weight is cut from one of the widest; from that of its name if possible."""
        others = sorted(self.arrays, key=lambda other: other != name)
        for other in others:
            axes = _cut(wanted, self.arrays[other])
            if axes is not None:
                return Part(other, axes)
        return _scaled(name, wanted, self.arrays[name]) if name in self.arrays else None


@dataclass(frozen=True)
class Part:
    """A weight as a part of another one, times a scale for each of its channels."""

    source: str
    axes: tuple[Runs | None, ...]
    """What is kept along each axis; None for everything."""
    scales: tuple[Array, ...] = ()


class _Branch:
    """One width, with the values that it computes under separate names."""

    def __init__(self, model: Any, name: str, store: _Store) -> None:
        self._source, self._name, self._store = model.graph, name, store
        self._nodes: list[Any] = []
        self._own: list[Any] = []
        self._names: dict[str, str] = {"": ""}
        for value in self._source.input:
            self._names[value.name] = value.name
        for tensor in self._source.initializer:
            self._names[tensor.name] = self._weight(tensor)

    def graph(self) -> Any:
        """Return the graph of the branch: no inputs, and the outputs of the width."""
        import onnx
        from onnx import helper

        for original in self._source.node:
            node = onnx.NodeProto()
            node.CopyFrom(original)
            node.name = self._new(original.name)
            node.input[:] = [self._value(name) for name in original.input]
            node.output[:] = [self._value(name) for name in original.output]
            self._nodes.append(node)
        outputs = [_named(value, self._value(value.name)) for value in self._source.output]
        infos = [
            _named(value, self._value(value.name))
            for value in self._source.value_info
            if value.name not in {tensor.name for tensor in self._source.initializer}
        ]
        return helper.make_graph(self._nodes, self._name, [], outputs, self._own, value_info=infos)

    def _new(self, name: str) -> str:
        return f"{self._name} {name}" if name else ""

    def _value(self, name: str) -> str:
        return self._names.get(name) or self._new(name)

    def _weight(self, tensor: Any) -> str:
        """Return the name of a weight of this width, however it comes about."""
        from onnx import numpy_helper

        wanted = numpy_helper.to_array(tensor)
        small = wanted.nbytes < _FEWEST_BYTES
        part = None if small else self._store.part(tensor.name, wanted)
        if part is None:
            return self._keep(wanted, tensor.name)
        value, axes = part.source, part.axes
        if all(runs is None for runs in axes):
            # ONNX Runtime gives convolutions their fast layout where the weight belongs to the
            # same graph: a slice of everything becomes a constant of the branch.
            axes = (((0, wanted.shape[0]),), *axes[1:])
        for axis, runs in enumerate(axes):
            if runs is not None:
                value = self._kept_along(value, axis, runs, tensor.name)
        for number, scale in enumerate(part.scales):
            factor = self._keep(scale, f"{tensor.name} scale {number}")
            value = self._add("Mul", [value, factor], f"{tensor.name} times {number}")
        return value

    def _keep(self, array: Array, name: str) -> str:
        """Store an array with this width."""
        from onnx import numpy_helper

        self._own.append(numpy_helper.from_array(array, self._new(name)))
        return self._new(name)

    def _kept_along(self, value: str, axis: int, runs: Runs, name: str) -> str:
        pieces = []
        for first, end in runs:
            bounds = [self._store.integers([number]) for number in (first, end, axis)]
            pieces.append(self._add("Slice", [value, *bounds], f"{name} {axis} from {first}"))
        if len(pieces) == 1:
            return pieces[0]
        return self._add("Concat", pieces, f"{name} {axis}", axis=axis)

    def _add(self, kind: str, inputs: Sequence[str], name: str, **attributes: int) -> str:
        from onnx import helper

        output = self._new(name)
        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output


def _cut(wanted: Array, full: Array) -> tuple[Runs | None, ...] | None:
    """Return which part of an array equals another one bit by bit; None where none does."""
    for axes in _candidates(wanted, full):
        if wanted.tobytes() == _taken(full, axes).tobytes():
            return axes
    return None


def _scaled(name: str, wanted: Array, full: Array) -> Part | None:
    """Return a weight as a part of another one, scaled along its first axes.

    None where that is no more than rounding away, or another type than float32.
    """
    if wanted.dtype != np.float32 or wanted.ndim < 2:
        return None
    for axes in _candidates(wanted, full):
        part = _taken(full, axes)
        for scales in _scales(wanted, part):
            product = part
            for scale in scales:
                product = product * scale
            if np.all(np.abs(product - wanted) <= _ROUNDING * np.abs(wanted)):
                return Part(name, axes, scales)
    return None


def _scales(wanted: Array, part: Array) -> Iterator[tuple[Array, ...]]:
    """Yield scales for the first axis, the second and both, which may make a part the other."""
    flat = (np.float64(array).reshape(*array.shape[:2], -1) for array in (wanted, part))
    ours, theirs = flat
    middle = np.argmax(np.abs(theirs), axis=2)[..., None]  # the least of roundings
    ours, theirs = (np.take_along_axis(a, middle, 2)[..., 0] for a in (ours, theirs))
    if not theirs.all():
        return
    ratios = ours / theirs
    rows, columns = np.median(ratios, axis=1), np.median(ratios, axis=0)
    rest = (1,) * (wanted.ndim - 2)
    yield (np.float32(rows).reshape(-1, 1, *rest),)
    yield (np.float32(columns).reshape(1, -1, *rest),)
    if rows.all():
        columns = np.median(ratios / rows[:, None], axis=0)
        yield np.float32(rows).reshape(-1, 1, *rest), np.float32(columns).reshape(1, -1, *rest)


def _candidates(wanted: Array, full: Array) -> Iterator[tuple[Runs | None, ...]]:
    """Yield the parts of an array that have the shape of another one."""
    if wanted.dtype == full.dtype and wanted.ndim == full.ndim:
        pairs = zip(wanted.shape, full.shape, strict=True)
        yield from itertools.product(*(_leading(count, of) for count, of in pairs))


def _leading(count: int, of: int) -> list[Runs | None]:
    """List the ways to keep leading elements of an axis: of all, of both halves and so on."""
    if count == of:
        return [None]
    return [
        tuple((k * of // groups, k * of // groups + count // groups) for k in range(groups))
        for groups in _GROUPS
        if count < of and count % groups == 0 and of % groups == 0
    ]


def _taken(full: Array, axes: Sequence[Runs | None]) -> Array:
    for axis, runs in enumerate(axes):
        if runs is not None:
            parts = [full.take(range(*run), axis) for run in runs]
            full = np.concatenate(parts, axis)
    return full


def _require_flat(model: Any) -> None:
    inner = [node.op_type for node in model.graph.node if any(a.g.node for a in node.attribute)]
    if model.functions or inner:
        raise CellFailed(
            "export",
            "NotFlat",
            "widths can be joined where their graphs have no branches and no functions, and this "
            f"one has {', '.join(inner) or 'functions'}; export each width by itself",
        )


def _named(value: Any, name: str) -> Any:
    import onnx

    copy = onnx.ValueInfoProto()
    copy.CopyFrom(value)
    copy.name = name
    return copy


def _bytes(tensor: Any) -> int:
    from onnx import numpy_helper

    return int(numpy_helper.to_array(tensor).nbytes)
