"""Circular shifts, which reach neighbours on a pixel grid without an index."""

from __future__ import annotations

import torch
from torch import Tensor


def shifted(x: Tensor, distance: int, dim: int) -> Tensor:
    """Shift a map circularly by `distance` pixels along `dim`; shape unchanged.

    out[i] = x[(i - distance) mod size]; a negative distance shifts the other way. The shift is two
    slices and a concatenation, because toolkits turn `torch.roll` into a gather. A shift by the
    size or more is the identity, as in the slices of the official code. It is not taken modulo the
    size.
    """
    size = x.shape[dim]
    if abs(distance) >= size:
        return x
    distance %= size
    return torch.cat(
        [x.narrow(dim, size - distance, distance), x.narrow(dim, 0, size - distance)], dim
    )
