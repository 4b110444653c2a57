"""Put the normalisation of a network's images in front of it, as operations on pixels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.values.recipe import ImageInput


class FromPixels(nn.Module):
    """Compute network((x / 255 - mean) / std) by channel.

    `x` is an image of shape (1, 3, H, W) with values from 0 to 255. The formats have their own
    fields for this, but those hold one scale for all channels.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, how: ImageInput) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(how.mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(how.std).reshape(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Any:
        return self.network((x / 255.0 - self.mean) / self.std)
