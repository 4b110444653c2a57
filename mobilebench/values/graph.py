"""The operations of a saved model file, in the same form for every format."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mobilebench.notation.quantities import counted
from mobilebench.values import value

Attribute = bool | int | float | str | tuple[int, ...] | tuple[float, ...]
Shape = tuple[int | None, ...]
"""Sizes of the dimensions; None where a size is known only when the file runs."""

_BITS = {
    "bool": 8, "int4": 4, "uint4": 4, "int2": 2, "uint2": 2, "uint1": 1, "uint3": 3, "uint6": 6,
    "bfloat16": 16, "float8_e4m3fn": 8, "float8_e5m2": 8,
}  # fmt: skip


@value
class Tensor:
    """One value of a graph: an input, a result or a constant."""

    name: str
    shape: Shape | None
    """In the file's own layout; None where the file does not give the number of dimensions."""
    dtype: str
    """numpy's name, or a name such as `int4` for a type that numpy does not have."""
    constant: bool = False
    size_bytes: int = 0
    """Bytes of a constant in the file; 0 for every other tensor."""
    integers: tuple[int, ...] | None = None
    """The elements of a short constant of integers: axes, sizes, paddings."""

    @property
    def elements(self) -> int | None:
        """Number of elements, None where a size is not known."""
        return product(self.shape)

    @property
    def text(self) -> str:
        """`1x3x224x224 float32`; a size that is not known is `?`."""
        if self.shape is None:
            return f"? {self.dtype}"
        sizes = "x".join("?" if size is None else str(size) for size in self.shape)
        return f"{sizes or 'scalar'} {self.dtype}"


@value
class Operation:
    """One operation, with the format's own name for its kind."""

    name: str
    kind: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    attributes: dict[str, Attribute]
    """The format's own names, except `kernel`, `strides`, `dilations` and `groups`. Those four are
    the same for every format."""
    macs: int | None = 0
    """Multiply-accumulates of a convolution, linear layer or matrix product. 0 for every other
    kind; None where a size is unknown or the operation cannot be analysed."""
    weight_bytes: int = 0
    """Stored bytes of the constants that this operation is the first to use."""
    layer: str | None = None
    """The part of the network that it comes from, where the file records it."""
    delegate: str | None = None
    """The delegate that it was lowered to ahead of time; None without one."""
    delegate_call: int | None = None
    """Index of the delegate call that runs it; operations of one call are handed over together."""


@value
class Graph:
    """The operations of one model file, in an order in which they can run."""

    operations: tuple[Operation, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    folded: dict[str, int]
    """Number of operations on constants alone, by kind, such as unpacking compressed weights. A
    runtime computes them once, so they are not among the operations."""

    def __repr__(self) -> str:
        return f"<Graph: {counted(len(self.operations), 'operation')}>"

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one run; None where those of an operation are unknown."""
        return total(operation.macs for operation in self.operations)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants that operations use."""
        return sum(operation.weight_bytes for operation in self.operations)

    @property
    def histogram(self) -> dict[str, int]:
        """Number of operations of each kind, the most frequent first."""
        return dict(Counter(operation.kind for operation in self.operations).most_common())


@value
class ModelIO:
    """What a model file takes and gives, in its own names, layouts and order."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    delegate: str | None = None
    """The delegate that it was lowered to ahead of time, by mobilebench's name where it has one;
    `a+b` where there are several."""
    weight_files: tuple[str, ...] = ()
    """Names of the files beside it that hold weights."""


def total(numbers: Iterable[int | None]) -> int | None:
    """Return the sum; None where a term is unknown."""
    terms = list(numbers)
    return None if any(term is None for term in terms) else sum(term or 0 for term in terms)


def product(sizes: Sequence[int | None] | None) -> int | None:
    """Return the product; None where a factor is unknown."""
    if sizes is None or any(size is None for size in sizes):
        return None
    return math.prod(size or 0 for size in sizes)


def times(*factors: int | None) -> int | None:
    """Return the `product` of numbers that are given one by one."""
    return product(factors)


def einsum_macs(equation: str, shapes: Sequence[Shape | None]) -> int | None:
    """Count the multiply-accumulates of an einsum.

    Every index of a product runs once over its whole range; a single operand multiplies nothing.
    None where a shape is unknown, and for an equation with an ellipsis.
    """
    terms = equation.replace(" ", "").partition("->")[0].split(",")
    if len(terms) < 2:
        return 0
    sizes: dict[str, int | None] = {}
    for term, shape in zip(terms, shapes, strict=False):
        if shape is None or len(term) != len(shape):
            return None
        sizes |= dict(zip(term, shape, strict=True))
    return product(tuple(sizes.values()))


def stored_bytes(elements: int | None, dtype: str) -> int:
    """Return the bytes of packed elements; 0 for a type without a fixed width, such as text."""
    if elements is None:
        return 0
    digits = "".join(letter for letter in dtype if letter.isdigit())
    bits = _BITS.get(dtype) or (int(digits) if digits else 0)
    return -(-elements * bits // 8)


def assemble(
    operations: Iterable[Operation], inputs: Sequence[Tensor], outputs: Sequence[Tensor]
) -> Graph:
    """Build a graph from the operations of a file, in their order.

    Operations on constants alone are folded into constants of the stored size. The bytes of each
    constant are counted with the first operation that uses it.
    """
    constants: dict[str, Tensor] = {}
    counted: set[str] = set()
    remaining: list[Operation] = []
    folded: Counter[str] = Counter()
    for operation in operations:
        operands = tuple(constants.get(tensor.name, tensor) for tensor in operation.inputs)
        if operands and all(tensor.constant for tensor in operands):
            stored = sum(tensor.size_bytes for tensor in operands)
            for position, result in enumerate(operation.outputs):
                constants[result.name] = replace(
                    result, constant=True, size_bytes=0 if position else stored
                )
            folded[operation.kind] += 1
            continue
        own = {tensor.name: tensor.size_bytes for tensor in operands if tensor.constant}
        first = own.keys() - counted
        counted |= first
        remaining.append(
            replace(operation, inputs=operands, weight_bytes=sum(own[name] for name in first))
        )
    return Graph(
        operations=tuple(remaining),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        folded=dict(folded.most_common()),
    )
