"""Follow a run over time: latency by window, at its beginning and at its end."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from mobilebench import stats
from mobilebench.stats.summary import percentiles
from mobilebench.values import value
from mobilebench.values.protocol import Protocol

Array = np.ndarray[Any, Any]
S = 1_000_000_000
MINUTE_NS = 60 * S
TEN_MINUTES_NS = 10 * MINUTE_NS
_MOST_WINDOWS = 60
_PARTS = 12
"""Equal parts of a stretch whose medians its interval is made of: 5 s of a minute."""


@value
class Stretch:
    """The latency of the inferences that began within one stretch of a run."""

    start_ns: int
    """Since the first measured sample."""
    length_ns: int
    count: int
    p50_ns: float
    p90_ns: float
    low_ns: float | None
    """Lower end of the interval of the median over twelve equal parts of the stretch, by order
    statistics; None where fewer than two parts have a sample. It would hold at 95 % if the parts
    did not depend on each other."""
    high_ns: float | None


@value
class Course:
    """Latency by window of time, in columns of equal length.

    Columns are as those of `Stretch`; windows without a sample are absent.
    """

    window_ns: int
    start_ns: tuple[int, ...]
    count: tuple[int, ...]
    p50_ns: tuple[float, ...]
    p90_ns: tuple[float, ...]
    low_ns: tuple[float | None, ...]
    high_ns: tuple[float | None, ...]

    def __post_init__(self) -> None:
        columns = (
            self.start_ns, self.count, self.p50_ns, self.p90_ns, self.low_ns, self.high_ns,
        )  # fmt: skip
        if len({len(column) for column in columns}) != 1:
            raise ValueError("the columns of a course differ in length")

    def window(self, place: int) -> Stretch:
        """Return one window as a stretch, from 0."""
        return Stretch(
            start_ns=self.start_ns[place],
            length_ns=self.window_ns,
            count=self.count[place],
            p50_ns=self.p50_ns[place],
            p90_ns=self.p90_ns[place],
            low_ns=self.low_ns[place],
            high_ns=self.high_ns[place],
        )

    def minute(self, number: int) -> Stretch | None:
        """Return the window of a minute, from 1.

        None where windows are no minutes, and where no inference began in this one.
        """
        start_ns = (number - 1) * MINUTE_NS
        if self.window_ns != MINUTE_NS or start_ns not in self.start_ns:
            return None
        return self.window(self.start_ns.index(start_ns))


def stretch(t_ns: Array, latency_ns: Array, start_ns: int, length_ns: int) -> Stretch | None:
    """Return the latency within a stretch of a run; None where no inference began in it.

    `t_ns` are starts since the first measured sample, in order, and `latency_ns` their latencies.
    """
    first, end = np.searchsorted(t_ns, (start_ns, start_ns + length_ns))
    if first == end:
        return None
    starts, latencies = t_ns[first:end], latency_ns[first:end]
    p50_ns, p90_ns = percentiles(np.sort(latencies), 50, 90)
    interval = _interval((starts - start_ns) * _PARTS // length_ns, latencies)
    low_ns, high_ns = (None, None) if interval is None else interval
    return Stretch(
        start_ns=start_ns,
        length_ns=length_ns,
        count=len(latencies),
        p50_ns=p50_ns,
        p90_ns=p90_ns,
        # The median of all lies among those of the parts, and may lie outside their interval.
        low_ns=None if low_ns is None else min(low_ns, p50_ns),
        high_ns=None if high_ns is None else max(high_ns, p50_ns),
    )


def _interval(parts: Array, latencies: Array) -> tuple[float, float] | None:
    borders = np.flatnonzero(np.diff(parts)) + 1
    ends = [0, *borders.tolist(), len(latencies)]
    if len(ends) < 3:
        return None
    medians = [
        percentiles(np.sort(latencies[start:end]), 50)[0] for start, end in itertools.pairwise(ends)
    ]
    low, high, _ = stats.median_interval(medians)
    return low, high


def course(protocol: Protocol, t_ns: Array, latency_ns: Array) -> Course | None:
    """Return the latency by window; None for a protocol without windows.

    The windows are the protocol's, or twice, four times as long and so on where more than sixty
    would be needed. Arrays are as for `stretch`.
    """
    if protocol.window_ns is None:
        return None
    length_ns = protocol.window_ns
    while int(t_ns[-1]) // length_ns >= _MOST_WINDOWS:
        length_ns *= 2
    windows = [
        window
        for place in range(int(t_ns[-1]) // length_ns + 1)
        if (window := stretch(t_ns, latency_ns, place * length_ns, length_ns)) is not None
    ]
    return Course(
        window_ns=length_ns,
        start_ns=tuple(window.start_ns for window in windows),
        count=tuple(window.count for window in windows),
        p50_ns=tuple(window.p50_ns for window in windows),
        p90_ns=tuple(window.p90_ns for window in windows),
        low_ns=tuple(window.low_ns for window in windows),
        high_ns=tuple(window.high_ns for window in windows),
    )
