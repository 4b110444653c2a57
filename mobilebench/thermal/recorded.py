"""Put series on one grid of minutes, and compare simulated phones with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

import numpy as np

from mobilebench.thermal import population
from mobilebench.thermal.ladders import Array, Parameters
from mobilebench.thermal.population import Course
from mobilebench.thermal.series import Series

SPREAD = 0.02
"""Deviation of the logarithm of a frame at one level, where no p90 was recorded."""
_SPREADS = (0.005, 0.2)
"""Least and most deviation of frames at one level that is believed of a p90."""
_NORMAL_P90 = 1.2816


@dataclass(frozen=True)
class Recorded:
    """Series on one grid of minutes."""

    series: tuple[Series, ...]
    medians: Array
    """(minutes, S); NaN where nothing was recorded."""
    spread: float
    """Deviation of the logarithm of a frame's latency at one level."""
    spread_is_known: bool

    @classmethod
    def of(cls, series: Sequence[Series]) -> Recorded:
        """Put series on one grid."""
        medians = np.full((max(each.length for each in series), len(series)), np.nan)
        for column, each in enumerate(series):
            for minute in each.minutes:
                medians[minute.index, column] = minute.median_ms
        ratios = [
            math.log(minute.p90_ms / minute.median_ms)
            for each in series
            for minute in each.minutes
            if minute.p90_ms is not None
        ]
        # Minutes with two levels have a far p90; the lower quartile has one level.
        known = len(ratios) > 1
        spread = quantiles(ratios, n=4)[0] / _NORMAL_P90 if known else SPREAD
        return cls(tuple(series), medians, float(np.clip(spread, *_SPREADS)), known)

    @property
    def count(self) -> int:
        """Minutes that are compared."""
        return int(np.isfinite(self.medians).sum())

    @property
    def values(self) -> list[float]:
        """All recorded medians."""
        return [value for each in self.series for value in each.medians_ms]

    def errors(self, predicted: Array) -> Array:
        """Return the error of each series, as a share: (minutes, N, S) -> (N, S)."""
        mean: Array = np.nanmean(np.abs(predicted / self.medians[:, None] - 1), axis=0)
        return mean

    def error(self, predicted: Array) -> Array:
        """Return the mean absolute error over all minutes: (minutes, N, S) -> (N,)."""
        mean: Array = np.nanmean(np.abs(predicted / self.medians[:, None] - 1), axis=(0, 2))
        return mean


@dataclass(frozen=True)
class Candidates:
    """N descriptions of a phone with K clock steps."""

    vectors: Array
    """(N, D), in the space of `ladders.ranges`."""
    levels: Array
    """(N, K) latencies in milliseconds, the least first."""

    def course(self, recorded: Recorded) -> Course:
        """Simulate the phones in all series."""
        parameters = Parameters.of(self.vectors, self.levels.shape[1])
        speeds = self.levels[:, :1] / self.levels
        return population.simulate(parameters, speeds, len(recorded.medians))

    def predicted(self, recorded: Recorded) -> Array:
        """Return the median of each minute: (minutes, N, S)."""
        return population.medians(self.course(recorded).steps, self.levels, recorded.spread)
