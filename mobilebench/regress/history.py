"""History: one metric of one cell over time or commits, and where it changed for good.

The gate looks at two points; a drift of one percent a week passes it every time. Here all runs of a
cell are one series, and change points divide it into stretches on one level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mobilebench.errors import UserError, require_known
from mobilebench.regress.gate import key
from mobilebench.regress.metrics import TIMED
from mobilebench.stats.changes import changes
from mobilebench.values import value
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record


@value
class Point:
    """One run."""

    created: str
    commit: str | None
    """Of the repository that it was run in."""
    number: float


@value
class Step:
    """Where the level changes, and what lies on both sides."""

    before: Point
    """The last run on the old level."""
    after: Point
    """The first on the new one."""
    ratio: float
    """New level over old."""
    p_value: float

    @property
    def commits(self) -> str:
        """The range to look for the cause in, as git takes it."""
        if self.before.commit is None or self.after.commit is None:
            return f"{self.before.created} to {self.after.created}"
        if self.before.commit == self.after.commit:
            return f"within {self.after.commit[:10]}: not the code"
        return f"{self.before.commit[:10]}..{self.after.commit[:10]}"


@value
class History:
    """The runs of one cell in order, with the steps between its levels."""

    cell: str
    metric: str
    unit: str
    points: tuple[Point, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Question:
    """What a history is about."""

    metric: str = TIMED[0].name
    alpha: float = 0.01
    smallest: float = 0.02
    """Steps below this share are not worth a look."""


def histories(records: Iterable[Record], question: Question | None = None) -> list[History]:
    """One history for every cell that was measured, the longest first.

    Raises `UnknownName` for a metric that does not vary or does not exist, `UserError` where
    nothing was measured.
    """
    asked = question or Question()
    by_name = {str(metric.name): metric for metric in TIMED}
    require_known("metric with a history", asked.metric, by_name)
    metric = by_name[asked.metric]
    cells: dict[object, list[Record]] = {}
    for record in sorted(records, key=lambda record: (record.created, record.record_id)):
        if isinstance(record.outcome, Measurement):
            cells.setdefault(key(record), []).append(record)
    if not cells:
        raise UserError("There are no measurements to tell a history of; measure something first.")
    told = []
    for series in cells.values():
        points = [
            Point(
                created=record.created,
                commit=record.provenance.source_commit,
                number=metric.of_run(record) * metric.scale,
            )
            for record in series
        ]
        told.append(
            History(
                cell=series[-1].title,
                metric=metric.name,
                unit=metric.unit,
                points=tuple(points),
                steps=tuple(_steps(points, asked)),
            )
        )
    return sorted(told, key=lambda history: -len(history.points))


def _steps(points: Sequence[Point], asked: Question) -> Iterable[Step]:
    for change in changes([point.number for point in points], alpha=asked.alpha):
        if abs(change.ratio - 1) >= asked.smallest:
            yield Step(
                before=points[change.index - 1],
                after=points[change.index],
                ratio=change.ratio,
                p_value=change.p_value,
            )
