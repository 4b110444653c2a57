"""Write a column that seldom changes as spans of equal values; read either form."""

from __future__ import annotations

from itertools import chain, groupby, repeat
from typing import Any, get_args

_LONGEST = 100_000_000
"""Entries of a column; more is a broken document, and would fill the memory."""


class AsSpans:
    """Marks a tuple whose JSON form is `[{"count": 60, "value": "warm-up"}, ...]`.

    It is read from a list of plain values as well: version 1 of a record has those.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        item = get_args(source)[0]
        return core_schema.no_info_before_validator_function(
            lambda plain: _expanded(plain, item),
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(_compressed),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        column = handler(schema)
        span = {
            "type": "object",
            "properties": {
                "count": {"type": "integer", "minimum": 1},
                "value": column.get("items", {}),
            },
            "required": ["count", "value"],
            "additionalProperties": False,
        }
        return {"type": "array", "items": span}


SPANS = AsSpans()


def _compressed(column: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [{"count": len(list(run)), "value": value} for value, run in groupby(column)]


def _expanded(plain: Any, item: Any) -> Any:
    """Return the column, its items of the column's type; anything but a list is left as it is."""
    if not isinstance(plain, list):
        return plain
    if not all(isinstance(part, dict) for part in plain):
        return tuple(_typed(part, item) for part in plain)
    for part in plain:
        count = part.get("count")
        if part.keys() != {"count", "value"} or type(count) is not int or count < 1:
            raise ValueError("a span is a count of at least 1 and a value")
    if sum(part["count"] for part in plain) > _LONGEST:
        raise ValueError(f"a column has at most {_LONGEST} entries")
    runs = (repeat(_typed(part["value"], item), part["count"]) for part in plain)
    return tuple(chain.from_iterable(runs))


def _typed(plain: Any, item: Any) -> Any:
    if isinstance(item, type) and isinstance(plain, str):
        return item(plain)
    if item is float and type(plain) is int:
        return float(plain)
    return plain
