"""Take the statistics of BatchNorm that belong to a width.

Statistics of the full network do not fit a narrower one: its sums have fewer terms. Slimmable
networks (Yu et al. 2019, arXiv:1812.08928) train a private BatchNorm for each width, as
`shared.SharedNetwork` does. US-Nets (Yu and Huang 2019, arXiv:1903.05134) compute the statistics of
a width after training, as `recalibrate` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mobilebench.errors import UserError
from mobilebench.inputs import images
from mobilebench.values.modelspec import ModelSpec

IMAGES = 1024
"""Most images of a folder that statistics are taken from, by default."""
BATCH = 32


def recalibrate(network: nn.Module, batches: Iterable[Tensor]) -> int:
    """Replace the statistics of every BatchNorm by their mean over batches; return the images.

    Each batch is (N, 3, H, W), and every batch counts the same. Weights do not change, and dropout
    and drop path stay off. The network is left in the mode that it had. Raises `UserError` where
    there is no batch, no BatchNorm, or a batch of one image, whose statistics say nothing.
    """
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    if not norms:
        raise UserError(
            f"{type(network).__name__} has no BatchNorm, so there is nothing to recalibrate; use "
            f"it as it is."
        )
    modes = {part: part.training for part in network.modules()}
    rates = {norm: norm.momentum for norm in norms}
    before = {norm: {k: v.clone() for k, v in norm.named_buffers()} for norm in norms}
    count = 0
    try:
        network.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches, not a moving one
            norm.training = True
        with torch.no_grad():
            for batch in batches:
                _require_several(batch)
                network(batch)
                count += len(batch)
        if count == 0:
            raise UserError("No batch was given to recalibrate on; give some training images.")
    except BaseException:
        for norm in norms:
            for name, buffer in norm.named_buffers():
                buffer.copy_(before[norm][name])
        raise
    finally:
        for norm, rate in rates.items():
            norm.momentum = rate
        for part, training in modes.items():
            part.training = training
    return count


def recalibrate_on(
    network: nn.Module, spec: ModelSpec, folder: Path | str, *, count: int = IMAGES
) -> int:
    """Recalibrate a network on the images of a folder, prepared as its spec states.

    At most `count` images are taken, evenly spaced; use those of the training, and leave out those
    that accuracy is measured on. Returns how many were taken. Raises `UserError` for a folder with
    fewer than two images and a network that takes none, `ImageError` for a file that cannot be
    read, and as `recalibrate` does.
    """
    images.require_images(spec)
    paths = images.spread(images.find(Path(folder)), count)
    return recalibrate(network, _batches(paths, spec))


def _batches(paths: Sequence[Path], spec: ModelSpec) -> Iterator[Tensor]:
    """Yield batches of about the same size, so that none of several has a single image."""
    parts = -(-len(paths) // BATCH)
    for part in np.array_split(np.arange(len(paths)), parts):
        batch = np.concatenate([images.prepare(paths[index], spec) for index in part])
        yield torch.from_numpy(batch)


def _require_several(batch: Tensor) -> None:
    if len(batch) < 2:
        raise UserError(
            f"A batch of {len(batch)} image was given to recalibrate on; give at least 2 images in "
            f"each batch."
        )
