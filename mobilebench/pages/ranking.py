"""The page of the ranking at minute 1 against that at minute 30: what heat does to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mobilebench.leaderboard.groups import Group, groups
from mobilebench.leaderboard.places import places
from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import duration
from mobilebench.pages.bars import Bar, Dot, bars
from mobilebench.pages.figure import Figure, Table
from mobilebench.pages.links import Links
from mobilebench.pages.templates import Shell, render
from mobilebench.results.course import Course, Stretch

LATER = 30
"""The minute that the first one is compared with; an earlier one where the runs are shorter."""
_EARLIEST = 2


@dataclass(frozen=True)
class Runner:
    """A row in both rankings."""

    row: Row
    first: Stretch
    last: Stretch
    rank_first: str
    rank_last: str

    @property
    def change(self) -> float:
        """Change of the median: 0.4 is 40 % more."""
        return self.last.p50_ns / self.first.p50_ns - 1


@dataclass(frozen=True)
class Race:
    """The two rankings of one group."""

    group: Group
    minute: int
    runners: tuple[Runner, ...]
    """The fastest of the later minute first."""


def races(rows: Sequence[Row], courses: Mapping[str, Course]) -> list[Race]:
    """Return both rankings of each group with runs of minutes; `courses` are by record."""
    found_races = []
    for group in groups(rows):
        own = [(row, courses[row.record_id]) for _, row in group.rows if row.record_id in courses]
        minute = max(
            (
                number
                for _, course in own
                for number in range(_EARLIEST, LATER + 1)
                if course.minute(number) is not None
            ),
            default=None,
        )
        if minute is None:
            continue
        both = [
            (row, first, last)
            for row, course in own
            if (first := course.minute(1)) is not None
            and (last := course.minute(minute)) is not None
        ]
        at_first = places([_interval(first) for _, first, _ in both])
        at_last = places([_interval(last) for _, _, last in both])
        runners = [
            Runner(row, first, last, before.text, after.text)
            for (row, first, last), before, after in zip(both, at_first, at_last, strict=True)
        ]
        runners.sort(key=lambda runner: runner.last.p50_ns)
        found_races.append(Race(group, minute, tuple(runners)))
    return [race for race in found_races if race.runners]


def _interval(stretch: Stretch) -> tuple[float, float]:
    low = stretch.p50_ns if stretch.low_ns is None else stretch.low_ns
    return low, stretch.p50_ns if stretch.high_ns is None else stretch.high_ns


def chart(race: Race, links: Links) -> Figure:
    """Return the chart of one group."""
    kinds = ("minute 1", f"minute {race.minute}")
    things, lines = [], []
    for runner in race.runners:
        name = f"{runner.row.model} {runner.row.artifact}"
        dots = tuple(
            Dot(
                kind,
                stretch.p50_ns / 1e6,
                None if stretch.low_ns is None else stretch.low_ns / 1e6,
                None if stretch.high_ns is None else stretch.high_ns / 1e6,
            )
            for kind, stretch in zip(kinds, (runner.first, runner.last), strict=True)
        )
        ranks = f"rank {runner.rank_first} → {runner.rank_last}"
        things.append(Bar(f"{name}: {ranks}", dots, links.record(runner.row.record_id)))
        lines.append(
            (
                name,
                runner.rank_first,
                duration(runner.first.p50_ns),
                runner.rank_last,
                duration(runner.last.p50_ns),
                f"{runner.change:+.1%}",
            )
        )
    moved = sum(runner.rank_first != runner.rank_last for runner in race.runners)
    return Figure(
        name="ranking",
        title=f"Minute 1 and minute {race.minute}",
        summary=(
            f"Median of the minute, with its interval. {moved} of {len(race.runners)} have another "
            f"rank at minute {race.minute} than at minute 1; rows whose intervals overlap share a "
            f"rank (=)."
        ),
        spec=bars(things, "latency, median, ms", kinds, "interval"),
        table=Table(
            ("network", "rank at minute 1", "median", f"rank at minute {race.minute}", "median",
             "change"),
            tuple(lines),
        ),
    )  # fmt: skip


def ranking(rows: Sequence[Row], courses: Mapping[str, Course], shell: Shell) -> str:
    """Return the page, as HTML."""
    shown = [(race, chart(race, shell.links)) for race in races(rows, courses)]
    return render(
        "ranking.html.j2",
        shell,
        page="ranking",
        heading="The ranking at minute 1 and at minute 30",
        races=shown,
        charted=bool(shown),
    )
