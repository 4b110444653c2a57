"""Conditions: the questions that tables of rules ask about an operation.

Each takes the operation and the value that the table gives with the condition, and is true where
the operation must be refused. What the file does not say refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mobilebench.values.graph import Operation, Tensor

Condition = Callable[[Operation, Any], bool]
CONDITIONS: dict[str, Condition] = {}


def condition(function: Condition) -> Condition:
    """Enter a condition under its function's name."""
    CONDITIONS[function.__name__] = function
    return function


def _flowing(operation: Operation) -> Iterator[Tensor]:
    """What an operation is given and gives while the file runs; constants are not among it."""
    yield from (tensor for tensor in operation.inputs if not tensor.constant)
    yield from operation.outputs


def _sizes(operation: Operation, name: str) -> Sequence[Any]:
    value = operation.attributes.get(name)
    return value if isinstance(value, tuple) else ()


@condition
def always(operation: Operation, _: object) -> bool:
    """Refuse whatever it is."""
    return True


@condition
def rank_above(operation: Operation, limit: int) -> bool:
    """A tensor has more dimensions than the limit."""
    return any(t.shape is not None and len(t.shape) > limit for t in _flowing(operation))


@condition
def input_rank_not_in(operation: Operation, allowed: list[int]) -> bool:
    """The first input has another number of dimensions than those allowed."""
    shape = operation.inputs[0].shape if operation.inputs else None
    return shape is not None and len(shape) not in allowed


@condition
def size_not_fixed(operation: Operation, _: object) -> bool:
    """A size is known only when the file runs."""
    return any(t.shape is None or None in t.shape for t in _flowing(operation))


@condition
def dimension_above(operation: Operation, limit: int) -> bool:
    """A dimension is larger than the limit."""
    return any(
        size is not None and size > limit for t in _flowing(operation) for size in t.shape or ()
    )


@condition
def dtype_in(operation: Operation, refused: list[str]) -> bool:
    """A tensor has one of these types."""
    return any(tensor.dtype in refused for tensor in _flowing(operation))


@condition
def kernel_above(operation: Operation, limit: int) -> bool:
    """A window is wider or higher than the limit."""
    return any(size > limit for size in _sizes(operation, "kernel"))


@condition
def dilated(operation: Operation, _: object) -> bool:
    """The window has gaps."""
    return any(size > 1 for size in _sizes(operation, "dilations"))


@condition
def input_not_constant(operation: Operation, positions: list[int]) -> bool:
    """One of these inputs is there and is computed while the file runs."""
    given = operation.inputs
    return any(place < len(given) and not given[place].constant for place in positions)


@condition
def weights_of_another_type(operation: Operation, _: object) -> bool:
    """The second input is stored in another type than the first input has."""
    return len(operation.inputs) > 1 and operation.inputs[0].dtype != operation.inputs[1].dtype


@condition
def inputs_above(operation: Operation, limit: int) -> bool:
    """There are more inputs than the limit."""
    return len(operation.inputs) > limit


@condition
def outputs_above(operation: Operation, limit: int) -> bool:
    """There are more results than the limit."""
    return len(operation.outputs) > limit


@condition
def attribute_set(operation: Operation, name: str) -> bool:
    """An attribute is there and is not 0."""
    return bool(operation.attributes.get(name))


@condition
def attribute_not_in(operation: Operation, rule: dict[str, list[Any]]) -> bool:
    """An attribute is there and has another value than those allowed."""
    return any(
        name in operation.attributes and operation.attributes[name] not in allowed
        for name, allowed in rule.items()
    )


@condition
def not_all_ones(operation: Operation, position: int) -> bool:
    """A short constant input holds another number than 1."""
    given = operation.inputs
    numbers = given[position].integers if position < len(given) else None
    return numbers is not None and any(number != 1 for number in numbers)


@condition
def negative_numbers(operation: Operation, position: int) -> bool:
    """A short constant input holds a negative number."""
    given = operation.inputs
    numbers = given[position].integers if position < len(given) else None
    return numbers is not None and any(number < 0 for number in numbers)


@condition
def rows_not_in(operation: Operation, rule: dict[str, Any]) -> bool:
    """An input has another number of rows than those allowed."""
    given, position = operation.inputs, rule["input"]
    shape = given[position].shape if position < len(given) else None
    return bool(shape) and shape is not None and shape[0] not in rule["allowed"]


@condition
def kept_over_ranks(operation: Operation, name: str) -> bool:
    """An attribute keeps dimensions, and the first input and result have different numbers."""
    if not operation.inputs or not operation.outputs or not operation.attributes.get(name):
        return False
    given, result = operation.inputs[0].shape, operation.outputs[0].shape
    return given is not None and result is not None and len(given) != len(result)


@condition
def input_form_not(operation: Operation, rule: dict[str, Any]) -> bool:
    """An input has another rank or type than the one allowed."""
    given, position = operation.inputs, rule["input"]
    if position >= len(given):
        return False
    shape = given[position].shape
    return given[position].dtype != rule["dtype"] or (
        shape is not None and len(shape) != rule["rank"]
    )


@condition
def broadcast_over_ranks(operation: Operation, _: object) -> bool:
    """Two operands of different ranks above 1, but for three forms that TensorFlow Lite's GPU
    delegate knows: 4D with 3D at batch 1, 4D with [1, 1], and [b, x, y, c] with [b, c]."""
    shapes = [tensor.shape for tensor in operation.inputs[:2]]
    if len(shapes) < 2 or any(shape is None or len(shape) < 2 for shape in shapes):
        return False
    longer, shorter = sorted((shape or () for shape in shapes), key=len, reverse=True)
    if len(longer) == len(shorter):
        return False
    if len(longer) == 4 and len(shorter) == 3:
        return longer[0] != 1
    if len(longer) == 4 and len(shorter) == 2:
        return shorter != (1, 1) and (longer[0], longer[3]) != shorter
    return True
