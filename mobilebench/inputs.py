"""Fixed seeded inputs: the same numbers for PyTorch, for every artifact and on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mobilebench.tensor import DType, TensorSpec

Array = np.ndarray[Any, Any]
Batch = Sequence[Array]
"""The inputs, or the outputs, of one inference, in the model's order."""


def sample(inputs: Sequence[TensorSpec], seed: int) -> list[Array]:
    """One batch: standard normal values for floats, as for a normalised image; 0 or 1 for the
    rest, which every index and mask allows."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return [_draw(tensor, rng) for tensor in inputs]


def _draw(tensor: TensorSpec, rng: np.random.Generator) -> Array:
    if tensor.dtype in (DType.FLOAT32, DType.FLOAT16):
        return rng.standard_normal(tensor.shape).astype(tensor.dtype)
    return rng.integers(0, 2, size=tensor.shape).astype(tensor.dtype)


def samples(inputs: Sequence[TensorSpec], count: int, seed: int) -> list[list[Array]]:
    """`count` batches, with the seeds `seed`, `seed + 1`, ..."""
    return [sample(inputs, seed + index) for index in range(count)]


def save_batches(path: Path, batches: Sequence[Sequence[Array]]) -> None:
    """Write batches as an .npz whose entries are called `BATCH.POSITION`."""
    entries = {
        f"{batch}.{position}": array
        for batch, arrays in enumerate(batches)
        for position, array in enumerate(arrays)
    }
    with path.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **entries)


def load_batches(path: Path) -> list[list[Array]]:
    """Read what `save_batches` wrote."""
    batches: dict[int, dict[int, Array]] = {}
    with np.load(path, allow_pickle=False) as entries:
        for name in entries.files:
            batch, position = (int(part) for part in name.split("."))
            batches.setdefault(batch, {})[position] = entries[name]
    return [[arrays[key] for key in sorted(arrays)] for _, arrays in sorted(batches.items())]
