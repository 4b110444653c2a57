"""Neighbours on a pixel grid without an index: circular shifts."""

from __future__ import annotations

import torch
from torch import Tensor


def shifted(x: Tensor, distance: int, dim: int) -> Tensor:
    """Circular shift by `distance` pixels along `dim`; shape unchanged.

    out[i] = x[(i - distance) mod size]. Written as two slices and a concatenation, because
    toolkits turn `torch.roll` into a gather. `distance` is in 1 .. size - 1.
    """
    size = x.shape[dim]
    return torch.cat(
        [x.narrow(dim, size - distance, distance), x.narrow(dim, 0, size - distance)], dim
    )
