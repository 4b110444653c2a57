"""Cut a network to a width: an ordinary network with the leading channels of each layer."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from mobilebench.errors import UserError
from mobilebench.slimmable import bottlenecks, pyramids
from mobilebench.slimmable.channels import MULTIPLE, leading
from mobilebench.slimmable.plan import Plan, Planner, is_depthwise
from mobilebench.values.width import Width
from mobilebench.zoo.layers.convolution import Downsample, Stem
from mobilebench.zoo.layers.pyramid import Pyramid
from mobilebench.zoo.logvig import LogViG
from mobilebench.zoo.mobilenetv2 import MobileNetV2
from mobilebench.zoo.mobilevig import MobileViG
from mobilebench.zoo.vcmamba import Embedding, VCMamba

_PYRAMIDS: Mapping[type[nn.Module], Callable[[Any, pyramids.Stages, Planner], None]] = {
    Pyramid: pyramids.of_pyramid,
    LogViG: pyramids.of_logvig,
    MobileViG: pyramids.of_mobilevig,
    VCMamba: pyramids.of_vcmamba,
}


def extract(
    network: nn.Module, width: Width | float | str | Sequence[float], *, name: str = "the network"
) -> nn.Module:
    """Return the network of a width: a copy of the leading channels, without the others.

    It computes the same as the full network whose other channels are zero after every layer, and
    has the same class, so every exporter and rewrite takes it. It shares no memory with the full
    one. BatchNorm keeps the statistics of the full network; `norms.recalibrate` takes those of the
    width. `name` is for errors. Raises `UserError` as `plan_of` does.
    """
    plan = plan_of(network, width, name=name)
    narrow = copy.deepcopy(network)
    with torch.no_grad():
        for prefix, part in narrow.named_modules():
            depthwise = isinstance(part, nn.Conv2d) and is_depthwise(part)
            for leaf, parameter in part.named_parameters(recurse=False):
                leading_part = plan.cut(f"{prefix}.{leaf}".lstrip("."), parameter)
                if leading_part is not parameter:
                    part.register_parameter(
                        leaf,
                        nn.Parameter(leading_part.clone(), requires_grad=parameter.requires_grad),
                    )
            for leaf, buffer in part.named_buffers(recurse=False):
                leading_part = plan.cut(f"{prefix}.{leaf}".lstrip("."), buffer)
                if leading_part is not buffer:
                    setattr(part, leaf, leading_part.clone())
            _state_sizes(part, depthwise=depthwise)
    return narrow


def plan_of(
    network: nn.Module, width: Width | float | str | Sequence[float], *, name: str = "the network"
) -> Plan:
    """Return what a width keeps of every tensor of a network.

    Raises `UserError` for a network that no rule cuts, a width outside of (0, 1], another number of
    stages than the network has, a stage that keeps no channel, and a stage that cannot be cut.
    """
    planner = Planner(network)
    given = Width.given(width)
    if isinstance(network, MobileNetV2):
        bottlenecks.of_mobilenetv2(network, given.of(name), planner)
    elif bottlenecks.is_timm_mobilenetv2(network):
        bottlenecks.of_timm_mobilenetv2(network, given.of(name), planner)
    elif (rule := _PYRAMIDS.get(type(network))) is not None:
        rule(network, _stages(network, given, name), planner)
    else:
        raise UserError(
            f"--width was given for {name}, a {type(network).__name__}; networks of the zoo and "
            f"timm's MobileNetV2 have widths, others do not: leave it out."
        )
    return planner.plan()


def _stages(network: nn.Module, width: Width, name: str) -> pyramids.Stages:
    """Return the channels that each stage keeps."""
    shares = width.of(name)
    if isinstance(network, VCMamba) and shares[-1] != 1:
        first = ",".join(f"{share:.15g}" for share in shares[:-1])
        raise UserError(
            f"--width {width} cuts the last stage of {name}, which normalises every pixel over its "
            f"channels and is trained with all of them; keep it whole: --width {first},1."
        )
    stages = []
    for number, (share, of) in enumerate(zip(shares, _widest(network), strict=True), start=1):
        channels = leading(share, of)
        if channels.count == 0:
            least = math.ceil(MULTIPLE / 2 / of * 1000) / 1000
            raise UserError(
                f"--width {width} keeps none of the {of} channels of stage {number} of {name}, of "
                f"which a multiple of {MULTIPLE} is kept; give it {least:.3g} or more."
            )
        stages.append(channels)
    return tuple(stages)


def _widest(network: nn.Module) -> list[int]:
    """Return the channels of each stage of a full network."""
    convs = [
        part.stem[3] if isinstance(part, Stem) else part.conv[0]
        for part in network.modules()
        if isinstance(part, Stem | Downsample)
    ]
    if isinstance(network, VCMamba):
        embeddings = (part.proj for part in network.network if isinstance(part, Embedding))
        convs = [network.patch_embed[3], *embeddings]
    return [conv.out_channels for conv in convs if isinstance(conv, nn.Conv2d)]


def _state_sizes(part: nn.Module, *, depthwise: bool) -> None:
    """Set the sizes that a layer states to those of its tensors."""
    if isinstance(part, nn.Conv2d):
        part.out_channels = part.weight.shape[0]
        part.groups = part.out_channels if depthwise else part.groups
        part.in_channels = part.weight.shape[1] * part.groups
    elif isinstance(part, nn.BatchNorm2d):
        part.num_features = part.running_mean.shape[0] if part.running_mean is not None else 0
