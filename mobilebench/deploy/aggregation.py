"""Aggregate neighbours on a map of fixed size: (N, C, H, W) -> (N, C, H, W).

An aggregation stands between the projections of a graph block. Each class here computes the map
that a 1x1 convolution mixes with x, and its docstring states what it was before. None of them needs
a comparison, or an index that is computed. Sums over channels are convolutions, because runtimes
have those in one kernel.

For ONNX Runtime small maps have their channels last, (N, H, W, C), and are shifted by gathers: see
`Layout`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from enum import Enum

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench.deploy.shifts import Ring, doubling, shortest
from mobilebench.deploy.target import Target
from mobilebench.errors import ImageSizeError


class Layout(Enum):
    """Where the channels of a map are, with the axes of its rows and its columns."""

    CHANNELS_FIRST = (2, 3)
    CHANNELS_LAST = (1, 2)

    @classmethod
    def fitting(cls, size: tuple[int, int], target: Target) -> Layout:
        """Return the layout in which a target aggregates maps of a size.

        ONNX Runtime slices a map of 14 x 14 in rows of 14 floats, five times as slowly as in rows
        of all channels. On larger maps the rows are long enough.
        """
        small = max(size) <= _SMALL and target is Target.ONNX_RUNTIME
        return cls.CHANNELS_LAST if small else cls.CHANNELS_FIRST


class Running:
    """Running extreme over terms that are given one after another.

    ONNX Runtime computes first what is written last among a node's inputs. Of max(max(x, a), b) it
    would compute both terms, and of twelve all twelve, before the first maximum. `late`, a term is
    written before the maximum with the term before it, so each is used as soon as it exists. The
    operations and their results are the same.
    """

    def __init__(
        self, start: Tensor, extreme: Callable[[Tensor, Tensor], Tensor], *, late: bool
    ) -> None:
        self._found, self._extreme, self._late = start, extreme, late
        self._waiting: Tensor | None = None

    def take(self, term: Tensor) -> None:
        """Take the next term in."""
        waiting, self._waiting = (self._waiting, term) if self._late else (term, None)
        if waiting is not None:
            self._found = self._extreme(self._found, waiting)

    def end(self) -> Tensor:
        """Return the extreme of all terms."""
        return self._found if self._waiting is None else self._extreme(self._found, self._waiting)


class Aggregation(nn.Module):
    """Base of all aggregations: the map size and the target that one was made for."""

    layout: Layout
    """Of the map that an aggregation takes and returns."""

    def __init__(
        self,
        size: tuple[int, int],
        target: Target,
        layout: Layout = Layout.CHANNELS_FIRST,
    ) -> None:
        super().__init__()
        self.size = size
        self.target = target
        self.layout = layout
        if layout is Layout.CHANNELS_LAST:
            for axis, length in enumerate(size):
                for distance in range(1, length):
                    index = torch.arange(length).roll(distance)
                    self.register_buffer(f"turn{axis}_{distance}", index, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = self.layout.value
        map_size = (x.shape[rows], x.shape[columns])
        if map_size != self.size:
            raise ImageSizeError(
                f"This deployment form was made for a map of {self.size[0]} x {self.size[1]} here "
                f"and was given one of {map_size[0]} x {map_size[1]}; deploy the network for "
                f"that image size."
            )
        return self.aggregate(x)

    def aggregate(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def maximum(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the larger values.

        On Vulkan, which has no such operation, they are a + relu(b - a).
        """
        if self.target is Target.VULKAN:
            return a + torch.relu(b - a)
        return torch.maximum(a, b)

    def shifts(self, x: Tensor, axis: int, distances: Collection[int]) -> Callable[[int], Tensor]:
        """Return a function of a distance that shifts x along its rows, axis 0, or its columns.

        It takes each of the given distances. ONNX Runtime's optimiser would move the transposition
        of a map with channels last behind a slice, which is then one with channels first. It leaves
        the transposition before a gather.
        """
        dim = self.layout.value[axis]
        if self.layout is Layout.CHANNELS_FIRST:
            return Ring(x, distances, dim, self.target).shifted

        def turned(distance: int) -> Tensor:
            turn = distance % self.size[axis]
            return x.index_select(dim, self.get_buffer(f"turn{axis}_{turn}")) if turn else x

        return turned

    def shifted(self, x: Tensor, distance: int, axis: int) -> Tensor:
        """Shift a map once: out[i] = x[(i - distance) mod size] along its axis 0 or 1."""
        return self.shifts(x, axis, [distance])(distance)

    def running(
        self, start: Tensor, extreme: Callable[[Tensor, Tensor], Tensor] | None = None
    ) -> Running:
        """Return a running extreme, by default a maximum."""
        late = self.target is Target.ONNX_RUNTIME
        return Running(start, extreme or self.maximum, late=late)

    def extra_repr(self) -> str:
        return f"size={self.size}, target={self.target}"


class DoublingExtreme(Aggregation):
    """Extreme over x and the neighbours K, 2K, ... pixels away along each axis (MobileViG).

    Before: for each of the shifts, `lowest = min(lowest, shifted(x, distance))`. After: along each
    axis the running extreme itself is shifted, by K, 2K, 4K, ..., so 7 pixels at K = 2 need two
    shifts an axis instead of three. The extreme over a set does not depend on the order in which it
    is taken, so the result is equal bit for bit.
    """

    def __init__(self, size: tuple[int, int], target: Target, hop: int, *, lowest: bool) -> None:
        super().__init__(size, target)
        self.extreme = torch.minimum if lowest else self.maximum
        self.steps = tuple(doubling(hop, math.ceil(length / hop)) for length in size)

    def aggregate(self, x: Tensor) -> Tensor:
        along = []
        for axis, steps in enumerate(self.steps):
            running = x
            for distance in steps:
                running = self.extreme(running, self.shifted(running, distance, axis))
            along.append(running)
        return self.extreme(*along)


class Extremes(Aggregation):
    """Extreme over x and its neighbours at given distances (MobileViGv2, LogViG).

    Before: each neighbour is two slices and a concatenation. After: each neighbour is one slice of
    a map that is extended once along each axis. Distances that are equal around the ring count
    once.
    """

    def __init__(
        self,
        size: tuple[int, int],
        target: Target,
        distances: Iterable[Iterable[int]],
        *,
        lowest: bool,
    ) -> None:
        super().__init__(size, target, Layout.fitting(size, target))
        self.extreme = torch.minimum if lowest else self.maximum
        self.distances = tuple(
            tuple(sorted(_around(axis, length)))
            for axis, length in zip(distances, size, strict=True)
        )

    def aggregate(self, x: Tensor) -> Tensor:
        running = self.running(x, self.extreme)
        for axis, distances in enumerate(self.distances):
            shifted = self.shifts(x, axis, distances)
            for distance in distances:
                running.take(shifted(distance))
        return running.end()


class ChannelSum(nn.Module):
    """factor * the sum of absolute values over channels: (N, C, H, W) -> (N, 1, H, W).

    Before: `x.abs().sum(1, keepdim=True)`. After: a 1x1 convolution of |x| with equal weights.
    XNNPACK keeps that in its one delegate, but leaves out a sum. ONNX Runtime would reorder the map
    for that convolution and again after it, so there it is a matrix product of one row, or with the
    channels last of one column: (N, H, W, C) -> (N, H, W, 1).
    """

    weight: Tensor

    def __init__(self, channels: int, factor: float, target: Target, layout: Layout) -> None:
        super().__init__()
        self.last = layout is Layout.CHANNELS_LAST
        self.as_matrix = target is Target.ONNX_RUNTIME
        shape: tuple[int, ...] = (1, channels, 1, 1)
        if self.as_matrix:
            shape = (channels, 1) if self.last else (1, 1, channels)
        # In float64, until it is converted to the type of the network around it.
        self.register_buffer("weight", torch.full(shape, factor, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        if self.last:
            return x.abs() @ self.weight
        if self.as_matrix:
            return torch.unflatten(self.weight @ x.abs().flatten(2), 2, x.shape[2:])
        return F.conv2d(x.abs(), self.weight)


class NearCandidates(Aggregation):
    """Maximum of x and the candidates whose L1 distance is below a threshold (GreedyViG).

    Before, for each candidate c: `max(r, (c - x) * (distance(x, c) < near))`, starting from 0.
    After: `max(y, c + penalty)`, starting from x. The penalty has one channel; it is 0 where the
    candidate counts and far below every value where it does not. r is y - x, and the convolution
    that follows has this subtraction folded in. The candidates d and size - d are the two ends of
    the same pair of pixels, so their distance map is computed once, and its one channel is shifted.
    ONNX Runtime spreads the sum with the penalty over its threads, but not a minimum with a cap.

    Distances carry a factor that is a power of two, which changes no comparison. They stay within
    the range of half precision below 15 per channel. In half precision a candidate that does not
    count may become minus infinity, which a maximum passes over.
    """

    STEEP = 4096.0
    """Scale of distances per channel, so that float32's smallest difference is decisive."""
    FAR = 60000.0
    """Larger than any difference between values of a map, within half precision."""

    def __init__(self, size: tuple[int, int], target: Target, channels: int, hop: int) -> None:
        super().__init__(size, target, Layout.fitting(size, target))
        per_channel = self.STEEP / 2 ** math.ceil(math.log2(channels))
        self.distance = ChannelSum(channels, per_channel, target, self.layout)
        self.pixels = size[0] * size[1]
        self.pairs = tuple(_pairs(range(hop, length, hop), length) for length in size)

    def aggregate(self, x: Tensor) -> Tensor:
        if self.pixels == 1:  # no candidates, and no spread to compare with
            return x
        near = self._threshold(x)
        running = self.running(x)
        for axis, pairs in enumerate(self.pairs):
            shifted = self.shifts(x, axis, {distance for pair in pairs for distance in pair})
            for first, *opposite in pairs:
                candidate = shifted(first)
                distance = self.distance(x - candidate)
                penalty = (near - distance).clamp(-1.0, 0.0) * self.FAR
                running.take(candidate + penalty)
                for other in opposite:
                    # |x[i] - x[i + d]| is the first map's value at i + d.
                    penalty = self.shifted(penalty, other, axis)
                    running.take(shifted(other) + penalty)
        return running.end()

    def _threshold(self, x: Tensor) -> Tensor:
        """Compute mean - std of the distances to the opposite pixel: (N, 1, 1, 1).

        The std is unbiased. Where both sides are even, the opposite of the opposite is the pixel
        itself, so half of the map has every distance once.
        """
        (height, width), (rows, columns) = self.size, self.layout.value
        if height % 2 == 0 and width % 2 == 0:
            upper, lower = (x.narrow(rows, start, height // 2) for start in (0, height // 2))
        else:
            upper, lower = x, self.shifted(x, -(-height // 2), 0)
        spread: Tensor = self.distance(upper - self.shifted(lower, -(-width // 2), 1))
        # Keep the squares small; the factor is a power of two, which rounds nothing.
        spread = spread * (1 / self.STEEP)
        mean = spread.mean((rows, columns), keepdim=True)
        centred = spread - mean
        variance = (centred * centred).mean((rows, columns), keepdim=True)
        deviation = torch.sqrt(variance * (self.pixels / (self.pixels - 1)))
        return (mean - deviation) * self.STEEP


class GatedNeighbours(Aggregation):
    """max(0, gate * (neighbour - x)) with gate = exp(-distance / T) (AdaptViG).

    Before: shifts by 2, 4, 8, ... along each axis with a gate each, and the shift by K without one.
    Each shift is two slices and a concatenation, the sum over channels is a norm, and the
    temperature is computed in every call. After: each neighbour is one slice, and -1/T is the
    weight of the convolution that sums the distance. A shift that counts in full has no gate beside
    it, because a gate is at most 1 and can add nothing.
    """

    def __init__(
        self, size: tuple[int, int], target: Target, channels: int, hop: int, softness: float
    ) -> None:
        super().__init__(size, target, Layout.fitting(size, target))
        self.exponent = ChannelSum(channels, -1.0 / softness, target, self.layout)
        self.full = tuple(_around([hop], length) for length in size)
        self.gated = tuple(
            _around((2**power for power in range(1, length.bit_length())), length) - full
            for length, full in zip(size, self.full, strict=True)
        )

    def aggregate(self, x: Tensor) -> Tensor:
        along = [
            self.shifts(x, axis, full | gated)
            for axis, (full, gated) in enumerate(zip(self.full, self.gated, strict=True))
        ]
        highest = self.running(x)
        for shifted, full in zip(along, self.full, strict=True):
            for distance in full:
                highest.take(shifted(distance))
        relative = self.running(highest.end() - x)
        for shifted, gated in zip(along, self.gated, strict=True):
            for distance in sorted(gated):
                difference = shifted(distance) - x
                relative.take(difference * torch.exp(self.exponent(difference)))
        return relative.end()


class Attended(Aggregation):
    """Maximum of x and attention over all pixels (AdaptViG's last stage).

    Before: queries and keys are layer-normalised, their product is scaled, and
    r = relu(attended - x). After: the mean over channels that the normalisation subtracts is
    removed from the weights of the convolution before it, and the scale is part of the queries'
    gain. The aggregate is max(x, attended), and its subtraction is folded into the convolution that
    follows.
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


_SMALL = 14
"""Rows and columns of the largest map that ONNX Runtime aggregates faster with channels last."""


def _around(distances: Iterable[int], size: int) -> frozenset[int]:
    """Return distances by the shorter way around, without those that lead back to the pixel.

    A distance of the size or more is the identity in the official slices, not taken modulo the
    size.
    """
    return frozenset(shortest(d, size) for d in distances if abs(d) < size) - {0}


def _pairs(distances: Iterable[int], size: int) -> tuple[tuple[int, ...], ...]:
    """Return distances by the shorter way around, each with its opposite where present."""
    around = _around(distances, size)
    return tuple(
        (d, -d) if -d in around else (d,) for d in sorted(around) if d > 0 or -d not in around
    )
