"""Fit a simulated phone to recorded series, and choose the number of clock steps.

The levels of the latency are the medians of groups of alike minutes; the rest is sought by
differential evolution, for the least mean absolute error as a share of the latency. A fit describes
what was recorded. It is no forecast: a step that was not yet seen cannot be known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mobilebench.errors import UserError
from mobilebench.thermal.ladders import Array, ranges
from mobilebench.thermal.levels import clusters
from mobilebench.thermal.recorded import Candidates, Recorded
from mobilebench.thermal.series import Minute, Series

FEWEST_STEPS, MOST_STEPS = 2, 4
NEAREST = 1.03
"""Ratio of two levels below which they count as one: medians of one step differ by up to 2 %."""
LEAST_ERROR = 1e-3
"""No error counts as smaller: the medians themselves are not better known."""
_NEAR = 1.5
"""Times the least error up to which a vector is kept for the intervals."""
_MOST_KEPT = 600


@dataclass(frozen=True)
class Search:
    """How much work a fit is."""

    runs: int = 3
    """Searches from other beginnings, of which the best is kept."""
    more: int = 5
    """Searches on top of these, for the number of steps that was chosen."""
    size: int = 30
    """Members of the population for each parameter."""
    generations: int = 120


@dataclass(frozen=True)
class Fit:
    """A phone that was fitted to series."""

    recorded: Recorded
    best: Candidates
    """Of one phone."""
    others: Candidates
    """Some that came near it in the search."""
    seed: int

    @property
    def steps(self) -> int:
        """Number of clock steps."""
        return int(self.best.levels.shape[1])

    @property
    def parameters(self) -> int:
        """Numbers that were fitted, the levels among them."""
        return int(self.best.vectors.shape[1]) + self.steps

    @property
    def predicted(self) -> Array:
        """(minutes, S) medians, missing minutes included."""
        predicted: Array = self.best.predicted(self.recorded)[:, 0]
        return predicted

    @property
    def error(self) -> float:
        """Mean absolute error over all minutes, as a share of the latency."""
        return float(self.recorded.error(self.predicted[:, None])[0])

    @property
    def errors(self) -> tuple[float, ...]:
        """The same for each series."""
        return tuple(map(float, self.recorded.errors(self.predicted[:, None])[0]))

    @property
    def criterion(self) -> float:
        """Schwarz's criterion for errors with Laplace's distribution; the least is the best.

        2 n ln(error) + k ln(n) for n minutes and k fitted numbers (Schwarz 1978).
        """
        count = self.recorded.count
        error = max(self.error, LEAST_ERROR)
        return 2 * count * math.log(error) + self.parameters * math.log(count)


def fit(series: Sequence[Series], steps: int, seed: int = 0, search: Search | None = None) -> Fit:
    """Fit one phone with some clock steps to series of it, each with its own start temperature.

    Raises `UserError` where the series have fewer different latencies than steps.
    """
    recorded = Recorded.of(series)
    if len(set(recorded.values)) < steps:
        raise UserError(
            f"{steps} clock steps cannot be fitted to {len(set(recorded.values))} different "
            f"latencies; give a longer series, or fewer --steps."
        )
    return _fit(recorded, steps, seed, search or Search())


def fits(series: Sequence[Series], seed: int = 0, search: Search | None = None) -> tuple[Fit, ...]:
    """Fit with two, three and four clock steps, as far as there are different latencies.

    Raises `UserError` where the latencies are so alike that no step is seen.
    """
    values = Recorded.of(series).values
    if len(set(values)) < FEWEST_STEPS or _nearest(clusters(values, 2)) < NEAREST:
        raise UserError(
            f"The latencies stay within {max(values) / min(values) - 1:.1%} of each other, so no "
            f"clock step is seen and nothing can be fitted; record a longer run, back to back."
        )
    most = min(MOST_STEPS, len({value for each in series for value in each.medians_ms}))
    counts = range(FEWEST_STEPS, max(most, FEWEST_STEPS) + 1)
    return tuple(fit(series, steps, seed, search) for steps in counts)


def choose(candidates: Sequence[Fit]) -> Fit:
    """Return the fit with the least criterion among those whose steps can be told apart."""
    apart = [each for each in candidates if _nearest(each.best.levels[0]) >= NEAREST]
    return min(apart or candidates, key=lambda each: (each.criterion, each.steps))


def _nearest(levels: Sequence[float] | Array) -> float:
    """Return the least ratio of two neighbouring levels."""
    return min(float(slower / faster) for faster, slower in pairwise(levels))


def shuffled(fit: Fit, search: Search | None = None) -> Fit:
    """Fit the same number of steps to the same minutes in random order.

    What is fitted as well as this, is fitted whatever happened.
    """
    random = np.random.default_rng(fit.seed)
    series = []
    for each in fit.recorded.series:
        order = random.permutation(len(each.minutes))
        minutes = tuple(
            _moved(each.minutes[int(source)], place.index)
            for source, place in zip(order, each.minutes, strict=True)
        )
        series.append(replace(each, minutes=minutes))
    recorded = replace(Recorded.of(series), spread=fit.recorded.spread)
    return _fit(recorded, fit.steps, fit.seed, search or Search())


def searched_on(fit: Fit, search: Search | None = None) -> Fit:
    """Search on from other beginnings: for places that are as good, and a better one."""
    search = search or Search()
    if search.more == 0:
        return fit
    more = _fit(fit.recorded, fit.steps, fit.seed, replace(search, runs=search.more), search.runs)
    better, worse = sorted((fit, more), key=lambda each: each.error)
    vectors = np.concatenate([better.others.vectors, worse.others.vectors])
    levels = np.concatenate([better.others.levels, worse.others.levels])
    return replace(better, others=Candidates(vectors, levels))


def _moved(minute: Minute, index: int) -> Minute:
    return replace(minute, index=index)


def _fit(recorded: Recorded, steps: int, seed: int, search: Search, first: int = 0) -> Fit:
    from scipy.optimize import differential_evolution

    levels = np.array(clusters(recorded.values, steps))

    def candidates(vectors: Array) -> Candidates:
        return Candidates(vectors, np.broadcast_to(levels, (len(vectors), steps)))

    tried: list[tuple[Array, Array]] = []

    def error(columns: NDArray[np.float64]) -> Array:
        errors = recorded.error(candidates(columns.T).predicted(recorded))
        tried.append((columns.T.copy(), errors))
        return errors

    results = [
        differential_evolution(
            error,
            ranges(steps, len(recorded.series)),
            popsize=search.size,
            maxiter=search.generations,
            # Tried on four real series: higher recombination and a lower least mutation than
            # usual end with half the error, since only some sets of numbers move a step.
            mutation=(0.3, 0.9),
            recombination=0.9,
            tol=0,
            polish=False,
            updating="deferred",
            vectorized=True,
            rng=np.random.default_rng([seed, run]),
        )
        for run in range(first, first + search.runs)
    ]
    best = min(results, key=lambda result: float(result.fun))
    return Fit(recorded, candidates(best.x[None]), candidates(_good(tried)), seed)


def _good(tried: Sequence[tuple[Array, Array]]) -> Array:
    """Return some of the vectors that came near the best one, from the whole search.

    A search ends in one place; on its way it was in others that are as good.
    """
    vectors = np.concatenate([each for each, _ in tried])
    errors = np.concatenate([each for _, each in tried])
    good = vectors[errors <= _NEAR * max(float(errors.min()), LEAST_ERROR)]
    return good[:: max(len(good) // _MOST_KEPT, 1)]
