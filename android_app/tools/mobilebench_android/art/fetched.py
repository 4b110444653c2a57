"""The parts of Android's runtime; they are fetched as the app's are."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from mobilebench_android import fetching, parts
from mobilebench_android.fetching import Report, silent
from mobilebench_android.parts import Part

TABLE = Path(__file__).with_name("parts.toml")


@cache
def table() -> dict[str, Part]:
    """Return all parts by name. Raises `UserError` for a table that is wrong."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["parts"]
    return parts.read({"registries": parts.registries(), "parts": rows})


def fetch(name: str, report: Report = silent) -> Path:
    """Return the folder with what is taken out of a part. Raises as `fetching.fetch`."""
    return fetching.fetch_part(table()[name], report)
