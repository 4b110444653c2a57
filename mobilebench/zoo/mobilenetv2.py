"""MobileNetV2, the baseline in every published table of mobile backbones.

Paper: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear
Bottlenecks", CVPR 2018, arXiv:1801.04381, table 2.
State-dict names are those of torchvision (https://github.com/pytorch/vision, BSD-3-Clause), so its
checkpoints load; the code here is our own.
"""

from __future__ import annotations

from torch import Tensor, nn

# Expansion t, channels c, blocks n, first stride s of each row of the paper's table 2.
_ROWS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def rounded(channels: float, multiple: int = 8) -> int:
    """Round to the nearest `multiple` that is at least nine tenths of `channels`."""
    nearest = max(multiple, int(channels + multiple / 2) // multiple * multiple)
    return nearest + multiple if nearest < 0.9 * channels else nearest


def _conv(
    in_channels: int, out_channels: int, kernel: int, stride: int, groups: int = 1
) -> nn.Module:
    """Build a convolution without bias, followed by BatchNorm and ReLU6."""
    return nn.Sequential(
        nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels),
        nn.ReLU6(),
    )


class Bottleneck(nn.Module):
    """1x1 expansion, 3x3 depthwise, linear 1x1 projection: (N, C, H, W) -> (N, C', H/s, W/s)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        layers = [] if expansion == 1 else [_conv(in_channels, hidden, 1, 1)]
        self.conv = nn.Sequential(
            *layers,
            _conv(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """MobileNetV2 classifier: (N, 3, H, W) -> (N, num_classes) in both modes."""

    def __init__(self, width: float, num_classes: int = 1000) -> None:
        super().__init__()
        channels = rounded(32 * width)
        blocks: list[nn.Module] = [_conv(3, channels, 3, 2)]
        self._stage_ends = []
        for expansion, base, count, first_stride in _ROWS:
            for index in range(count):
                stride = first_stride if index == 0 else 1
                if stride == 2:
                    self._stage_ends.append(len(blocks) - 1)
                blocks.append(Bottleneck(channels, rounded(base * width), stride, expansion))
                channels = rounded(base * width)
        self._stage_ends.append(len(blocks) - 1)
        last = rounded(1280 * max(1.0, width))
        blocks.append(_conv(channels, last, 1, 1))
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(last, num_classes))
        self._initialise()

    def _initialise(self) -> None:
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out")
            elif isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=0.01)
                nn.init.zeros_(part.bias)

    def stages(self, x: Tensor) -> list[Tensor]:
        """Return the last map at each of the strides 4, 8, 16 and 32."""
        outputs = []
        for index, block in enumerate(self.features):
            x = block(x)
            if index in self._stage_ends[1:]:
                outputs.append(x)
        return outputs

    def forward(self, x: Tensor) -> Tensor:
        # Keep a map of one pixel: XNNPACK does not take a mean that drops dimensions.
        pooled = self.features(x).mean((2, 3), keepdim=True)
        y: Tensor = self.classifier(pooled.flatten(1))
        return y


def mobilenetv2_100(num_classes: int = 1000) -> MobileNetV2:
    """Build MobileNetV2 x1.0."""
    return MobileNetV2(1.0, num_classes)


def mobilenetv2_140(num_classes: int = 1000) -> MobileNetV2:
    """Build MobileNetV2 x1.4."""
    return MobileNetV2(1.4, num_classes)
