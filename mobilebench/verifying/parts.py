"""Divide outputs into parts of one scale, each of which parity judges by itself.

Boxes in pixels beside scores in 0..1 have two scales, as two outputs or joined in one tensor. One
figure over both would let every score be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mobilebench.inputs.seeded import Array

_RATIO = 30.0
"""By which every slice of one part is larger than every slice of its neighbour. Boxes in pixels
exceed scores by hundreds; that all channels of a map up to one exceed all others so far is unlikely
(0 of 1000 maps whose channels spread by a factor of 30)."""
_LEAST_ELEMENTS = 16
"""Of a slice in one input. With fewer, as in a row of class scores, slices are single numbers,
whose size says nothing of a scale."""
_FEW_SLICES = 8
"""Of an axis: a part may be one slice, as the score of a detector of one class. Of more slices one
that is far smaller than the others is a dead channel."""


@dataclass(frozen=True)
class Part:
    """One output, or neighbouring slices of one axis of it; arrays over all inputs, (N, ...)."""

    output: int
    axis: int | None
    """None for a whole output; else the axis in the output's own shape."""
    first: int
    last: int
    expected: Array
    actual: Array

    @property
    def name(self) -> str:
        """The part in words, for people."""
        if self.axis is None:
            return f"output {self.output}"
        return f"output {self.output} at {self.first} to {self.last} of axis {self.axis}"


def divide(reference: Sequence[Sequence[Array]], outputs: Sequence[Sequence[Array]]) -> list[Part]:
    """Divide the outputs of all inputs into parts of one scale, in order.

    Both are lists of batches of the same tensors.
    """
    columns = zip(zip(*reference, strict=True), zip(*outputs, strict=True), strict=True)
    return [
        part
        for index, (expected, actual) in enumerate(columns)
        for part in _parts(index, np.stack(expected), np.stack(actual))
    ]


def _parts(index: int, expected: Array, actual: Array) -> Iterator[Part]:
    joined = _joined_axis(expected) if np.issubdtype(expected.dtype, np.floating) else None
    if joined is None:
        yield Part(index, None, 0, 0, expected, actual)
        return
    axis, runs = joined
    for first, last in runs:
        slices = (slice(None),) * axis + (slice(first, last + 1),)
        yield Part(index, axis - 1, first, last, expected[slices], actual[slices])


def _joined_axis(expected: Array) -> tuple[int, list[tuple[int, int]]] | None:
    """Find the first axis along which the output joins parts of different scale, and the parts.

    None where there is no such axis. Axis 0 counts the inputs.
    """
    for axis in range(2, expected.ndim):
        size = expected.shape[axis]
        if size < 2 or expected[0].size // size < _LEAST_ELEMENTS:
            continue
        others = tuple(other for other in range(expected.ndim) if other != axis)
        runs = _runs(np.abs(expected).max(axis=others), 0, 1 if size <= _FEW_SLICES else 2)
        if len(runs) > 1:
            return axis, runs
    return None


def _runs(scales: Array, start: int, least: int) -> list[tuple[int, int]]:
    """Divide slices where all on one side are far larger than all on the other."""
    for cut in range(least, len(scales) - least + 1):
        left, right = scales[:cut], scales[cut:]
        if left.min() > _RATIO * right.max() or right.min() > _RATIO * left.max():
            return [*_runs(left, start, least), *_runs(right, start + cut, least)]
    return [(start, start + len(scales) - 1)]
