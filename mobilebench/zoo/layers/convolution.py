"""Convolutions with BatchNorm: stem, downsampling, inverted residual, feed-forward."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mobilebench.zoo.layers.drop_path import DropPath

LAYER_SCALE_INIT = 1e-5


def conv_bn(in_channels: int, out_channels: int) -> nn.Sequential:
    """Build a 1x1 convolution with bias and BatchNorm: (N, C, H, W) -> (N, C', H, W)."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels))


class Stem(nn.Module):
    """Two stride-2 convolutions: (N, 3, H, W) -> (N, C, H/4, W/4)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, channels // 2, 3, stride=2, padding=1),
            nn.BatchNorm2d(channels // 2),
            nn.GELU(),
            nn.Conv2d(channels // 2, channels, 3, stride=2, padding=1),
            nn.BatchNorm2d(channels),
            nn.GELU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.stem(x)
        return y


class Downsample(nn.Module):
    """3x3 convolution of stride 2 with BatchNorm: (N, C, H, W) -> (N, C', H/2, W/2)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y


class DepthwiseMlp(nn.Module):
    """1x1 expansion, 3x3 depthwise, 1x1 projection, each with BatchNorm; shape unchanged."""

    def __init__(self, channels: int, expansion: int = 4) -> None:
        super().__init__()
        hidden = channels * expansion
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.norm1 = nn.BatchNorm2d(hidden)
        self.mid = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.mid_norm = nn.BatchNorm2d(hidden)
        self.fc2 = nn.Conv2d(hidden, channels, 1)
        self.norm2 = nn.BatchNorm2d(channels)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm1(self.fc1(x)))
        x = self.act(self.mid_norm(self.mid(x)))
        y: Tensor = self.norm2(self.fc2(x))
        return y


class InvertedResidual(nn.Module):
    """x + layer scale * DepthwiseMlp(x); shape unchanged (MobileNetV2's block without stride)."""

    def __init__(self, channels: int, drop_path: float) -> None:
        super().__init__()
        self.mlp = DepthwiseMlp(channels)
        self.drop_path = DropPath(drop_path)
        self.layer_scale_2 = nn.Parameter(torch.full((channels, 1, 1), LAYER_SCALE_INIT))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.drop_path(self.layer_scale_2 * self.mlp(x))
        return y


class FeedForward(nn.Module):
    """x + two 1x1 convolutions with BatchNorm, GELU between; shape unchanged."""

    def __init__(self, channels: int, drop_path: float, expansion: int = 4) -> None:
        super().__init__()
        self.fc1 = conv_bn(channels, channels * expansion)
        self.act = nn.GELU()
        self.fc2 = conv_bn(channels * expansion, channels)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.drop_path(self.fc2(self.act(self.fc1(x))))
        return y
