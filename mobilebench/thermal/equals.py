"""Find how far the numbers of a fit can move while it stays as good.

    equally good: n minutes, error <= least error * exp(chi2 / 2n)

That is the likelihood-ratio region of 95 % for errors with Laplace's distribution, with chi2 the
quantile for all fitted numbers together. A crowd of phones walks through the region by differences
between its members (ter Braak 2006) and by fresh draws of single numbers; the ends of the walk are
the intervals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilebench.thermal import population
from mobilebench.thermal.degrees import Numbers, numbers
from mobilebench.thermal.fitting import LEAST_ERROR, Fit
from mobilebench.thermal.ladders import Array, ranges
from mobilebench.thermal.recorded import Candidates

CONFIDENCE = 0.95
_FRESH = 0.3
"""Share of the moves that draw one number anew."""
_BACK = 0.2
"""Share of the moves away from an end that those who push towards it take."""
_GATHERED = 12
"""Rounds after which the crowds gather again from all that were met."""
_LEVELS = 0.15
"""Most that a level moves from the median of its group, as a logarithm."""
WIDE_RATIO = 2.0
WIDE_C = 5.0
WIDE_LEVEL = 0.05

Interval = tuple[float, float]


@dataclass(frozen=True)
class Walk:
    """How much work the intervals are."""

    members: int = 200
    """Of the crowd that goes anywhere."""
    pushing: int = 48
    """Members for each end of a time constant or trip."""
    rounds: int = 300


@dataclass(frozen=True)
class Equals:
    """A fit, and the numbers of all phones that are as good."""

    fit: Fit
    """With the best phone that the walk met."""
    count: int
    most_error: float
    numbers: Numbers
    """Of the best phone; N is 1."""
    time_constants_s: tuple[Interval, ...]
    trips_c: tuple[Interval, ...]
    hysteresis_c: Interval
    least_s: Interval
    starts_c: tuple[Interval, ...]
    exponent: Interval
    levels_ms: tuple[Interval, ...]

    @property
    def not_identified(self) -> tuple[str, ...]:
        """What the series does not settle.

        A time that spans more than a factor of two, a trip more than 5 degrees, a level more than
        5 %.
        """
        names = []
        for word, (least, most) in zip(("fast", "slow"), self.time_constants_s, strict=True):
            if most > WIDE_RATIO * least:
                names.append(f"{word} time constant")
        for place, (least, most) in enumerate(self.trips_c, start=1):
            if most - least > WIDE_C:
                names.append(f"trip {place}")
        if self.hysteresis_c[1] > WIDE_RATIO * self.hysteresis_c[0]:
            names.append("hysteresis")
        if self.least_s[1] > WIDE_RATIO * self.least_s[0]:
            names.append("least time between moves")
        if self.exponent[1] - self.exponent[0] > 1:
            names.append("power of the slower steps")
        for place, (least, most) in enumerate(self.levels_ms, start=1):
            if most > (1 + WIDE_LEVEL) * least:
                names.append(f"latency of step {place}")
        return tuple(names)


def equally_good(fit: Fit, walk: Walk | None = None) -> Equals:
    """Walk through the phones that fit as well, and return their intervals.

    One crowd goes anywhere in the region. For each end of a time constant or trip another one
    mostly takes steps towards that end, as a profile of the likelihood does.
    """
    walk = walk or Walk()
    random = np.random.default_rng([fit.seed, 1])
    space = _Space(fit)
    every = space.beginning()
    crowd = _Crowd(walk, every.good(space.limit(every)), random)
    parts = [every]
    least = every.errors.min()
    for turn in range(walk.rounds):
        limit = space.limit(every)
        moved = space.moved(crowd.people.points, random)
        taken = crowd.take(space.met(moved, limit), limit, random)
        parts.append(taken)
        if turn % _GATHERED == 0 or taken.better_than(least):
            every = _People.joined(parts)
            every = every.good(space.limit(every))
            least = every.errors.min()
            parts = [every]
            crowd = _Crowd(walk, every, random)
    every = _People.joined(parts)
    limit = space.limit(every)
    return _equals(space, every.good(limit), limit)


@dataclass(frozen=True)
class _People:
    """Phones that the walk met; every array has N rows."""

    points: Array
    errors: Array
    numbers: Numbers

    def where(self, rows: Any) -> _People:
        return _People(self.points[rows], self.errors[rows], self.numbers.where(rows))

    def good(self, limit: float) -> _People:
        return self.where(self.errors <= limit)

    def better_than(self, error: float) -> bool:
        return bool((self.errors < error).any())

    @classmethod
    def joined(cls, parts: Sequence[_People]) -> _People:
        return cls(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.errors for part in parts]),
            Numbers.joined([part.numbers for part in parts]),
        )


class _Crowd:
    """Who walks: some anywhere, and some towards each end."""

    def __init__(self, walk: Walk, every: _People, random: np.random.Generator) -> None:
        count = len(every.errors)
        rows = [random.choice(count, walk.members, replace=count < walk.members)]
        columns = [np.full(walk.members, -1)]
        signs = [np.zeros(walk.members)]
        ends = every.numbers.ends
        for column in range(ends.shape[1]):
            for sign in (-1.0, 1.0):
                order = np.argsort(-sign * ends[:, column])
                rows.append(np.resize(order, walk.pushing))
                columns.append(np.full(walk.pushing, column))
                signs.append(np.full(walk.pushing, sign))
        self.people = every.where(np.concatenate(rows))
        self.column = np.concatenate(columns)
        self.sign = np.concatenate(signs)

    def take(self, new: _People, limit: float, random: np.random.Generator) -> _People:
        """Move to the new places that are as good; return them all, wanted or not."""
        good = new.errors <= limit
        rows = np.arange(len(good))
        change = (new.numbers.ends - self.people.numbers.ends)[rows, self.column] * self.sign
        wanted = good & ((change >= 0) | (random.random(len(good)) < _BACK))
        both = _People.joined([self.people, new])
        self.people = both.where(np.where(wanted, rows + len(rows), rows))
        return new.where(good)


class _Space:
    """The numbers of a fit and the shifts of its levels, in one vector."""

    def __init__(self, fit: Fit) -> None:
        self.fit = fit
        bounds = [
            *ranges(fit.steps, len(fit.recorded.series)),
            *[(-_LEVELS, _LEVELS)] * fit.steps,
        ]
        self.least, self.most = np.array(bounds).T
        self.levels = np.log(fit.best.levels[0])

    def candidates(self, points: Array) -> Candidates:
        steps = self.fit.steps
        return Candidates(points[:, :-steps], np.exp(self.levels + points[:, -steps:]))

    def met(self, points: Array, limit: float = np.inf) -> _People:
        """Simulate phones; one that is outside the ranges has an infinite error."""
        recorded, candidates = self.fit.recorded, self.candidates(points)
        course = candidates.course(recorded)
        predicted = population.medians(course.steps, candidates.levels, recorded.spread)
        errors = np.where(self.inside(points), recorded.error(predicted), np.inf)
        return _People(points, errors, numbers(recorded, candidates, course))

    def limit(self, people: _People) -> float:
        from scipy.stats import chi2

        freedom = float(chi2.ppf(CONFIDENCE, self.fit.parameters))
        least = max(float(people.errors.min()), LEAST_ERROR)
        return least * math.exp(freedom / (2 * self.fit.recorded.count))

    def beginning(self) -> _People:
        vectors = np.concatenate([self.fit.best.vectors, self.fit.others.vectors])
        return self.met(np.concatenate([vectors, np.zeros((len(vectors), self.fit.steps))], axis=1))

    def moved(self, points: Array, random: np.random.Generator) -> Array:
        """Return a place to try for each point; outside the ranges it is drawn back into them."""
        count, size = points.shape
        one, other = random.integers(count, size=(2, count))
        scale = random.choice([0.1, 0.3, 0.6, 1.0], size=(count, 1))
        moved = points + scale * (points[one] - points[other])
        fine = 10 ** random.uniform(-4, -1.5, size=(count, 1))
        moved += random.normal(size=points.shape) * fine * (self.most - self.least)
        fresh = np.flatnonzero(random.random(count) < _FRESH)
        moved[fresh] = points[fresh]
        place = random.integers(size, size=len(fresh))
        moved[fresh, place] = random.uniform(self.least[place], self.most[place])
        inside: Array = np.clip(moved, self.least, self.most)
        return inside

    def inside(self, points: Array) -> NDArray[np.bool_]:
        """Return which points have levels that rise."""
        gaps = np.diff(self.candidates(points).levels, axis=1)
        return np.asarray(gaps.min(axis=1) > 0)


def _equals(space: _Space, good: _People, limit: float) -> Equals:
    best = good.where([int(good.errors.argmin())])

    def spans(array: Array) -> tuple[Interval, ...]:
        return tuple(
            (float(least), float(most))
            for least, most in zip(array.min(axis=0), array.max(axis=0), strict=True)
        )

    every = good.numbers
    return Equals(
        fit=replace(space.fit, best=space.candidates(best.points)),
        count=len(good.errors),
        most_error=limit,
        numbers=best.numbers,
        time_constants_s=spans(every.time_constants_s),
        trips_c=spans(every.trips_c),
        hysteresis_c=spans(every.hysteresis_c)[0],
        least_s=spans(every.least_s)[0],
        starts_c=spans(every.starts_c),
        exponent=spans(every.exponent)[0],
        levels_ms=spans(every.levels_ms),
    )
