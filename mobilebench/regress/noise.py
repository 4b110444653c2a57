"""Measure how noisy a device is, and how small a change it can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, log1p
from typing import Any

import numpy as np

from mobilebench.regress.metrics import LATENCIES
from mobilebench.regress.rule import MIN_PAIRS, Rule
from mobilebench.stats.permutation import flips, joint_sign_flip
from mobilebench.values import value
from mobilebench.values.record import Record

Array = np.ndarray[Any, Any]
EFFECTS = (0.03, 0.05, 0.10)
POWER = 0.95
MIN_CALIBRATION = 4
"""Pairs below which their spread would mean nothing."""
MOST_PAIRS = 64
_TRIALS = 1000
_FLIPS = 1 << 10
_MEDIAN = LATENCIES[0]


@value
class Noise:
    """How much the median latency of one artifact varies on one device.

    It is computed from interleaved pairs of runs; all spreads are shares.
    """

    pairs: int
    within: float
    """Spread of the iterations within a run: the median over the runs."""
    between: float
    """Spread of the medians between runs."""
    between_neighbours: float
    """The same from the differences within pairs: what interleaving leaves of it."""
    false_alarms: float
    """False-positive rate of the gate, estimated by shuffling the sides of each pair. Every
    comparison draws `MIN_PAIRS` of these pairs."""
    detectable: tuple[tuple[int, float], ...]
    """Number of pairs, and the smallest slowdown that they find with 95 % probability."""
    needed: tuple[tuple[float, int | None], ...]
    """Slowdown, and the number of pairs that finds it with 95 % probability. None where
    `MOST_PAIRS` are too few: no number of pairs finds a slowdown below the tolerance."""


def measure(first: Sequence[Record], second: Sequence[Record], rule: Rule) -> Noise:
    """Compute the noise of a device from pairs of runs of the same artifact.

    Raises `ValueError` for fewer than four pairs: their spread would mean nothing.
    """
    if len(first) != len(second) or len(first) < MIN_CALIBRATION:
        raise ValueError(f"noise needs four pairs, not {len(first)} and {len(second)} runs")
    numbers = [
        [[metric.of_run(record) or np.nan for record in side] for metric in LATENCIES]
        for side in (first, second)
    ]
    if not np.isfinite(numbers).all():
        raise ValueError("noise needs latencies in every run")
    logs = np.log(numbers)
    both = logs[1] - logs[0]
    differences = both[0]
    within = [_spread(np.log(_MEDIAN.series(record))) for record in (*first, *second)]
    power = _Power(both, rule, np.random.default_rng(0))
    return Noise(
        pairs=len(first),
        within=float(np.median(within)),
        between=float(np.std(logs[:, 0], ddof=1)),
        between_neighbours=float(np.sqrt(np.mean(differences**2) / 2)),
        false_alarms=power.detection_rate(MIN_PAIRS, 0.0),
        detectable=tuple((pairs, power.detectable(pairs)) for pairs in (8, 12, 16, 24)),
        needed=tuple((effect, power.needed(effect)) for effect in EFFECTS),
    )


def _spread(logs: Array) -> float:
    """Return the standard deviation of the bulk, by the median absolute deviation.

    Single interruptions do not move it.
    """
    return float(1.4826 * np.median(np.abs(logs - np.median(logs))))


@dataclass(frozen=True)
class _Power:
    """How often the rule finds a slowdown, in pairs drawn from the observed ones.

    Sides are exchanged at random, so that the observed pairs contain no change.
    """

    differences: Array
    """Log ratios of both latencies of each pair: (2, pairs)."""
    rule: Rule
    rng: np.random.Generator

    def detection_rate(self, pairs: int, effect: float) -> float:
        """Return the share of comparisons of `pairs` pairs in which a latency regresses."""
        index = self.rng.integers(0, self.differences.shape[1], size=(_TRIALS, pairs))
        signs = self.rng.choice((-1.0, 1.0), size=(_TRIALS, 1, pairs))
        draws = np.moveaxis(self.differences[:, index], 0, 1) * signs + log1p(effect)
        bounds = [log1p(max(self.rule.tolerance, metric.least_tolerance)) for metric in LATENCIES]
        large = draws.mean(axis=2) > bounds
        draws, large = draws[large.any(axis=1)], large[large.any(axis=1)]
        if not draws.size:
            return 0.0
        p_values = joint_sign_flip(draws, flips(pairs, _FLIPS))
        alarms = (p_values < self.rule.alpha) & large
        return float(alarms.any(axis=1).sum() / _TRIALS)

    def needed(self, effect: float) -> int | None:
        """Return the fewest pairs, among those tried, that find an effect with 95 % probability."""
        for pairs in (8, 9, 10, 12, 14, 16, 20, 24, 32, 48, MOST_PAIRS):
            if self.detection_rate(pairs, effect) >= POWER:
                return pairs
        return None

    def detectable(self, pairs: int) -> float:
        """Return the smallest effect that `pairs` find with 95 % probability, by bisection."""
        low, high = 0.0, log1p(1.0)
        for _ in range(10):
            middle = (low + high) / 2
            if self.detection_rate(pairs, expm1(middle)) >= POWER:
                high = middle
            else:
                low = middle
        return expm1(high)
