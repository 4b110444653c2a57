"""Load checkpoints strictly: an error names every key or shape that does not fit."""

from __future__ import annotations

import copy
import hashlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.errors import CheckpointError, MobilebenchWarning
from mobilebench.zoo import references, saved
from mobilebench.zoo.entries import Entry, entries
from mobilebench.zoo.pickles import StandIn
from mobilebench.zoo.registry import create_model, list_models

_MOST_KEYS_SHOWN = 4
_LONGEST_NAME = 200
_KNOWN_PREFIXES = ("module.", "_orig_mod.")
"""Those of parallel training and of torch.compile."""
_SHARED, _NORMS = "network", "norms"
"""Parts of the state dict of a network that was trained for several widths."""
_OFFICIAL = (None, "state_dict", "model")
_OFFICIAL_AVERAGED = ("state_dict_ema", "model_ema")
"""Entries of official files, which are taken where they fit, whatever else a file holds."""


@dataclass(frozen=True)
class Loaded:
    """Where the weights of a network came from."""

    sha256: str | None
    """Of the file; None for a mapping."""
    key: str | None
    """The entry, names joined by dots; None where the file itself is the state dict."""
    norms: Mapping[str, Mapping[str, Tensor]]
    """Private norms beside a network that was trained for several widths, by the width's name and
    by the tensor's; empty in other files."""


def load_checkpoint(
    model: nn.Module,
    checkpoint: str | Path | Mapping[str, Any],
    *,
    ema: bool = False,
    checkpoint_key: str | None = None,
) -> str | None:
    """Load weights into `model` and return the sha256 of the file.

    For a mapping it returns None. Files are those that `torch.save` wrote, and no code in them
    runs: objects of other classes than tensors and plain data are read without their class. The
    weights are the entry `state_dict`, else `model`, else the file itself where it is a state
    dict, else the one entry that fits the network, or a network that was saved whole; averaged
    weights come last. `ema=True` takes the averaged ones, and `checkpoint_key` the entry of that
    name, such as `ema.module`. A `MobilebenchWarning` says so where the entry was a guess, and
    names what else the file holds.

    A prefix that all keys share and the network's own keys do not have is removed, such as the
    `module.` of parallel training and the `_orig_mod.` of torch.compile; any other is named in a
    `MobilebenchWarning`. PyTorch's strict loading decides whether the rest fits, on a copy: it
    knows hooks and versions of modules. The model changes only when everything fits.

    A part that a network lists in `missing_in_official` may be missing as a whole. Its weights are
    then zero, and a `MobilebenchWarning` states the consequence.

    Raises `CheckpointError` for a file that is missing, cut off or not a checkpoint, for a missing
    entry, where several entries fit, and, with the keys, for weights of another network.
    """
    return load_weights(model, checkpoint, ema=ema, checkpoint_key=checkpoint_key).sha256


def load_weights(
    model: nn.Module,
    checkpoint: str | Path | Mapping[str, Any],
    *,
    ema: bool = False,
    checkpoint_key: str | None = None,
) -> Loaded:
    """Load weights as `load_checkpoint` does, and return where they came from."""
    content: Any
    if isinstance(checkpoint, Mapping):
        source, sha256, content = "the given state dict", None, checkpoint
    else:
        path = Path(checkpoint)
        source, sha256 = str(path), _sha256(path)
        content = saved.read(path)
    file = _File(source, _entries_of(content, source), model)
    if checkpoint_key is not None and ema:
        raise CheckpointError(
            f"Both averaged weights and the entry {checkpoint_key!r} of {source} were asked for; "
            f"ask for one of them."
        )
    if checkpoint_key is not None:
        fit = file.named(checkpoint_key)
    elif ema:
        fit = file.averaged(content)
    else:
        fit = file.likeliest()
    _require_finite(fit.state, source)
    norms = file.norms(fit.entry)
    for sentence in () if norms else fit.sentences:
        warnings.warn(sentence, MobilebenchWarning, stacklevel=3)
    model.load_state_dict(fit.state, strict=True)
    return Loaded(sha256, fit.entry.key, norms)


def _sha256(path: Path) -> str:
    references.require_checkpoint(path)
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"The checkpoint {path} cannot be read: {error.strerror}.") from error


def _entries_of(content: object, source: str) -> list[Entry]:
    holders = entries(content)
    if holders:
        return holders
    if isinstance(content, Mapping):
        return [Entry(None, content)]  # whose misfit is said key by key
    kind = content.kind if isinstance(content, StandIn) else type(content).__name__
    raise CheckpointError(
        f"The checkpoint {source} contains a {_printable(kind)}, not a dictionary of tensors; "
        f"save the network's state dict with torch.save and try again."
    )


@dataclass(frozen=True, eq=False)
class _Fit:
    """An entry, prepared for a network, and whether it fits."""

    entry: Entry
    state: dict[str, Any]
    sentences: tuple[str, ...]
    """What the user should know where these weights are taken."""
    error: Exception | None


@dataclass(frozen=True, eq=False)
class _File:
    """The entries of one checkpoint, the likeliest first, and the network they are for."""

    source: str
    entries: Sequence[Entry]
    model: nn.Module

    def named(self, key: str) -> _Fit:
        """Return the entry that the user names, or the one part of it that fits."""
        everything = [*self.entries, *(part for entry in self.entries for part in entry.parts)]
        entry = next((entry for entry in everything if entry.key == key), None)
        if entry is None:
            keys = [entry for entry in self.entries if entry.key is not None]
            there = f"it has {_keys(keys)}" if keys else "it is itself the state dict"
            raise CheckpointError(
                f"{self.source} has no entry {key!r} that holds tensors by name; {there}."
            )
        return self._first_that_fits([[entry], self._parts([entry])], official=(key,))

    def averaged(self, content: object) -> _Fit:
        """Return the averaged weights."""
        averaged = [entry for entry in self.entries if entry.averaged]
        plain = [entry for entry in self.entries if not entry.averaged]
        of_plain = [part for part in self._parts(plain) if part.averaged]
        if not averaged and not of_plain:
            names = list(content) if isinstance(content, Mapping) else []
            raise CheckpointError(
                f"{self.source} has no averaged weights ({' or '.join(_OFFICIAL_AVERAGED)}); its "
                f"entries are {_join_keys(names)}. Load it without ema."
            )
        return self._first_that_fits(
            [averaged, self._parts(averaged), of_plain], official=_OFFICIAL_AVERAGED
        )

    def likeliest(self) -> _Fit:
        """Return the one entry that fits, averaged ones last, and say what else there is."""
        plain = [entry for entry in self.entries if not entry.averaged]
        averaged = [entry for entry in self.entries if entry.averaged]
        parts = self._parts(plain)
        fit = self._first_that_fits(
            [
                plain,
                [part for part in parts if not part.averaged],
                averaged,
                [part for part in parts if part.averaged],
                self._parts(averaged),
            ],
            official=_OFFICIAL,
        )
        return replace(fit, sentences=(*self._about(fit.entry), *fit.sentences))

    def norms(self, taken: Entry) -> dict[str, dict[str, Tensor]]:
        """Return the private norms of widths, which lie beside their shared network.

        `slimmable.SharedNetwork` has the network under `network.` and them under `norms.WIDTH.`.
        """
        by_width: dict[str, dict[str, Tensor]] = {}
        key = taken.key or ""
        if key.rpartition(".")[2] != _SHARED:
            return by_width
        for part in (part for entry in self.entries for part in entry.parts):
            if part.key == f"{key.removesuffix(_SHARED)}{_NORMS}":
                for name, value in part.state.items():
                    width, _, rest = name.partition(".")
                    if isinstance(value, Tensor) and rest:
                        by_width.setdefault(width, {})[rest] = value
        return by_width

    def _about(self, taken: Entry) -> Iterable[str]:
        """Say which entry was taken where that was a guess, and what else the file holds."""
        if taken.key not in _OFFICIAL:
            what = "averaged weights" if taken.averaged else "weights"
            yield f"The {what} were taken from the entry {taken.key!r} of {self.source}."
        # Of an entry that was taken as a whole, a part is a part of the network.
        siblings = self._parts(self.entries) if taken.left_out else []
        others = [
            entry
            for entry in (*self.entries, *siblings)
            if entry.has_arrays and entry.key not in (None, taken.key)
            if not entry.same_as(taken)
            if not (taken.left_out and f"{taken.key}".startswith(f"{entry.key}."))
        ]
        averaged = [entry for entry in others if entry.averaged]
        plain = [entry for entry in others if not entry.averaged and entry in self.entries]
        if averaged and not taken.averaged:
            yield (
                f"{self.source} holds averaged weights too, in {_keys(averaged)}; --ema loads them."
            )
        if plain:
            yield (
                f"{self.source} holds tensors in {_keys(plain)} too; --checkpoint-key loads the "
                f"entry of that name."
            )

    def _parts(self, whole: Iterable[Entry]) -> list[Entry]:
        """Return parts of entries that hold at least one tensor of the network."""
        own = self.model.state_dict().keys()
        return [
            part
            for entry in whole
            for part in entry.parts
            if own & _without_prefix(part.state, self.model, self.source)[0].keys()
        ]

    def _first_that_fits(
        self, tiers: Iterable[Sequence[Entry]], official: Sequence[str | None]
    ) -> _Fit:
        first: _Fit | None = None
        for tier in tiers:
            fits: list[_Fit] = []
            for entry in tier:
                fit = self._fit(entry)
                first = first or fit
                if fit.error is None and entry.key in official:
                    return fit
                if fit.error is None and not any(entry.same_as(one.entry) for one in fits):
                    fits.append(fit)
            if len(fits) == 1:
                return fits[0]
            if fits:
                raise CheckpointError(
                    f"{len(fits)} entries of {self.source} fit {type(self.model).__name__}: "
                    f"{_keys([fit.entry for fit in fits])}; choose one with --checkpoint-key."
                )
        assert first is not None and first.error is not None
        raise CheckpointError(self._misfit(first)) from first.error

    def _fit(self, entry: Entry) -> _Fit:
        state, of_prefix = _without_prefix(entry.state, self.model, self.source)
        state, of_missing = _with_zeros_for_missing(self.model, state, self.source)
        sentences = (*_of_entry(entry, self.source), *of_prefix, *of_missing)
        try:
            copy.deepcopy(self.model).load_state_dict(state, strict=True)
        except (RuntimeError, TypeError, AttributeError, ValueError, LookupError) as error:
            # Beside RuntimeError these come of entries that are not tensors.
            return _Fit(entry, state, sentences, error)
        return _Fit(entry, state, sentences, None)

    def _misfit(self, fit: _Fit) -> str:
        key = fit.entry.key
        where = self.source if key is None else f"The entry {key!r} of {self.source}"
        sentence = _misfit(self.model, fit.state, where, fit.error)
        others = [one for one in self.entries if one.has_arrays and one.key not in (None, key)]
        if not others:
            return sentence
        return f"{sentence} Tensors are in {_keys(others)} too; choose with --checkpoint-key."


def _keys(named: Sequence[Entry]) -> str:
    return _join_keys([repr(entry.key) for entry in named])


def _of_entry(entry: Entry, source: str) -> Iterable[str]:
    if entry.whole_module is not None:
        yield (
            f"{source} holds a whole network of the class {_printable(entry.whole_module)}; its "
            f"tensors were read, and none of its code was run."
        )
    if entry.left_out:
        yield (f"Beside {entry.key!r}, {source} holds {_join_keys(entry.left_out)}; left out.")


def _without_prefix(
    state: Mapping[Any, Any], model: nn.Module, source: str
) -> tuple[dict[str, Any], list[str]]:
    """Remove prefixes that all keys share, and that the network's own keys do not have.

    Returns sentences about those that are not of PyTorch too.
    """
    sentences: list[str] = []
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
            sentences.append(f"The prefix {prefix!r} was removed from all keys of {source}.")
        keys = {key.removeprefix(prefix): value for key, value in keys.items()}
    return keys, sentences


def _with_zeros_for_missing(
    model: nn.Module, state: dict[str, Any], source: str
) -> tuple[dict[str, Any], list[str]]:
    sentences: list[str] = []
    parts: Mapping[str, str] = getattr(model, "missing_in_official", {})
    for part, meaning in parts.items():
        own = {key: value for key, value in model.state_dict().items() if key.startswith(part)}
        if own and not any(key in state for key in own):
            sentences.append(f"{source} has no {', '.join(own)}: {meaning}.")
            state |= {key: torch.zeros_like(value) for key, value in own.items()}
    return state, sentences


def _misfit(model: nn.Module, state: dict[str, Any], source: str, error: Exception | None) -> str:
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
    if not shapes:
        return []
    return [name for name in list_models() if _shapes_of(name) == shapes]


@cache
def _shapes_of(name: str) -> Mapping[str, torch.Size]:
    with torch.device("meta"):
        return {key: value.shape for key, value in create_model(name).state_dict().items()}


def _join_keys(keys: Sequence[object]) -> str:
    shown = ", ".join(_printable(str(key)) for key in keys[:_MOST_KEYS_SHOWN])
    more = len(keys) - _MOST_KEYS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _printable(name: str) -> str:
    """Escape what a file could do to a terminal by its names, and cut a name of many lines."""
    name = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in name)
