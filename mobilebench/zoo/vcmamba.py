"""VCMamba: convolutions at high resolution, state-space scans on the smallest map.

Paper: "VCMamba: Bridging Convolutions with Multi-Directional Mamba for Efficient Visual
Representation", ICCV Workshops 2025, arXiv:2509.04669.
Original code: https://github.com/Wertyuui345/VCMamba, commit f8795a0. It states no licence, so only
facts (names, shapes, computations) are taken from it; the code here is our own.

The four stages have convolutional blocks at strides 4 to 32, but the last four blocks of the last
stage scan their map along four paths instead. A table of positions is learned for a last map of
7 x 7 pixels, so the network takes images of 193 to 224 pixels a side.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench.errors import ImageSizeError
from mobilebench.zoo.layers.convolution import DepthwiseMlp, InvertedResidual, conv_bn
from mobilebench.zoo.layers.drop_path import DropPath, linear_schedule
from mobilebench.zoo.layers.heads import classify
from mobilebench.zoo.layers.initialise import for_training
from mobilebench.zoo.layers.selective_scan import DIRECTIONS, SnakeScan

STRIDE = 32
"""Image pixels per pixel of the last map, along each side."""
MAP_SIZE = (7, 7)
"""Size of the last map of a 224 x 224 image, for which positions are learned."""
STATES = 16
"""S, the length of each channel's state."""
DROP_PATH = 0.2


class Embedding(nn.Module):
    """Stride-2 convolution with BatchNorm between stages: (N, C, H, W) -> (N, C', H/2, W/2)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1)
        self.norm: nn.Module = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.proj(x))
        return y


class SnakeMamba(nn.Module):
    """Mamba mixer without a gate that scans a map along four paths; shape unchanged.

    It is PlainMamba's mixer (arXiv:2403.17695, section 3) on (N, C, H, W), with E = 2C inner
    channels, a 7x7 convolution before the scan, and a convolution in place of the projection after
    it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = 2 * channels
        rank = math.ceil(channels / 16)
        self.split = (rank, STATES, STATES)
        self.in_conv = conv_bn(channels, inner)
        self.conv2d = nn.Conv2d(inner, inner, 7, padding=3, groups=inner)
        self.x_proj = nn.Linear(inner, sum(self.split), bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        # A starts at -1, -2, ..., -S in every channel: S4D-Real (arXiv:2312.00752, section 3.6).
        self.A_log = nn.Parameter(torch.arange(1.0, STATES + 1).log().repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.direction_Bs = nn.Parameter(torch.zeros(len(DIRECTIONS), STATES))
        self.scan = SnakeScan(MAP_SIZE)
        self.norm = nn.LayerNorm(inner)
        self.out_conv = nn.Sequential(
            nn.ReLU(), nn.Conv2d(inner, channels, 1), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        map_size = (x.shape[2], x.shape[3])
        u = F.silu(self.conv2d(self.in_conv(x))).flatten(2).transpose(1, 2)  # (N, L, E)
        dt, b, c = self.x_proj(u).split(self.split, -1)
        # The bias is added twice, because official checkpoints are trained that way.
        dt = F.softplus(self.dt_proj(dt) + self.dt_proj.bias)
        a = -torch.exp(self.A_log)
        tokens = self.norm(self.scan(u, dt, a, b, c, self.D, self.direction_Bs, map_size))
        y: Tensor = self.out_conv(torch.unflatten(tokens.transpose(1, 2), 2, map_size))
        return y


class MambaBlock(nn.Module):
    """x + SnakeMamba(norm(x)), then x + DepthwiseMlp(norm2(x)); shape unchanged."""

    def __init__(self, channels: int, drop_path: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.mamba = SnakeMamba(channels)
        self.norm2 = nn.BatchNorm2d(channels)
        self.mlp = DepthwiseMlp(channels)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.mamba(self.norm(x)))
        y: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return y


class Tokens(nn.Module):
    """Flatten a map into tokens in raster order: (N, C, H, W) -> (N, L, C), L = H x W."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class MeanToken(nn.Module):
    """Average the tokens: (N, L, C) -> (N, C)."""

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens.mean(1)


class VCMamba(nn.Module):
    """VCMamba classifier: (N, 3, H, W) -> (N, num_classes) in eval mode.

    In training mode it returns a pair of logits, one per head. `blocks` and `channels` have one
    entry per stage; the last `mamba_blocks` blocks of the last stage are Mamba blocks.

    H and W are 193 to 224. With `interpolate_positions` any size from 32 up is accepted, and
    positions are interpolated for a last map of another size. The official network cannot do that,
    so its accuracy at other sizes is unknown.

    A call with an image of another size raises `ImageSizeError`.
    """

    def __init__(
        self,
        *,
        blocks: tuple[int, ...],
        channels: tuple[int, ...],
        mamba_blocks: int = 4,
        num_classes: int = 1000,
        interpolate_positions: bool = False,
    ) -> None:
        super().__init__()
        self.interpolate_positions = interpolate_positions
        self.first_mamba = blocks[-1] - mamba_blocks
        self.patch_embed = nn.Sequential(
            nn.Conv2d(3, channels[0] // 2, 3, stride=2, padding=1),
            nn.BatchNorm2d(channels[0] // 2),
            nn.ReLU(),
            nn.Conv2d(channels[0] // 2, channels[0], 3, stride=2, padding=1),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(),
        )
        drop = iter(linear_schedule(DROP_PATH, sum(blocks)))
        local = (*blocks[:-1], self.first_mamba)
        stages = [
            nn.Sequential(*(InvertedResidual(width, next(drop)) for _ in range(count)))
            for width, count in zip(channels, local, strict=True)
        ]
        stages[-1].extend(MambaBlock(channels[-1], next(drop)) for _ in range(mamba_blocks))
        self.network = nn.ModuleList(stages[:1])
        for stage, before, after in zip(stages[1:], channels, channels[1:], strict=False):
            self.network.append(Embedding(before, after))
            self.network.append(stage)
        self.pos_embed = nn.Parameter(torch.zeros(1, channels[-1], *MAP_SIZE))
        self.tokens: nn.Module = Tokens()
        self.norm: nn.Module = nn.LayerNorm(channels[-1])
        self.pool: nn.Module = MeanToken()
        self.head = nn.Linear(channels[-1], num_classes)
        self.dist_head: nn.Linear | None = nn.Linear(channels[-1], num_classes)
        for_training(self)
        _initialise(self)

    def stages(self, x: Tensor) -> list[Tensor]:
        """Return each stage's map for detection and segmentation, at strides 4, 8, 16 and 32."""
        if not self.interpolate_positions:
            _check_size(x.shape[2], x.shape[3])
        x = self.patch_embed(x)
        outputs = []
        *parts, last = self.network
        for part in parts:
            if isinstance(part, Embedding):
                outputs.append(x)
            x = part(x)
        for index, block in enumerate(last.children()):
            if index == self.first_mamba:
                x = x + self.positions((x.shape[2], x.shape[3]))
            x = block(x)
        return [*outputs, x]

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        pooled = self.pool(self.norm(self.tokens(self.stages(x)[-1])))
        return classify(pooled, self.head, self.dist_head, self.training)

    def positions(self, map_size: tuple[int, int]) -> Tensor:
        """Return the table of positions for a map of H x W: (1, C, H, W)."""
        if map_size == tuple(self.pos_embed.shape[2:]):
            return self.pos_embed
        return F.interpolate(self.pos_embed, size=map_size, mode="bicubic", align_corners=False)


def _check_size(height: int, width: int) -> None:
    """Raise `ImageSizeError` unless the last map of an image has the size `MAP_SIZE`."""
    map_size = (math.ceil(height / STRIDE), math.ceil(width / STRIDE))
    if map_size != MAP_SIZE:
        low, high = (MAP_SIZE[0] - 1) * STRIDE + 1, MAP_SIZE[0] * STRIDE
        raise ImageSizeError(
            f"VCMamba was given an image of {height} x {width}, whose last map is "
            f"{map_size[0]} x {map_size[1]}, but its positions are learned for a map of "
            f"{MAP_SIZE[0]} x {MAP_SIZE[1]}; use sides of {low} to {high} pixels, or, in a file "
            "of yours, a network of mobilebench.zoo.vcmamba with interpolate_positions=True."
        )


def _initialise(network: VCMamba) -> None:
    """Set the initial values of everything except convolutions.

    Linear weights, positions and direction terms are drawn from a truncated normal, and linear
    biases are zero. This includes `dt_proj`, where the official code overwrites Mamba's own careful
    choice.
    """
    nn.init.trunc_normal_(network.pos_embed, std=0.02)
    for part in network.modules():
        if isinstance(part, nn.Linear):
            nn.init.trunc_normal_(part.weight, std=0.02)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, SnakeMamba):
            nn.init.trunc_normal_(part.direction_Bs, std=0.02)


def vcmamba_s(num_classes: int = 1000, *, interpolate_positions: bool = False) -> VCMamba:
    """Build VCMamba-S."""
    return VCMamba(
        blocks=(4, 4, 12, 8),
        channels=(32, 64, 144, 288),
        num_classes=num_classes,
        interpolate_positions=interpolate_positions,
    )


def vcmamba_m(num_classes: int = 1000, *, interpolate_positions: bool = False) -> VCMamba:
    """Build VCMamba-M."""
    return VCMamba(
        blocks=(4, 4, 12, 6),
        channels=(48, 96, 224, 448),
        num_classes=num_classes,
        interpolate_positions=interpolate_positions,
    )


def vcmamba_b(num_classes: int = 1000, *, interpolate_positions: bool = False) -> VCMamba:
    """Build VCMamba-B."""
    return VCMamba(
        blocks=(4, 4, 12, 6),
        channels=(64, 128, 320, 512),
        num_classes=num_classes,
        interpolate_positions=interpolate_positions,
    )
