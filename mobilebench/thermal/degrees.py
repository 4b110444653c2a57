"""Say in degrees and seconds what fitted phones are.

Degrees come from the temperatures of the battery, where there are any: the least squares line from
the battery that is simulated to the one that was recorded. They are worth no more than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from mobilebench.thermal.ladders import POLL_S, Array, Parameters, ladder, modes
from mobilebench.thermal.population import Course
from mobilebench.thermal.recorded import Candidates, Recorded

ASSUMED_AIR_C = 25.0
ASSUMED_RISE_C = 25.0
"""Of the skin, in the end, at the fastest step; where no temperature was recorded."""
_LEAST_TEMPERATURES = 5
_LEAST_AIR_C = 0.0
_RISES_C = (5.0, 50.0)
"""A hand cannot hold more, and less is not measured by a battery."""


@dataclass(frozen=True)
class Numbers:
    """What N phones are, in the units that people use; every array has N rows."""

    time_constants_s: Array
    """(N, 2): the fast and the slow one."""
    trips_c: Array
    """(N, K - 1)"""
    hysteresis_c: Array
    """(N, 1)"""
    least_s: Array
    """(N, 1)"""
    exponent: Array
    """(N, 1)"""
    starts_c: Array
    """(N, S)"""
    levels_ms: Array
    """(N, K)"""
    air_c: Array
    """(N, 1)"""
    rise_c: Array
    """(N, 1)"""

    @property
    def ends(self) -> Array:
        """(N, E): the time constants and the trips, whose ends are sought."""
        return np.concatenate([np.log(self.time_constants_s), self.trips_c], axis=1)

    def where(self, rows: Any) -> Numbers:
        """Return some of the phones."""
        return Numbers(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[Numbers]) -> Numbers:
        """Put phones together."""
        return cls(
            **{
                each.name: np.concatenate([getattr(part, each.name) for part in parts])
                for each in fields(cls)
            }
        )


def numbers(recorded: Recorded, candidates: Candidates, course: Course) -> Numbers:
    """Convert phones to degrees and seconds, by the battery's temperatures where there are any."""
    parameters = Parameters.of(candidates.vectors, candidates.levels.shape[1])
    air, rise = _degrees(recorded, course)
    return Numbers(
        time_constants_s=modes(ladder(parameters)).time_constants_s[:, 1:],
        trips_c=air + parameters.trips * rise,
        hysteresis_c=parameters.hysteresis[:, None] * rise,
        least_s=parameters.least_polls[:, None] * POLL_S,
        exponent=parameters.exponent[:, None],
        starts_c=air + parameters.starts * rise,
        levels_ms=candidates.levels,
        air_c=air,
        rise_c=rise,
    )


def has_temperatures(recorded: Recorded) -> bool:
    """Return whether enough temperatures of the battery were recorded to tell degrees."""
    return int(np.isfinite(_temperatures(recorded)).sum()) >= _LEAST_TEMPERATURES


def _temperatures(recorded: Recorded) -> Array:
    """(minutes, S), NaN where unknown."""
    temperatures: Array = np.full(recorded.medians.shape, np.nan)
    for column, series in enumerate(recorded.series):
        for minute in series.minutes:
            if minute.battery_c is not None:
                temperatures[minute.index, column] = minute.battery_c
    return temperatures


def _degrees(recorded: Recorded, course: Course) -> tuple[Array, Array]:
    """Return the air and the rise in the end, (N, 1) each."""
    if not has_temperatures(recorded):
        count = course.battery.shape[1]
        return np.full((count, 1), ASSUMED_AIR_C), np.full((count, 1), ASSUMED_RISE_C)
    temperatures = _temperatures(recorded)
    known = np.isfinite(temperatures)
    simulated = course.battery.swapaxes(0, 1)[:, known]
    seen = temperatures[known]
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
    return np.clip(air, _LEAST_AIR_C, coldest)[:, None], rise[:, None]
