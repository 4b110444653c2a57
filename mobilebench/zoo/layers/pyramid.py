"""Four-stage pyramid of local and graph blocks, used by MobileViGv2 and later families.

Every stage but the first begins with its Downsample. Local blocks follow, then graph blocks.
At 224 x 224 the maps are 56, 28, 14 and 7 pixels wide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mobilebench.zoo.layers.convolution import LAYER_SCALE_INIT, Downsample, Stem, conv_bn
from mobilebench.zoo.layers.drop_path import DropPath, linear_schedule
from mobilebench.zoo.layers.heads import PooledEmbedding, classify
from mobilebench.zoo.layers.initialise import for_training

DROP_PATH = 0.1


@dataclass(frozen=True)
class PyramidShape:
    """Blocks per stage as (local, graph), channels per stage, and size of the embedding."""

    blocks: tuple[tuple[int, int], ...]
    channels: tuple[int, ...]
    embedding: int


def layer_scale(channels: int, *, flat: bool) -> nn.Parameter:
    """Build one factor per channel, of shape (C,) if the family's are `flat`, else (C, 1, 1)."""
    shape = (channels,) if flat else (channels, 1, 1)
    return nn.Parameter(torch.full(shape, LAYER_SCALE_INIT))


def scaled(x: Tensor, scale: Tensor) -> Tensor:
    """Multiply (N, C, H, W) by one factor per channel, stored in any shape."""
    return x * scale.view(-1, 1, 1)


class Separable(nn.Module):
    """1x1 expansion by 4, 3x3 depthwise, 1x1 projection, each with BatchNorm; shape unchanged."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = 4 * channels
        self.pw1 = nn.Conv2d(channels, hidden, 1)
        self.norm1 = nn.BatchNorm2d(hidden)
        self.dw = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.norm2 = nn.BatchNorm2d(hidden)
        self.pw2 = nn.Conv2d(hidden, channels, 1)
        self.norm3 = nn.BatchNorm2d(channels)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm1(self.pw1(x)))
        x = self.act(self.norm2(self.dw(x)))
        y: Tensor = self.norm3(self.pw2(x))
        return y


class LocalBlock(nn.Module):
    """x + layer scale * Separable(x); shape unchanged.

    `flat` decides the name and the shape of the layer scale.
    """

    def __init__(self, channels: int, drop_path: float, *, flat: bool) -> None:
        super().__init__()
        self.dws = Separable(channels)
        self.drop_path = DropPath(drop_path)
        self._scale_name = "layer_scale_2" if flat else "layer_scale_1"
        self.register_parameter(self._scale_name, layer_scale(channels, flat=flat))

    @property
    def layer_scale(self) -> nn.Parameter:
        """Return the layer scale, whose name depends on the family."""
        # Not get_parameter, which refuses a part of a shared parameter in its place.
        scale: nn.Parameter = getattr(self, self._scale_name)
        return scale

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.drop_path(scaled(self.dws(x), self.layer_scale))
        return y


class ConditionalPosition(nn.Module):
    """Add a 7x7 depthwise convolution of x to x; the border's zero padding gives positions.

    Conditional positional encoding (Chu et al. 2021, arXiv:2102.10882); shape unchanged.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pe = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.pe(x) + x
        return y


class Mixer(nn.Module):
    """Position, projection, graph convolution, projection: (N, C, H, W) unchanged.

    `widened` is the number of channels that the graph convolution returns.
    """

    def __init__(self, channels: int, graph_conv: nn.Module, widened: int) -> None:
        super().__init__()
        self.cpe = ConditionalPosition(channels)
        self.fc1 = conv_bn(channels, channels)
        self.graph_conv = graph_conv
        self.fc2 = conv_bn(widened, channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc2(self.graph_conv(self.fc1(self.cpe(x))))
        return y


def feed_forward(channels: int) -> nn.Sequential:
    """Build two 1x1 convolutions with BatchNorm and GELU between, without a residual."""
    return nn.Sequential(
        *conv_bn(channels, 4 * channels), nn.GELU(), *conv_bn(4 * channels, channels)
    )


class GraphBlock(nn.Module):
    """x + scale * mixer(x), then the same with the feed-forward; shape unchanged."""

    def __init__(
        self, channels: int, mixer: nn.Module, ffn: nn.Module, drop_path: float, *, flat: bool
    ) -> None:
        super().__init__()
        self.mixer = mixer
        self.ffn = ffn
        self.drop_path = DropPath(drop_path)
        self.layer_scale_1 = layer_scale(channels, flat=flat)
        self.layer_scale_2 = layer_scale(channels, flat=flat)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(scaled(self.mixer(x), self.layer_scale_1))
        y: Tensor = x + self.drop_path(scaled(self.ffn(x), self.layer_scale_2))
        return y


def relative_mix(channels: int, out_channels: int) -> nn.Sequential:
    """Build the layers that mix x with its aggregate: (N, 2C, H, W) -> (N, C', H, W).

    The two maps are joined along channels.
    """
    return nn.Sequential(
        nn.Conv2d(2 * channels, out_channels, 1), nn.BatchNorm2d(out_channels), nn.GELU()
    )


class Pyramid(nn.Module):
    """Pyramid classifier: (N, 3, H, W) -> (N, num_classes) in eval mode.

    In training mode it returns a pair of logits, one per head. `graph(stage, channels, drop_path)`
    builds a graph block. `flat` is the form of the local blocks' layer scale. With
    `local_rates_advance` each local block has its own drop rate; without it all local blocks of a
    stage share one, as MobileViGv2 and RapidNet were trained.
    """

    def __init__(
        self,
        shape: PyramidShape,
        graph: Callable[[int, int, float], nn.Module],
        *,
        flat: bool,
        local_rates_advance: bool,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        rates = linear_schedule(DROP_PATH, sum(local + graphs for local, graphs in shape.blocks))
        rate_index = 0
        self.stem = Stem(shape.channels[0])
        self.backbone = nn.Sequential()
        for stage, ((local_blocks, graph_blocks), channels) in enumerate(
            zip(shape.blocks, shape.channels, strict=True)
        ):
            blocks: list[nn.Module] = []
            if stage > 0:
                blocks.append(Downsample(shape.channels[stage - 1], channels))
            for _ in range(local_blocks):
                blocks.append(LocalBlock(channels, rates[rate_index], flat=flat))
                rate_index += local_rates_advance
            for _ in range(graph_blocks):
                blocks.append(graph(stage, channels, rates[rate_index]))
                rate_index += 1
            self.backbone.append(nn.Sequential(*blocks))
        self.prediction = PooledEmbedding(shape.channels[-1], shape.embedding)
        self.head = nn.Conv2d(shape.embedding, num_classes, 1)
        self.dist_head = nn.Conv2d(shape.embedding, num_classes, 1)
        for_training(self)

    def stages(self, x: Tensor) -> list[Tensor]:
        """Return each stage's map for detection and segmentation, at strides 4, 8, 16 and 32."""
        x = self.stem(x)
        outputs = []
        for stage in self.backbone:
            x = stage(x)
            outputs.append(x)
        return outputs

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        return self.classify(self.stages(x)[-1])

    def classify(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Compute the logits from the last map."""
        return classify(self.prediction(x), self.head, self.dist_head, self.training)
