"""Find the state dicts in a checkpoint, however its training loop arranged them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from mobilebench.zoo.pickles import StandIn

_DEEPEST = 5
"""Names in a key: Lightning keeps averaged weights under callbacks.NAME.state.ema.weights."""
_AVERAGED = re.compile(r"(?<![a-zA-Z])(ema|swa|averaged?|avg)(?![a-z])|EMA|Ema(?![a-z])", re.A)
_OF_TRAINING = re.compile(r"optimi[sz]er|schedul|scaler|rng", re.I)
_MOST_MODULES = 20_000
_MOST_VISITED = 20_000
_CONTAINERS = (Mapping, list, tuple, StandIn)
_ORDER = ("state_dict", "model")
"""Names of the weights in official files; they go before any other."""
_OF_MODULES = ("_parameters", "_buffers", "_modules")


@dataclass(frozen=True, eq=False)
class Entry:
    """Tensors by name, as one part of a checkpoint holds them."""

    key: str | None
    """Names joined by dots, such as `ema.module`; None where it is the whole file."""
    state: Mapping[Any, Any]
    whole_module: str | None = None
    """The class of a network that was saved whole, whose tensors these are."""
    left_out: tuple[str, ...] = ()
    """Names beside those of a part, such as `n_averaged`."""

    @property
    def averaged(self) -> bool:
        """True where its name says that it holds averaged (EMA) weights."""
        return self.key is not None and _AVERAGED.search(self.key) is not None

    @property
    def has_arrays(self) -> bool:
        """True where it holds more than numbers, as a table of losses does."""
        return any(isinstance(value, Tensor) and value.dim() > 0 for value in self.state.values())

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Order in which entries are tried: averaged ones last, official names first."""
        names = (self.key or "").split(".")
        place = _ORDER.index(names[0]) if names[0] in _ORDER else len(_ORDER)
        return self.averaged, place, len(names)

    def same_as(self, other: Entry) -> bool:
        """Return whether two entries are the same tensors, saved under two names."""
        return len(self.state) == len(other.state) and all(
            key in other.state and _same(value, other.state[key])
            for key, value in self.state.items()
        )

    @property
    def parts(self) -> list[Entry]:
        """Parts of a state dict by the first name of its keys, such as `model` and `criterion`."""
        groups: dict[str, dict[str, Any]] = {}
        for key, value in self.state.items():
            name, dot, rest = str(key).partition(".")
            if dot:
                groups.setdefault(name, {})[rest] = value
        if len(groups) == 1 and all("." in str(key) for key in self.state):
            return []  # a prefix that all keys share
        return [
            Entry(
                key=name if self.key is None else f"{self.key}.{name}",
                state=state,
                left_out=tuple(
                    key for key in map(str, self.state) if not key.startswith(f"{name}.")
                ),
            )
            for name, state in groups.items()
        ]


def entries(content: object) -> list[Entry]:
    """Return the parts of a checkpoint that hold tensors by name, the likeliest first."""
    holders: list[Entry] = []
    pending = deque[tuple[object, tuple[str, ...]]]([(content, ())])
    # By level, so that long logs hide nothing. A malicious dictionary can lie in itself.
    for _ in range(_MOST_VISITED):
        if not pending:
            break
        part, names = pending.popleft()
        entry = _entry(part, ".".join(names) or None)
        if entry is not None:
            holders.append(entry)
        if len(names) < _DEEPEST and (entry is None or entry.whole_module is None):
            pending.extend(
                (value, (*names, name))
                for name, value in _named_values(part).items()
                if isinstance(value, _CONTAINERS) and isinstance(name, str)
                if not _OF_TRAINING.search(name)
            )
    return sorted(holders, key=lambda entry: entry.rank)


def _entry(content: object, key: str | None) -> Entry | None:
    """Return the tensors that something holds by name itself; None where it holds none."""
    if isinstance(content, StandIn) and _is_module(content):
        state = _state_of_module(content)
        return Entry(key, state, whole_module=content.kind) if state else None
    if isinstance(content, list | tuple):
        return None
    values = _named_values(content)
    if any(isinstance(name, str) and isinstance(value, Tensor) for name, value in values.items()):
        return Entry(key, values)
    return None


def _same(one: object, other: object) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        views = [(each.data_ptr(), each.dtype, each.shape, each.stride()) for each in (one, other)]
        return views[0] == views[1]
    return one is other


def _named_values(content: object) -> Mapping[Any, Any]:
    """Return what something holds by name: a mapping, a list, an object's items or attributes."""
    if isinstance(content, StandIn):
        return content.items or content.attributes
    if isinstance(content, list | tuple):
        return {str(place): value for place, value in enumerate(content)}
    return content if isinstance(content, Mapping) else {}


def _is_module(instance: StandIn) -> bool:
    return all(isinstance(instance.attributes.get(name), dict) for name in _OF_MODULES)


def _state_of_module(module: StandIn) -> dict[str, Any]:
    """Return parameters and buffers as `torch.nn.Module.state_dict` names them."""
    state: dict[str, Any] = {}
    pending = [("", module)]
    # A malicious file can hold a network in itself, or each part twice in the one above it.
    for _ in range(_MOST_MODULES):
        if not pending:
            break
        prefix, part = pending.pop()
        attributes = part.attributes
        temporary = attributes.get("_non_persistent_buffers_set")
        members = temporary.members if isinstance(temporary, StandIn) else []
        left_out = [member for member in members if isinstance(member, str)]
        for name, value in (*attributes["_parameters"].items(), *attributes["_buffers"].items()):
            if value is not None and name not in left_out:
                state[f"{prefix}{name}"] = value
        for name, child in attributes["_modules"].items():
            if isinstance(child, StandIn) and _is_module(child):
                pending.append((f"{prefix}{name}.", child))
    return state
