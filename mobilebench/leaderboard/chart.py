"""Lay out the latency of every row: fastest sample, median and 90th percentile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobilebench.leaderboard.columns import needed
from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import duration


@dataclass(frozen=True)
class Bar:
    """One row of the chart; positions are shares of the longest latency, in percent."""

    number: int
    """Of the row in the table, from 1."""
    model: str
    details: str
    """The artifact, and what else tells this bar from others."""
    median: str
    start: float
    dot: float
    end: float


@dataclass(frozen=True)
class Chart:
    """The bars of one device and protocol: only their lengths may be compared."""

    device: str
    protocol: str
    bars: tuple[Bar, ...]


def charts(rows: Sequence[Row]) -> list[Chart]:
    """Return a chart for each device and protocol, with a bar for each measured row."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for place, row in enumerate(rows):
        if row.p50_ms is not None:
            key = (row.device_model, row.device, row.protocol or "")
            groups.setdefault(key, []).append(place)
    details = [
        column
        for column in needed(rows)
        if column.title in ("runtime", "unit", "threads") and not column.essential
    ]
    return [
        Chart(
            device=f"{model} ({device})",
            protocol=protocol,
            bars=tuple(_bars(rows, places, [column.title for column in details])),
        )
        for (model, device, protocol), places in groups.items()
    ]


def _bars(rows: Sequence[Row], places: Sequence[int], details: Sequence[str]) -> list[Bar]:
    longest = max(rows[place].p90_ms or 0.0 for place in places)
    bars = []
    for place in places:
        row = rows[place]
        if row.p50_ms is None or row.p90_ms is None or row.min_ms is None:
            continue
        texts = {
            "runtime": row.runtime,
            "unit": row.compute_unit,
            "threads": f"{row.threads} thread{'' if row.threads == 1 else 's'}",
        }
        bars.append(
            Bar(
                number=place + 1,
                model=row.model,
                details=", ".join([row.artifact, *(texts[title] or "" for title in details)]),
                median=duration(row.p50_ms * 1e6),
                start=100 * row.min_ms / longest,
                dot=100 * row.p50_ms / longest,
                end=100 * row.p90_ms / longest,
            )
        )
    return bars
