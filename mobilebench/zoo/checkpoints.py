"""Loads weights files strictly: every key and shape fits, or an error names those that do not."""

from __future__ import annotations

import argparse
import hashlib
import pickle
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.errors import CheckpointError, MobilebenchWarning
from mobilebench.zoo.registry import create_model, list_models

_NAMED_AT_MOST = 4


def load_checkpoint(
    model: nn.Module, checkpoint: str | Path | Mapping[str, Any], *, ema: bool = False
) -> str | None:
    """Load official weights into `model`; returns the sha256 of the file, None for a mapping.

    Files are what `torch.save` wrote: the weights are taken from `state_dict`, else from `model`,
    else the file is the state dict itself; `ema=True` takes the moving average
    (`state_dict_ema`, else `model_ema`). A `module.` prefix, which parallel training leaves, is
    removed. Only tensors and plain data are unpickled, never code. The model is changed only
    when everything fits.

    Parts that a network calls `missing_in_official` may be missing as a whole; they are set to
    zero, and a `MobilebenchWarning` says what that means.

    Raises `CheckpointError` for a file that is missing, cut off, no checkpoint or full of code,
    for a missing entry, and, naming keys, for weights of another network.
    """
    if isinstance(checkpoint, Mapping):
        what, sha256, content = "the given state dict", None, checkpoint
    else:
        path = Path(checkpoint)
        what, (sha256, content) = str(path), _read(path)
    state = _with_zeros_for_missing(model, _without_prefix(_state_dict(content, what, ema)), what)
    _require_fit(model, state, what)
    model.load_state_dict(state, strict=True)
    return sha256


def _read(path: Path) -> tuple[str, Mapping[str, Any]]:
    if not path.is_file():
        raise CheckpointError(f"The checkpoint {path} does not exist or is not a file.")
    try:
        with path.open("rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"The checkpoint {path} cannot be read: {error.strerror}.") from error
    try:
        # Training checkpoints of this line also hold their command line, a harmless Namespace.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():
            raise CheckpointError(
                f"The checkpoint {path} holds Python code beside its tensors, and loading it "
                f"could run that code; save its state dict alone and try again."
            ) from error
        raise CheckpointError(_NOT_ONE.format(path=path)) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError) as error:
        # What torch raises for archives that are cut off at various places, an empty file, text.
        raise CheckpointError(_NOT_ONE.format(path=path)) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"The checkpoint {path} holds a {type(content).__name__}, not a dictionary of tensors."
        )
    return sha256, content


_NOT_ONE = (
    "The checkpoint {path} is not a file that torch.save wrote, or it was cut off; compare its "
    "size with the original and fetch it again."
)


def _state_dict(content: Mapping[str, Any], what: str, ema: bool) -> Mapping[str, Any]:
    wanted = ("state_dict_ema", "model_ema") if ema else ("state_dict", "model")
    for key in wanted:
        inner = content.get(key)
        if isinstance(inner, Mapping):
            return inner
    if ema:
        raise CheckpointError(
            f"{what} has no averaged weights ({' or '.join(wanted)}); its entries are "
            f"{_named(list(content))}. Load it without ema."
        )
    return content


def _without_prefix(state: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).removeprefix("module."): value for key, value in state.items()}


def _with_zeros_for_missing(model: nn.Module, state: dict[str, Any], what: str) -> dict[str, Any]:
    parts: Mapping[str, str] = getattr(model, "missing_in_official", {})
    for part, meaning in parts.items():
        own = {key: value for key, value in model.state_dict().items() if key.startswith(part)}
        if own and not any(key in state for key in own):
            warnings.warn(
                f"{what} has no {', '.join(own)}: {meaning}.", MobilebenchWarning, stacklevel=3
            )
            state |= {key: torch.zeros_like(value) for key, value in own.items()}
    return state


def _require_fit(model: nn.Module, state: dict[str, Any], what: str) -> None:
    own = model.state_dict()
    loose = [key for key, value in state.items() if not isinstance(value, Tensor)]
    missing = [key for key in own if key not in state]
    unexpected = [key for key in state if key not in own and key not in loose]
    reshaped = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own
        if key in state and key not in loose and state[key].shape != own[key].shape
    ]
    problems = [
        f"{noun}: {_named(keys)}"
        for noun, keys in (
            ("missing", missing),
            ("unexpected", unexpected),
            ("of another shape", reshaped),
            ("not tensors", loose),
        )
        if keys
    ]
    if problems:
        fits = _networks_that_fit(state)
        hint = f" It fits {' and '.join(fits)}." if fits else ""
        raise CheckpointError(
            f"{what} does not fit {type(model).__name__}; nothing was loaded. "
            f"Keys {'; '.join(problems)}.{hint}"
        )
    broken = [
        key
        for key, value in state.items()
        if value.is_floating_point() and not bool(torch.isfinite(value).all())
    ]
    if broken:
        raise CheckpointError(
            f"{what} holds values that are not finite, in {_named(broken)}; nothing was loaded."
        )


def _networks_that_fit(state: Mapping[str, Any]) -> list[str]:
    """The networks of the zoo whose state dict has just these keys and shapes."""
    shapes = {key: value.shape for key, value in state.items() if isinstance(value, Tensor)}
    with torch.device("meta"):
        return [
            name
            for name in list_models()
            if {key: value.shape for key, value in create_model(name).state_dict().items()}
            == shapes
        ]


def _named(keys: Sequence[object]) -> str:
    shown = ", ".join(str(key) for key in keys[:_NAMED_AT_MOST])
    more = len(keys) - _NAMED_AT_MOST
    return f"{shown} and {more} more" if more > 0 else shown
