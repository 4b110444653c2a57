"""LogViG: neighbours at exponentially growing distances, and a high-resolution branch.

Paper: Munir et al., arXiv:2510.13740 (LoG 2024).
Original code: https://github.com/mmunir127/LogViG-Official (Apache-2.0); facts and state-dict names
are taken from it, the code here is our own.

The official network adds its high-resolution branch through a 1x1 convolution that it creates with
random weights in every forward call. Its output is therefore not deterministic, and no checkpoint
contains these weights. Here that convolution is an ordinary part of the network, `merge.adjust`. An
official checkpoint loads without it, and the branch is then left out (see `missing_in_official`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench.zoo.layers.graph import shifted
from mobilebench.zoo.layers.initialise import for_training
from mobilebench.zoo.layers.pyramid import (
    GraphBlock,
    Mixer,
    Pyramid,
    PyramidShape,
    feed_forward,
    relative_mix,
)


class LogarithmicGraphConv(nn.Module):
    """Max-relative graph convolution at growing distances: (N, C, H, W) -> (N, 2C, H, W).

    This is Logarithmic Scalable Graph Construction. The neighbours along each axis are K^i - 1
    pixels away in both directions, for i below the number of binary digits of the axis' size. The
    aggregate max(0, x - neighbour) is computed as x - min(x, neighbours), which is equal bit for
    bit.
    """

    def __init__(self, channels: int, base: int) -> None:
        super().__init__()
        self.base = base
        self.nn = relative_mix(channels, 2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        lowest = x
        for dim in (2, 3):
            size = x.shape[dim]
            for power in range(1, size.bit_length()):
                distance = self.base**power - 1
                if distance < size:
                    lowest = torch.minimum(lowest, shifted(x, distance, dim))
                    lowest = torch.minimum(lowest, shifted(x, -distance, dim))
        y: Tensor = self.nn(torch.cat([x, x - lowest], dim=1))
        return y


class HighResolutionBranch(nn.Module):
    """Convolve the stem's map at high resolution: (N, C, H, W) -> (N, C', H/2, W/2)."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(channels, out_channels // 2, 3, stride=2, padding=1),
            nn.BatchNorm2d(out_channels // 2),
            nn.GELU(),
            nn.Conv2d(out_channels // 2, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.GELU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y


class Merge(nn.Module):
    """Add the adjusted high-resolution map to the enlarged low-resolution map.

    (N, C, h, w) and (N, C', H, W) -> (N, C, H, W).
    """

    def __init__(self, channels: int, high_channels: int) -> None:
        super().__init__()
        self.adjust = nn.Conv2d(high_channels, channels, 1)
        self.conv = nn.Sequential(
            nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.GELU()
        )

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        enlarged = F.interpolate(low, size=high.shape[2:], mode="bilinear", align_corners=False)
        y: Tensor = self.conv(enlarged + self.adjust(high))
        return y


class LogViG(Pyramid):
    """Pyramid that merges its last map with a branch from the stem before the heads."""

    missing_in_official: ClassVar[Mapping[str, str]] = {
        "merge.adjust": (
            "the official code draws these weights anew in every call, so no checkpoint has them; "
            "they are set to zero, which leaves the high-resolution branch out: fine-tune the "
            "network before you trust its accuracy"
        )
    }

    def __init__(
        self, shape: PyramidShape, bases: tuple[int, ...], num_classes: int = 1000
    ) -> None:
        def graph(stage: int, channels: int, drop_path: float) -> nn.Module:
            graph_conv = LogarithmicGraphConv(channels, bases[stage])
            mixer = Mixer(channels, graph_conv, 2 * channels)
            return GraphBlock(channels, mixer, feed_forward(channels), drop_path, flat=True)

        super().__init__(shape, graph, flat=True, local_rates_advance=True, num_classes=num_classes)
        self.high_res_branch = HighResolutionBranch(shape.channels[0], shape.channels[1])
        self.merge = Merge(shape.channels[-1], shape.channels[1])
        for_training(self.high_res_branch)
        for_training(self.merge)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = self.stem(x)
        high = self.high_res_branch(x)
        return self.classify(self.merge(self.backbone(x), high))


def logvig_ti(num_classes: int = 1000) -> LogViG:
    """Build LogViG-Ti, which the official code calls Ti_LogViG_3."""
    shape = PyramidShape(((3, 3), (3, 3), (9, 3), (3, 3)), (32, 64, 128, 224), 768)
    return LogViG(shape, (3, 3, 2, 2), num_classes)


def logvig_s(num_classes: int = 1000) -> LogViG:
    """Build LogViG-S."""
    shape = PyramidShape(((5, 5), (5, 5), (15, 5), (5, 5)), (32, 64, 128, 256), 768)
    return LogViG(shape, (2, 2, 2, 2), num_classes)


def logvig_b(num_classes: int = 1000) -> LogViG:
    """Build LogViG-B."""
    shape = PyramidShape(((5, 5), (5, 5), (18, 6), (5, 5)), (48, 96, 192, 384), 768)
    return LogViG(shape, (2, 2, 2, 2), num_classes)
