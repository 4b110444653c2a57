"""Find how far the numbers of a fit can move while it stays as good.

    equally good: n minutes, error <= least error * exp(chi2 / 2n)

That is the likelihood-ratio region of 95 % for errors with Laplace's distribution, with chi2 the
quantile for all fitted numbers together. A crowd of phones walks through the region by differences
between its members (ter Braak 2006) and by fresh draws of single numbers; the ends of the walk are
the intervals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2

from mobilebench.thermal.fitting import LEAST_ERROR, Candidates, Fit
from mobilebench.thermal.population import (
    POLL_S,
    Array,
    Parameters,
    ladder,
    modes,
    ranges,
)

CONFIDENCE = 0.95
ASSUMED_AIR_C = 25.0
ASSUMED_RISE_C = 25.0
"""Of the skin, in the end, at the fastest step; where no temperature was recorded."""
_LEAST_AIR_C = 0.0
_RISES_C = (5.0, 80.0)
_FRESH = 0.3
"""Share of the moves that draw one number anew."""
_LEVELS = 0.06
"""Most that a level moves from the median of its group, as a logarithm."""
WIDE_RATIO = 2.0
WIDE_C = 5.0
WIDE_LEVEL = 0.05

Interval = tuple[float, float]


@dataclass(frozen=True)
class Walk:
    """How much work the intervals are."""

    members: int = 150
    rounds: int = 300


@dataclass(frozen=True)
class Numbers:
    """What N phones are, in the units that people use."""

    time_constants_s: Array
    """(N, 2): the fast and the slow one."""
    trips_c: Array
    """(N, K - 1)"""
    hysteresis_c: Array
    least_s: Array
    starts_c: Array
    """(N, S)"""
    air_c: Array
    rise_c: Array
    exponent: Array
    levels_ms: Array
    """(N, K)"""


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


def numbers(fit: Fit, candidates: Candidates) -> Numbers:
    """Convert phones to degrees and seconds, by the battery's temperatures where there are any."""
    parameters = Parameters.of(candidates.vectors, candidates.levels.shape[1])
    air, rise = _degrees(fit, candidates)
    return Numbers(
        modes(ladder(parameters)).time_constants_s[:, 1:],
        air[:, None] + parameters.trips * rise[:, None],
        parameters.hysteresis * rise,
        parameters.least_polls * POLL_S,
        air[:, None] + parameters.starts * rise[:, None],
        air,
        rise,
        parameters.exponent,
        candidates.levels,
    )


def has_temperatures(fit: Fit) -> bool:
    """Return whether enough temperatures of the battery were recorded to tell degrees."""
    return int(np.isfinite(_temperatures(fit)).sum()) >= 5


def _temperatures(fit: Fit) -> Array:
    """(minutes, S), NaN where unknown."""
    recorded = np.full(fit.recorded.medians.shape, np.nan)
    for column, series in enumerate(fit.recorded.series):
        for minute in series.minutes:
            if minute.battery_c is not None:
                recorded[minute.index, column] = minute.battery_c
    return recorded


def _degrees(fit: Fit, candidates: Candidates) -> tuple[Array, Array]:
    """Return the air and the rise in the end: the line of least squares through the battery's."""
    count = len(candidates.vectors)
    if not has_temperatures(fit):
        return np.full(count, ASSUMED_AIR_C), np.full(count, ASSUMED_RISE_C)
    recorded = _temperatures(fit)
    known = np.isfinite(recorded)
    simulated = candidates.course(fit.recorded).battery.swapaxes(0, 1)[:, known]
    seen = recorded[known]
    mean = simulated.mean(axis=1)
    apart = simulated - mean[:, None]
    slope = (apart * (seen - seen.mean())).sum(axis=1) / np.maximum((apart**2).sum(axis=1), 1e-12)
    rise = np.clip(slope, *_RISES_C)
    air = seen.mean() - rise * mean
    # A phone at work is not colder than the air. Where the line says so, it is drawn through the
    # coldest temperature instead.
    coldest = max(float(seen.min()), _LEAST_AIR_C)
    through = (simulated * (seen - coldest)).sum(axis=1) / (simulated**2).sum(axis=1)
    rise = np.where(air > coldest, np.clip(through, *_RISES_C), rise)
    return np.clip(air, _LEAST_AIR_C, coldest), rise


def equally_good(fit: Fit, walk: Walk | None = None) -> Equals:
    """Walk through the phones that fit as well, and return their intervals."""
    walk = walk or Walk()
    random = np.random.default_rng([fit.seed, 1])
    space = _Space(fit)
    points, errors = space.beginning(walk.members, random)
    met = [points[errors <= space.limit(errors.min())]]
    met_errors = [errors[errors <= space.limit(errors.min())]]
    limit = space.limit(errors.min())
    points, errors = _fill(met[0], met_errors[0], walk.members, random)
    for _ in range(walk.rounds):
        moved = space.moved(points, random)
        inside = space.inside(moved)
        new = np.full(len(moved), np.inf)
        if inside.any():
            new[inside] = space.errors(moved[inside])
        # A better phone lowers the limit; those that are then too far off walk no further.
        limit = min(limit, space.limit(float(new.min())))
        taken = new <= limit
        points = np.where(taken[:, None], moved, points)
        errors = np.where(taken, new, errors)
        met.append(points[taken])
        met_errors.append(errors[taken])
        left = errors <= limit
        if not left.all():
            points, errors = _fill(points[left], errors[left], walk.members, random)
    every, every_error = np.concatenate(met), np.concatenate(met_errors)
    good = every[every_error <= limit]
    best = every[every_error.argmin()][None]
    return _equals(replace(fit, best=space.candidates(best)), space.candidates(good), limit)


def _fill(
    points: Array, errors: Array, count: int, random: np.random.Generator
) -> tuple[Array, Array]:
    """Return `count` of the points, some of them several times where there are fewer."""
    order = np.argsort(errors)
    if len(order) > count:
        order = np.concatenate([order[:1], random.choice(order[1:], count - 1, replace=False)])
    else:
        order = np.resize(order, count)
    return points[order], errors[order]


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
        self.fine = np.where(np.arange(len(bounds)) < len(bounds) - fit.steps, 1e-3, 3e-2)

    def candidates(self, points: Array) -> Candidates:
        steps = self.fit.steps
        return Candidates(points[:, :-steps], np.exp(self.levels + points[:, -steps:]))

    def errors(self, points: Array) -> Array:
        recorded = self.fit.recorded
        return recorded.error(self.candidates(points).predicted(recorded))

    def limit(self, least: float) -> float:
        freedom = float(chi2.ppf(CONFIDENCE, self.fit.parameters))
        return max(least, LEAST_ERROR) * math.exp(freedom / (2 * self.fit.recorded.count))

    def beginning(self, count: int, random: np.random.Generator) -> tuple[Array, Array]:
        vectors = np.concatenate([self.fit.best.vectors, self.fit.others.vectors])
        points = np.concatenate([vectors, np.zeros((len(vectors), self.fit.steps))], axis=1)
        return points, self.errors(points)

    def moved(self, points: Array, random: np.random.Generator) -> Array:
        count, size = points.shape
        one, other = random.integers(count, size=(2, count))
        scale = random.choice([0.2, 0.5, 1.0], size=(count, 1))
        moved = points + scale * (points[one] - points[other])
        moved += random.normal(size=points.shape) * self.fine * (self.most - self.least)
        fresh = np.flatnonzero(random.random(count) < _FRESH)
        moved[fresh] = points[fresh]
        place = random.integers(size, size=len(fresh))
        drawn = random.uniform(self.least[place], self.most[place])
        moved[fresh, place] = drawn
        return moved

    def inside(self, points: Array) -> Array:
        within = ((points >= self.least) & (points <= self.most)).all(axis=1)
        rising = (np.diff(self.candidates(points).levels, axis=1) > 0).all(axis=1)
        both: Array = within & rising
        return both


def _equals(fit: Fit, good: Candidates, limit: float) -> Equals:
    every = numbers(fit, good)

    def spans(array: Array) -> tuple[Interval, ...]:
        return tuple(
            (float(least), float(most))
            for least, most in zip(array.min(axis=0), array.max(axis=0), strict=True)
        )

    return Equals(
        fit=fit,
        count=len(good.vectors),
        most_error=limit,
        numbers=numbers(fit, fit.best),
        time_constants_s=spans(every.time_constants_s),
        trips_c=spans(every.trips_c),
        hysteresis_c=spans(every.hysteresis_c[:, None])[0],
        least_s=spans(every.least_s[:, None])[0],
        starts_c=spans(every.starts_c),
        exponent=spans(every.exponent[:, None])[0],
        levels_ms=spans(every.levels_ms),
    )
