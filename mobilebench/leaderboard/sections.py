"""Part rows into those that may be ranked among each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobilebench.leaderboard.rows import Row

FAILED = "Failed exports"


@dataclass(frozen=True)
class Section:
    """The rows of one device, compute unit and protocol; only these are ranked together."""

    heading: str
    rows: tuple[tuple[int, Row], ...]
    """Each with its number in the whole leaderboard, from 1."""


def sections(rows: Sequence[Row]) -> list[Section]:
    """Return the sections in the order in which their first rows stand, failed exports last."""
    groups: dict[str, list[tuple[int, Row]]] = {}
    for number, row in enumerate(rows, start=1):
        groups.setdefault(heading(row), []).append((number, row))
    parts = [Section(title, tuple(numbered)) for title, numbered in groups.items()]
    return sorted(parts, key=lambda part: part.heading == FAILED)


def heading(row: Row) -> str:
    """Return device, compute unit and protocol in words."""
    if row.protocol is None:
        return FAILED
    unit = f", {row.compute_unit}" if row.compute_unit else ""
    return f"{row.device_model} ({row.device}{unit}), protocol {row.protocol}"
