"""Metric: the names of what a regression check compares."""

from __future__ import annotations

from enum import StrEnum


class Metric(StrEnum):
    """What of a record can get worse; the default order of a report."""

    LATENCY_P50 = "latency p50"
    LATENCY_P90 = "latency p90"
    FIRST_LOAD = "first load"
    PEAK_MEMORY = "peak memory"
    SIZE = "size"
    PARITY = "parity"
    PLACEMENT = "placement"

    @property
    def timed(self) -> bool:
        """Whether it varies from run to run, so that it has a history."""
        return self in (
            Metric.LATENCY_P50,
            Metric.LATENCY_P90,
            Metric.FIRST_LOAD,
            Metric.PEAK_MEMORY,
        )
