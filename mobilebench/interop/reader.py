"""Reader: how another tool's results are told from others, and read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilebench.errors import SchemaError
from mobilebench.reported import Reported

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


def parsed(text: str, path: Path, tool: str) -> Any:
    """The text as JSON; raises `SchemaError`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SchemaError(
            f"{path} is not JSON ({error}), as {tool} writes it; it may have been cut off."
        ) from error


def entry(plain: Any, key: str, kinds: type | tuple[type, ...], path: Path) -> Any:
    """A key of an object that has to be there; raises `SchemaError`."""
    if not isinstance(plain, dict) or not isinstance(plain.get(key), kinds):
        raise SchemaError(f"{path} has no {key!r} where one is needed; it may have been cut off.")
    return plain[key]


def number(pattern: str, text: str) -> float | None:
    """The last number that a pattern with one group finds; None where it finds none."""
    found = re.findall(pattern, text, flags=re.MULTILINE)
    return float(found[-1]) if found else None


def scaled(number: float | None, factor: float) -> float | None:
    """A number in another unit; None stays unknown."""
    return None if number is None else number * factor


NUMBER = r"([0-9.]+(?:e[+-]?[0-9]+)?)"
