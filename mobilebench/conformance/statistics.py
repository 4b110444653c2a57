"""Vectors of the statistics that every screen shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mobilebench import stats
from mobilebench.conformance.vector import Kind, Vector

_MS = 1_000_000
_LATENCIES: dict[str, tuple[str, Sequence[int]]] = {
    "one-sample": ("One sample is every percentile of itself.", [7 * _MS]),
    "two-samples": ("A percentile lies on the line between two samples.", [10 * _MS, 20 * _MS]),
    "ten-samples-out-of-order": (
        "Samples are not sorted when they come.",
        [9, 1, 8, 2, 7, 3, 6, 4, 5, 10],
    ),
    "ties": ("Equal samples count one by one.", [5 * _MS] * 7 + [6 * _MS] * 3),
    "long-tail": (
        "One sample of a second among steady ones moves the mean and not the median.",
        [*range(16 * _MS, 16 * _MS + 99), 1000 * _MS],
    ),
    "largest-integers": (
        "Latencies of hours are exact.",
        [9_007_199_254_740_991, 9_007_199_254_740_989],
    ),
}
_SHARES = [(0, 10), (10, 10), (1, 3), (500, 599), (75_700, 100_000)]


def vectors() -> Iterator[Vector]:
    """Yield summaries of latencies, trimmed means, and intervals of shares."""
    for name, (about, latencies) in _LATENCIES.items():
        summary = stats.summarise(latencies)
        expected = {
            "count": summary.count,
            "min_ns": summary.min_ns,
            "mean_ns": summary.mean_ns,
            "p50_ns": summary.p50_ns,
            "p90_ns": summary.p90_ns,
            "p99_ns": stats.percentile(latencies, 99),
        }
        given = {"function": "summary", "latencies_ns": list(latencies)}
        yield Vector(
            kind=Kind.STATS, name=f"summary-{name}", about=about, given=given, expected=expected
        )
    trimmed = [40, 1, 10, 11, 12, 900, 13, 2]
    yield Vector(
        kind=Kind.STATS,
        name="trimmed-mean",
        about="The lowest and the highest values are left out, whatever their order.",
        given={"function": "trimmed mean", "values": trimmed, "lowest": 2, "highest": 2},
        expected={"mean": stats.trimmed_mean(trimmed, 2, 2)},
    )
    for hits, count in _SHARES:
        low, high = stats.wilson_interval(hits, count)
        yield Vector(
            kind=Kind.STATS,
            name=f"share-{hits}-of-{count}",
            about="Wilson's interval of a share, at 95 %.",
            given={"function": "share", "hits": hits, "count": count},
            expected={"low": low, "high": high},
        )
