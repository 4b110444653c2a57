"""Compute what the samples of a measurement come to, for tables and pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mobilebench.notation.quantities import duration
from mobilebench.results import heat
from mobilebench.results.course import (
    MINUTE_NS,
    TEN_MINUTES_NS,
    Array,
    Course,
    Stretch,
    course,
    stretch,
)
from mobilebench.results.headline import Deadlines, deadlines, headline_ns, on_time_top1
from mobilebench.results.heat import Onset
from mobilebench.results.spread import Spread, of_windows, spread
from mobilebench.stats.summary import percentiles
from mobilebench.values import value
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.job import Job
from mobilebench.values.measurement import Measurement, Samples
from mobilebench.values.protocol import Headline, Protocol


@value
class Figures:
    """The numbers of one measurement, computed from its samples; None is not known."""

    count: int
    """Of measured samples; warm-up does not count anywhere here."""
    p50_ns: float
    p90_ns: float
    p99_ns: float
    min_ns: int
    mean_ns: float
    headline_ns: float | None
    """The number that the protocol reports; None where it has too few samples for it."""
    spread: Spread | None
    """How far the median varies within the measurement."""
    length_ns: int
    """From the start of the first measured sample to the end of the last."""
    first: Stretch | None
    """The first window of a protocol with windows; None for others."""
    last: Stretch | None
    """Its last window, which may be shorter."""
    minute_1: Stretch | None
    """The first minute of a run with windows of at least eleven minutes; None for others."""
    last_ten: Stretch | None
    """The last ten minutes of such a run, which do not reach into its first."""
    onset: Onset | None
    """The first sign that the device throttled."""
    heat_known: bool
    """Whether the device told of heat while it ran, so that no onset means that there was none."""
    warmest: ThermalState | None
    deadlines: Deadlines | None
    """None for a protocol without a pace."""
    on_time_top1: float | None
    """Accuracy of the frames in time over all frames due, in per cent, of a run at several
    widths."""
    course: Course | None

    @property
    def change(self) -> float | None:
        """Change of the median from minute 1 to the last ten minutes: 0.4 is 40 % more.

        None for a run of less than eleven minutes, and for one without windows.
        """
        if self.minute_1 is None or self.last_ten is None:
            return None
        return self.last_ten.p50_ns / self.minute_1.p50_ns - 1

    def remark(self, protocol: Protocol) -> str | None:
        """Say in a line what the median does not show; None where it shows all."""
        if self.deadlines is not None:
            counts = self.deadlines
            return (
                f"{protocol.id}: {counts.miss_rate:.1%} of {counts.frames} frames missed "
                f"({counts.late} late, {counts.dropped} dropped)"
            )
        if self.first is not None and self.last is not None:
            return (
                f"{protocol.id}: median {duration(self.first.p50_ns)} in the first "
                f"{duration(self.first.length_ns)}, {duration(self.last.p50_ns)} in the last"
            )
        if protocol.headline is Headline.MEDIAN:
            return None
        number = self.headline_ns
        shown = "too few samples for it" if number is None else duration(number)
        return f"{protocol.id}: {protocol.headline} {shown}"


def figures(job: Job, measurement: Measurement, readings: Sequence[DeviceState] = ()) -> Figures:
    """Compute the figures of a measurement.

    `readings` are those that a computer took of the device from outside, on the measurement's
    clock.
    """
    protocol, samples = job.protocol, measurement.samples.select()
    t_ns = np.asarray(samples.t_ns, dtype=np.int64)
    latency_ns = np.asarray(samples.latency_ns, dtype=np.float64)
    origin_ns, t_ns = int(t_ns[0]), t_ns - t_ns[0]
    length_ns = int(t_ns[-1]) + samples.latency_ns[-1]
    p50_ns, p90_ns, p99_ns = percentiles(np.sort(latency_ns), 50, 90, 99)
    first, last = _ends(protocol, t_ns, latency_ns)
    windows = course(protocol, t_ns, latency_ns)
    minute_1, last_ten = _compared(protocol, t_ns, latency_ns, length_ns)
    return Figures(
        count=len(latency_ns),
        p50_ns=p50_ns,
        p90_ns=p90_ns,
        p99_ns=p99_ns,
        min_ns=min(samples.latency_ns),
        mean_ns=float(np.mean(latency_ns)),
        headline_ns=p50_ns
        if protocol.headline is Headline.MEDIAN
        else headline_ns(protocol, samples),
        spread=_spread(protocol, samples, windows),
        length_ns=length_ns,
        first=first,
        last=last,
        minute_1=minute_1,
        last_ten=last_ten,
        onset=heat.onset(measurement, origin_ns, readings),
        heat_known=heat.known(measurement, readings),
        warmest=heat.warmest(measurement, readings),
        deadlines=deadlines(protocol, samples) if protocol.interval_ns is not None else None,
        on_time_top1=on_time_top1(job, samples),
        course=windows,
    )


def _spread(protocol: Protocol, samples: Samples, windows: Course | None) -> Spread | None:
    """Return the spread of the median, by windows that are computed already where they fit."""
    if protocol.rounds == 1 and windows is not None and windows.window_ns == protocol.window_ns:
        return of_windows(protocol, windows.p50_ns)
    return spread(protocol, samples)


def _ends(
    protocol: Protocol, t_ns: Array, latency_ns: Array
) -> tuple[Stretch | None, Stretch | None]:
    """Return the first and the last window of a protocol that has windows."""
    length_ns = protocol.window_ns
    if length_ns is None:
        return None, None
    first, last = (
        stretch(t_ns, latency_ns, place * length_ns, length_ns)
        for place in (0, int(t_ns[-1]) // length_ns)
    )
    return first, last


def _compared(
    protocol: Protocol, t_ns: Array, latency_ns: Array, length_ns: int
) -> tuple[Stretch | None, Stretch | None]:
    """Return minute 1 and the last ten minutes of a run that is long enough for both."""
    if protocol.window_ns is None or length_ns < MINUTE_NS + TEN_MINUTES_NS:
        return None, None
    return (
        stretch(t_ns, latency_ns, 0, MINUTE_NS),
        stretch(t_ns, latency_ns, length_ns - TEN_MINUTES_NS, TEN_MINUTES_NS),
    )
