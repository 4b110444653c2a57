"""Chart the latency of every row of a group: fastest sample, median, 90th percentile."""

from __future__ import annotations

from collections.abc import Sequence

from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import duration
from mobilebench.pages.bars import Bar, Dot, bars
from mobilebench.pages.figure import Figure, Table
from mobilebench.pages.links import Links

_KIND = "median"
_MOST = 60
"""Rows that are drawn, the fastest ones."""


def latencies(rows: Sequence[Row], links: Links) -> Figure | None:
    """Return the chart; None where no row was measured."""
    things, lines = [], []
    alike = len({row.artifact for row in rows}) == 1
    for row in rows:
        if row.p50_ms is None or row.p90_ms is None or row.min_ms is None:
            continue
        name = row.model if alike else f"{row.model} {row.artifact}"
        dot = Dot(_KIND, row.p50_ms, row.min_ms, row.p90_ms)
        things.append(Bar(name, (dot,), links.record(row.record_id)))
        lines.append((name, *(duration(ms * 1e6) for ms in (row.min_ms, row.p50_ms, row.p90_ms))))
    if not things:
        return None
    fastest = min(things, key=lambda thing: thing.dots[0].number)
    more = f" The first {_MOST} of {len(things)} rows are drawn." if len(things) > _MOST else ""
    return Figure(
        name="latency",
        title="Latency",
        summary=(
            f"From the fastest sample to the 90th percentile, with a dot at the median. The "
            f"smallest median is that of {fastest.name}: "
            f"{duration(fastest.dots[0].number * 1e6)}.{more}"
        ),
        spec=bars(things[:_MOST], "latency, ms", [_KIND], "fastest sample to p90"),
        table=Table(("network", "fastest", "median", "p90"), tuple(lines)),
    )
