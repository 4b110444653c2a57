"""One metric of one cell over time or commits, and where its level changes.

The gate compares two points, so a drift of one percent a week passes it every time. Here all runs
of a cell form one series, and change points divide it into stretches of constant level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mobilebench.errors import UserError, require_known
from mobilebench.regress.metrics import TIMED
from mobilebench.results.entry import Entry, Measured
from mobilebench.stats.changes import ChangePoint, changes, undecided
from mobilebench.values import value
from mobilebench.values.record import Record


@value
class Point:
    """One run of a history."""

    created: str
    commit: str | None
    """Commit of the repository that the run was started in."""
    number: float


@value
class Step:
    """A change of level, with the runs on both sides of it."""

    before: Point
    """Last run on the old level."""
    after: Point
    """First run on the new level."""
    ratio: float
    """New level divided by the old."""
    p_value: float
    runs: int
    """Runs on the new level."""

    @property
    def commits(self) -> str:
        """The range of commits that holds the cause, in git's notation."""
        if self.before.commit is None or self.after.commit is None:
            return f"{self.before.created} to {self.after.created}"
        if self.before.commit == self.after.commit:
            return f"within {self.after.commit[:10]}: not the code"
        return f"{self.before.commit[:10]}..{self.after.commit[:10]}"


@value
class History:
    """The runs of one cell in order, and the steps between its levels."""

    cell: str
    metric: str
    unit: str
    points: tuple[Point, ...]
    steps: tuple[Step, ...]
    undecided: Step | None = None
    """Where the last runs differ from those before, and are too few to decide."""


@dataclass(frozen=True)
class Question:
    """Which metric to follow, and which steps to report."""

    metric: str = TIMED[0].name
    alpha: float = 0.01
    smallest: float = 0.02
    """Steps smaller than this share are left out."""


def histories(records: Iterable[Record | Entry], question: Question | None = None) -> list[History]:
    """Return one history for every measured cell, the longest first.

    Entries do as well as records, and need no samples to be read.

    Raises `UnknownName` for a metric that does not exist or does not vary from run to run,
    `UserError` where there are no measurements.
    """
    query = question or Question()
    by_name = {str(metric.name): metric for metric in TIMED}
    require_known("metric with a history", query.metric, by_name)
    metric = by_name[query.metric]
    entries = [each if isinstance(each, Entry) else Entry.of(each) for each in records]
    cells: dict[object, list[tuple[Entry, Measured]]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.created, entry.record_id)):
        if entry.measured is not None:
            key = entry.network, entry.measured.identity
            cells.setdefault(key, []).append((entry, entry.measured))
    if not cells:
        raise UserError("There are no measurements to show a history of; measure something first.")
    result = []
    for series in cells.values():
        points = [
            Point(
                created=entry.created,
                commit=entry.provenance.source_commit,
                number=number * metric.scale,
            )
            for entry, measured in series
            if (number := metric.of_entry(measured)) is not None
        ]
        if not points:
            continue
        steps, hint = _steps(points, query)
        result.append(
            History(
                cell=series[-1][0].title,
                metric=metric.name,
                unit=metric.unit,
                points=tuple(points),
                steps=steps,
                undecided=hint,
            )
        )
    if not result:
        raise UserError(
            f"No record has a {metric.name} above zero; choose another metric, or measure again."
        )
    return sorted(result, key=lambda history: -len(history.points))


def _steps(points: Sequence[Point], query: Question) -> tuple[tuple[Step, ...], Step | None]:
    """Return the steps of a series, and one that its last runs may be the beginning of."""
    numbers = [point.number for point in points]
    changed = changes(numbers, alpha=query.alpha)
    ends = [*(change.index for change in changed[1:]), len(points)][: len(changed)]
    steps = [
        _step(points, change, 0, end - change.index)
        for change, end in zip(changed, ends, strict=True)
        if abs(change.ratio - 1) >= query.smallest
    ]
    start = changed[-1].index if changed else 0
    hint = undecided(numbers[start:], alpha=query.alpha)
    if hint is None or abs(hint.ratio - 1) < query.smallest:
        return tuple(steps), None
    return tuple(steps), _step(points, hint, start, len(points) - start - hint.index)


def _step(points: Sequence[Point], change: ChangePoint, start: int, runs: int) -> Step:
    return Step(
        before=points[start + change.index - 1],
        after=points[start + change.index],
        ratio=change.ratio,
        p_value=change.p_value,
        runs=runs,
    )
