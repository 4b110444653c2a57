"""The metrics that the gate judges, and how each is read from a record.

A timed metric varies from run to run and is judged by statistics. An exact metric is the same in
every run of one artifact, so a single record is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from mobilebench.results.entry import Measured
from mobilebench.stats.summary import Statistic, median, percentile_of
from mobilebench.values.measurement import Measurement
from mobilebench.values.metric import Metric
from mobilebench.values.record import Record


@dataclass(frozen=True)
class Timed:
    """A metric that varies: a statistic over the iterations of each run."""

    name: Metric
    unit: str
    series: Callable[[Record], tuple[float, ...]]
    """Reads the run's own numbers, in order; a metric may have only one per run."""
    statistic: Statistic
    figure: Callable[[Measured], float]
    """Reads what the statistic comes to from an entry, in the series' unit."""
    scale: float = 1.0
    """Factor from the series' unit to `unit`."""
    least_tolerance: float = 0.0
    """Lower bound of the tolerance, for a metric whose small changes never matter."""

    def of_run(self, record: Record) -> float | None:
        """Compute the run's statistic, in the series' unit.

        None where the run lacks it: there are no samples, or a time or size is zero.
        """
        series = self.series(record)
        if not series:
            return None
        return _positive(float(self.statistic(np.asarray(series, dtype=np.float64))))

    def of_entry(self, measured: Measured) -> float | None:
        """Return the run's statistic as `of_run` does, from an entry and so without its samples."""
        return _positive(self.figure(measured))


def _positive(number: float) -> float | None:
    return number if isfinite(number) and number > 0 else None


@dataclass(frozen=True)
class Exact:
    """A fixed property of one artifact: one number, or one for each of several parts.

    More is worse, for every number.
    """

    name: Metric
    unit: str
    read: Callable[[Record], Mapping[str, float] | None]
    """Reads the numbers by the name of their part; None where the record does not know them."""
    relative: bool = True
    """Whether the rule's tolerance applies; otherwise every increase counts."""


def _latencies(record: Record) -> tuple[float, ...]:
    return tuple(map(float, _measured(record).samples.latencies_ns()))


def _first_load(record: Record) -> tuple[float, ...]:
    return (float(_measured(record).loads.first_ns),)


def _peak_memory(record: Record) -> tuple[float, ...]:
    return (float(_measured(record).memory.peak_bytes),)


def _measured(record: Record) -> Measurement:
    assert isinstance(record.outcome, Measurement), "failures are sorted out before"
    return record.outcome


def _size(record: Record) -> Mapping[str, float] | None:
    return None if record.artifact is None else {"file": record.artifact.size_bytes}


def _failed_parity(record: Record) -> Mapping[str, float] | None:
    """Count the evaluators that found the artifact unequal to PyTorch.

    An agreement below its bound counts as one more.
    """
    if record.artifact is None or not record.artifact.parity:
        return None
    agreement = record.artifact.agreement
    low = agreement is not None and not agreement.passed
    return {"verifications": sum(not result.passed for result in record.artifact.parity) + low}


def _off_the_accelerator(record: Record) -> Mapping[str, float] | None:
    """Count the operations that each forecast does not expect its unit to take."""
    if record.artifact is None or not record.artifact.forecast:
        return None
    return {
        forecast.label: forecast.operations - forecast.taken
        for forecast in record.artifact.forecast
    }


LATENCIES = (
    Timed(
        name=Metric.LATENCY_P50,
        unit="ms",
        series=_latencies,
        statistic=median,
        figure=lambda run: run.figures.p50_ns,
        scale=1e-6,
    ),
    Timed(
        name=Metric.LATENCY_P90,
        unit="ms",
        series=_latencies,
        statistic=percentile_of(90),
        figure=lambda run: run.figures.p90_ns,
        scale=1e-6,
        least_tolerance=0.05,
    ),
)
_LOAD = Timed(
    name=Metric.FIRST_LOAD,
    unit="ms",
    series=_first_load,
    statistic=median,
    figure=lambda run: run.first_load_ns,
    scale=1e-6,
    least_tolerance=0.25,
)
_MEMORY = Timed(
    name=Metric.PEAK_MEMORY,
    unit="MB",
    series=_peak_memory,
    statistic=median,
    figure=lambda run: run.peak_memory_bytes,
    scale=1e-6,
    least_tolerance=0.05,
)
FAMILIES: tuple[tuple[Timed, ...], ...] = (LATENCIES, (_LOAD,), (_MEMORY,))
"""Metrics that answer one question together: a false alarm of any counts as one."""
TIMED = tuple(metric for family in FAMILIES for metric in family)
EXACT = (
    Exact(Metric.SIZE, "bytes", _size),
    Exact(Metric.PARITY, "failed verifications", _failed_parity, relative=False),
    Exact(Metric.PLACEMENT, "operations off", _off_the_accelerator, relative=False),
)


def names() -> tuple[str, ...]:
    """Return the names of all metrics, the default ones first."""
    return (*(metric.name for metric in TIMED), *(metric.name for metric in EXACT))
