"""How values are declared: frozen, keyword-only, validated on construction, strict as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def value(cls: type[T]) -> type[T]:
    """Declare a value: a frozen keyword-only dataclass whose JSON form refuses unknown keys.

    Validation belongs in `__post_init__`, so that a value that exists is a value to trust.
    """
    made: Any = dataclass(frozen=True, kw_only=True)(cls)
    # Read by pydantic at the JSON edge (`wire.py`), nowhere else; importing it here would cost
    # every `mobilebench --help`.
    made.__pydantic_config__ = {"extra": "forbid", "strict": True}
    checked: type[T] = made
    return checked
