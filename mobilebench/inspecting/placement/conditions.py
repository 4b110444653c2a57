"""Conditions under which tables of rules refuse an operation.

Each condition takes an operation and the value that the table gives with the condition. It is true
where the operation must be refused. What the file does not state refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mobilebench.values.graph import Operation, Tensor

Condition = Callable[[Operation, Any], bool]
CONDITIONS: dict[str, Condition] = {}


def condition(function: Condition) -> Condition:
    """Register a condition under its function's name."""
    CONDITIONS[function.__name__] = function
    return function


def _flowing(operation: Operation) -> Iterator[Tensor]:
    """Yield an operation's inputs and outputs except for constants."""
    yield from (tensor for tensor in operation.inputs if not tensor.constant)
    yield from operation.outputs


def _sizes(operation: Operation, name: str) -> Sequence[Any]:
    value = operation.attributes.get(name)
    return value if isinstance(value, tuple) else ()


@condition
def always(operation: Operation, _: object) -> bool:
    """Refuse every operation."""
    return True


@condition
def rank_above(operation: Operation, limit: int) -> bool:
    """Refuse a tensor with more dimensions than the limit."""
    return any(t.shape is not None and len(t.shape) > limit for t in _flowing(operation))


@condition
def input_rank_not_in(operation: Operation, allowed: list[int]) -> bool:
    """Refuse a first input whose number of dimensions is not allowed."""
    shape = operation.inputs[0].shape if operation.inputs else None
    return shape is not None and len(shape) not in allowed


@condition
def size_not_fixed(operation: Operation, _: object) -> bool:
    """Refuse a tensor with a size that is known only when the file runs."""
    return any(t.shape is None or None in t.shape for t in _flowing(operation))


@condition
def dimension_above(operation: Operation, limit: int) -> bool:
    """Refuse a tensor with a dimension larger than the limit."""
    return any(
        size is not None and size > limit for t in _flowing(operation) for size in t.shape or ()
    )


@condition
def dtype_in(operation: Operation, refused: list[str]) -> bool:
    """Refuse a tensor of one of these types."""
    return any(tensor.dtype in refused for tensor in _flowing(operation))


@condition
def kernel_above(operation: Operation, limit: int) -> bool:
    """Refuse a window that is wider or higher than the limit."""
    return any(size > limit for size in _sizes(operation, "kernel"))


@condition
def dilated(operation: Operation, _: object) -> bool:
    """Refuse a window with gaps."""
    return any(size > 1 for size in _sizes(operation, "dilations"))


@condition
def input_not_constant(operation: Operation, positions: list[int]) -> bool:
    """Refuse an input at one of these positions that is computed while the file runs."""
    inputs = operation.inputs
    return any(place < len(inputs) and not inputs[place].constant for place in positions)


@condition
def weights_of_another_type(operation: Operation, _: object) -> bool:
    """Refuse a second input that is stored in another type than the first."""
    return len(operation.inputs) > 1 and operation.inputs[0].dtype != operation.inputs[1].dtype


@condition
def inputs_above(operation: Operation, limit: int) -> bool:
    """Refuse more inputs than the limit."""
    return len(operation.inputs) > limit


@condition
def outputs_above(operation: Operation, limit: int) -> bool:
    """Refuse more outputs than the limit."""
    return len(operation.outputs) > limit


@condition
def attribute_set(operation: Operation, name: str) -> bool:
    """Refuse an attribute that is present and not 0."""
    return bool(operation.attributes.get(name))


@condition
def attribute_not_in(operation: Operation, rule: dict[str, list[Any]]) -> bool:
    """Refuse an attribute that is present with a value that is not allowed."""
    return any(
        name in operation.attributes and operation.attributes[name] not in allowed
        for name, allowed in rule.items()
    )


@condition
def not_all_ones(operation: Operation, position: int) -> bool:
    """Refuse a short constant input that contains a number other than 1."""
    inputs = operation.inputs
    numbers = inputs[position].integers if position < len(inputs) else None
    return numbers is not None and any(number != 1 for number in numbers)


@condition
def negative_numbers(operation: Operation, position: int) -> bool:
    """Refuse a short constant input that contains a negative number."""
    inputs = operation.inputs
    numbers = inputs[position].integers if position < len(inputs) else None
    return numbers is not None and any(number < 0 for number in numbers)


@condition
def rows_not_in(operation: Operation, rule: dict[str, Any]) -> bool:
    """Refuse an input whose number of rows is not allowed."""
    inputs, position = operation.inputs, rule["input"]
    shape = inputs[position].shape if position < len(inputs) else None
    return bool(shape) and shape is not None and shape[0] not in rule["allowed"]


@condition
def kept_over_ranks(operation: Operation, name: str) -> bool:
    """Refuse an attribute that keeps dimensions where input and output ranks differ.

    The ranks are those of the first input and of the first output.
    """
    if not operation.inputs or not operation.outputs or not operation.attributes.get(name):
        return False
    input_shape, output_shape = operation.inputs[0].shape, operation.outputs[0].shape
    return (
        input_shape is not None
        and output_shape is not None
        and len(input_shape) != len(output_shape)
    )


@condition
def input_form_not(operation: Operation, rule: dict[str, Any]) -> bool:
    """Refuse an input whose rank or type is not the one allowed."""
    inputs, position = operation.inputs, rule["input"]
    if position >= len(inputs):
        return False
    shape = inputs[position].shape
    return inputs[position].dtype != rule["dtype"] or (
        shape is not None and len(shape) != rule["rank"]
    )


@condition
def broadcast_over_ranks(operation: Operation, _: object) -> bool:
    """Refuse two operands of different ranks above 1, except in three forms.

    TensorFlow Lite's GPU delegate knows these forms: 4D with 3D at batch 1, 4D with [1, 1], and
    [b, x, y, c] with [b, c].
    """
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
