"""MobileViGv2: every graph stage joins each pixel with four others at a fixed distance.

Paper: Avery, Munir, Marculescu, "Scaling Graph Convolutions for Mobile Vision", CVPR Workshops
2024, arXiv:2406.05850.
Original code: https://github.com/SLDGroup/MobileViGv2 (Apache-2.0); facts and state-dict names are
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

HOPS = (0, 8, 4, 2)
"""K of the paper per stage: the distance to the four joined pixels."""


class MobileGraphConv(nn.Module):
    """Max-relative graph convolution with four neighbours: (N, C, H, W) unchanged.

    This is Mobile Graph Convolution. The neighbours are K pixels up, down, left and right,
    circularly. The aggregate max(0, neighbour - x) is computed as max(x, neighbours) - x. This is
    equal bit for bit, because rounding keeps order.
    """

    def __init__(self, channels: int, hop: int) -> None:
        super().__init__()
        self.hop = hop
        self.nn = relative_mix(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        highest = x
        for dim in (2, 3):
            for distance in (self.hop, -self.hop):
                highest = torch.maximum(highest, shifted(x, distance, dim))
        y: Tensor = self.nn(torch.cat([x, highest - x], dim=1))
        return y


def _graph(stage: int, channels: int, drop_path: float) -> nn.Module:
    mixer = Mixer(channels, MobileGraphConv(channels, HOPS[stage]), channels)
    return GraphBlock(channels, mixer, feed_forward(channels), drop_path, flat=False)


def _network(
    blocks: tuple[tuple[int, int], ...],
    channels: tuple[int, ...],
    embedding: int,
    num_classes: int,
) -> Pyramid:
    shape = PyramidShape(blocks, channels, embedding)
    return Pyramid(shape, _graph, flat=False, local_rates_advance=False, num_classes=num_classes)


_BLOCKS = ((3, 0), (3, 3), (9, 3), (3, 3))


def mobilevigv2_ti(num_classes: int = 1000) -> Pyramid:
    """Build MobileViGv2-Ti."""
    return _network(((2, 0), (2, 2), (6, 2), (2, 2)), (32, 64, 128, 256), 512, num_classes)


def mobilevigv2_s(num_classes: int = 1000) -> Pyramid:
    """Build MobileViGv2-S."""
    return _network(_BLOCKS, (32, 64, 128, 256), 512, num_classes)


def mobilevigv2_m(num_classes: int = 1000) -> Pyramid:
    """Build MobileViGv2-M."""
    return _network(_BLOCKS, (32, 64, 192, 384), 512, num_classes)


def mobilevigv2_b(num_classes: int = 1000) -> Pyramid:
    """Build MobileViGv2-B."""
    return _network(_BLOCKS, (64, 128, 256, 512), 768, num_classes)
