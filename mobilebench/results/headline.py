"""Compute the results of a protocol from its samples, when they are shown."""

from __future__ import annotations

from mobilebench import stats
from mobilebench.values import value
from mobilebench.values.job import Job
from mobilebench.values.measurement import Samples
from mobilebench.values.protocol import Headline, Protocol


@value
class Window:
    """Percentiles of the measured samples that began within one span of time."""

    start_ns: int
    count: int
    p50_ns: float
    p90_ns: float
    p99_ns: float


@value
class Deadlines:
    """How many frames of a paced measurement were on time, late and dropped."""

    frames: int
    """Frames that were due while it ran."""
    on_time: int
    late: int
    """Started, but not finished when the next frame was due."""
    dropped: int
    """Not started, because the inference before was still running."""

    @property
    def miss_rate(self) -> float:
        """Late and dropped frames as a share of all frames."""
        return (self.late + self.dropped) / self.frames


def headline_ns(protocol: Protocol, samples: Samples) -> float | None:
    """Return the number that the protocol reports as its result.

    A round with too few samples for a trimmed mean is left out; None where every round is.
    """
    if protocol.headline is Headline.MEDIAN:
        return stats.percentile(samples.latencies_ns(), 50)
    if protocol.headline is Headline.P90:
        return stats.percentile(samples.latencies_ns(), 90)
    means = [
        stats.trimmed_mean(latencies, protocol.trim, protocol.trim)
        for latencies in (samples.latencies_ns(round_=round_) for round_ in range(protocol.rounds))
        if len(latencies) > 2 * protocol.trim
    ]
    return sum(means) / len(means) if means else None


def windows(samples: Samples, window_ns: int) -> tuple[Window, ...]:
    """Return percentiles for each span of time since the first measured sample.

    Spans without a sample are left out.
    """
    measured = samples.select()
    if not measured.t_ns:
        return ()
    origin = measured.t_ns[0]
    spans: dict[int, list[int]] = {}
    for start, latency in zip(measured.t_ns, measured.latency_ns, strict=True):
        spans.setdefault((start - origin) // window_ns, []).append(latency)
    return tuple(
        Window(
            start_ns=origin + index * window_ns,
            count=len(latencies),
            p50_ns=stats.percentile(latencies, 50),
            p90_ns=stats.percentile(latencies, 90),
            p99_ns=stats.percentile(latencies, 99),
        )
        for index, latencies in spans.items()
    )


def deadlines(protocol: Protocol, samples: Samples) -> Deadlines:
    """Count the frames of a paced protocol that were on time, late and dropped.

    All rounds with samples are counted. A frame is due at a multiple of the interval since the
    round's first; it must be finished when the next is due. Raises `ValueError` for a protocol
    without a pace.
    """
    due, in_time = _frames(protocol, samples)
    on_time = sum(in_time)
    return Deadlines(
        frames=due, on_time=on_time, late=len(in_time) - on_time, dropped=due - len(in_time)
    )


def on_time_top1(job: Job, samples: Samples) -> float | None:
    """Return the accuracy of the frames in time over all frames due, in per cent.

    A frame that was late or dropped counts 0. None where the protocol has no pace, nothing chose a
    width, or the accuracy of a width is not known.
    """
    top1 = {each.width: each.accuracy.top1 for each in job.variants if each.accuracy is not None}
    if job.choice is None or job.protocol.interval_ns is None or len(top1) < len(job.variants):
        return None
    due, in_time = _frames(job.protocol, samples)
    widths = [
        width
        for round_ in range(job.protocol.rounds)
        for width in samples.select(round_=round_).width
    ]
    return sum(top1[width] for width, on in zip(widths, in_time, strict=True) if on) / due


def _frames(protocol: Protocol, samples: Samples) -> tuple[int, list[bool]]:
    """Return how many frames were due, and of each that was computed whether it was in time."""
    interval = protocol.interval_ns
    if interval is None:
        raise ValueError(f"the protocol {protocol.id} has no pace, so nothing has a deadline")
    due, in_time = 0, []
    for round_ in range(protocol.rounds):
        measured = samples.select(round_=round_)
        if not measured.t_ns:
            continue
        first = measured.t_ns[0]
        for start, latency in zip(measured.t_ns, measured.latency_ns, strict=True):
            frame = (start - first) // interval
            in_time.append(start + latency - first <= (frame + 1) * interval)
        due += frame + 1
    return due, in_time
