"""Rules that follow the channels through MobileNetV2, the zoo's and timm's.

The seven rows of the paper's table 2 form four stages, by the stride of their maps: 2 and 4, 8, 16,
and 32. Channels are rounded as the paper's code does it. The last convolution before the classifier
stays whole, as in the paper for widths below 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from mobilebench.slimmable.channels import Channels
from mobilebench.slimmable.plan import Planner
from mobilebench.zoo.mobilenetv2 import Bottleneck, MobileNetV2, rounded

STAGE_OF_ROW = (0, 0, 1, 2, 2, 3, 3)
"""The stage of each row of the paper's table."""
_IMAGE = Channels.whole(3)


def leading(share: float, of: int) -> Channels:
    """Return a share of a map's channels, by the rounding of MobileNetV2: at least 8 remain."""
    return Channels.whole(of) if share == 1 else Channels.leading(min(of, rounded(share * of)), of)


def of_mobilenetv2(network: MobileNetV2, shares: Sequence[float], planner: Planner) -> None:
    """Plan the zoo's MobileNetV2: stem, bottlenecks, last convolution, classifier."""
    stem, *bottlenecks, last = network.features.children()
    current = leading(shares[0], _out(stem))
    planner.chain(_layers(stem), _IMAGE, current)
    row, before = -1, None
    for part in bottlenecks:
        assert isinstance(part, Bottleneck)
        of = _out(part.conv)
        row += of != before
        before = of
        out = leading(shares[STAGE_OF_ROW[row]], of)
        current = _bottleneck(_layers(part.conv), current, out, planner)
    planner.chain(_layers(last), current, Channels.whole(_out(last)))


def is_timm_mobilenetv2(network: nn.Module) -> bool:
    """Return whether a network is one of timm's MobileNetV2, of any multiplier and depth."""
    config = getattr(network, "pretrained_cfg", None) or {}
    return (
        type(network).__module__.startswith("timm.")
        and str(config.get("architecture")).startswith("mobilenetv2_")
        and len(network.get_submodule("blocks")) == len(STAGE_OF_ROW)  # type: ignore[arg-type]
    )


def of_timm_mobilenetv2(network: Any, shares: Sequence[float], planner: Planner) -> None:
    """Plan timm's MobileNetV2, which has one Sequential of blocks for each row of the table."""
    stem, last = network.conv_stem, network.conv_head
    current = leading(shares[0], stem.out_channels)
    planner.chain([stem, network.bn1], _IMAGE, current)
    for row, stage in zip(network.blocks, STAGE_OF_ROW, strict=True):
        for block in row:
            out = leading(shares[stage], _out(block))
            current = _bottleneck(_layers(block), current, out, planner)
    planner.chain([last, network.bn2], current, Channels.whole(last.out_channels))


def _bottleneck(
    layers: Sequence[nn.Module], into: Channels, out: Channels, planner: Planner
) -> Channels:
    """Cut expansion, depthwise convolution and projection; without expansion, the last two."""
    dense = [part for part in layers if isinstance(part, nn.Conv2d) and part.groups == 1]
    hidden = [into.scaled(part.out_channels) for part in dense[:-1]]
    return planner.chain(layers, into, *hidden, out)


def _layers(part: nn.Module) -> list[nn.Module]:
    """List convolutions and norms in their order; timm's norms hold their activation."""
    return [inner for inner in part.modules() if isinstance(inner, nn.Conv2d | nn.BatchNorm2d)]


def _out(part: nn.Module) -> int:
    """Return the channels after the last convolution of a part."""
    convs: list[Any] = [inner for inner in part.modules() if isinstance(inner, nn.Conv2d)]
    return int(convs[-1].out_channels)
