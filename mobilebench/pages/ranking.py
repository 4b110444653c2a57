"""The page of the ranking at minute 1 against that at minute 30: what heat does to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mobilebench.leaderboard.over_time import MINUTES, Ranking, Standing, rankings
from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import duration
from mobilebench.pages.bars import Bar, Dot, bars
from mobilebench.pages.figure import Figure, Table
from mobilebench.pages.links import Links
from mobilebench.pages.templates import Shell, render
from mobilebench.results import Entry

_UNKNOWN = "–"  # noqa: RUF001 - as in every table


def chart(ranking: Ranking, links: Links) -> Figure:
    """Return the chart of one group."""
    kinds = [f"minute {minute}" for minute in ranking.minutes]
    things, lines = [], []
    for runner in ranking.runners:
        name = f"{runner.row.model} {runner.row.artifact}"
        ranks = [_rank(each) for each in runner.standings]
        dots = tuple(
            Dot(
                kind, each.stretch.p50_ns / 1e6, _ms(each.stretch.low_ns), _ms(each.stretch.high_ns)
            )
            for kind, each in zip(kinds, runner.standings, strict=True)
            if each.stretch is not None
        )
        title = f"{name}: rank {' → '.join(ranks)}"
        things.append(Bar(title, dots, links.record(runner.row.record_id)))
        change = _UNKNOWN if runner.change is None else f"{runner.change:+.1%}"
        medians = [
            _UNKNOWN if each.stretch is None else duration(each.stretch.p50_ns)
            for each in runner.standings
        ]
        both = [text for pair in zip(ranks, medians, strict=True) for text in pair]
        lines.append((name, *both, change))
    titles = [title for kind in kinds for title in (f"rank, {kind}", f"median, {kind}")]
    return Figure(
        name="ranking",
        title=" and ".join(kinds).capitalize(),
        summary=(
            f"Median of each minute with its interval. {_verdict(ranking)} Rows whose intervals "
            f"overlap share a rank (=)."
        ),
        spec=bars(things, "latency, median, ms", kinds, "interval"),
        table=Table(("network", *titles, "change"), tuple(lines)),
    )


def _verdict(ranking: Ranking) -> str:
    if len(ranking.runners) < 2:
        return "One row alone has no ranking."
    if ranking.reordered:
        return "Some rows change places, and the intervals show it."
    return "No two rows change places for certain."


def _rank(standing: Standing) -> str:
    return _UNKNOWN if standing.place is None else standing.place.text


def _ms(ns: float | None) -> float | None:
    return None if ns is None else ns / 1e6


def ranking(rows: Sequence[Row], entries: Iterable[Entry], shell: Shell) -> str:
    """Return the page, as HTML; `entries` are those of the rows."""
    shown = [(each, chart(each, shell.links)) for each in rankings(rows, entries, MINUTES)]
    return render(
        "ranking.html.j2",
        shell,
        page="ranking",
        heading="The ranking at minute 1 and at minute 30",
        rankings=shown,
        charted=bool(shown),
    )
