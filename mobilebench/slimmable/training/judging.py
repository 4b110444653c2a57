"""How accurate each width is, on images that nothing was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mobilebench.inputs.folder import ImageFolder
from mobilebench.slimmable.norms import IMAGES, batches_of, recalibrate
from mobilebench.values.modelspec import ModelSpec

TOP = 5


@dataclass(frozen=True)
class Hits:
    """How many images have their class first, and among the first five."""

    top1: int
    top5: int
    images: int


@torch.no_grad()
def hits(
    networks: Mapping[str, nn.Module],
    batches: Iterable[tuple[Tensor, Tensor]],
    device: torch.device | str = "cpu",
    counted: Callable[[int], None] = lambda images: None,
) -> dict[str, Hits]:
    """Judge several networks on the same images, each of which is read once.

    Networks have to be on the device, in eval mode. A score that is not finite hits nothing.
    """
    first, five, count = dict.fromkeys(networks, 0), dict.fromkeys(networks, 0), 0
    for images_, labels in batches:
        x, wanted = images_.to(device), labels.to(device)
        for name, network in networks.items():
            ranks = _ranks(network(x).float(), wanted)
            first[name] += int((ranks == 0).sum())
            five[name] += int((ranks < TOP).sum())
        count += len(labels)
        counted(len(labels))
    return {name: Hits(first[name], five[name], count) for name in networks}


def _ranks(scores: Tensor, labels: Tensor) -> Tensor:
    """Return how many classes are before the right one, (N,); of equal scores all are."""
    own = scores.gather(1, labels[:, None])
    others = (scores >= own).sum(1) - 1
    return torch.where(scores.isfinite().all(1), others, max(TOP, scores.shape[1]))


def recalibrate_from(
    network: nn.Module,
    data: ImageFolder,
    spec: ModelSpec,
    *,
    count: int = IMAGES,
    device: torch.device | str = "cpu",
) -> int:
    """Take a network's statistics of BatchNorm from at most `count` images; return how many."""
    paths = [data.folder / image.path for image in data.limited(count).images]
    return recalibrate(network, (batch.to(device) for batch in batches_of(paths, spec)))
