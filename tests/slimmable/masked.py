"""The reference of a width: the full network, with the other channels zero after every layer.

It shares nothing with `mobilebench.slimmable`: the stage of a layer is read from its name, and how
many of its channels are kept from the share that its stage keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.zoo.layers.convolution import Downsample
from mobilebench.zoo.mobilevig import MobileViG
from mobilebench.zoo.vcmamba import VCMamba

Kept = tuple[int, int]
"""Channels of a map that are kept, and all of them."""
ROWS = (16, 24, 32, 64, 96, 160, 320)
STAGE_OF_ROW = (0, 0, 1, 2, 2, 3, 3)
BLOCKS_OF_ROW = (1, 2, 3, 4, 3, 3, 1)


def nearest(share: float, of: int) -> int:
    """Return the multiple of 8 that is nearest to a share of the channels."""
    return of if share == 1 else int(share * of / 8 + 0.5) * 8


def by_paper(share: float, of: int) -> int:
    """Return the channels of MobileNetV2: at least 8, and at least nine tenths of the share."""
    if share == 1:
        return of
    kept = max(8, int(share * of / 8 + 0.5) * 8)
    return kept + 8 if kept < 0.9 * share * of else kept


@contextmanager
def masked(network: nn.Module, name: str, shares: Sequence[float]) -> Iterator[nn.Module]:
    """Let a full network compute what its width does; afterwards it is as before."""
    family = name.partition("_")[0]
    widest = [] if family == "mobilenetv2" else _channels(network)
    handles = []
    for path, part in network.named_modules():
        if isinstance(part, nn.Conv2d | nn.BatchNorm2d):
            total = part.out_channels if isinstance(part, nn.Conv2d) else part.num_features
            kept = (
                _of_mobilenetv2(path, total, shares)
                if family == "mobilenetv2"
                else _of_pyramid(network, widest, path, total, shares)
            )
            handles.append(part.register_forward_hook(_zeroing(kept)))
    try:
        yield network
    finally:
        for handle in handles:
            handle.remove()


def _zeroing(kept: int) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    def hook(part: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        return torch.cat([output[:, :kept], torch.zeros_like(output[:, kept:])], dim=1)

    return hook


def _of_pyramid(
    network: nn.Module, widest: Sequence[int], path: str, total: int, shares: Sequence[float]
) -> int:
    """Return how many channels of a layer a pyramid keeps."""
    stage = _stage(network, path)
    if stage is None:
        return total
    of = widest[stage]
    return total * nearest(shares[stage], of) // of


def _stage(network: nn.Module, path: str) -> int | None:
    """Return the stage of a layer; None for one that is whole."""
    if re.match(r"prediction|head|dist_head", path) or re.search(r"\.[qk]_conv$", path):
        return None
    if re.match(r"stem|patch_embed", path):
        return 0
    if path.startswith("high_res_branch"):
        return 1
    if path.startswith("merge"):
        return 3
    place = int(path.split(".")[1])
    if isinstance(network, VCMamba):
        return None if (place + 1) // 2 == 3 else (place + 1) // 2
    if not isinstance(network, MobileViG):
        return place
    if path.startswith("backbone"):
        return 3
    blocks = list(network.local_backbone)[: place + 1]
    return sum(isinstance(block, Downsample) for block in blocks)


def _channels(network: nn.Module) -> list[int]:
    """Return the channels of each stage, from the maps that the full network returns."""
    stages: Any = network
    image = torch.zeros(1, 3, 32, 32, dtype=next(network.parameters()).dtype)
    with torch.no_grad():
        return [x.shape[1] for x in stages.stages(image)]


def _of_mobilenetv2(path: str, total: int, shares: Sequence[float]) -> int:
    _, place, *rest = path.split(".")
    if place == "0":
        return by_paper(shares[0], 32)
    rows = [row for row, count in enumerate(BLOCKS_OF_ROW) for _ in range(count)]
    if int(place) > len(rows):
        return total
    row, first = rows[int(place) - 1], int(place) == 1
    if total == ROWS[row] and (not first or rest[-1] in ("1", "2")) and len(rest) == 2:
        return by_paper(shares[STAGE_OF_ROW[row]], total)
    before = 32 if first else ROWS[rows[int(place) - 2]]
    stage = 0 if first else STAGE_OF_ROW[rows[int(place) - 2]]
    return total * by_paper(shares[stage], before) // before
