"""Count islands as TensorFlow Lite's partitioner forms them."""

from __future__ import annotations

import pytest

from mobilebench.inspecting.placement.islands import islands
from mobilebench.values.graph import Operation, Tensor


def _operation(name: str, *inputs: str) -> Operation:
    def tensor(of: str) -> Tensor:
        return Tensor(name=of, shape=(1,), dtype="float32")

    return Operation(
        name=name,
        kind="k",
        inputs=tuple(map(tensor, inputs)),
        outputs=(tensor(name),),
        attributes={},
    )


CHAIN = [_operation(str(place), str(place - 1)) for place in range(5)]


@pytest.mark.parametrize(
    ("taken", "parts"),
    [
        ([True] * 5, 1),
        ([False] * 5, 0),
        ([True, True, False, True, True], 2),
        ([True, False, True, False, True], 3),
        ([False, True, True, True, False], 1),
    ],
)
def test_every_refused_operation_of_a_chain_parts_it(taken: list[bool], parts: int) -> None:
    assert islands(CHAIN, taken) == parts


def test_a_refused_side_branch_that_nothing_waits_for_parts_nothing() -> None:
    branches = [
        _operation("a", "x"),
        _operation("side", "x"),
        _operation("b", "a"),
        _operation("c", "b"),
    ]
    assert islands(branches, [True, False, True, True]) == 1


def test_two_branches_around_one_refused_operation_are_two_parts() -> None:
    diamond = [
        _operation("a", "x"),
        _operation("refused", "a"),
        _operation("beside", "a"),
        _operation("join", "refused", "beside"),
    ]
    assert islands(diamond, [True, False, True, True]) == 2


def test_the_order_in_the_file_does_not_matter_between_independent_branches() -> None:
    """A refused operation between two others that do not need it does not part them."""
    operations = [
        _operation("a", "x"),
        _operation("refused", "x"),
        _operation("b", "a"),
    ]
    assert islands(operations, [True, False, True]) == 1
    assert islands([], []) == 0
