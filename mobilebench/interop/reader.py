"""Recognise and read the result files of another tool."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mobilebench.errors import SchemaError
from mobilebench.values.reported import Reported

T = TypeVar("T")

UNNAMED = ""
"""Placeholder for the id, the source and the file, which the caller fills in."""


@dataclass(frozen=True)
class Reader:
    """One kind of result file."""

    tool: str
    """The tool that writes such files."""
    recognises: Callable[[str], bool]
    read: Callable[[str, Path], list[Reported]]
    """Reads the results in a text; the path names it in errors. Raises `SchemaError`."""


class JsonPart(BaseModel):
    """A part of another tool's JSON; fields that are not declared are ignored."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


def parsed(kind: type[T], text: str, path: Path, tool: str) -> T:
    """Parse a text as JSON of the type `kind`.

    Raises `SchemaError`, which names the first place that does not fit.
    """
    try:
        return TypeAdapter(kind).validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise SchemaError(
            f"{path} is not what {tool} writes: at {place}: {first['msg']}; it may have been cut "
            f"off, or be from another version."
        ) from error
    except (ValueError, RecursionError) as error:
        raise SchemaError(
            f"{path} is not the JSON that {tool} writes ({error}); it may have been cut off."
        ) from error


def number(pattern: str, text: str) -> float | None:
    """Return the last number that a pattern with one group matches; None without a match."""
    matches = re.findall(pattern, text, flags=re.MULTILINE)
    return float(matches[-1]) if matches else None


def scaled(number: float | None, factor: float) -> float | None:
    """Return a number in another unit; None stays None."""
    return None if number is None else number * factor


NUMBER = r"([0-9.]+(?:e[+-]?[0-9]+)?)"
