"""Match the tensors of two files: by name, order or shape, and across layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mobilebench.errors import UserError
from mobilebench.inputs.seeded import Array, Batch

_LAYOUTS = {"channels last": (0, 2, 3, 1), "channels first": (0, 3, 1, 2)}
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Ends:
    """The inputs, or the outputs, of one file."""

    names: tuple[str, ...]
    shapes: tuple[Shape, ...]

    def __str__(self) -> str:
        return ", ".join(
            f"{name} {'x'.join(map(str, shape)) or 'scalar'}"
            for name, shape in zip(self.names, self.shapes, strict=True)
        )


@dataclass(frozen=True)
class Source:
    """Where a tensor of one file comes from in the other file."""

    place: int
    """Its position there."""
    shape: Shape
    """What it is here."""
    layout: str | None = None
    """The layout here, where it is another one."""

    def take(self, batch: Batch) -> Array:
        """Return the tensor from the other file's batch, in the layout of this file."""
        array = batch[self.place]
        moved = array if self.layout is None else array.transpose(_LAYOUTS[self.layout])
        return np.ascontiguousarray(moved.reshape(self.shape))


@dataclass(frozen=True)
class Match:
    """Where every tensor of one file comes from in the other one."""

    sources: tuple[Source, ...]
    by: str
    """`name`, `order` or `shape`."""

    def take(self, batch: Batch) -> list[Array]:
        """Return the other file's batch in the order and the layouts of this file."""
        return [source.take(batch) for source in self.sources]

    def notes(self, noun: str) -> list[str]:
        """Say in words what is not matched by name and in the same layout."""
        notes = []
        if self.by != "name" and len(self.sources) > 1:
            notes.append(f"{noun}s are matched by {self.by}, because their names differ")
        layouts = dict.fromkeys(source.layout for source in self.sources if source.layout)
        notes += [f"{noun}s are turned to {layout}" for layout in layouts]
        return notes


def match(noun: str, here: Ends, there: Ends) -> Match:
    """Find every tensor of one file in the other: by name, else by order, else by shape.

    Raises `UserError` where that is not possible.
    """
    for by, places in _attempts(here, there):
        sources = [
            _source(place, there.shapes[place], shape)
            for place, shape in zip(places, here.shapes, strict=True)
        ]
        if None not in sources:
            return Match(tuple(source for source in sources if source is not None), by)
    raise UserError(
        f"The {noun}s of the two files do not match, so they cannot be compared: those of one are "
        f"{here}; those of the other are {there}."
    )


def _attempts(here: Ends, there: Ends) -> list[tuple[str, list[int]]]:
    """Return the ways to pair the tensors, the surest first; none where the numbers differ."""
    count = len(here.shapes)
    if count != len(there.shapes):
        return []
    attempts = [("order", list(range(count)))]
    if sorted(here.names) == sorted(there.names) and len(set(here.names)) == count:
        attempts.insert(0, ("name", [there.names.index(name) for name in here.names]))
    places = [_only(there.shapes, shape) for shape in here.shapes]
    if len(set(places)) == count and None not in places:
        attempts.append(("shape", [place for place in places if place is not None]))
    return attempts


def _only(shapes: Sequence[Shape], wanted: Shape) -> int | None:
    """Return the position of the only shape that fits; None where another number does."""
    fitting = [place for place, shape in enumerate(shapes) if _source(place, shape, wanted)]
    return fitting[0] if len(fitting) == 1 else None


def _source(place: int, shape: Shape, wanted: Shape) -> Source | None:
    """Find how a tensor gets the wanted shape; None where it cannot.

    Sizes of 1 do not count, and the channels of an image may be first or last.
    """
    if _long(shape) == _long(wanted):
        return Source(place, wanted)
    if len(shape) == len(wanted) == 4:
        for layout, axes in _LAYOUTS.items():
            if tuple(shape[axis] for axis in axes) == wanted:
                return Source(place, wanted, layout)
    return None


def _long(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)
