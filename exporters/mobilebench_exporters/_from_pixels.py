"""A network that takes pixels: its authors' normalisation as operations in front of it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.values.recipe import ImageInput


class FromPixels(nn.Module):
    """network((x / 255 - mean) / std), by channel, for an image (1, 3, H, W) of 0 to 255.

    Formats have means of their own for this, but with one scale for all channels.
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
