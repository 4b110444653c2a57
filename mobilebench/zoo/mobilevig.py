"""MobileViG: sparse graph attention in a convolutional network.

Paper: Munir, Avery, Marculescu, "MobileViG: Graph-Based Sparse Attention for Mobile Vision
Applications", CVPR Workshops 2023, arXiv:2307.00395.
Original code: https://github.com/SLDGroup/MobileViG (Apache-2.0); facts and state-dict names are
taken from it, the code here is our own.

Three stages of inverted residuals are followed by one stage of graph blocks at stride 32. A graph
block joins every pixel with every K-th pixel of its row and of its column.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mobilebench.zoo.layers.convolution import (
    Downsample,
    FeedForward,
    InvertedResidual,
    Stem,
    conv_bn,
)
from mobilebench.zoo.layers.drop_path import DropPath, linear_schedule
from mobilebench.zoo.layers.graph import shifted
from mobilebench.zoo.layers.heads import PooledEmbedding, classify
from mobilebench.zoo.layers.initialise import for_training

HOP = 2
"""K of the paper: the distance between joined pixels."""
DROP_PATH = 0.1


class SparseVisionGraphConv(nn.Module):
    """Max-relative graph convolution over a fixed graph: (N, C, H, W) -> (N, 2C, H, W).

    This is Sparse Vision Graph Attention, section 3.1 of the paper. The neighbours are K, 2K, ...
    pixels away along H and W, and the aggregate is max(0, x - neighbour) over all of them. The
    aggregate is joined with x and mixed by a 1x1 convolution. The graph depends only on the input
    size.

    The aggregate is computed as x - min(x, neighbours). This is equal bit for bit, because rounding
    keeps order, and it saves a subtraction for every neighbour.
    """

    def __init__(self, channels: int, hop: int = HOP) -> None:
        super().__init__()
        self.hop = hop
        self.nn = nn.Sequential(
            nn.Conv2d(2 * channels, 2 * channels, 1), nn.BatchNorm2d(2 * channels), nn.GELU()
        )

    def forward(self, x: Tensor) -> Tensor:
        lowest = x
        for dim in (2, 3):
            for distance in range(self.hop, x.shape[dim], self.hop):
                lowest = torch.minimum(lowest, shifted(x, distance, dim))
        y: Tensor = self.nn(torch.cat([x, x - lowest], dim=1))
        return y


class Grapher(nn.Module):
    """Residual graph block: x + projection(graph convolution(projection(x)))."""

    def __init__(self, channels: int, drop_path: float) -> None:
        super().__init__()
        self.fc1 = conv_bn(channels, channels)
        self.graph_conv = SparseVisionGraphConv(channels)
        self.fc2 = conv_bn(2 * channels, channels)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.drop_path(self.fc2(self.graph_conv(self.fc1(x))))
        return y


class MobileViG(nn.Module):
    """MobileViG classifier: (N, 3, H, W) -> (N, num_classes) in eval mode.

    In training mode it returns a pair of logits, one per head. `local_blocks` and `local_channels`
    describe the three convolutional stages, the other arguments the graph stage. Any H and W from
    32 up are accepted.
    """

    def __init__(
        self,
        *,
        local_blocks: tuple[int, ...],
        local_channels: tuple[int, ...],
        global_blocks: int,
        global_channels: int,
        embedding: int,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        drop = iter(linear_schedule(DROP_PATH, sum(local_blocks) + global_blocks))
        self.stem = Stem(local_channels[0])
        self.local_backbone = nn.ModuleList()
        for blocks, channels, following in zip(
            local_blocks, local_channels, (*local_channels[1:], global_channels), strict=True
        ):
            self.local_backbone.extend(
                InvertedResidual(channels, next(drop)) for _ in range(blocks)
            )
            self.local_backbone.append(Downsample(channels, following))
        self.backbone = nn.ModuleList()
        for _ in range(global_blocks):
            rate = next(drop)
            self.backbone.append(
                nn.Sequential(Grapher(global_channels, rate), FeedForward(global_channels, rate))
            )
        self.prediction = PooledEmbedding(global_channels, embedding)
        self.head = nn.Conv2d(embedding, num_classes, 1)
        self.dist_head = nn.Conv2d(embedding, num_classes, 1)
        for_training(self)

    def stages(self, x: Tensor) -> list[Tensor]:
        """Return each stage's map for detection and segmentation, at strides 4, 8, 16 and 32."""
        outputs = []
        x = self.stem(x)
        for block in self.local_backbone:
            if isinstance(block, Downsample):
                outputs.append(x)
            x = block(x)
        for block in self.backbone:
            x = block(x)
        return [*outputs, x]

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        embedded = self.prediction(self.stages(x)[-1])
        return classify(embedded, self.head, self.dist_head, self.training)


def mobilevig_ti(num_classes: int = 1000) -> MobileViG:
    """Build MobileViG-Ti."""
    return MobileViG(
        local_blocks=(2, 2, 6),
        local_channels=(42, 84, 168),
        global_blocks=2,
        global_channels=256,
        embedding=512,
        num_classes=num_classes,
    )


def mobilevig_s(num_classes: int = 1000) -> MobileViG:
    """Build MobileViG-S."""
    return MobileViG(
        local_blocks=(3, 3, 9),
        local_channels=(42, 84, 176),
        global_blocks=3,
        global_channels=256,
        embedding=512,
        num_classes=num_classes,
    )


def mobilevig_m(num_classes: int = 1000) -> MobileViG:
    """Build MobileViG-M."""
    return MobileViG(
        local_blocks=(3, 3, 9),
        local_channels=(42, 84, 224),
        global_blocks=3,
        global_channels=400,
        embedding=768,
        num_classes=num_classes,
    )


def mobilevig_b(num_classes: int = 1000) -> MobileViG:
    """Build MobileViG-B."""
    return MobileViG(
        local_blocks=(5, 5, 15),
        local_channels=(42, 84, 240),
        global_blocks=5,
        global_channels=464,
        embedding=768,
        num_classes=num_classes,
    )
