"""Find the norms and divisions of a graph by what they compute, whoever wrote them.

A normalisation divides a difference from the mean, or the values themselves, by a root of a mean of
squares. In 8 bits the squares lose their small values: the variance becomes 0, and kernels refuse
to divide by it. So these operations stay in floats, with everything between the statistics and the
result. A division by anything else has the same weakness in its denominator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mobilebench.values.graph import Graph

_DIVISIONS = frozenset({"div", "divide", "truediv", "reciprocal"})
_ROOTS = frozenset({"sqrt", "rsqrt", "pow", "log"})
_REDUCTIONS = frozenset(
    {"mean", "sum", "reducemean", "reducesum", "reducel2", "reducesumsquare", "var", "var_mean",
     "std", "linalg_vector_norm", "norm"}
)  # fmt: skip
_BEFORE_REDUCTIONS = frozenset({"square", "mul", "pow", "squareddifference", "abs", "exp"})
_SHAPES = frozenset(
    {"reshape", "view", "expand", "expanddims", "broadcastto", "squeeze", "unsqueeze"}
)
_LAYOUT = _SHAPES | {"transpose", "permute"}
_PASSED = _LAYOUT | _DIVISIONS | _ROOTS | _BEFORE_REDUCTIONS | frozenset(
    {"add", "sub", "neg", "max", "min", "maximum", "minimum", "clamp", "clamp_min", "clip",
     "slice", "stridedslice", "select", "getitem", "cast", "identity"}
)  # fmt: skip
_PRODUCTS = frozenset({"matmul", "batchmatmul", "bmm"})
_FURTHEST = 8
"""Operations between a root and the statistic that it is taken of. It bounds the way through the
additions of a residual network, where a denominator is no statistic."""


@dataclass(frozen=True)
class Step:
    """One operation of a graph, with the names of the values that it reads and writes."""

    name: str
    kind: str
    reads: tuple[str, ...]
    """Without constants."""
    writes: tuple[str, ...]
    constant_operand: bool = False
    """One operand is a constant; for a product: its weights."""


def steps_of(graph: Graph) -> list[Step]:
    """Return the operations of a saved file as steps."""
    return [
        Step(
            name=operation.name,
            kind=plain_kind(operation.kind),
            reads=tuple(tensor.name for tensor in operation.inputs if not tensor.constant),
            writes=tuple(tensor.name for tensor in operation.outputs),
            constant_operand=any(tensor.constant for tensor in operation.inputs),
        )
        for operation in graph.operations
    ]


def plain_kind(kind: str) -> str:
    """Return one spelling of an operation's kind for all formats.

    `BATCH_MATMUL` and `BatchMatMul` become `batchmatmul`. Names of ATen
    (`aten.pow.Tensor_Scalar`) lose their overload.
    """
    if kind.startswith("aten."):
        return kind.split(".")[1].rstrip("_")  # an operation in place computes the same
    return kind.lower().replace("_", "")


def in_floats(steps: Sequence[Step]) -> set[str]:
    """Return the names of the operations that stay in floats."""
    return _Search(steps).names()


class _Search:
    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._by_value = {value: step for step in steps for value in step.writes}
        self._names: set[str] = set()

    def names(self) -> set[str]:
        for step in self._steps:
            if step.kind in _DIVISIONS:
                self._names.add(step.name)
                for value in self._denominators(step):
                    self._take(value, _FURTHEST)
            elif step.kind in _ROOTS and not self._is_square(step):
                self._names.add(step.name)
                for value in step.reads:
                    self._take(value, _FURTHEST)
        self._take_products()
        self._take_differences()
        return self._names

    def _denominators(self, step: Step) -> Iterable[str]:
        if step.kind == "reciprocal":
            return step.reads
        # With a constant among the operands the one that is read is either of the two.
        return step.reads if step.constant_operand else step.reads[1:]

    def _is_square(self, step: Step) -> bool:
        """Whether a power is the square inside a mean of squares, or another one before a sum."""
        readers = list(self._readers(step))
        return step.kind == "pow" and any(reader.kind in _REDUCTIONS for reader in readers)

    def _take(self, value: str, left: int) -> None:
        """Keep what computes a value, up to and with the statistic that it comes from."""
        step = self._by_value.get(value)
        if step is None or left == 0:
            return
        if step.kind in _PRODUCTS and not step.constant_operand:
            self._names.add(step.name)
        elif step.kind in _REDUCTIONS:
            self._names.add(step.name)
            for read in step.reads:
                self._take_before_reduction(read)
        elif step.kind in _PASSED:
            self._names.add(step.name)
            for read in step.reads:
                self._take(read, left - 1)

    def _take_before_reduction(self, value: str) -> None:
        """Keep the square that a mean is taken of, and the difference that is squared."""
        step = self._by_value.get(value)
        if step is None or step.kind not in _BEFORE_REDUCTIONS:
            return
        self._names.add(step.name)
        for read in step.reads:
            inner = self._by_value.get(read)
            if inner is not None and inner.kind == "abs":  # |x|^2, as a norm is written
                self._names.add(inner.name)
            self._take_difference(read)
        if step.kind == "squareddifference":
            self._take_means(step)

    def _take_difference(self, value: str) -> None:
        step, between = self._by_value.get(value), []
        while step is not None and step.kind in _LAYOUT and len(step.reads) == 1:
            between.append(step.name)
            step = self._by_value.get(step.reads[0])
        if step is not None and step.kind == "sub" and self._take_means(step):
            self._names.update((step.name, *between))

    def _take_means(self, step: Step) -> bool:
        """Keep the means among what a step reads; return whether there are any."""
        means = [self._statistic(read) for read in step.reads]
        for mean in means:
            self._names.update(mean)
        return any(means)

    def _statistic(self, value: str) -> list[str]:
        """Return the operations from a reduction to a value; empty where it is no statistic."""
        names = []
        for _ in range(3):  # a mean may be reshaped, or a sum divided by the count
            step = self._by_value.get(value)
            if step is None or len(step.reads) != 1:
                return []
            names.append(step.name)
            if step.kind in _REDUCTIONS:
                return names
            value = step.reads[0]
        return []

    def _take_products(self) -> None:
        """Keep the products by one over a root."""
        for step in self._steps:
            inverse = step.kind in _ROOTS | {"reciprocal"} or (
                step.kind in _DIVISIONS and step.constant_operand
            )
            if not inverse or step.name not in self._names:
                continue
            shaped = [reader for reader in self._readers(step) if reader.kind in _LAYOUT]
            for end in (step, *shaped):
                self._names.update(s.name for s in self._readers(end) if s.kind == "mul")
            self._names.update(reader.name for reader in shaped)

    def _take_differences(self) -> None:
        """Keep the differences from a mean that a kept division or product reads."""
        for step in self._steps:
            if step.name in self._names and step.kind in _DIVISIONS | {"mul"}:
                for value in step.reads:
                    self._take_difference(value)

    def _readers(self, step: Step) -> Iterator[Step]:
        return (other for other in self._steps if set(step.writes) & set(other.reads))
