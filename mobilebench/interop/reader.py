"""Recognise and read the result files of another tool."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mobilebench.errors import SchemaError
from mobilebench.values.reported import Reported

T = TypeVar("T")

UNNAMED = ""
"""Placeholder for the id, the source and the file, which the caller fills in."""

Quantity = Annotated[float, Field(strict=True)]
"""A number in JSON; neither a truth value nor a text."""

_JSON_LINE = re.compile(r"^[ \t]*([\[{])", re.MULTILINE)


@dataclass(frozen=True)
class Reader:
    """One kind of result file."""

    tool: str
    """The tool that writes such files."""
    reads: str
    """What such a file is, for the list of the readers."""
    recognises: Callable[[str], bool]
    read: Callable[[str, Path], list[Reported]]
    """Reads the results in a text; the path names it in errors. Raises `SchemaError`."""
    log: bool = False
    """Reads lines among other output, where an unreadable character does no harm."""


class JsonPart(BaseModel):
    """A part of another tool's JSON; fields that are not declared are ignored."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


def documents(text: str, path: Path, tool: str) -> list[Any]:
    """Parse all JSON documents in a text: one, one on each line, or one in a shell's output.

    Raises `SchemaError` where one of them cannot be parsed.
    """
    try:
        return [json.loads(text)]
    except RecursionError as error:
        raise _no_json(path, tool, "it is nested too deeply") from error
    except ValueError as error:
        first = error
    parts, position, decoder = [], 0, json.JSONDecoder()
    while start := _JSON_LINE.search(text, position):
        try:
            part, position = decoder.raw_decode(text, start.start(1))
        except (ValueError, RecursionError) as error:
            raise _no_json(path, tool, str(error)) from error
        if text[position:].lstrip()[:1] in (",", "]", "}", ":"):
            raise _no_json(path, tool, f"its beginning is missing: {first}") from first
        parts.append(part)
    if not parts:
        raise _no_json(path, tool, str(first)) from first
    return parts


def _no_json(path: Path, tool: str, reason: str) -> SchemaError:
    return SchemaError(
        f"{path} is not the JSON that {tool} writes ({reason}); it may have been cut off."
    )


def fitted(kind: type[T], plain: object, path: Path, tool: str) -> T:
    """Convert parsed JSON to the type `kind`.

    Raises `SchemaError`, which names the first place that does not fit.
    """
    try:
        return TypeAdapter(kind).validate_python(plain)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise SchemaError(
            f"{path} is not what {tool} writes: at {place}: {first['msg']}; it may have been cut "
            f"off, or be from another version."
        ) from error


def number(pattern: str, text: str) -> float | None:
    """Return the last number that a pattern with one group matches; None without a match."""
    matches = re.findall(pattern, text, flags=re.MULTILINE)
    return float(matches[-1]) if matches else None


def scaled(number: float | None, factor: float) -> float | None:
    """Return a number in another unit; None stays None."""
    return None if number is None else number * factor


NUMBER = r"([0-9.]+(?:e[+-]?[0-9]+)?)"
