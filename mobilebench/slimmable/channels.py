"""Which channels of a map a width keeps: always the leading ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

MULTIPLE = 8
"""Channels are a multiple of this, as in MobileNetV2: kernels compute 4 or 8 of them at once."""


@dataclass(frozen=True)
class Channels:
    """The leading channels of a map, or of several maps that are joined.

    `runs` has a pair (count, of) for each joined map. The halves of a concatenation are thus cut
    alike: those kept of [x, y] are the leading ones of x and the leading ones of y.
    """

    runs: tuple[tuple[int, int], ...]

    @classmethod
    def whole(cls, count: int) -> Channels:
        """Return all channels of a map."""
        return cls(((count, count),))

    @classmethod
    def leading(cls, count: int, of: int) -> Channels:
        """Return the leading channels of one map."""
        return cls(((count, of),))

    @property
    def count(self) -> int:
        """How many channels are kept."""
        return sum(count for count, _ in self.runs)

    @property
    def total(self) -> int:
        """How many channels the full network has."""
        return sum(of for _, of in self.runs)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is dropped."""
        return self.count == self.total

    def joined(self, other: Channels) -> Channels:
        """Return the channels of a concatenation with another map."""
        return Channels(self.runs + other.runs)

    def scaled(self, total: int) -> Channels:
        """Return the same share of a layer with another number of channels.

        That is `total` times count / total channels, rounded down. Layers that widen a map, by 2, 4
        or 6, and stems, which begin with half of its channels, are cut so.
        """
        return Channels.leading(self.count * total // self.total, total)

    @cached_property
    def indices(self) -> Tensor:
        """The kept channels by number, (count,) of int64."""
        parts, first = [], 0
        for count, of in self.runs:
            parts.append(torch.arange(first, first + count))
            first += of
        return torch.cat(parts)

    def of(self, tensor: Tensor, dim: int) -> Tensor:
        """Return the kept part of a tensor along a dimension; gradients flow into the whole."""
        if self.is_whole:
            return tensor
        if len(self.runs) == 1:
            return tensor.narrow(dim, 0, self.count)
        return tensor.index_select(dim, self.indices.to(tensor.device))


def leading(share: float, of: int) -> Channels:
    """Return a share of a map's channels, rounded to the nearest multiple of 8; halves go up."""
    if share == 1:
        return Channels.whole(of)
    return Channels.leading(min(of, int(share * of + MULTIPLE / 2) // MULTIPLE * MULTIPLE), of)
