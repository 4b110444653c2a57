"""Preflight: what must hold of a network before a toolkit spends minutes on it."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mobilebench.errors import MobilebenchWarning, ModelRefused, UserError
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Array, Batch
from mobilebench.values.artifact import Preflight
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ImageInput, inputs_of_file
from mobilebench.values.tensor import DType, TensorSpec
from mobilebench.zoo.fingerprint import fingerprint, state_sha256

SEED = 500
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

CHECKS = (
    "eval mode",
    "weights loaded and finite",
    "takes the inputs of its spec",
    "draws no random numbers",
    "two passes bit-equal",
    "outputs finite",
)


def preflight(
    module: nn.Module, spec: ModelSpec, count: int, image_input: ImageInput | None = None
) -> tuple[Preflight, Reference]:
    """Establish that `module` can be exported and compared, on `count` reference inputs: of the
    network's own kind, or images where the file will take those.

    Raises `ModelRefused`, naming the model and where possible the submodule, when a check of
    `CHECKS` fails.
    """
    _require_eval(module, spec)
    _require_weights(module, spec)
    batch = [torch.from_numpy(array) for array in seeded.sample(spec.inputs, SEED)]
    with _watching_random(module) as drew:
        first = _forward(module, batch, spec)
    if drew:
        raise ModelRefused(
            f"{spec.name} draws random numbers in its forward pass, in {drew[0]}; an exported "
            f"file would freeze one draw. Make it deterministic in eval mode."
        )
    second = _forward(module, batch, spec)
    if any(not _bit_equal(a, b) for a, b in zip(first, second, strict=True)):
        raise ModelRefused(
            f"{spec.name} gave two different outputs for the same input in eval mode, so no "
            f"export of it could be verified; look for state that its forward pass changes."
        )
    for index, output in enumerate(first):
        if output.is_floating_point() and not bool(torch.isfinite(output).all()):
            raise ModelRefused(
                f"Output {index} of {spec.name} is not finite for a standard-normal input; "
                f"check its weights."
            )
    compared_on = reference(module, spec, count, image_input)
    passed = Preflight(
        checks=CHECKS,
        outputs=tuple(_spec(index, output) for index, output in enumerate(first)),
        fingerprint=fingerprint(module),
        torch_version=str(torch.__version__),
        seeds=compared_on.seeds,
        passed_over=compared_on.passed_over,
    )
    return passed, compared_on


@dataclass(frozen=True)
class Reference:
    """What PyTorch eager computes on the inputs that artifacts are compared on."""

    seeds: tuple[int, ...]
    passed_over: tuple[int, ...]
    outputs: list[list[Array]]
    image_input: ImageInput | None = None


def reference(
    module: nn.Module, spec: ModelSpec, count: int, image_input: ImageInput | None = None
) -> Reference:
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
    return Reference(first, (), outputs, image_input)


def half_precision_error(module: nn.Module, spec: ModelSpec, expected: Reference) -> float | None:
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
) -> Reference | None:
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
            return Reference(tuple(seeds), tuple(passed_over), outputs, image_input)
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
        return [output.numpy() for output in _outputs(module(*map(torch.from_numpy, batch)))]


def _require_eval(module: nn.Module, spec: ModelSpec) -> None:
    training = [path or "the model itself" for path, m in module.named_modules() if m.training]
    if training:
        raise ModelRefused(
            f"{spec.name} is in training mode ({training[0]}), where dropout and BatchNorm "
            f"compute something else; call model.eval() first."
        )


def _require_weights(module: nn.Module, spec: ModelSpec) -> None:
    for name, tensor in module.state_dict().items():
        if tensor.is_meta:
            raise ModelRefused(f"{spec.name} has no values for {name}; load its weights first.")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ModelRefused(f"{spec.name} has values in {name} that are not finite.")
    if spec.weights is None or spec.weights.state_sha256 != state_sha256(module):
        raise ModelRefused(
            f"{spec.name} does not carry the weights that its spec records; load them again."
        )


def _forward(module: nn.Module, batch: Sequence[Tensor], spec: ModelSpec) -> list[Tensor]:
    try:
        with torch.no_grad():
            result = module(*[tensor.clone() for tensor in batch])
    except UserError:  # a network of ours that says itself what it cannot take
        raise
    except Exception as error:
        wanted = ", ".join(map(str, spec.inputs))
        raise ModelRefused(
            f"{spec.name} does not run on its inputs ({wanted}): {type(error).__name__}: {error}"
        ) from error
    outputs = _outputs(result)
    if not outputs:
        raise ModelRefused(
            f"{spec.name} returned {type(result).__name__}; an exported model has to return a "
            f"tensor, or a tuple, list or dictionary of tensors."
        )
    return outputs


def _outputs(result: Any) -> list[Tensor]:
    """The tensors of a result in order; empty where it holds anything else."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, dict):
        return _outputs(list(result.values()))
    if isinstance(result, tuple | list):
        nested = [_outputs(item) for item in result]
        return [tensor for part in nested for tensor in part] if all(nested) else []
    return []


def _bit_equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.numpy().tobytes() == b.numpy().tobytes()


def _spec(index: int, output: Tensor) -> TensorSpec:
    dtype = DType(str(output.dtype).removeprefix("torch."))
    return TensorSpec(name=f"output{index}", shape=tuple(output.shape), dtype=dtype)


@contextmanager
def _watching_random(module: nn.Module) -> Iterator[list[str]]:
    """Collects the paths of submodules whose forward pass moves PyTorch's random state."""
    drew: list[str] = []
    before: list[Tensor] = []

    def enter(_: nn.Module, __: Any) -> None:
        before.append(torch.get_rng_state())

    def leave(path: str, part: nn.Module) -> Any:
        def hook(_: nn.Module, __: Any, ___: Any) -> None:
            # Inner modules leave first, so the first one found is the innermost.
            if not torch.equal(before.pop(), torch.get_rng_state()):
                drew.append(f"{path or 'its own forward'} ({type(part).__name__})")

        return hook

    handles = []
    for path, part in module.named_modules():
        handles.append(part.register_forward_pre_hook(enter))
        handles.append(part.register_forward_hook(leave(path, part)))
    try:
        with torch.random.fork_rng(devices=[]):
            yield drew
    finally:
        for handle in handles:
            handle.remove()
