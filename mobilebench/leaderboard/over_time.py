"""Rank the rows of a group at two minutes of their runs: who is ahead cool, and who warm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mobilebench.leaderboard.groups import Group, groups
from mobilebench.leaderboard.places import Place, places
from mobilebench.leaderboard.rows import Row
from mobilebench.results import Entry
from mobilebench.results.course import Stretch

MINUTES = (1, 30)


@dataclass(frozen=True)
class Standing:
    """One row at one minute."""

    minute: int
    stretch: Stretch | None
    """Its latency in this minute; None where the run has no such minute."""
    place: Place | None
    """Among the rows of its group in the same minute; None where it has no interval there."""


@dataclass(frozen=True)
class Runner:
    """One row of a group, at each minute asked for."""

    row: Row
    standings: tuple[Standing, ...]

    @property
    def change(self) -> float | None:
        """Change of its median from the first minute to the last: 0.4 is 40 % more."""
        first, last = self.standings[0].stretch, self.standings[-1].stretch
        return None if first is None or last is None else last.p50_ns / first.p50_ns - 1

    @property
    def shift(self) -> int | None:
        """Ranks that it lost from the first minute to the last; negative where it won some."""
        first, last = self.standings[0].place, self.standings[-1].place
        return None if first is None or last is None else last.rank - first.rank


@dataclass(frozen=True)
class Ranking:
    """The rows of one group over time, in the order of their last minute."""

    group: Group
    minutes: tuple[int, ...]
    runners: tuple[Runner, ...]

    @property
    def reordered(self) -> bool:
        """Whether two rows changed places, and intervals show that at both minutes."""
        return any(
            _ahead(one, other, 0) and _ahead(other, one, -1)
            for one in self.runners
            for other in self.runners
        )


def _ahead(one: Runner, other: Runner, at: int) -> bool:
    first, second = one.standings[at].place, other.standings[at].place
    return first is not None and second is not None and first.rank < second.rank


def rankings(
    rows: Sequence[Row], entries: Iterable[Entry], minutes: Sequence[int] = MINUTES
) -> list[Ranking]:
    """Return the ranking of each group whose runs have minutes, at the minutes asked for.

    `entries` are those that the rows are of; others are ignored. Rows that are suspects for
    another reason than heat, and rows without the first of the minutes, are left out.
    """
    by_id = {entry.record_id: entry for entry in entries}
    result = []
    for group in groups(rows):
        members = [
            (row, stretches)
            for _, row in group.rows
            if (stretches := _stretches(row, by_id.get(row.record_id), minutes))
        ]
        if not members:
            continue
        ranked = [
            _at(minute, [each[at] for _, each in members]) for at, minute in enumerate(minutes)
        ]
        runners = [
            Runner(row=row, standings=tuple(each[index] for each in ranked))
            for index, (row, _) in enumerate(members)
        ]
        runners.sort(key=_last_median)
        result.append(Ranking(group=group, minutes=tuple(minutes), runners=tuple(runners)))
    return result


def _stretches(
    row: Row, entry: Entry | None, minutes: Sequence[int]
) -> list[Stretch | None] | None:
    """Return a run's latency at each minute; None for a run that has no place here."""
    if entry is None or entry.measured is None or row.suspect_beside_heat:
        return None
    course = entry.measured.figures.course
    if course is None or course.minute(minutes[0]) is None:
        return None
    return [course.minute(minute) for minute in minutes]


def _at(minute: int, stretches: Sequence[Stretch | None]) -> list[Standing]:
    """Return the standings of all rows at one minute."""
    intervals = {
        index: (each.low_ns, each.high_ns)
        for index, each in enumerate(stretches)
        if each is not None and each.low_ns is not None and each.high_ns is not None
    }
    shown = dict(zip(intervals, places(list(intervals.values())), strict=True))
    return [
        Standing(minute=minute, stretch=each, place=shown.get(index))
        for index, each in enumerate(stretches)
    ]


def _last_median(runner: Runner) -> tuple[bool, float]:
    last = runner.standings[-1].stretch
    return (last is None, 0.0 if last is None else last.p50_ns)
