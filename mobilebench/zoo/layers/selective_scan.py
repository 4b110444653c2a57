"""Selective state-space scan over a map, along four snake paths.

The recurrence is Mamba's (Gu and Dao 2023, arXiv:2312.00752, section 3). The snake paths, on which
consecutive pixels are always neighbours, and the term for the direction of a step are PlainMamba's
(Yang et al. 2024, arXiv:2403.17695).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor, nn

DIRECTIONS = ("start", "right", "left", "up", "down")
"""Ways in which a path reaches a pixel, in the order of the direction table's rows."""

PATHS = 4
"""Number of paths over one map, each of which is scanned."""

_BY_OFFSET = {(0, 1): "right", (0, -1): "left", (-1, 0): "up", (1, 0): "down"}


@dataclass(frozen=True)
class SnakePath:
    """Walk over all pixels of a map.

    `pixels[l]` is the raster index of the l-th pixel of the walk, `steps[l]` is the index in
    `DIRECTIONS` of the step that reached it, and `places[i]` is the place of raster pixel i in the
    walk.
    """

    pixels: tuple[int, ...]
    steps: tuple[int, ...]
    places: tuple[int, ...]


def _path(walk: list[tuple[int, int]], width: int) -> SnakePath:
    steps = ["start"]
    for (row, column), (next_row, next_column) in pairwise(walk):
        steps.append(_BY_OFFSET[next_row - row, next_column - column])
    pixels = tuple(row * width + column for row, column in walk)
    places = {pixel: place for place, pixel in enumerate(pixels)}
    return SnakePath(
        pixels=pixels,
        steps=tuple(DIRECTIONS.index(step) for step in steps),
        places=tuple(places[pixel] for pixel in range(len(pixels))),
    )


@cache
def snake_paths(height: int, width: int) -> tuple[SnakePath, ...]:
    """Return the four walks over a map of H x W, computed once for each size.

    The first goes row by row from the top left, to the right first and then alternating. The second
    is the same walk backwards. The third goes column by column from the top left, down first and
    then alternating. The fourth is that walk backwards.
    """
    rows = [
        (row, column if row % 2 == 0 else width - 1 - column)
        for row in range(height)
        for column in range(width)
    ]
    columns = [
        (row if column % 2 == 0 else height - 1 - row, column)
        for column in range(width)
        for row in range(height)
    ]
    return tuple(_path(walk, width) for walk in (rows, rows[::-1], columns, columns[::-1]))


def selective_scan(u: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Run Mamba's recurrence over L tokens for K sequences that share dt, a, c and d.

    For each channel, with S states that start at zero:
    h(l) = exp(dt(l) a) h(l-1) + dt(l) b(l) u(l) and y(l) = sum over states of c(l) h(l), + d u(l).

    u (N, K, L, E), dt (N, L, E), a (E, S), b (N, K, L, S), c (N, L, S), d (E) -> (N, K, L, E).
    """
    decay = torch.exp(dt.unsqueeze(-1) * a)  # (N, L, E, S), the same for every sequence
    drive = (dt.unsqueeze(1) * u).unsqueeze(-1) * b.unsqueeze(3)  # (N, K, L, E, S)
    state = torch.zeros_like(drive[:, :, 0])
    states = []
    # Unbind, do not index: the gradient of an index fills a whole tensor at every step.
    for step_decay, step_drive in zip(decay.unsqueeze(1).unbind(2), drive.unbind(2), strict=True):
        state = step_decay * state + step_drive
        states.append(state)
    readout = torch.stack(states, 2) * c[:, None, :, None]
    return readout.sum(-1) + d * u


class SnakeScan(nn.Module):
    """Sum of four selective scans of one map: (N, L, E) -> (N, L, E) with L = H x W.

    It has no parameters and no state-dict entries. The paths over a map of `map_size` are stored as
    constants; maps of other sizes work too.
    """

    pixels: Tensor
    steps: Tensor
    places: Tensor

    def __init__(self, map_size: tuple[int, int]) -> None:
        super().__init__()
        self.map_size = map_size
        for name, indices in zip(("pixels", "steps", "places"), _indices(*map_size), strict=True):
            self.register_buffer(name, indices, persistent=False)

    def forward(
        self,
        u: Tensor,
        dt: Tensor,
        a: Tensor,
        b: Tensor,
        c: Tensor,
        d: Tensor,
        direction_b: Tensor,
        map_size: tuple[int, int],
    ) -> Tensor:
        """Scan a map: u (N, L, E), in raster order -> (N, L, E).

        The other shapes are dt (N, L, E), a (E, S), b and c (N, L, S), d (E). `direction_b` (5, S)
        has a row for each of `DIRECTIONS`, which is added to b.

        Only u is put in the order of a path. dt, b and c stay in raster order, so token l of a path
        meets the dt, b and c of raster pixel l, because official checkpoints are trained that way.
        """
        pixels, steps, places = (
            (self.pixels, self.steps, self.places)
            if map_size == self.map_size
            else (indices.to(u.device) for indices in _indices(*map_size))
        )
        y = selective_scan(
            _by_path(u.index_select(1, pixels), 1),
            dt,
            a,
            b.unsqueeze(1) + _by_path(direction_b.index_select(0, steps), 0),
            c,
            d,
        )
        return _by_path(y.flatten(1, 2).index_select(1, places), 1).sum(1)

    def extra_repr(self) -> str:
        return f"map_size={self.map_size}"


def _by_path(x: Tensor, dim: int) -> Tensor:
    """Split a dimension by path: (..., 4 L, ...) -> (..., 4, L, ...) along `dim`."""
    return torch.unflatten(x, dim, (4, -1))


def _indices(height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Join the `pixels`, `steps` and `places` of the four paths, (4 L) each.

    `places` index the four walked sequences joined end to end.
    """

    def joined(parts: Iterable[tuple[int, ...]]) -> Tensor:
        return torch.tensor([index for part in parts for index in part])

    paths = snake_paths(height, width)
    length = height * width
    return (
        joined(path.pixels for path in paths),
        joined(path.steps for path in paths),
        joined(
            tuple(place + length * number for place in path.places)
            for number, path in enumerate(paths)
        ),
    )
