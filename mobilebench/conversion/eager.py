"""Compute PyTorch eager's outputs for the inputs that files are compared on."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mobilebench.errors import MobilebenchWarning, ModelRefused
from mobilebench.inputs import images, seeded
from mobilebench.inputs.seeded import Array, Batch
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ImageInput

REFERENCE_SEED = 1000
"""Far from the seeds of preflight and of benchmarks, so that no input is used twice."""
NUDGE = 2.0**-17
"""Relative change of an input. It moves the outputs of a smooth network of the zoo by 2e-6 of the
largest, twice what summing in another order does, so it finds what another runtime may flip."""
JUMP = 1e-4
"""Relative change of an output that counts as a jump. It is fifty times what a nudge causes, and
below what one flipped threshold of GreedyViG causes (3e-3 to 3e-2)."""
PAIRS = 1
"""Nudges that every input gets, each in both directions."""
PAIRS_WHERE_IT_JUMPS = 4
"""Pairs for a network that jumped at one input: one pair finds about 7 of 10 of its jumps."""
MOST_DRAWS = 4
"""Inputs drawn for each one that is used, before a network counts as jumping everywhere."""


@dataclass(frozen=True)
class Drawn:
    """Seeds of the reference inputs, and PyTorch eager's outputs for them."""

    seeds: tuple[int, ...]
    passed_over: tuple[int, ...]
    outputs: list[list[Array]]
    normalisation: ImageInput | None = None
    """How drawn pixels were normalised; None where noise was drawn."""

    def inputs(self, spec: ModelSpec) -> Iterator[Batch]:
        """Draw the inputs of a network again, one after the other."""
        return (_sample(spec, seed, self.normalisation) for seed in self.seeds)


def draw(module: nn.Module, spec: ModelSpec, count: int) -> Drawn:
    """Compute PyTorch eager's outputs for the first `count` seeded inputs without jumps.

    They are pixels as the network takes them where its normalisation is known, else noise.

    A network may decide by thresholds, as GreedyViG does. Where a value lies on a threshold within
    rounding, PyTorch's own output jumps when the input changes in its last bits, and two correct
    implementations differ by that jump. Such an input cannot reveal a wrong artifact: it is passed
    over and the next seed is taken. A network that jumps at most inputs is compared on the first
    ones, with a warning.
    """
    normalisation = images.normalisation(spec)
    drawn = _draw(module, spec, count, PAIRS, normalisation)
    if drawn is not None and drawn.passed_over:
        # It decides by thresholds, so look closer: one pair of nudges sometimes misses a jump.
        drawn = _draw(module, spec, count, PAIRS_WHERE_IT_JUMPS, normalisation)
    if drawn is not None:
        return drawn
    warnings.warn(
        f"{spec.name} changes its outputs by more than {JUMP:.0e} of the largest when an input "
        f"changes in its last bits, at more than {(MOST_DRAWS - 1) * count} of "
        f"{MOST_DRAWS * count} random inputs; its files may fail parity for that alone.",
        MobilebenchWarning,
        stacklevel=2,
    )
    first = tuple(range(REFERENCE_SEED, REFERENCE_SEED + count))
    outputs = [_eager(module, _sample(spec, seed, normalisation)) for seed in first]
    return Drawn(first, (), outputs, normalisation)


def on_images(
    module: nn.Module,
    candidates: Sequence[Batch],
    count: int,
    image_input: ImageInput | None,
    *,
    thresholds: bool,
) -> tuple[list[Batch], list[list[Array]]]:
    """Choose up to `count` images, as the file takes them; return them with PyTorch's outputs.

    Where the network decides by thresholds, images at which its outputs jump are passed over, as in
    `draw`, unless it jumps at all of them.
    """
    chosen: list[Batch] = []
    outputs: list[list[Array]] = []
    for position, batch in enumerate(candidates):
        inputs = seeded.of_network(batch, image_input)
        expected = _eager(module, inputs)
        if thresholds and _jumps(module, inputs, position, expected, PAIRS_WHERE_IT_JUMPS):
            continue
        chosen.append(batch)
        outputs.append(expected)
        if len(chosen) == count:
            break
    if thresholds and candidates and not chosen:
        return on_images(module, candidates, count, image_input, thresholds=False)
    return chosen, outputs


def half_precision_error(module: nn.Module, spec: ModelSpec, expected: Drawn) -> float | None:
    """Return the relative error of PyTorch's half precision on the seeded reference inputs.

    Otherwise as `half_precision_error_on`.
    """
    return half_precision_error_on(module, expected.inputs(spec), expected.outputs)


def half_precision_error_on(
    module: nn.Module, inputs: Iterable[Batch], expected: Iterable[list[Array]]
) -> float | None:
    """Return the relative error of PyTorch's half precision on a network's inputs.

    That is the largest difference from single precision over the largest output. None where an
    output is not finite, or PyTorch has no half-precision kernel for an operation.
    """
    half = copy.deepcopy(module).half()
    furthest = largest = 0.0
    for full, outputs in zip(inputs, expected, strict=True):
        batch = [
            array.astype(np.float16) if np.issubdtype(array.dtype, np.floating) else array
            for array in full
        ]
        try:
            half_outputs = _eager(half, batch)
        except NotImplementedError:
            return None
        for ours, theirs in zip(outputs, half_outputs, strict=True):
            if not np.isfinite(theirs).all():
                return None
            furthest = max(furthest, float(np.abs(np.subtract(theirs, ours, dtype=float)).max()))
            largest = max(largest, float(np.abs(ours).max()))
    return furthest / largest if largest > 0 else None


def outputs(
    module: nn.Module, batches: Iterable[Batch], image_input: ImageInput | None = None
) -> list[list[Array]]:
    """Return PyTorch eager's outputs for inputs of a file."""
    return [_eager(module, seeded.of_network(batch, image_input)) for batch in batches]


def classes(
    module: nn.Module,
    parts: Iterable[list[Batch]],
    image_input: ImageInput | None = None,
) -> tuple[int, ...] | None:
    """Return the class that PyTorch names for every input of a file.

    None where the first output is not one row of class scores.
    """
    labels = []
    for part in parts:
        for scores, *_ in outputs(module, part, image_input):
            if scores.ndim != 2 or scores.shape[0] != 1 or scores.shape[1] < 2:
                return None
            labels.append(int(scores.argmax()))
    return tuple(labels)


def _sample(spec: ModelSpec, seed: int, normalisation: ImageInput | None) -> Batch:
    return seeded.sample_of_network(spec.inputs, seed, normalisation)


def _draw(
    module: nn.Module, spec: ModelSpec, count: int, pairs: int, normalisation: ImageInput | None
) -> Drawn | None:
    """Draw the first `count` seeds at which nothing jumps; None where most inputs jump."""
    seeds: list[int] = []
    passed_over: list[int] = []
    outputs: list[list[Array]] = []
    for seed in range(REFERENCE_SEED, REFERENCE_SEED + MOST_DRAWS * count):
        batch = _sample(spec, seed, normalisation)
        expected = _eager(module, batch)
        _require_finite(expected, spec, seed)
        if _jumps(module, batch, seed, expected, pairs):
            passed_over.append(seed)
            continue
        seeds.append(seed)
        outputs.append(expected)
        if len(seeds) == count:
            return Drawn(tuple(seeds), tuple(passed_over), outputs, normalisation)
    return None


def _require_finite(outputs: list[Array], spec: ModelSpec, seed: int) -> None:
    for index, output in enumerate(outputs):
        if not np.isfinite(output).all():
            raise ModelRefused(
                f"Output {index} of {spec.name} is not finite in PyTorch itself for the seeded "
                f"input {seed}, so no file could be compared; check its weights, and divisions, "
                f"roots and logarithms in its forward pass."
            )


def _jumps(module: nn.Module, batch: Batch, seed: int, expected: list[Array], pairs: int) -> bool:
    """Return whether nudging the input either way moves the outputs by more than `JUMP`."""
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    largest = max((float(np.abs(array).max()) for array in expected if array.size), default=0.0)
    for _ in range(pairs):
        # Only floats have last bits: pixels, indices and masks stay as they are.
        nudges = [
            (array * rng.standard_normal(array.shape) * NUDGE).astype(array.dtype)
            if np.issubdtype(array.dtype, np.floating)
            else None
            for array in batch
        ]
        for direction in (1, -1):
            nudged = [
                array if nudge is None else array + direction * nudge
                for array, nudge in zip(batch, nudges, strict=True)
            ]
            if _largest_change(_eager(module, nudged), expected) > JUMP * largest:
                return True
    return False


def _largest_change(after: list[Array], before: list[Array]) -> float:
    return max(
        (
            float(np.abs(np.subtract(a, b, dtype=np.float64)).max())
            for a, b in zip(after, before, strict=True)
            if b.size
        ),
        default=0.0,
    )


def _eager(module: nn.Module, batch: Sequence[Array]) -> list[Array]:
    """Run a network on copies, so that it can change neither the inputs nor earlier outputs."""
    with torch.no_grad():
        outputs = tensors(module(*[torch.from_numpy(array.copy()) for array in batch]))
        return [output.numpy().copy() for output in outputs]


def tensors(result: Any) -> list[Tensor]:
    """Return the tensors of a result in order; empty where it holds anything else."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, dict):
        return tensors(list(result.values()))
    if isinstance(result, tuple | list):
        nested = [tensors(item) for item in result]
        return [tensor for part in nested for tensor in part] if all(nested) else []
    return []
