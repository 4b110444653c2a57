"""Give the options of an export to the networks that they are for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.notation import quantities
from mobilebench.values.request import TIMM, is_own


def checkpoints(models: Sequence[str], values: Sequence[str]) -> list[str | None]:
    """Return the checkpoint of each model: in their order, or each given as NAME=PATH.

    Raises `UserError` unless there is one for each model, or each is named.
    """
    for value in values:
        name, equals, _ = value.partition("=")
        if equals and name not in models and "/" not in name and not Path(value).exists():
            raise UserError(
                f"--checkpoint {value} names {name!r}, but the networks are "
                f"{', '.join(models)}, and there is no such file."
            )
    if not values:
        return [None] * len(models)
    return _by_name("checkpoint", models, values) or _in_order("checkpoint", models, values)


def checkpoint_keys(
    models: Sequence[str], values: Sequence[str], paths: Sequence[str | None]
) -> list[str | None]:
    """Return the entry to load of each model's checkpoint; one entry is that of all of them.

    Raises `UserError` where a model has no checkpoint, or their numbers differ.
    """
    if not values:
        return [None] * len(models)
    if not any(paths):
        raise UserError("--checkpoint-key names an entry of a checkpoint; add --checkpoint.")
    keys = _by_name("checkpoint-key", models, values)
    if not keys and len(values) == 1:
        keys = [values[0] if path is not None else None for path in paths]
    keys = keys or _in_order("checkpoint-key", models, values)
    for model, key, path in zip(models, keys, paths, strict=True):
        if key is not None and path is None:
            raise UserError(f"--checkpoint-key {key} needs the --checkpoint of {model}.")
    return keys


def takers(option: str, models: Sequence[str]) -> set[str]:
    """Return the models that an option is for; all of them where it is for none.

    Loading then says of the first one why it does not take the option.
    """
    own = {model for model in models if is_own(model)}
    if option in ("resolution", "num-classes", "width"):
        return set(models) - own or own
    timm = {model for model in models if model.startswith(TIMM)}
    return own or (timm if option == "input" else set()) or set(models)


def _by_name(option: str, models: Sequence[str], values: Sequence[str]) -> list[str | None]:
    """Return the value of each model from NAME=VALUE; empty where none is named."""
    named: dict[str, str] = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or name not in models:
            continue
        if name in named:
            raise UserError(f"--{option} was given twice for {name}.")
        named[name] = rest
    if named and len(named) != len(values):
        raise UserError(
            f"Some --{option} name their network and others do not; give NAME=... in each."
        )
    return [named.get(model) for model in models] if named else []


def _in_order(option: str, models: Sequence[str], values: Sequence[str]) -> list[str | None]:
    if len(values) != len(models):
        raise UserError(
            f"{len(values)} --{option} for {quantities.counted(len(models), 'network')}; give one "
            f"for each network, in their order, or --{option} NAME=..., such as "
            f"--{option} {models[0]}=..."
        )
    return list(values)
