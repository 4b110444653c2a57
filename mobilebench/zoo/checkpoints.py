"""Load checkpoints strictly: an error names every key or shape that does not fit."""

from __future__ import annotations

import argparse
import copy
import hashlib
import pickle
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.errors import CheckpointError, MobilebenchWarning
from mobilebench.zoo.registry import create_model, list_models

_MOST_KEYS_SHOWN = 4
_KNOWN_PREFIXES = ("module.", "_orig_mod.")
"""Those of parallel training and of torch.compile."""


def load_checkpoint(
    model: nn.Module, checkpoint: str | Path | Mapping[str, Any], *, ema: bool = False
) -> str | None:
    """Load official weights into `model` and return the sha256 of the file.

    For a mapping it returns None. Files are those that `torch.save` wrote. The weights are the
    entry `state_dict`, else `model`, else the one entry that holds tensors by name, else the file
    is itself the state dict; `ema=True` takes the moving average (`state_dict_ema`, else
    `model_ema`). A prefix that all keys share and the network's own keys do not have is removed,
    such as the `module.` of parallel training and the `_orig_mod.` of torch.compile; any other is
    named in a `MobilebenchWarning`. PyTorch's strict loading decides whether the rest fits, on a
    copy: it knows hooks and versions of modules. Only tensors and plain data are unpickled, never
    code. The model changes only when everything fits.

    A part that a network lists in `missing_in_official` may be missing as a whole. Its weights are
    then zero, and a `MobilebenchWarning` states the consequence.

    Raises `CheckpointError` for a file that is missing, cut off, not a checkpoint or that contains
    code, for a missing entry, and, with the keys, for weights of another network.
    """
    if isinstance(checkpoint, Mapping):
        source, sha256, content = "the given state dict", None, checkpoint
    else:
        path = Path(checkpoint)
        source, (sha256, content) = str(path), _read(path)
    state = _without_prefix(_state_dict(content, source, ema), model, source)
    state = _with_zeros_for_missing(model, state, source)
    try:
        copy.deepcopy(model).load_state_dict(state, strict=True)
    except (RuntimeError, TypeError, AttributeError) as error:
        # TypeError and AttributeError come of entries that are not tensors.
        raise CheckpointError(_misfit(model, state, source, error)) from error
    _require_finite(state, source)
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
    _require_whole(path)
    try:
        # Official training checkpoints also contain their command line, a harmless Namespace.
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():
            raise CheckpointError(
                f"The checkpoint {path} contains Python code beside its tensors, and loading it "
                f"could run that code; save only its state dict and try again."
            ) from error
        raise CheckpointError(_UNREADABLE.format(path=path)) from error
    except Exception as error:
        # torch raises a dozen kinds of error for files that are cut off or damaged.
        raise CheckpointError(_UNREADABLE.format(path=path)) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"The checkpoint {path} contains a {type(content).__name__}, not a dictionary of "
            f"tensors; save the network's state dict with torch.save and try again."
        )
    return sha256, content


_UNREADABLE = (
    "The checkpoint {path} is not a file that torch.save wrote, or it was cut off; compare its "
    "size with the original and fetch it again."
)


def _require_whole(path: Path) -> None:
    """Check the kind of an archive, and the checksums that it holds of its parts.

    torch does not read the checksums, so a flipped bit would be another network without a word.
    Raises `CheckpointError`.
    """
    if not zipfile.is_zipfile(path):
        return  # of torch before 1.6, which has no checksums; or no checkpoint at all
    try:
        with zipfile.ZipFile(path) as archive:
            names, damaged = archive.namelist(), archive.testzip()
    except Exception as error:
        # zipfile raises half a dozen kinds of error for damaged archives.
        raise CheckpointError(_UNREADABLE.format(path=path)) from error
    if damaged is not None:
        raise CheckpointError(
            f"The checkpoint {path} is damaged: the checksum of its part {damaged} does not match; "
            f"fetch it again."
        )
    if any(name.endswith("/constants.pkl") for name in names):
        raise CheckpointError(
            f"{path} is a TorchScript archive, a program rather than a checkpoint; load it with "
            f"torch.jit.load, save its state_dict() with torch.save, and give that file."
        )


def _state_dict(content: Mapping[str, Any], source: str, ema: bool) -> Mapping[str, Any]:
    entries = ("state_dict_ema", "model_ema") if ema else ("state_dict", "model")
    for entry in entries:
        inner = content.get(entry)
        if isinstance(inner, Mapping):
            return inner
    if ema:
        raise CheckpointError(
            f"{source} has no averaged weights ({' or '.join(entries)}); its entries are "
            f"{_join_keys(list(content))}. Load it without ema."
        )
    nested = [key for key, inner in content.items() if _holds_tensors(inner)]
    if len(nested) == 1 and not any(isinstance(value, Tensor) for value in content.values()):
        warnings.warn(
            f"The weights were taken from the entry {nested[0]!r} of {source}.",
            MobilebenchWarning,
            stacklevel=3,
        )
        inner = content[nested[0]]
        assert isinstance(inner, Mapping)
        return inner
    return content


def _holds_tensors(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(part, Tensor) for part in value.values())
    )


def _without_prefix(state: Mapping[str, Any], model: nn.Module, source: str) -> dict[str, Any]:
    """Remove prefixes that all keys share, and that the network's own keys do not have."""
    keys = {str(key): value for key, value in state.items()}
    own = model.state_dict().keys()
    while keys:
        prefix = next(iter(keys)).partition(".")[0] + "."
        shared = all(key.startswith(prefix) for key in keys)
        if not shared or not own or any(key.startswith(prefix) for key in own):
            break
        if prefix not in _KNOWN_PREFIXES:
            if not any(key.removeprefix(prefix) in own for key in keys):
                break  # another network, whose error should name its own keys
            warnings.warn(
                f"The prefix {prefix!r} was removed from all keys of {source}.",
                MobilebenchWarning,
                stacklevel=3,
            )
        keys = {key.removeprefix(prefix): value for key, value in keys.items()}
    return keys


def _with_zeros_for_missing(model: nn.Module, state: dict[str, Any], source: str) -> dict[str, Any]:
    parts: Mapping[str, str] = getattr(model, "missing_in_official", {})
    for part, meaning in parts.items():
        own = {key: value for key, value in model.state_dict().items() if key.startswith(part)}
        if own and not any(key in state for key in own):
            warnings.warn(
                f"{source} has no {', '.join(own)}: {meaning}.", MobilebenchWarning, stacklevel=3
            )
            state |= {key: torch.zeros_like(value) for key, value in own.items()}
    return state


def _misfit(model: nn.Module, state: dict[str, Any], source: str, error: Exception) -> str:
    """Say which keys PyTorch's strict loading refused, and which network would take them."""
    expected = model.state_dict()
    non_tensors = [key for key, value in state.items() if not isinstance(value, Tensor)]
    missing = [key for key in expected if key not in state]
    unexpected = [key for key in state if key not in expected and key not in non_tensors]
    mismatched = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(expected[key].shape)}"
        for key in expected
        if key in state and key not in non_tensors and state[key].shape != expected[key].shape
    ]
    problems = [
        f"{noun}: {_join_keys(keys)}"
        for noun, keys in (
            ("missing", missing),
            ("unexpected", unexpected),
            ("of another shape", mismatched),
            ("not tensors", non_tensors),
        )
        if keys
    ]
    fits = _networks_that_fit(state)
    hint = f" It fits {' and '.join(fits)}." if fits else ""
    what = f"Keys {'; '.join(problems)}." if problems else f"{error}"
    return f"{source} does not fit {type(model).__name__}; nothing was loaded. {what}{hint}"


def _require_finite(state: dict[str, Any], source: str) -> None:
    non_finite = [
        key
        for key, value in state.items()
        if isinstance(value, Tensor)
        and value.is_floating_point()
        and not bool(torch.isfinite(value).all())
    ]
    if non_finite:
        raise CheckpointError(
            f"{source} contains values that are not finite, in {_join_keys(non_finite)}; "
            f"nothing was loaded."
        )


def _networks_that_fit(state: Mapping[str, Any]) -> list[str]:
    """Find the zoo's networks whose state dict has exactly these keys and shapes."""
    shapes = {key: value.shape for key, value in state.items() if isinstance(value, Tensor)}
    with torch.device("meta"):
        return [
            name
            for name in list_models()
            if {key: value.shape for key, value in create_model(name).state_dict().items()}
            == shapes
        ]


def _join_keys(keys: Sequence[object]) -> str:
    shown = ", ".join(str(key) for key in keys[:_MOST_KEYS_SHOWN])
    more = len(keys) - _MOST_KEYS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
