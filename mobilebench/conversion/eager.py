"""Compute what PyTorch eager gives for the inputs that files are compared on."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mobilebench.errors import MobilebenchWarning
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Array, Batch
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ImageInput, inputs_of_file

REFERENCE_SEED = 1000
"""Far from the seeds of preflight and of benchmarks, so that no input is used twice."""
NUDGE = 2.0**-17
"""Relative change of an input. It moves the outputs of a smooth network of the zoo by 2e-6 of the
largest, twice what summing in another order does, so it finds what another runtime may flip."""
JUMP = 1e-4
"""Fifty times that, and below what one flipped threshold of GreedyViG does (3e-3 to 3e-2)."""
PAIRS = 1
"""Nudges both ways that every input gets."""
PAIRS_WHERE_IT_JUMPS = 4
"""And those of a network that jumped at one input: a pair finds about 7 of 10 of its jumps."""
MOST_DRAWS = 4
"""Inputs drawn for one that is used, before a network counts as jumping everywhere."""


@dataclass(frozen=True)
class Drawn:
    """What PyTorch eager computes on the inputs that artifacts are compared on."""

    seeds: tuple[int, ...]
    passed_over: tuple[int, ...]
    outputs: list[list[Array]]
    image_input: ImageInput | None = None


def draw(
    module: nn.Module, spec: ModelSpec, count: int, image_input: ImageInput | None = None
) -> Drawn:
    """Outputs of PyTorch eager for the first `count` seeded inputs that can tell a wrong artifact.

    A network may decide by thresholds, as GreedyViG does. Where a value lies on a threshold within
    rounding, PyTorch's own output jumps when the input changes in its last bits, and two right
    implementations differ by that jump. Such an input is passed over and the next seed is taken.
    A network that jumps at most inputs is compared on the first ones, with a warning.
    """
    found = _draw(module, spec, count, PAIRS, image_input)
    if found is not None and found.passed_over:
        # It decides by thresholds, so look closer: one pair of nudges misses a jump now and then.
        found = _draw(module, spec, count, PAIRS_WHERE_IT_JUMPS, image_input)
    if found is not None:
        return found
    warnings.warn(
        f"{spec.name} changes its outputs by more than {JUMP:.0e} of the largest when an input "
        f"changes in its last bits, at more than {(MOST_DRAWS - 1) * count} of "
        f"{MOST_DRAWS * count} random inputs; its files may fail parity for that alone.",
        MobilebenchWarning,
        stacklevel=2,
    )
    first = tuple(range(REFERENCE_SEED, REFERENCE_SEED + count))
    outputs = [_eager(module, _sample(spec, seed, image_input)) for seed in first]
    return Drawn(first, (), outputs, image_input)


def half_precision_error(module: nn.Module, spec: ModelSpec, expected: Drawn) -> float | None:
    """How far PyTorch's own half precision is from its single precision on the reference inputs:
    the largest difference over the largest output.

    None where an output is not finite, or PyTorch has no half-precision kernel for an operation.
    """
    half = copy.deepcopy(module).half()
    furthest = largest = 0.0
    for seed, outputs in zip(expected.seeds, expected.outputs, strict=True):
        batch = [
            array.astype(np.float16) if np.issubdtype(array.dtype, np.floating) else array
            for array in _sample(spec, seed, expected.image_input)
        ]
        try:
            found = _eager(half, batch)
        except NotImplementedError:
            return None
        for ours, theirs in zip(outputs, found, strict=True):
            if not np.isfinite(theirs).all():
                return None
            furthest = max(furthest, float(np.abs(np.subtract(theirs, ours, dtype=float)).max()))
            largest = max(largest, float(np.abs(ours).max()))
    return furthest / largest if largest > 0 else None


def outputs(
    module: nn.Module, batches: Iterable[list[Array]], image_input: ImageInput | None = None
) -> list[list[Array]]:
    """What PyTorch eager computes for inputs of a file."""
    return [_eager(module, seeded.of_network(batch, image_input)) for batch in batches]


def classes(
    module: nn.Module,
    parts: Iterable[list[list[Array]]],
    image_input: ImageInput | None = None,
) -> tuple[int, ...] | None:
    """The class that PyTorch names for every input of a file; None where the first output is not
    one row of class scores."""
    named = []
    for part in parts:
        for scores, *_ in outputs(module, part, image_input):
            if scores.ndim != 2 or scores.shape[0] != 1 or scores.shape[1] < 2:
                return None
            named.append(int(scores.argmax()))
    return tuple(named)


def _sample(spec: ModelSpec, seed: int, image_input: ImageInput | None) -> Batch:
    """What the network gets where the file gets the inputs of a seed."""
    of_file = seeded.sample(inputs_of_file(spec.inputs, image_input), seed)
    return seeded.of_network(of_file, image_input)


def _draw(
    module: nn.Module, spec: ModelSpec, count: int, pairs: int, image_input: ImageInput | None
) -> Drawn | None:
    """The first `count` seeds at which nothing jumps; None where most inputs jump."""
    seeds: list[int] = []
    passed_over: list[int] = []
    outputs: list[list[Array]] = []
    for seed in range(REFERENCE_SEED, REFERENCE_SEED + MOST_DRAWS * count):
        batch = _sample(spec, seed, image_input)
        found = _eager(module, batch)
        if _jumps(module, batch, seed, found, pairs):
            passed_over.append(seed)
            continue
        seeds.append(seed)
        outputs.append(found)
        if len(seeds) == count:
            return Drawn(tuple(seeds), tuple(passed_over), outputs, image_input)
    return None


def _jumps(module: nn.Module, batch: Batch, seed: int, found: list[Array], pairs: int) -> bool:
    """Whether the outputs move by more than `JUMP` when the input is nudged, each way in turn."""
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    largest = max((float(np.abs(array).max()) for array in found if array.size), default=0.0)
    for _ in range(pairs):
        nudges = [
            (array * rng.standard_normal(array.shape) * NUDGE).astype(array.dtype)
            if np.issubdtype(array.dtype, np.floating)
            else np.zeros_like(array)
            for array in batch
        ]
        for direction in (1, -1):
            nudged = [array + direction * nudge for array, nudge in zip(batch, nudges, strict=True)]
            if _moved(_eager(module, nudged), found) > JUMP * largest:
                return True
    return False


def _moved(after: list[Array], before: list[Array]) -> float:
    return max(
        (
            float(np.abs(np.subtract(a, b, dtype=np.float64)).max())
            for a, b in zip(after, before, strict=True)
            if b.size
        ),
        default=0.0,
    )


def _eager(module: nn.Module, batch: Sequence[Array]) -> list[Array]:
    with torch.no_grad():
        return [output.numpy() for output in tensors(module(*map(torch.from_numpy, batch)))]


def tensors(result: Any) -> list[Tensor]:
    """The tensors of a result in order; empty where it holds anything else."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, dict):
        return tensors(list(result.values()))
    if isinstance(result, tuple | list):
        nested = [tensors(item) for item in result]
        return [tensor for part in nested for tensor in part] if all(nested) else []
    return []
