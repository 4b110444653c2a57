"""Check a network before a toolkit spends minutes on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.conversion import eager, origins
from mobilebench.errors import ModelRefused, UserError
from mobilebench.inputs import images, seeded
from mobilebench.values.artifact import Drawn, Preflight
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.tensor import DType, TensorSpec
from mobilebench.zoo.fingerprint import fingerprint, state_sha256

SEED = 500

CHECKS = (
    "eval mode",
    "weights loaded and finite",
    "takes the inputs of its spec",
    "draws no random numbers",
    "two passes bit-equal",
    "outputs finite",
)


def preflight(module: nn.Module, spec: ModelSpec, count: int) -> tuple[Preflight, eager.Drawn]:
    """Check that a network can be exported, and compute its `count` reference outputs.

    Raises `ModelRefused`, naming the model and where possible the submodule, where a check of
    `CHECKS` fails.
    """
    _require_eval(module, spec)
    _require_weights(module, spec)
    # Before the first forward pass, which may add state to the modules (a cache, a counter).
    identity = fingerprint(module)
    sample = seeded.sample_of_network(spec.inputs, SEED, images.normalisation(spec))
    batch = [torch.from_numpy(array) for array in sample]
    with _random_draws(module) as draws:
        first = _forward(module, batch, spec)
    if draws:
        raise ModelRefused(
            f"{spec.name} draws random numbers in its forward pass, in {draws[0]}; an exported "
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
                f"Output {index} of {spec.name} is not finite for the seeded input {SEED}; "
                f"check its weights."
            )
    drawn = eager.draw(module, spec, count)
    result = Preflight(
        checks=CHECKS,
        outputs=tuple(_spec(index, output) for index, output in enumerate(first)),
        fingerprint=identity,
        torch_version=str(torch.__version__),
        seeds=drawn.seeds,
        passed_over=drawn.passed_over,
        drawn=Drawn.NOISE if drawn.normalisation is None else Drawn.PIXELS,
    )
    return result, drawn


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
    copies = [tensor.clone() for tensor in batch]
    try:
        with torch.no_grad():
            result = module(*copies)
    except UserError:  # a zoo network that states which inputs it cannot take
        raise
    except Exception as error:
        expected = ", ".join(map(str, spec.inputs))
        place = origins.of_user(error)
        refused = ModelRefused(
            f"{spec.name} does not run on its inputs ({expected}): {type(error).__name__}: {error}"
            f"{'' if place is None else f' (from {place})'}"
        )
        if place is not None:
            refused = refused.at(place.file, place.line)
        raise refused from error
    for tensor, given, copied in zip(spec.inputs, batch, copies, strict=True):
        if not _bit_equal(given, copied):
            raise ModelRefused(
                f"{spec.name} changes its input {tensor.name!r} in place, which files cannot do; "
                f"write x = x - mean instead of x -= mean, or begin with x = x.clone()."
            )
    outputs = eager.tensors(result)
    if not outputs:
        raise ModelRefused(
            f"{spec.name} returned {_kinds(result)}; an exported model has to return a tensor, or "
            f"a tuple, list or dictionary of tensors."
        )
    for index, output in enumerate(outputs):
        if _dtype(output) not in set(DType):
            raise ModelRefused(
                f"Output {index} of {spec.name} has the type {_dtype(output)}; files hold "
                f"{', '.join(DType)}: convert it in the forward pass."
            )
    return outputs


def _kinds(result: Any) -> str:
    """Name the type of a result, or of its parts where some are not tensors."""
    if not isinstance(result, tuple | list | dict) or not result:
        return type(result).__name__
    parts = result.values() if isinstance(result, dict) else result
    return f"a {type(result).__name__} of {', '.join(type(part).__name__ for part in parts)}"


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _bit_equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.numpy().tobytes() == b.numpy().tobytes()


def _spec(index: int, output: Tensor) -> TensorSpec:
    return TensorSpec(name=f"output{index}", shape=tuple(output.shape), dtype=DType(_dtype(output)))


@contextmanager
def _random_draws(module: nn.Module) -> Iterator[list[str]]:
    """Collect the paths of submodules whose forward pass moves PyTorch's random state."""
    draws: list[str] = []
    before: list[Tensor] = []

    def enter(_: nn.Module, __: Any) -> None:
        before.append(torch.get_rng_state())

    def leave(path: str, part: nn.Module) -> Any:
        def hook(_: nn.Module, __: Any, ___: Any) -> None:
            # Inner modules leave first, so the first one in the list is the innermost.
            if not torch.equal(before.pop(), torch.get_rng_state()):
                draws.append(f"{path or 'its own forward'} ({type(part).__name__})")

        return hook

    handles = []
    for path, part in module.named_modules():
        handles.append(part.register_forward_pre_hook(enter))
        handles.append(part.register_forward_hook(leave(path, part)))
    try:
        with torch.random.fork_rng(devices=[]):
            yield draws
    finally:
        for handle in handles:
            handle.remove()
