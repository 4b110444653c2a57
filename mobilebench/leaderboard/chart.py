"""Lay out the latency of every row: fastest sample, median and 90th percentile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobilebench.leaderboard.columns import needed
from mobilebench.leaderboard.groups import groups
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
    """The bars of one group: only their lengths may be compared."""

    heading: str
    bars: tuple[Bar, ...]


def charts(rows: Sequence[Row]) -> list[Chart]:
    """Return a chart for each group, with a bar for each measured row."""
    details = [column.name for column in needed(rows) if column.name in ("runtime", "threads")]
    shown = (Chart(group.heading, tuple(_bars(group.rows, details))) for group in groups(rows))
    return [chart for chart in shown if chart.bars]


def _bars(rows: Sequence[tuple[int, Row]], details: Sequence[str]) -> list[Bar]:
    longest = max((row.p90_ms or 0.0 for _, row in rows), default=0.0)
    bars = []
    for number, row in rows:
        if row.p50_ms is None or row.p90_ms is None or row.min_ms is None:
            continue
        texts = {
            "runtime": row.runtime,
            "threads": f"{row.threads} thread{'' if row.threads == 1 else 's'}",
        }
        bars.append(
            Bar(
                number=number,
                model=row.model,
                details=", ".join([row.artifact, *(texts[name] or "" for name in details)]),
                median=duration(row.p50_ms * 1e6),
                start=100 * row.min_ms / longest,
                dot=100 * row.p50_ms / longest,
                end=100 * row.p90_ms / longest,
            )
        )
    return bars
