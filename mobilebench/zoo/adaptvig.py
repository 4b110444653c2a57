"""AdaptViG: gated graph convolutions in three stages, attention in the last.

Neighbours are weighted by a gate that falls with their distance in value.

Paper: AdaptViG, arXiv:2511.09942.
Original code: https://github.com/SLDGroup/AdaptViG (Apache-2.0); facts and state-dict names are
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

HOPS = (8, 4, 2)
"""K of the paper for each gated stage: the distance to the neighbour without a gate."""


class GatedGraphConv(nn.Module):
    """Max-relative graph convolution with decaying gates: (N, C, H, W) unchanged.

    The pixel K further along each axis has weight 1. Those 2, 4, 8, ... further have the weight
    exp(-d / T), with d the L1 distance over channels and T the learned temperature. The aggregate
    is max(0, gate * (neighbour - x)).
    """

    def __init__(self, channels: int, hop: int) -> None:
        super().__init__()
        self.hop = hop
        self.temperature = nn.Parameter(torch.tensor(1.0))
        self.nn = relative_mix(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        softness = self.temperature.abs() + 1e-6
        highest = torch.maximum(shifted(x, self.hop, 2), shifted(x, self.hop, 3))
        relative = torch.relu(highest - x)
        for dim in (2, 3):
            for power in range(1, x.shape[dim].bit_length()):
                difference = shifted(x, 2**power, dim) - x
                gate = torch.exp(-difference.abs().sum(dim=1, keepdim=True) / softness)
                relative = torch.maximum(relative, difference * gate)
        y: Tensor = self.nn(torch.cat([x, relative], dim=1))
        return y


class AttentionGraphConv(nn.Module):
    """Graph convolution that aggregates by attention over all pixels; shape unchanged.

    The attention on (N, C, H, W) has a single head. Queries and keys have C/4 channels and are
    layer-normalised. The aggregate is max(0, attention(x) - x).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = channels // 4
        self.q_conv = nn.Conv2d(channels, self.inner, 1, bias=False)
        self.k_conv = nn.Conv2d(channels, self.inner, 1, bias=False)
        self.v_conv = nn.Conv2d(channels, channels, 1, bias=False)
        self.q_norm = nn.LayerNorm(self.inner)
        self.k_norm = nn.LayerNorm(self.inner)
        self.nn = relative_mix(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        queries = self.q_norm(_tokens(self.q_conv(x)))
        keys = self.k_norm(_tokens(self.k_conv(x)))
        scores = queries @ keys.transpose(1, 2) * self.inner**-0.5
        attended = scores.softmax(dim=-1) @ _tokens(self.v_conv(x))
        relative = torch.relu(attended.transpose(1, 2).reshape(x.shape) - x)
        y: Tensor = self.nn(torch.cat([x, relative], dim=1))
        return y


def _tokens(x: Tensor) -> Tensor:
    """Flatten a map into tokens: (N, C, H, W) -> (N, HW, C)."""
    return x.flatten(2).transpose(1, 2)


def _graph(stage: int, channels: int, drop_path: float) -> nn.Module:
    graph_conv: nn.Module = (
        GatedGraphConv(channels, HOPS[stage]) if stage < len(HOPS) else AttentionGraphConv(channels)
    )
    mixer = Mixer(channels, graph_conv, channels)
    return GraphBlock(channels, mixer, feed_forward(channels), drop_path, flat=True)


def _network(depth: int, channels: tuple[int, ...], num_classes: int) -> Pyramid:
    """Build a pyramid with `depth` local and `depth` graph blocks in each stage.

    The third stage has three times as many local blocks.
    """
    blocks = ((depth, depth), (depth, depth), (3 * depth, depth), (depth, depth))
    shape = PyramidShape(blocks, channels, embedding=768)
    return Pyramid(shape, _graph, flat=True, local_rates_advance=True, num_classes=num_classes)


def adaptvig_s(num_classes: int = 1000) -> Pyramid:
    """Build AdaptViG-S."""
    return _network(3, (32, 64, 128, 256), num_classes)


def adaptvig_m(num_classes: int = 1000) -> Pyramid:
    """Build AdaptViG-M."""
    return _network(4, (48, 96, 192, 320), num_classes)


def adaptvig_b(num_classes: int = 1000) -> Pyramid:
    """Build AdaptViG-B."""
    return _network(5, (48, 96, 192, 384), num_classes)
