"""Declare values: frozen, keyword-only, validated when created, strict as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def value(cls: type[T]) -> type[T]:
    """Declare a value: a frozen keyword-only dataclass whose JSON form refuses unknown keys.

    Validation belongs in `__post_init__`, so that every value that exists is valid.
    """
    value_class: Any = dataclass(frozen=True, kw_only=True)(cls)
    # Read by pydantic at the JSON edge (`wire.py`), nowhere else; importing it here would cost
    # every `mobilebench --help`.
    value_class.__pydantic_config__ = {
        "extra": "forbid",
        "strict": True,
        "allow_inf_nan": False,
    }
    result: type[T] = value_class
    return result


_FEW = 8
_LARGEST = (1 << 53) - 1
"""Of a whole number: many readers of JSON take every number for a double."""


def require_range(value: object, *names: str, least: float = 0, most: float = _LARGEST) -> None:
    """Raise `ValueError`, naming the field, unless each field is None or within the range.

    A field may also hold a tuple of numbers; NaN is in no range.
    """
    for name in names:
        content = getattr(value, name)
        if isinstance(content, tuple):
            for number in _extremes(content):
                if number is not None and not least <= number <= most:
                    _refuse(name, content, least, most)
        elif content is not None and not least <= content <= most:
            _refuse(name, (content,), least, most)


def _extremes(numbers: tuple[Any, ...]) -> Iterable[Any]:
    """Return those of many numbers that tell whether all are in a range."""
    if len(numbers) <= _FEW:
        return numbers
    if set(map(type, numbers)) == {int}:
        return min(numbers), max(numbers)
    return set(numbers)


def _refuse(name: str, numbers: tuple[Any, ...], least: float, most: float) -> None:
    """Raise `ValueError` about the first number that is out of the range."""
    for number in numbers:
        if number is not None and not least <= number <= most:
            raise ValueError(f"{name} is {number}; it has to be from {least} to {most}")


def require_finite(value: object) -> None:
    """Raise `ValueError` where a value holds an infinity or NaN, at whatever depth.

    JSON has neither, so such a value could be neither stored nor read again.
    """
    if _finite(value):
        return
    for place, number in _floats(value, ""):
        if not math.isfinite(number):
            raise ValueError(f"{place} is {number}, which is not a number that JSON has")


_LEAVES = {str, int, bool, type(None)}
"""Classes that hold no numbers with a fraction; enumerations join them when they are met."""
_NAMES: dict[type, tuple[str, ...]] = {}
"""The fields of each class of values."""


def _finite(content: Any) -> bool:
    """Return whether no infinity and no NaN is in it; a document has thousands of parts."""
    kind = type(content)
    if kind in _LEAVES:
        return True
    if kind is float:
        return math.isfinite(content)
    if kind is tuple:
        return set(map(type, content)) <= _LEAVES or all(map(_finite, content))
    if kind is dict:
        return all(map(_finite, content.values()))
    if kind not in _NAMES:
        if not is_dataclass(kind):
            if issubclass(kind, float):
                return math.isfinite(content)
            _LEAVES.add(kind)
            return True
        _NAMES[kind] = tuple(field.name for field in fields(kind))
    parts = vars(content)
    for name in _NAMES[kind]:
        part = parts[name]
        if type(part) not in _LEAVES and not _finite(part):
            return False
    return True


def _floats(content: object, place: str) -> Iterator[tuple[str, float]]:
    if isinstance(content, float):
        yield place, content
    elif is_dataclass(content):
        for field in fields(content):
            inner = getattr(content, field.name)
            if inner is not None:
                yield from _floats(inner, f"{place}.{field.name}".lstrip("."))
    elif isinstance(content, dict):
        for name, inner in content.items():
            yield from _floats(inner, f"{place}.{name}")
    elif isinstance(content, tuple) and content and not isinstance(content[0], int | str):
        for index, inner in enumerate(content):
            yield from _floats(inner, f"{place}.{index}")
