"""Find change points, where a series begins to have another distribution.

The method is E-divisive (Matteson and James, JASA 109, 2014). It computes the energy distance
between the parts before and after each possible point. The largest is kept if shuffling the segment
rarely gives one as large. The search then continues in both parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """Change of the distribution of a series at `index`."""

    index: int
    before: float
    """Median of the segment that ends at `index`."""
    after: float
    p_value: float

    @property
    def ratio(self) -> float:
        """Return the median after the change over the median before it."""
        return self.after / self.before


def changes(
    series: Sequence[float],
    alpha: float = 0.01,
    least: int = 5,
    shuffles: int = 999,
    seed: int = 0,
) -> tuple[ChangePoint, ...]:
    """Find the change points of a series, in order; segments have at least `least` entries.

    `alpha` is the share of series without a change in which the first search reports one. Raises
    `ValueError` for a series with a number that is not finite.
    """
    values = np.asarray(series, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a series with a number that is not finite has no change points")
    distances = np.abs(values[:, None] - values[None, :])
    rng = np.random.default_rng(seed)
    p_values: dict[int, float] = {}
    segments = [(0, values.size)]
    while segments:
        low, high = segments.pop()
        if high - low < 2 * least:
            continue
        segment = distances[low:high, low:high]
        strength, at = _strongest(segment, least)
        if strength <= 0:
            continue
        p_value = _p_value(segment, strength, least, shuffles, rng)
        if p_value < alpha:
            p_values[low + at] = p_value
            segments += [(low, low + at), (low + at, high)]
    edges = [0, *sorted(p_values), values.size]
    return tuple(
        ChangePoint(
            index=edges[k],
            before=float(np.median(values[edges[k - 1] : edges[k]])),
            after=float(np.median(values[edges[k] : edges[k + 1]])),
            p_value=p_values[edges[k]],
        )
        for k in range(1, len(edges) - 1)
    )


def _p_value(
    segment: Array, strength: float, least: int, shuffles: int, rng: np.random.Generator
) -> float:
    as_strong = 0
    for _ in range(shuffles):
        order = rng.permutation(len(segment))
        as_strong += _strongest(segment[np.ix_(order, order)], least)[0] >= strength
    return (1 + as_strong) / (1 + shuffles)


def _strongest(distances: Array, least: int) -> tuple[float, int]:
    """Return the largest scaled energy distance over all splits of a segment, and its index.

    All splits at n of N are computed at once: the sums of distances within the left part, within
    the right part and between them come from the two-dimensional running sum.
    """
    size = len(distances)
    running = np.zeros((size + 1, size + 1))
    running[1:, 1:] = distances.cumsum(0).cumsum(1)
    left = np.arange(least, size - least + 1)
    right = size - left
    within_left = running[left, left]
    across = running[left, size] - within_left
    within_right = running[size, size] - within_left - 2 * across
    energy = (
        2 * across / (left * right)
        - within_left / (left * np.maximum(left - 1, 1))
        - within_right / (right * np.maximum(right - 1, 1))
    )
    scaled = energy * left * right / size
    best = int(np.argmax(scaled))
    return float(scaled[best]), int(left[best])


def steady_from(series: Sequence[float], tolerance: float = 0.05, **options: Any) -> int | None:
    """Return the index from which a series stays on one level; None where it never does.

    It does where the segment after the last change point holds at least four entries and a quarter
    of the series, and the medians of its halves lie within `tolerance` of each other. `options` go
    to `changes`.
    """
    values = np.asarray(series, dtype=np.float64)
    points = changes(series, **options)
    start = points[-1].index if points else 0
    last = values[start:]
    if last.size < 4 or last.size * 4 < values.size:
        return None
    first, second = (float(np.median(half)) for half in np.array_split(last, 2))
    return start if abs(second / first - 1) <= tolerance else None
