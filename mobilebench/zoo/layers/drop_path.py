"""Stochastic depth (Huang et al. 2016, arXiv:1603.09382)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """In training, zero a residual branch for whole samples with `probability`, and scale the
    others by 1 / (1 - probability); in eval mode do nothing. Shape unchanged."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0.0:
            return x
        keep = 1.0 - self.probability
        kept = torch.bernoulli(x.new_full((x.shape[0], *([1] * (x.ndim - 1))), keep))
        return x * kept / keep

    def extra_repr(self) -> str:
        return f"probability={self.probability:.3f}"


def linear_schedule(last: float, blocks: int) -> list[float]:
    """Drop probability per block, growing evenly from 0 at the first to `last` at the last."""
    if blocks == 1:
        return [0.0]
    return [last * index / (blocks - 1) for index in range(blocks)]
