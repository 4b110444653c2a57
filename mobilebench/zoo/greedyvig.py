"""GreedyViG: graph convolutions over those fixed neighbours that are near in value.

Paper: Munir, Avery, Rahman, Marculescu, "GreedyViG: Dynamic Axial Graph Construction for
Efficient Vision GNNs", CVPR 2024, arXiv:2405.06849.
Original code: https://github.com/SLDGroup/GreedyViG (Apache-2.0); facts and state-dict names are
taken from it, the code here is our own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mobilebench.zoo.layers.graph import shifted
from mobilebench.zoo.layers.pyramid import (
    GraphBlock,
    Mixer,
    Pyramid,
    PyramidShape,
    feed_forward,
    relative_mix,
)

HOPS = (8, 4, 2, 1)
"""K of the paper per stage: candidates are K, 2K, ... pixels away along each axis."""


def _distance(x: Tensor, other: Tensor) -> Tensor:
    """Compute the L1 distance over channels: (N, C, H, W) twice -> (N, 1, H, W)."""
    return (x - other).abs().sum(dim=1, keepdim=True)


class DynamicAxialGraphConv(nn.Module):
    """Max-relative graph convolution over near candidates: (N, C, H, W) unchanged.

    This is Dynamic Axial Graph Construction. A candidate counts where its L1 distance is below mean
    - std of the distances between the image and itself shifted by half its size. Mean and std are
    per image, and the std is unbiased. The aggregate is max(0, candidate - x) over the candidates
    that count.
    """

    def __init__(self, channels: int, hop: int) -> None:
        super().__init__()
        self.hop = hop
        self.nn = relative_mix(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        if height == width == 1:  # no candidates, and no spread to compare with
            return self._mixed(x, torch.zeros_like(x))
        # The official slices shift by half the size, rounded up.
        opposite = shifted(shifted(x, -(-height // 2), 2), -(-width // 2), 3)
        spread = _distance(x, opposite)
        near = spread.mean((2, 3), keepdim=True) - spread.std((2, 3), keepdim=True)
        relative = torch.zeros_like(x)
        for dim in (2, 3):
            for distance in range(self.hop, x.shape[dim], self.hop):
                candidate = shifted(x, distance, dim)
                counts = (_distance(x, candidate) < near).to(x.dtype)
                relative = torch.maximum(relative, (candidate - x) * counts)
        return self._mixed(x, relative)

    def _mixed(self, x: Tensor, relative: Tensor) -> Tensor:
        y: Tensor = self.nn(torch.cat([x, relative], dim=1))
        return y


def _graph(stage: int, channels: int, drop_path: float) -> nn.Module:
    mixer = Mixer(channels, DynamicAxialGraphConv(channels, HOPS[stage]), channels)
    return GraphBlock(channels, mixer, feed_forward(channels), drop_path, flat=True)


def _network(
    blocks: tuple[tuple[int, int], ...], channels: tuple[int, ...], num_classes: int
) -> Pyramid:
    shape = PyramidShape(blocks, channels, embedding=768)
    return Pyramid(shape, _graph, flat=True, local_rates_advance=True, num_classes=num_classes)


def greedyvig_s(num_classes: int = 1000) -> Pyramid:
    """Build GreedyViG-S."""
    return _network(((2, 2), (2, 2), (6, 2), (2, 2)), (48, 96, 192, 384), num_classes)


def greedyvig_m(num_classes: int = 1000) -> Pyramid:
    """Build GreedyViG-M."""
    return _network(((3, 3), (3, 3), (9, 3), (3, 3)), (56, 112, 224, 448), num_classes)


def greedyvig_b(num_classes: int = 1000) -> Pyramid:
    """Build GreedyViG-B."""
    return _network(((4, 4), (4, 4), (12, 4), (3, 3)), (64, 128, 256, 512), num_classes)
