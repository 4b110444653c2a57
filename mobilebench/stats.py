"""Statistics of latencies: pure functions over sequences of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mobilebench.values import value


@value
class Summary:
    """What a table shows of one run's measured samples; computed when shown, never stored."""

    count: int
    p50_ns: float
    p90_ns: float
    min_ns: int
    mean_ns: float


def percentile(latencies_ns: Sequence[int], percent: float) -> float:
    """Percentile with linear interpolation between the two nearest samples (Hyndman-Fan 7)."""
    return float(np.percentile(np.asarray(latencies_ns, dtype=np.float64), percent))


def summarise(latencies_ns: Sequence[int]) -> Summary:
    """Summary of at least one latency; raises `ValueError` for none."""
    if not latencies_ns:
        raise ValueError("there are no samples to summarise")
    return Summary(
        count=len(latencies_ns),
        p50_ns=percentile(latencies_ns, 50),
        p90_ns=percentile(latencies_ns, 90),
        min_ns=min(latencies_ns),
        mean_ns=float(np.mean(np.asarray(latencies_ns, dtype=np.float64))),
    )
