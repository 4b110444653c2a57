"""Declare values: frozen, keyword-only, validated when created, strict as JSON."""

from __future__ import annotations

from dataclasses import dataclass
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
    value_class.__pydantic_config__ = {"extra": "forbid", "strict": True}
    result: type[T] = value_class
    return result
