"""Turn a model reference into a network in eval mode and its spec.

In `FILE.py:FUNCTION` and `package.module:FUNCTION` the function takes no required arguments and
returns a `torch.nn.Module`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from mobilebench.conversion import origins
from mobilebench.errors import ModelRefused, NoSuchModel, UnknownName, UserError
from mobilebench.inputs import images
from mobilebench.inputs.seeded import sample
from mobilebench.machine import torchvision
from mobilebench.slimmable.extraction import extract
from mobilebench.slimmable.shared import SharedNetwork, with_norms
from mobilebench.values.modelspec import (
    CALLER,
    RANDOM,
    Interpolation,
    ModelSpec,
    Preprocessing,
    Source,
    Weights,
)
from mobilebench.values.request import TIMM, Request
from mobilebench.values.tensor import TensorSpec
from mobilebench.values.width import Width
from mobilebench.zoo import references
from mobilebench.zoo.checkpoints import load_weights
from mobilebench.zoo.complexity import count_macs, count_params
from mobilebench.zoo.fingerprint import fingerprint, state_sha256
from mobilebench.zoo.layers.initialise import for_verification
from mobilebench.zoo.registry import RESOLUTION, create_model, model_spec

__all__ = ["LoadedModel", "describe", "fingerprint", "load", "with_macs"]

CLASSES = 1000
SEED = 0
"""Seed of all random weights, so that the same export finds its artifact again."""


@dataclass(frozen=True)
class LoadedModel:
    """A network, ready for preflight, and its spec."""

    module: nn.Module
    spec: ModelSpec


def load(request: Request) -> LoadedModel:
    """Build the network that a reference names and load its weights.

    Without a checkpoint a network of the zoo or of timm gets random weights from a fixed seed, and
    its spec records that. Raises `UserError` or a subclass for whatever the user can fix.
    """
    reference = request.reference
    references.require(reference)
    references.require_options(request)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        if reference.startswith(TIMM):
            module, spec, origin = _from_timm(request)
        elif ":" in reference:
            module, spec, origin = _from_function(request)
        else:
            module, spec, origin = _from_zoo(request)
    weights = None
    if request.checkpoint is not None:
        weights = load_weights(
            module, request.checkpoint, ema=request.ema, checkpoint_key=request.checkpoint_key
        )
        origin = weights.sha256 or CALLER
    if request.width is not None:
        module, spec = cut(module, spec, request.width)
        if weights is not None and weights.norms and not request.width.is_full:
            with_norms(module, request.width, weights.norms, f"{request.checkpoint}")
    module.eval()
    return describe(module, spec, origin, None if weights is None else weights.key)


def cut(module: nn.Module, spec: ModelSpec, width: Width) -> tuple[nn.Module, ModelSpec]:
    """Cut a network to a width; counted and published figures, of the full one, go.

    Raises `UserError` for a width that the network cannot take.
    """
    narrow = extract(module, width, name=spec.name)
    shares = width.of(spec.name)
    if width.is_full:
        return module, spec
    mean = math.fsum(shares) / len(shares)
    return narrow, replace(spec, width=mean, stage_widths=shares, macs=None, published=())


def of_width(module: nn.Module, spec: ModelSpec, width: Width) -> tuple[nn.Module, ModelSpec]:
    """Return one width of a network in memory, of a `SharedNetwork` with its private BatchNorm.

    Raises `UserError` for a width that the network cannot take or was not built with.
    """
    if not isinstance(module, SharedNetwork):
        return cut(module, spec, width)
    spec = replace(spec, name=type(module.network).__name__)
    _, spec = cut(module.network, spec, width)
    return module.extract(width).train(module.training), spec


def describe(
    module: nn.Module, spec: ModelSpec, origin: str, key: str | None = None
) -> LoadedModel:
    """Add a network's parameter count and the digest of its weights to a spec.

    `key` is the entry of the checkpoint that holds the weights. Raises `ModelRefused` for modules
    that no exporter can trace.
    """
    if isinstance(module, torch.jit.ScriptModule):
        raise ModelRefused(
            f"{spec.name} is a TorchScript module, which cannot be traced again; export the "
            f"nn.Module that it was made from."
        )
    lazy = [name for name, tensor in module.named_parameters() if is_lazy(tensor)]
    if lazy:
        raise ModelRefused(
            f"{spec.name} has parameters without a shape ({lazy[0]}), of a lazy module; run it "
            f"once on an example input before it is returned."
        )
    weights = Weights(origin=origin, state_sha256=state_sha256(module), key=key)
    return LoadedModel(module, replace(spec, params=count_params(module), weights=weights))


def with_macs(loaded: LoadedModel) -> LoadedModel:
    """Count the MACs by a forward pass, where the spec does not state them yet."""
    if loaded.spec.macs is not None:
        return loaded
    batch = [torch.from_numpy(array) for array in sample(loaded.spec.inputs, SEED)]
    return replace(loaded, spec=replace(loaded.spec, macs=count_macs(loaded.module, batch)))


def _from_zoo(request: Request) -> tuple[nn.Module, ModelSpec, str]:
    resolution = request.resolution or RESOLUTION
    spec = model_spec(request.reference, resolution)
    num_classes = request.num_classes or spec.num_classes or CLASSES
    module = create_model(request.reference, num_classes=num_classes)
    if num_classes != spec.num_classes:
        # Counted and published figures are those of the 1000-class network.
        spec = replace(spec, num_classes=num_classes, macs=None, published=())
    if request.checkpoint is None:
        for_verification(module, SEED)
    return module, spec, RANDOM


def _from_function(request: Request) -> tuple[nn.Module, ModelSpec, str]:
    place, _, function_name = request.reference.rpartition(":")
    loaded = _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
    function = getattr(loaded, function_name, None)
    if isinstance(function, nn.Module):
        raise UserError(
            f"{request.reference} is a network, not a function; add a function that returns it, "
            f"def make(): return {function_name}, and export {place}:make."
        )
    if not callable(function):
        functions = [
            name
            for name, member in vars(loaded).items()
            if callable(member) and getattr(member, "__module__", None) == loaded.__name__
        ]
        raise NoSuchModel.among(f"function in {place}", function_name, functions)
    _require_no_arguments(function, request.reference, vars(loaded))
    module = _call(function, request.reference)
    if not isinstance(module, nn.Module):
        returned = f"the class {module.__name__}" if isinstance(module, type) else repr(module)[:80]
        raise UserError(
            f"{request.reference} returned {returned}; it has to return the network, a "
            f"torch.nn.Module: {references.EXAMPLE}"
        )
    name = f"{Path(place).stem}.{function_name}"
    spec = ModelSpec(name=name, inputs=request.inputs, preprocessing=request.preprocessing)
    require_use_of_preprocessing(spec)
    return module, spec, CALLER


def _require_no_arguments(
    function: Callable[..., Any], reference: str, taken: Collection[str]
) -> None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # written in C, without a signature
        return
    required = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if required:
        maker = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
        raise references.needs_arguments(reference, required, origins.definition(maker), taken)


def require_use_of_preprocessing(spec: ModelSpec) -> None:
    """Raise `UserError` where a network states how images are prepared, but takes none."""
    if spec.preprocessing is not None and images.normalisation(spec) is None:
        raise UserError(
            f"A mean and a deviation of images were given for {spec.name}, which takes "
            f"{', '.join(map(str, spec.inputs))}; they are for networks with one input of 1x3xHxW "
            f"in float32, so leave them out."
        )


def _import_file(path: Path) -> ModuleType:
    # Under a name that no package has: a file called onnx.py must not take onnx's place.
    name = f"mobilebench_user_file.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise UserError(f"The file {path} is not a Python module.")
    module = importlib.util.module_from_spec(spec)
    # Its neighbours can be imported, as when the file is run, but after everything installed: one
    # that is called like a package must not take its place. Dataclasses look the module up.
    sys.path.append(str(path.resolve().parent))
    sys.modules[spec.name] = module
    loader = spec.loader
    _call(lambda: loader.exec_module(module), str(path))
    return module


def _import_module(name: str) -> ModuleType:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is None:
        raise NoSuchModel(
            f"There is no module {name!r} to import; a model is named module:FUNCTION."
        )
    module: ModuleType = _call(lambda: importlib.import_module(name), name)
    return module


def _call(function: Callable[[], Any], what: str) -> Any:
    """Run the user's code; raise its errors as `UserError` with the line they came from."""
    try:
        return function()
    except SystemExit as error:
        raise UserError(
            f"{what} ended the program when it was run, as a script that reads its command line "
            f"does; put that part under `if __name__ == '__main__':`."
        ) from error
    except Exception as error:
        place = origins.of_user(error)
        refused = UserError(
            f"{what} raised {type(error).__name__}: {error} ({origins.outside_libraries(error)})"
        )
        raise (refused if place is None else refused.at(place.file, place.line)) from error


def _from_timm(request: Request) -> tuple[nn.Module, ModelSpec, str]:
    name = request.reference.removeprefix(TIMM)
    timm = _import_timm()
    if name.partition(".")[0] not in timm.list_models():
        raise UnknownName.among("timm model", name, timm.list_models())
    options = {} if request.num_classes is None else {"num_classes": request.num_classes}
    module: nn.Module = _call(
        lambda: timm.create_model(name, pretrained=False, **options), request.reference
    )
    config: dict[str, Any] = module.pretrained_cfg  # type: ignore[assignment]
    size = request.resolution
    shape = (1, *config["input_size"]) if size is None else (1, config["input_size"][0], size, size)
    spec = ModelSpec(
        name=name,
        family=config.get("architecture"),
        inputs=request.inputs or (TensorSpec(name="image", shape=shape),),
        num_classes=request.num_classes or config.get("num_classes"),
        preprocessing=Preprocessing(
            mean=tuple(config["mean"]),
            std=tuple(config["std"]),
            crop_pct=config["crop_pct"],
            interpolation=Interpolation(config["interpolation"]),
        ),
        source=Source(
            paper=config.get("paper_name") or "not stated",
            repository=config.get("origin_url")
            or "https://github.com/huggingface/pytorch-image-models",
            commit=f"timm {timm.__version__}",
            licence=config.get("license") or "not stated",
        ),
    )
    return module, spec, RANDOM


def _import_timm() -> Any:
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError as error:
        raise UserError(
            f"timm models need the packages timm and torchvision, and {error.name!r} is not "
            f"installed; {_torchvision_for('install timm and')}"
        ) from error
    except (ImportError, RuntimeError, AttributeError) as error:
        # A torchvision built for another torch fails while it registers its operators.
        raise UserError(
            f"timm cannot be imported ({type(error).__name__}: {error}); most often torchvision "
            f"does not match torch {torch.__version__}; {_torchvision_for('install')}"
        ) from error


def _torchvision_for(install: str) -> str:
    match = torchvision.matching(torch.__version__)
    command = f": {match.command}" if match else "."
    return f"{install} the torchvision that matches torch {torch.__version__}{command}"
