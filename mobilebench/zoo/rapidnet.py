"""RapidNet: dilated convolutions at two rates in place of a graph.

Paper: Munir, Rahman, Marculescu, "RapidNet: Multi-Level Dilated Convolution Based Mobile
Backbone", WACV 2025, arXiv:2412.10995.
Original code: https://github.com/SLDGroup/RapidNet (Apache-2.0); facts and state-dict names are
taken from it, the code here is our own.
"""

from __future__ import annotations

from torch import Tensor, nn

from mobilebench.zoo.layers.pyramid import GraphBlock, Mixer, Pyramid, PyramidShape


def _dilated(channels: int, dilation: int) -> nn.Sequential:
    """Build a 3x3 dilated convolution with BatchNorm and GELU; shape unchanged."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation),
        nn.BatchNorm2d(channels),
        nn.GELU(),
    )


class MultiLevelDilatedConv(nn.Module):
    """Sum of two dense 3x3 convolutions with dilations 2 and 3; shape unchanged."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nn = _dilated(channels, 2)
        self.nn_2 = _dilated(channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.nn(x) + self.nn_2(x)
        return y


class _Depthwise(nn.Module):
    """7x7 depthwise convolution without bias, nested to match the official names."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y


class LargeKernelFeedForward(nn.Module):
    """7x7 depthwise and two 1x1 convolutions, each with BatchNorm; shape unchanged."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = _Depthwise(channels)
        self.norm1 = nn.BatchNorm2d(channels)
        self.fc1 = nn.Conv2d(channels, 4 * channels, 1)
        self.norm2 = nn.BatchNorm2d(4 * channels)
        self.act = nn.GELU()
        self.fc2 = nn.Conv2d(4 * channels, channels, 1)
        self.norm3 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(self.conv(x))
        x = self.act(self.norm2(self.fc1(x)))
        y: Tensor = self.norm3(self.fc2(x))
        return y


def _global(stage: int, channels: int, drop_path: float) -> nn.Module:
    mixer = Mixer(channels, MultiLevelDilatedConv(channels), channels)
    return GraphBlock(channels, mixer, LargeKernelFeedForward(channels), drop_path, flat=False)


def _network(
    blocks: tuple[tuple[int, int], ...],
    channels: tuple[int, ...],
    embedding: int,
    num_classes: int,
) -> Pyramid:
    shape = PyramidShape(blocks, channels, embedding)
    return Pyramid(shape, _global, flat=False, local_rates_advance=False, num_classes=num_classes)


_BLOCKS = ((3, 0), (3, 0), (9, 3), (3, 3))


def rapidnet_ti(num_classes: int = 1000) -> Pyramid:
    """Build RapidNet-Ti."""
    return _network(((2, 0), (2, 0), (6, 2), (2, 2)), (32, 64, 112, 224), 512, num_classes)


def rapidnet_s(num_classes: int = 1000) -> Pyramid:
    """Build RapidNet-S."""
    return _network(_BLOCKS, (32, 64, 112, 224), 512, num_classes)


def rapidnet_m(num_classes: int = 1000) -> Pyramid:
    """Build RapidNet-M."""
    return _network(_BLOCKS, (32, 64, 160, 320), 512, num_classes)


def rapidnet_b(num_classes: int = 1000) -> Pyramid:
    """Build RapidNet-B."""
    return _network(_BLOCKS, (64, 128, 224, 416), 768, num_classes)
