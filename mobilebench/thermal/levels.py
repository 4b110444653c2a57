"""Find the levels of a latency: the medians of groups of alike values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def clusters(values: Sequence[float], count: int) -> list[float]:
    """Return the medians of the best `count` groups of neighbouring values, the least first.

    The best groups have the least sum of distances of the logarithms from their median; exact, by
    dynamic programming. Raises `ValueError` where there are fewer different values.
    """
    ordered = np.sort(np.log(np.asarray(values, dtype=float)))
    size = len(ordered)
    if len(np.unique(ordered)) < count:
        raise ValueError(f"there are fewer than {count} different values")
    cost = np.full((size + 1, size + 1), np.inf)
    for start in range(size):
        for end in range(start + 1, size + 1):
            part = ordered[start:end]
            cost[start, end] = np.abs(part - np.median(part)).sum()
    best = cost[0]
    ends: list[NDArray[np.intp]] = []
    for _ in range(count - 1):
        total = best[:, None] + cost
        ends.append(total.argmin(axis=0))
        best = total.min(axis=0)
    cuts = [size]
    for chosen in reversed(ends):
        cuts.append(int(chosen[cuts[-1]]))
    cuts = [0, *reversed(cuts[1:]), size]
    return [float(np.exp(np.median(ordered[a:b]))) for a, b in pairwise(cuts)]
