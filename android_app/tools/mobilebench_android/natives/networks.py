"""A small network with what those of the zoo do not have: two inputs and several outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TwoInThreeOut(nn.Module):
    """Two images in; a map, scores and the mean of the second image out."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.second = nn.Conv2d(1, 8, 3, padding=1)
        self.head = nn.Linear(8, 5)

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (1, 3, 32, 32) and (1, 1, 16, 16) to (1, 8, 16, 16), (1, 5) and (1, 1, 16)."""
        maps = nn.functional.relu(self.first(image)) + self.second(mask)
        scores = self.head(maps.mean((2, 3)))
        return maps, scores, mask.mean(2)


def two_in_three_out() -> nn.Module:
    """Return the network with the weights of a fixed seed."""
    torch.manual_seed(0)
    return TwoInThreeOut().eval()
