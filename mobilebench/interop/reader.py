"""Reader: how another tool's results are told from others, and read."""

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
"""In place of the id, the source and the file, which are filled in by the caller."""


@dataclass(frozen=True)
class Reader:
    """One kind of file."""

    tool: str
    """Who writes such files."""
    recognises: Callable[[str], bool]
    read: Callable[[str, Path], list[Reported]]
    """The results in a text; the path names it in errors. Raises `SchemaError`."""


class Part(BaseModel):
    """A part of another tool's JSON: what is used of it, the rest passed over."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


def parsed(kind: type[T], text: str, path: Path, tool: str) -> T:
    """The text as JSON of that shape; raises `SchemaError`, saying where it is another."""
    try:
        return TypeAdapter(kind).validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise SchemaError(
            f"{path} is not as {tool} writes it: at {place}: {first['msg']}; it may have been cut "
            f"off, or come from another version."
        ) from error
    except (ValueError, RecursionError) as error:
        raise SchemaError(
            f"{path} is not JSON ({error}), as {tool} writes it; it may have been cut off."
        ) from error


def number(pattern: str, text: str) -> float | None:
    """The last number that a pattern with one group finds; None where it finds none."""
    found = re.findall(pattern, text, flags=re.MULTILINE)
    return float(found[-1]) if found else None


def scaled(number: float | None, factor: float) -> float | None:
    """A number in another unit; None stays unknown."""
    return None if number is None else number * factor


NUMBER = r"([0-9.]+(?:e[+-]?[0-9]+)?)"
