"""Noise: what runs of one and the same artifact on one device say of what can be told there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, log1p
from typing import Any

import numpy as np

from mobilebench.regress.metrics import TIMED
from mobilebench.regress.rule import MIN_PAIRS, Rule
from mobilebench.values import value
from mobilebench.values.record import Record

Array = np.ndarray[Any, Any]
EFFECTS = (0.03, 0.05, 0.10)
POWER = 0.95
MOST_PAIRS = 64
_TRIALS = 2000
_FLIPS = 1 << 12
_MEDIAN = TIMED[0]


@value
class Noise:
    """How much the median latency of one artifact varies on one device, from pairs of runs that
    ran side by side; all spreads are shares."""

    pairs: int
    within: float
    """Spread of the iterations of a run: the median over the runs."""
    between: float
    """Spread of the medians of runs."""
    between_neighbours: float
    """The same, by the differences within pairs: what interleaving leaves of it."""
    false_alarms: float
    """Share of comparisons of so many pairs as the gate takes, drawn from these pairs with their
    sides dealt out at will, that it would call a regression."""
    detectable: tuple[tuple[int, float], ...]
    """Pairs, and the smallest slowdown that so many find with a probability of 95 %."""
    needed: tuple[tuple[float, int | None], ...]
    """Slowdown, and the pairs that find it with that probability; None where `MOST_PAIRS` do not,
    as no number of pairs finds what lies below the tolerance."""


def measure(first: Sequence[Record], second: Sequence[Record], rule: Rule) -> Noise:
    """The noise of a device by pairs of runs of the same artifact.

    Raises `ValueError` for less than four pairs: their spread would say nothing.
    """
    if len(first) != len(second) or len(first) < 4:
        raise ValueError(f"noise needs four pairs, not {len(first)} and {len(second)} runs")
    logs = [np.log([_MEDIAN.of_run(record) for record in side]) for side in (first, second)]
    differences = logs[1] - logs[0]
    within = [_spread(np.log(_MEDIAN.series(record))) for record in (*first, *second)]
    power = _Power(differences, rule, np.random.default_rng(0))
    return Noise(
        pairs=len(first),
        within=float(np.median(within)),
        between=float(np.std(np.concatenate(logs), ddof=1)),
        between_neighbours=float(np.sqrt(np.mean(differences**2) / 2)),
        false_alarms=power.found(MIN_PAIRS, 0.0),
        detectable=tuple((pairs, power.detectable(pairs)) for pairs in (8, 12, 16, 24)),
        needed=tuple((effect, power.needed(effect)) for effect in EFFECTS),
    )


def _spread(logs: Array) -> float:
    """Standard deviation of the bulk: by the median absolute deviation, which single interruptions
    do not move."""
    return float(1.4826 * np.median(np.abs(logs - np.median(logs))))


@dataclass(frozen=True)
class _Power:
    """How often the rule finds a slowdown, in pairs drawn from those that were seen.

    Sides are dealt out at will, so that what was seen has no change in it.
    """

    differences: Array
    rule: Rule
    rng: np.random.Generator

    def found(self, pairs: int, effect: float) -> float:
        """The share of comparisons of so many pairs that are called a regression."""
        drawn = self.rng.choice(self.differences, size=(_TRIALS, pairs))
        drawn *= self.rng.choice((-1.0, 1.0), size=drawn.shape)
        drawn += log1p(effect)
        means = drawn.mean(axis=1)
        flips = self._flips(pairs)
        chance = np.abs(drawn) @ flips.T / pairs
        p_values = (chance >= means[:, None] - 1e-12).mean(axis=1)
        called = (p_values < self.rule.alpha) & (means > log1p(self.rule.tolerance))
        return float(called.mean())

    def _flips(self, pairs: int) -> Array:
        """Every way to exchange the sides, or many."""
        if 1 << pairs <= _FLIPS:
            bits = np.arange(1 << pairs)[:, None] >> np.arange(pairs)
            flips: Array = (bits & 1) * 2.0 - 1.0
            return flips
        drawn: Array = self.rng.choice((-1.0, 1.0), size=(_FLIPS, pairs))
        return drawn

    def needed(self, effect: float) -> int | None:
        """The fewest pairs, among those tried, that find an effect with a probability of 95 %."""
        for pairs in (8, 9, 10, 12, 14, 16, 20, 24, 32, 48, MOST_PAIRS):
            if self.found(pairs, effect) >= POWER:
                return pairs
        return None

    def detectable(self, pairs: int) -> float:
        """The smallest effect that so many pairs find with a probability of 95 %, by bisection."""
        low, high = 0.0, log1p(1.0)
        for _ in range(10):
            middle = (low + high) / 2
            if self.found(pairs, expm1(middle)) >= POWER:
                high = middle
            else:
                low = middle
        return expm1(high)
