"""Fill rule of the conformance vectors: a tensor follows from its name and shape alone."""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

VECTORS = Path(__file__).parent / "vectors"
Array = np.ndarray[Any, Any]


def facts(variant: str) -> dict[str, Any]:
    """Return manifest, counts and expected figures of a variant, from the official code."""
    content: dict[str, Any] = json.loads((VECTORS / f"{variant}.json").read_text())
    return content


def manifest(variant: str) -> list[tuple[str, tuple[int, ...], str]]:
    """Return name, shape and type of every state-dict entry.

    LogViG's adjustment, which the official code creates anew in every call, is one of them.
    """
    content = facts(variant)
    entries = content["manifest"] + (content.get("virtual_manifest") or [])
    return [(name, tuple(shape), dtype) for name, shape, dtype in entries]


def logits(variant: str) -> dict[str, Array]:
    """Return the expected outputs of one variant."""
    with np.load(VECTORS / f"{variant}.npz") as arrays:
        return dict(arrays)


def _draw(name: str, shape: Sequence[int]) -> Array:
    leaf = name.rpartition(".")[2]
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    if leaf == "num_batches_tracked":
        return np.zeros(shape)
    if leaf == "running_var":
        return rng.uniform(0.5, 1.5, size=shape)
    if leaf == "running_mean":
        return rng.normal(0.0, 0.1, size=shape)
    if leaf.startswith("layer_scale") or leaf == "gamma":
        return rng.uniform(0.1, 0.4, size=shape)
    if leaf == "temperature":
        value = rng.uniform(100.0, 500.0, size=shape)
        return -value if rng.random() < 0.5 else value
    if leaf == "A_log":
        return rng.uniform(0.0, math.log(16.0), size=shape)
    if leaf == "D":
        return rng.uniform(0.5, 1.5, size=shape)
    if leaf in ("direction_Bs", "pos_embed"):
        return rng.normal(0.0, 0.5, size=shape)
    if name.endswith("dt_proj.bias"):
        return rng.uniform(-2.0, 0.0, size=shape)
    if leaf == "weight" and len(shape) == 1:
        return rng.uniform(0.8, 1.2, size=shape)
    if leaf == "weight":
        return rng.normal(0.0, 1.0, size=shape) / math.sqrt(math.prod(shape[1:]))
    if leaf == "bias":
        return rng.normal(0.0, 0.05, size=shape)
    raise KeyError(f"no fill rule for {name!r} of shape {tuple(shape)}")


def state(manifest: Sequence[tuple[str, Sequence[int], str]]) -> dict[str, Array]:
    """Fill every tensor of a manifest, in the order of names."""
    return {
        name: np.asarray(_draw(name, shape)).astype(dtype)
        for name, shape, dtype in sorted(manifest)
    }


def checksum(filled: dict[str, Array]) -> str:
    """Compute the sha256 of all filled tensors, in the order of names.

    It covers name, shape and little-endian bytes.
    """
    digest = hashlib.sha256()
    for name in sorted(filled):
        array = filled[name]
        digest.update(f"{name}|{list(array.shape)}|{array.dtype.name}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()


def image(shape: Sequence[int], seed: int) -> Array:
    """Return the standard input of a case."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return rng.standard_normal(tuple(shape)).astype(np.float32)


def relative_error(actual: Array, expected: Array) -> float:
    """Return the largest difference divided by the standard deviation of the expected values."""
    assert actual.shape == expected.shape
    difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max()
    return float(difference / expected.astype(np.float64).std())
