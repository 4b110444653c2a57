"""Neighbour aggregation on a map of fixed size: (N, C, H, W) -> (N, C, H, W).

What stands between the projections of a graph block. Each class here gives the map that a 1x1
convolution mixes with x, and says what it was before. None of them needs an index, a comparison
or an integer; sums over channels are convolutions, since runtimes have those in one kernel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench.deploy.shifts import Ring, doubling, shifted, shortest
from mobilebench.deploy.target import Target
from mobilebench.errors import ImageSizeError


class Aggregation(nn.Module):
    """What all aggregations share: the map size and the target that they were made for."""

    def __init__(self, size: tuple[int, int], target: Target) -> None:
        super().__init__()
        self.size = size
        self.target = target

    def forward(self, x: Tensor) -> Tensor:
        found = (x.shape[2], x.shape[3])
        if found != self.size:
            raise ImageSizeError(
                f"This deployment form was made for a map of {self.size[0]} x {self.size[1]} here "
                f"and was given one of {found[0]} x {found[1]}; deploy the network for that image "
                f"size."
            )
        return self.aggregate(x)

    def aggregate(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def maximum(self, a: Tensor, b: Tensor) -> Tensor:
        """The larger; on Vulkan, which has no such operation, a + relu(b - a)."""
        if self.target is Target.VULKAN:
            return a + torch.relu(b - a)
        return torch.maximum(a, b)

    def extra_repr(self) -> str:
        return f"size={self.size}, target={self.target}"


class DoublingExtreme(Aggregation):
    """Extreme over x and the neighbours K, 2K, ... pixels away along each axis (MobileViG).

    Before: for each of the shifts, `lowest = min(lowest, shifted(x, distance))`. After: along each
    axis the running extreme itself is shifted, by K, 2K, 4K, ..., so that 7 pixels at K = 2 need
    two shifts an axis instead of three. The extreme over a set does not depend on the order in
    which it is taken, so the result is the same bit for bit.
    """

    def __init__(self, size: tuple[int, int], target: Target, hop: int, *, lowest: bool) -> None:
        super().__init__(size, target)
        self.extreme = torch.minimum if lowest else self.maximum
        self.steps = tuple(doubling(hop, math.ceil(length / hop)) for length in size)

    def aggregate(self, x: Tensor) -> Tensor:
        along = []
        for dim, steps in enumerate(self.steps, start=2):
            found = x
            for distance in steps:
                found = self.extreme(found, shifted(found, distance, dim, self.target))
            along.append(found)
        return self.extreme(*along)


class Extremes(Aggregation):
    """Extreme over x and its neighbours at given distances (MobileViGv2, LogViG).

    Before: each neighbour is two slices and a concatenation. After: one slice each, of a map that
    is made longer once for each axis. Distances that are the same around the ring count once.
    """

    def __init__(
        self,
        size: tuple[int, int],
        target: Target,
        distances: Iterable[Iterable[int]],
        *,
        lowest: bool,
    ) -> None:
        super().__init__(size, target)
        self.extreme = torch.minimum if lowest else self.maximum
        self.distances = tuple(
            tuple(sorted(_around(axis, length)))
            for axis, length in zip(distances, size, strict=True)
        )

    def aggregate(self, x: Tensor) -> Tensor:
        found = x
        for dim, distances in enumerate(self.distances, start=2):
            ring = Ring(x, distances, dim, self.target)
            for distance in distances:
                found = self.extreme(found, ring.shifted(distance))
        return found


class ChannelSum(nn.Module):
    """factor * the sum of absolute values over channels: (N, C, H, W) -> (N, 1, H, W).

    Before: `x.abs().sum(1, keepdim=True)`. After: a 1x1 convolution of |x| with equal weights,
    which XNNPACK keeps in one delegate, where it leaves out the sum. In ONNX Runtime, which would
    reorder the map for that convolution and again after it, a matrix product of one row.
    """

    weight: Tensor

    def __init__(self, channels: int, factor: float, target: Target) -> None:
        super().__init__()
        self.as_matrix = target is Target.ONNX_RUNTIME
        shape = (1, 1, channels) if self.as_matrix else (1, channels, 1, 1)
        # In float64 until the network that it becomes part of says its own type.
        self.register_buffer("weight", torch.full(shape, factor, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        if self.as_matrix:
            return torch.unflatten(self.weight @ x.abs().flatten(2), 2, x.shape[2:])
        return F.conv2d(x.abs(), self.weight)


class NearCandidates(Aggregation):
    """max of x and of those candidates whose L1 distance lies under a threshold (GreedyViG).

    Before, for each candidate c: `max(r, (c - x) * (distance(x, c) < near))`, starting from 0.
    After: `max(y, c + penalty)`, starting from x, with penalty one channel that is 0 where the
    candidate counts and far below every value where it does not; r is y - x, which the
    convolution that follows has folded in. The candidates d and size - d lie at opposite ends of
    the same pair of pixels, so their distance map is computed once and shifted, one channel of it.
    The sum is what ONNX Runtime spreads over its threads; a minimum with a cap it does not.

    Distances carry a factor that is a power of two, so comparisons come out as without it, and
    they stay within the range of half precision below 15 a channel. There a candidate that does
    not count may become minus infinity, which a maximum passes over.
    """

    STEEP = 4096.0
    """Scale of a distance per channel: makes the smallest difference that float32 tells clear."""
    FAR = 60000.0
    """More than values of a map differ by, and still within half precision."""

    def __init__(self, size: tuple[int, int], target: Target, channels: int, hop: int) -> None:
        super().__init__(size, target)
        per_channel = self.STEEP / 2 ** math.ceil(math.log2(channels))
        self.distance = ChannelSum(channels, per_channel, target)
        self.pixels = size[0] * size[1]
        self.pairs = tuple(_pairs(range(hop, length, hop), length) for length in size)

    def aggregate(self, x: Tensor) -> Tensor:
        if self.pixels == 1:  # no candidate, and no spread to compare with
            return x
        near = self._threshold(x)
        return self._along(x, self._along(x, x, near, 2), near, 3)

    def _along(self, x: Tensor, found: Tensor, near: Tensor, dim: int) -> Tensor:
        """The maximum of `found` and of the candidates of x that count along one axis."""
        pairs = self.pairs[dim - 2]
        if not pairs:
            return found
        ring = Ring(x, {distance for pair in pairs for distance in pair}, dim, self.target)
        for first, *opposite in pairs:
            candidate = ring.shifted(first)
            distance = self.distance(x - candidate)
            penalty = (near - distance).clamp(-1.0, 0.0) * self.FAR
            found = self.maximum(found, candidate + penalty)
            for other in opposite:
                # |x[i] - x[i + d]| is the first map's value at i + d.
                penalty = shifted(penalty, other, dim, self.target)
                found = self.maximum(found, ring.shifted(other) + penalty)
        return found

    def _threshold(self, x: Tensor) -> Tensor:
        """Mean less unbiased deviation of the distances to the opposite pixel: (N, 1, 1, 1).

        The opposite of the opposite is the pixel itself where both sides are even, so then half of
        the map has every distance once.
        """
        height, width = self.size
        if height % 2 == 0 and width % 2 == 0:
            upper, lower = x.narrow(2, 0, height // 2), x.narrow(2, height // 2, height // 2)
        else:
            upper, lower = x, shifted(x, -(-height // 2), 2, self.target)
        spread: Tensor = self.distance(upper - shifted(lower, -(-width // 2), 3, self.target))
        # In units in which squares stay small; a power of two, so that nothing is rounded.
        spread = spread * (1 / self.STEEP)
        mean = spread.mean((2, 3), keepdim=True)
        centred = spread - mean
        variance = (centred * centred).mean((2, 3), keepdim=True)
        deviation = torch.sqrt(variance * (self.pixels / (self.pixels - 1)))
        return (mean - deviation) * self.STEEP


class GatedNeighbours(Aggregation):
    """max(0, gate * (neighbour - x)) with gate = exp(-distance / T) (AdaptViG).

    Before: shifts by 2, 4, 8, ... along each axis with a gate each, and the shift by K without,
    each of two slices and a concatenation, the sum over channels as a norm, and the temperature
    computed in every call. After: each neighbour is one slice, -1/T is the weight of the
    convolution that sums the distance, and a shift that counts in full has no gate beside it:
    a gate is at most 1, so it can add nothing.
    """

    def __init__(
        self, size: tuple[int, int], target: Target, channels: int, hop: int, softness: float
    ) -> None:
        super().__init__(size, target)
        self.exponent = ChannelSum(channels, -1.0 / softness, target)
        self.full = tuple(_around([hop], length) for length in size)
        self.gated = tuple(
            _around((2**power for power in range(1, length.bit_length())), length) - full
            for length, full in zip(size, self.full, strict=True)
        )

    def aggregate(self, x: Tensor) -> Tensor:
        rings = [
            Ring(x, full | gated, dim, self.target)
            for dim, (full, gated) in enumerate(zip(self.full, self.gated, strict=True), start=2)
        ]
        highest = x
        for ring, full in zip(rings, self.full, strict=True):
            for distance in full:
                highest = self.maximum(highest, ring.shifted(distance))
        relative = highest - x
        for ring, gated in zip(rings, self.gated, strict=True):
            for distance in sorted(gated):
                difference = ring.shifted(distance) - x
                gate = torch.exp(self.exponent(difference))
                relative = self.maximum(relative, difference * gate)
        return relative


class Attended(Aggregation):
    """max of x and of attention over all pixels (AdaptViG's last stage).

    Before: queries and keys are layer-normalised, their product scaled, r = relu(attended - x).
    After: the mean over channels that the normalisation subtracts is taken out of the weights of
    the convolution before it, the scale is part of the queries' gain, and the aggregate is
    max(x, attended), with the subtraction folded into the convolution that follows.
    """

    def __init__(
        self,
        size: tuple[int, int],
        target: Target,
        queries: nn.Module,
        keys: nn.Module,
        values: nn.Module,
    ) -> None:
        super().__init__(size, target)
        self.queries, self.keys, self.values = queries, keys, values

    def aggregate(self, x: Tensor) -> Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        scores = torch.bmm(self.queries(tokens), self.keys(tokens).transpose(1, 2))
        attended = torch.bmm(scores.softmax(dim=-1), self.values(tokens))
        return self.maximum(x, attended.transpose(1, 2).reshape(x.shape))


def _around(distances: Iterable[int], size: int) -> frozenset[int]:
    """Distances by the shorter way around, without those that come back to the pixel itself.

    A distance of the size or more is the identity in the official slices, not taken modulo.
    """
    return frozenset(shortest(d, size) for d in distances if abs(d) < size) - {0}


def _pairs(distances: Iterable[int], size: int) -> tuple[tuple[int, ...], ...]:
    """Distances by the shorter way around, each with its opposite where that is there too."""
    found = _around(distances, size)
    return tuple(
        (d, -d) if -d in found else (d,) for d in sorted(found) if d > 0 or -d not in found
    )
