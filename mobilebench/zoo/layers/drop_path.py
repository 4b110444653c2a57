"""Stochastic depth (Huang et al. 2016, arXiv:1603.09382)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Drop a residual branch for whole images at random (stochastic depth).

    In training mode the branch is zero with `probability` for each image of a batch, and is divided
    by 1 - probability for the others. In eval mode nothing happens. Shape unchanged.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0.0:
            return x
        kept_share = 1.0 - self.probability
        mask = torch.bernoulli(x.new_full((x.shape[0], *([1] * (x.ndim - 1))), kept_share))
        return x * mask / kept_share

    def extra_repr(self) -> str:
        return f"probability={self.probability:.3f}"


def linear_schedule(last: float, blocks: int) -> list[float]:
    """Return evenly spaced drop probabilities from 0 to `last`, one per block.

    A single block has 0.
    """
    if blocks == 1:
        return [0.0]
    return [last * index / (blocks - 1) for index in range(blocks)]
