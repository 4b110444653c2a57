"""Tensors of two files are matched by name, order or shape, and across layouts."""

from __future__ import annotations

import numpy as np
import pytest

from mobilebench.errors import UserError
from mobilebench.verifying.matching import Ends, Match, match


def _ends(**shapes: tuple[int, ...]) -> Ends:
    return Ends(tuple(shapes), tuple(shapes.values()))


def _places(matched: Match) -> list[int]:
    return [source.place for source in matched.sources]


def test_the_same_names_decide_whatever_the_order() -> None:
    matched = match("output", _ends(a=(1, 4), b=(1, 4)), _ends(b=(1, 4), a=(1, 4)))
    assert (_places(matched), matched.by, matched.notes("output")) == ([1, 0], "name", [])


def test_other_names_are_matched_by_order_and_that_is_said() -> None:
    matched = match("output", _ends(a=(1, 4), b=(1, 4)), _ends(x=(1, 4), y=(1, 4)))
    assert (_places(matched), matched.by) == ([0, 1], "order")
    assert matched.notes("output") == ["outputs are matched by order, because their names differ"]


def test_where_the_order_does_not_fit_the_only_shape_that_does_decides() -> None:
    matched = match("output", _ends(boxes=(1, 9, 4), scores=(1, 9)), _ends(x=(1, 9), y=(1, 9, 4)))
    assert (_places(matched), matched.by) == ([1, 0], "shape")


def test_equal_names_whose_shapes_do_not_fit_do_not_decide() -> None:
    matched = match("output", _ends(a=(1, 4), b=(1, 5)), _ends(b=(1, 4), a=(1, 5)))
    assert (_places(matched), matched.by) == ([0, 1], "order")


def test_channels_last_becomes_channels_first_and_back() -> None:
    image = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    last = image.transpose(0, 2, 3, 1)
    to_last = match("input", _ends(x=(2, 4, 5, 3)), _ends(x=(2, 3, 4, 5)))
    to_first = match("input", _ends(x=(2, 3, 4, 5)), _ends(x=(2, 4, 5, 3)))
    assert np.array_equal(to_last.take([image])[0], last)
    assert np.array_equal(to_first.take([last])[0], image)
    assert to_last.notes("input") == ["inputs are turned to channels last"]


def test_sizes_of_one_do_not_count() -> None:
    matched = match("output", _ends(x=(1, 10)), _ends(x=(1, 1, 1, 10)))
    assert matched.take([np.zeros((1, 1, 1, 10))])[0].shape == (1, 10)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (_ends(a=(1, 4)), _ends(a=(1, 4), b=(1, 4))),
        (_ends(a=(1, 4)), _ends(a=(1, 5))),
        (_ends(a=(1, 3, 4, 5)), _ends(a=(1, 5, 4, 3))),
        (_ends(a=(1, 4), b=(1, 4)), _ends(c=(1, 4), d=(1, 5))),
    ],
)
def test_what_does_not_match_is_refused_with_both_sides(here: Ends, there: Ends) -> None:
    with pytest.raises(UserError, match="outputs of the two files do not match") as refused:
        match("output", here, there)
    assert str(here) in str(refused.value) and str(there) in str(refused.value)
