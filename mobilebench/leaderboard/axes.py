"""What a plot of the leaderboard can have on its axes, and which points are on the front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mobilebench.leaderboard.rows import Row


class Quantity(StrEnum):
    """A number of a row that can be plotted."""

    LATENCY = "latency"
    SIZE = "size"
    PARAMS = "params"
    MACS = "macs"
    ACCURACY = "accuracy"

    @property
    def axis_title(self) -> str:
        """The title of the axis, with its unit."""
        return _TITLES[self]

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest number that there can be."""
        return (0, 100 if self is Quantity.ACCURACY else math.inf)

    @property
    def best_is_most(self) -> bool:
        """True where a larger number is the better one."""
        return self is Quantity.ACCURACY

    def of(self, row: Row) -> float | None:
        """Return the number of a row, in the unit of the title; None where it is not known."""
        match self:
            case Quantity.LATENCY:
                return row.p50_ms
            case Quantity.SIZE:
                return None if row.size_bytes is None else row.size_bytes / 1e6
            case Quantity.PARAMS:
                return None if row.params is None else row.params / 1e6
            case Quantity.MACS:
                return None if row.macs is None else row.macs / 1e9
            case Quantity.ACCURACY:
                return row.top1

    def interval(self, row: Row) -> tuple[float, float] | None:
        """Return the spread or the interval of the number, where it has one."""
        low, high = None, None
        if self is Quantity.LATENCY:
            low, high = row.spread_low_ms, row.spread_high_ms
        elif self is Quantity.ACCURACY and row.measured_top1 is not None:
            low, high = row.top1_low, row.top1_high
        return None if low is None or high is None else (low, high)


_TITLES = {
    Quantity.LATENCY: "latency, median (ms)",
    Quantity.SIZE: "size of the file (MB)",
    Quantity.PARAMS: "parameters (M)",
    Quantity.MACS: "MACs of one image (G)",
    Quantity.ACCURACY: "top-1 accuracy (%)",
}


@dataclass(frozen=True)
class Axes:
    """The two quantities of a plot."""

    x: Quantity = Quantity.LATENCY
    y: Quantity = Quantity.ACCURACY

    @property
    def timed(self) -> bool:
        """True where points of two devices or protocols must not stand in one plot."""
        return Quantity.LATENCY in (self.x, self.y)

    def point(self, row: Row) -> tuple[float, float] | None:
        """Return both numbers of a row; None where one is not known."""
        x, y = self.x.of(row), self.y.of(row)
        return None if x is None or y is None else (x, y)

    def front(self, points: Sequence[tuple[float, float]]) -> list[int]:
        """Return the positions of the points that no other one beats, by x.

        A point is beaten by one that is at least as good in both numbers and better in one.
        """
        costs = [
            (-x if self.x.best_is_most else x, -y if self.y.best_is_most else y) for x, y in points
        ]
        best = [
            place
            for place, (x, y) in enumerate(costs)
            if not any(a <= x and b <= y and (a, b) != (x, y) for a, b in costs)
        ]
        return sorted(best, key=lambda place: points[place])


KINDS = ("accuracy measured here", "published accuracy")
"""The kinds of accuracy that a plot shows, each with another sign."""


def kind(row: Row) -> str:
    """Return which kind of accuracy a row has."""
    measured, published = KINDS
    return published if row.measured_top1 is None else measured


def comparable(row: Row) -> str | None:
    """Return what rows share whose accuracies compare; None where a row's compares with none."""
    return None if row.accuracy_apart else kind(row)


def fronts_of(
    rows: Sequence[Row], points: Sequence[tuple[float, float]], axes: Axes
) -> list[list[int]]:
    """Return the positions of the points on each front: only numbers that compare share one."""
    places = range(len(rows))
    if Quantity.ACCURACY not in (axes.x, axes.y):
        return [axes.front(points)]
    fronts = []
    for each in KINDS:
        alike = [place for place in places if comparable(rows[place]) == each]
        fronts.append([alike[place] for place in axes.front([points[place] for place in alike])])
    return [front for front in fronts if front]
