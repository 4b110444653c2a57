"""Shift maps of a fixed size circularly, in forms that toolkits keep unchanged."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from mobilebench.deploy.target import Target


class Ring:
    """Map extended along one axis, so that each of its circular shifts is one slice.

    Before: every shift is two slices and a concatenation, `cat([x[-d:], x[:-d]])`, which copies the
    whole map twice. After: one concatenation repeats one end of the map for all shifts, and a shift
    is one slice, which copies the map once. Toolkits see no roll and no gather.

    ONNX Runtime is slow at slicing ends, so there the whole map is repeated, which XNNPACK refuses.
    """

    def __init__(self, x: Tensor, distances: Collection[int], dim: int, target: Target) -> None:
        self.dim, self.size = dim, x.shape[dim]
        before = max((distance % self.size for distance in distances), default=0)
        after = max((-distance % self.size for distance in distances), default=0)
        if target is Target.ONNX_RUNTIME:
            self.start = 0
            parts = [x, x]
        elif before <= after:  # whichever end is shorter to repeat
            self.start = before
            parts = [x.narrow(dim, self.size - before, before), x]
        else:
            self.start = 0
            parts = [x, x.narrow(dim, 0, after)]
        self.longer = torch.cat(parts, dim) if max(before, after) else x

    def shifted(self, distance: int) -> Tensor:
        """Return the shifted map: out[i] = x[(i - distance) mod size]."""
        return self.longer.narrow(self.dim, (self.start - distance) % self.size, self.size)


def shortest(distance: int, size: int) -> int:
    """Return the same shift by the shorter way around, in -size/2 .. size/2."""
    distance %= size
    return distance if distance <= size // 2 else distance - size


def doubling(hop: int, count: int) -> tuple[int, ...]:
    """Return the shifts that build the extreme over {0, K, ..., (count - 1) K} by doubling.

    Before: count - 1 shifts of x. After: about log2(count) shifts of the running extreme, because
    the extreme over {0, K}, shifted by 2K, is the extreme over {2K, 3K}.
    """
    shifts, covered = [], 1
    while covered < count:
        step = min(covered, count - covered)
        shifts.append(step * hop)
        covered += step
    return tuple(shifts)
