"""Draw inputs from a seed: the same for PyTorch, every artifact and every machine.

A file that takes images gets pixels; PyTorch gets the same pixels, normalised.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mobilebench.values.recipe import ImageInput, inputs_of_file
from mobilebench.values.tensor import DType, TensorSpec

Array = np.ndarray[Any, Any]
Batch = Sequence[Array]
"""The inputs, or the outputs, of one inference, in the model's order."""


def sample(inputs: Sequence[TensorSpec], seed: int) -> list[Array]:
    """Draw one batch from a seed.

    Floats are standard normal, as in a normalised image; pixels (uint8) are 0 to 255; the rest is 0
    or 1, which every index and mask allows.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    return [_draw(tensor, rng) for tensor in inputs]


def _draw(tensor: TensorSpec, rng: np.random.Generator) -> Array:
    if tensor.dtype.is_float:
        return rng.standard_normal(tensor.shape).astype(tensor.dtype)
    if tensor.dtype == DType.UINT8:
        return rng.integers(0, 256, size=tensor.shape, dtype=np.uint8)
    return rng.integers(0, 2, size=tensor.shape).astype(tensor.dtype)


def samples(
    inputs: Sequence[TensorSpec], count: int, seed: int, normalisation: ImageInput | None = None
) -> list[Batch]:
    """Draw `count` batches of a network, with the seeds `seed`, `seed + 1`, ..."""
    return [sample_of_network(inputs, seed + index, normalisation) for index in range(count)]


def sample_of_network(
    inputs: Sequence[TensorSpec], seed: int, normalisation: ImageInput | None
) -> Batch:
    """Draw one batch of a network: normalised pixels where the normalisation is known.

    So the inputs have the range of real ones. Otherwise as `sample`.
    """
    return of_network(sample(inputs_of_file(inputs, normalisation), seed), normalisation)


def of_network(file: Batch, image_input: ImageInput | None) -> Batch:
    """Convert inputs of the file to the inputs of its network."""
    return file if image_input is None else [normalised(pixels, image_input) for pixels in file]


def normalised(pixels: Array, how: ImageInput) -> Array:
    """Normalise pixels (N, 3, H, W) of 0 to 255 as the network's input, in float32."""
    mean, std = (np.asarray(three, np.float32).reshape(1, 3, 1, 1) for three in (how.mean, how.std))
    result: Array = (pixels.astype(np.float32) / np.float32(255.0) - mean) / std
    return result


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
