"""Circular shifts of a map whose size is fixed, in the forms that toolkits keep as they are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Ring:
    """A map made longer along one axis, so that each of its shifts is one slice.

    Before: every shift is two slices and a concatenation, `cat([x[-d:], x[:-d]])`: the whole map
    is copied twice. After: one concatenation repeats the ends of the map once for all shifts, and
    a shift is one slice, which copies the map once. Toolkits see no roll and no gather.
    """

    def __init__(self, x: Tensor, distances: Sequence[int], dim: int) -> None:
        size = x.shape[dim]
        self.dim, self.size = dim, size
        self.before = max((d for d in distances if d > 0), default=0)
        after = max((-d for d in distances if d < 0), default=0)
        parts = [x]
        if self.before:
            parts.insert(0, x.narrow(dim, size - self.before, self.before))
        if after:
            parts.append(x.narrow(dim, 0, after))
        self.longer = torch.cat(parts, dim) if len(parts) > 1 else x

    def shifted(self, distance: int) -> Tensor:
        """out[i] = x[(i - distance) mod size]."""
        return self.longer.narrow(self.dim, self.before - distance, self.size)


def shortest(distance: int, size: int) -> int:
    """The same shift by the shorter way around: in -size/2 .. size/2."""
    distance %= size
    return distance if distance <= size // 2 else distance - size


def doubling(hop: int, count: int) -> tuple[int, ...]:
    """Shifts that build the extreme over {0, K, ..., (count - 1) K} by taking what is there twice.

    Before: count - 1 shifts of x. After: about log2(count) shifts of the running extreme, since
    that over {0, K} shifted by 2K is that over {2K, 3K}.
    """
    shifts, covered = [], 1
    while covered < count:
        step = min(covered, count - covered)
        shifts.append(step * hop)
        covered += step
    return tuple(shifts)
