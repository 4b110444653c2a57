"""Divide outputs into parts of one scale, each of which parity judges by itself.

Boxes in pixels beside scores in 0..1 have two scales, as two outputs or joined in one tensor. One
figure over both would let every score be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mobilebench.inputs.seeded import Array

_RATIO = 16.0
"""Between the scales of neighbouring slices that belong to different parts: boxes and scores differ
by 640, channels of one map that were seen by less than 10."""
_MOST_PARTS = 4
"""A tensor that joins more is a map whose channels happen to differ."""
_LEAST_ELEMENTS = 16
"""Of a slice over all inputs, before its largest magnitude says something of its scale."""


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
    """Find the axis along which the output joins parts of different scale, and these parts.

    None where there is no such axis. The first two axes are the inputs and their batch.
    """
    best: tuple[float, int, list[tuple[int, int]]] | None = None
    for axis in range(2, expected.ndim):
        size = expected.shape[axis]
        if size < 2 or expected.size // size < _LEAST_ELEMENTS:
            continue
        others = tuple(other for other in range(expected.ndim) if other != axis)
        scales = np.abs(expected).max(axis=others)
        runs = _runs(scales)
        if 2 <= len(runs) <= _MOST_PARTS:
            heights = [float(scales[first : last + 1].max()) for first, last in runs]
            spread = max(heights) / max(min(heights), np.finfo(np.float64).tiny)
            if best is None or spread > best[0]:
                best = spread, axis, runs
    return None if best is None else best[1:]


def _runs(scales: Array) -> list[tuple[int, int]]:
    """Divide slices into runs of neighbours of similar scale; slices of zeros join any run."""
    runs: list[tuple[int, int]] = []
    first, low, high = 0, np.inf, 0.0
    for index, scale in enumerate(scales):
        if scale > 0 and (scale > _RATIO * low or scale * _RATIO < high):
            runs.append((first, index - 1))
            first, low, high = index, np.inf, 0.0
        if scale > 0:
            low, high = min(low, float(scale)), max(high, float(scale))
    return [*runs, (first, len(scales) - 1)]
