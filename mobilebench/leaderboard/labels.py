"""Place the labels of a plot where they cover neither points nor each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FONT_PX = 11
_LETTER = 0.52
"""Width of a letter over the size of the font: the mean of a sans-serif font."""
_POINT = 6.0
"""Half the side of the square that a point covers, in pixels."""
_RINGS = (9.0, 14.0, 22.0, 34.0, 50.0, 70.0)
"""Distances from a point at which places are tried, in pixels."""
_APART = 1.3
"""How much farther than its own point another one has to be, so that nobody mistakes it."""
_STRAY = 60.0
_NEAR = _RINGS[1]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Return the area that two rectangles share."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, tall)

    def distance(self, point: tuple[float, float]) -> float:
        """Return how far a point is from the rectangle; 0 inside."""
        x, y = point
        return math.hypot(
            max(self.left - x, 0, x - self.right), max(self.top - y, 0, y - self.bottom)
        )

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True)
class Label:
    """The place of one label."""

    box: Box
    reach: float
    """Distance from the point, in pixels."""

    @property
    def led(self) -> bool:
        """True where it is so far from its point that a line has to lead there."""
        return self.reach > _NEAR

    def edge(self, point: tuple[float, float]) -> tuple[float, float]:
        """Return the place of the label that is nearest to a point."""
        x, y = point
        return (
            min(max(x, self.box.left), self.box.right),
            min(max(y, self.box.top), self.box.bottom),
        )

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box.left + self.box.right) / 2, (self.box.top + self.box.bottom) / 2


def place(
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    size: tuple[float, float],
    lines: Sequence[Box] = (),
) -> list[Label]:
    """Return a place for each text beside its point, within an area of `size`, (W, H).

    Points are in pixels, y downwards; `lines` are what should not be covered either. Each label in
    turn takes the nearest of the places around its point that cover the least.
    """
    squares = [Box(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in points]
    area = Box(0, 0, *size)
    labels: dict[int, Label] = {}
    # Crowded points first, as they have the fewest free places.
    for index in sorted(range(len(points)), key=lambda i: _loneliness(points, i)):
        taken = [*squares, *(label.box for label in labels.values())]

        others = [point for point in points if point != points[index]]

        def cost(
            label: Label,
            index: int = index,
            taken: Sequence[Box] = taken,
            others: Sequence[tuple[float, float]] = others,
        ) -> float:
            covered = sum(label.box.overlap(other) for other in taken)
            outside = label.box.area - label.box.overlap(area)
            crossed = sum(label.box.overlap(line) for line in lines)
            nearest = min(others, key=label.box.distance, default=None)
            own = label.box.distance(points[index])
            stray = (
                not label.led and nearest is not None and label.box.distance(nearest) < _APART * own
            )
            return covered + 2 * outside + 0.3 * crossed + label.reach + _STRAY * stray

        # `min` takes the first of equal ones, which is the most usual.
        labels[index] = min(_places(points[index], texts[index], area), key=cost)
    return [labels[index] for index in range(len(points))]


def _loneliness(points: Sequence[tuple[float, float]], index: int) -> float:
    x, y = points[index]
    others = (abs(a - x) + abs(b - y) for i, (a, b) in enumerate(points) if i != index)
    return min(others, default=0.0)


def width(text: str) -> float:
    """Return the width of a text in pixels, by the mean width of a letter."""
    return _LETTER * FONT_PX * len(text)


def shortened(text: str, room: float) -> str:
    """Return a text that fits into some pixels, without its middle where it is too long."""
    most = int(room / (_LETTER * FONT_PX))
    if len(text) <= most:
        return text
    start = (most - 1) // 2
    return f"{text[:start]}…{text[len(text) - (most - 1 - start) :]}"


def _places(point: tuple[float, float], text: str, area: Box) -> Iterator[Label]:
    """Yield the places around a point within an area, the nearest and most usual first."""
    x, y = point
    wide, tall = width(text), 1.2 * FONT_PX
    for ring in _RINGS:
        for across, down in (
            (1, 0), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1), (0, -1), (0, 1),
        ):  # fmt: skip
            left = x + ring * across + wide * (across - 1) / 2
            top = y + ring * down + tall * (down - 1) / 2
            # Moved along, so that a long label crosses neither an axis nor the title.
            left = max(area.left, min(left, area.right - wide))
            top = max(area.top, min(top, area.bottom - tall))
            yield Label(Box(left, top, left + wide, top + tall), reach=ring)
