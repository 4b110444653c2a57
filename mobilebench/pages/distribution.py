"""Chart how the latencies of a measurement are distributed."""

from __future__ import annotations

import math
from typing import Any

from mobilebench import stats
from mobilebench.notation.quantities import counted, duration
from mobilebench.pages.figure import WIDTH, Figure, Table
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record

_FEWEST_BARS, _MOST_BARS = 8, 60
_HEIGHT = 200
_HEADROOM = 1.35
"""Room for the names of the percentiles above the highest bar."""
_BEYOND = 3.0
"""What is farther above the 90th percentile than this many times its distance from the median
stands in one last bar, so that one slow inference does not squeeze all others."""


def distribution(record: Record) -> Figure | None:
    """Return the histogram of the measured latencies; None for a failure."""
    if not isinstance(record.outcome, Measurement):
        return None
    samples = record.outcome.samples.latencies_ns()
    latencies = sorted(each / 1e6 for each in samples)
    percentiles = {name: stats.percentile(samples, at) / 1e6 for name, at in _PERCENTILES.items()}
    p50, p90 = percentiles["p50"], percentiles["p90"]
    limit = p90 + _BEYOND * max(p90 - p50, 0.05 * p50)
    within = [each for each in latencies if each <= limit]
    beyond = len(latencies) - len(within)
    quartiles = (stats.percentile(samples, 25) / 1e6, stats.percentile(samples, 75) / 1e6)
    bars = _bars(within, quartiles[1] - quartiles[0])
    table = [(f"{start:.4g} to {end:.4g} ms", str(count)) for start, end, count in bars if count]
    table += [(f"above {limit:.4g} ms", str(beyond))] if beyond else []
    slow = f" {counted(beyond, 'inference')} above {duration(limit * 1e6)}, up to "
    slow += f"{duration(latencies[-1] * 1e6)}, {'is' if beyond == 1 else 'are'} not drawn."
    summary = (
        f"{counted(len(latencies), 'inference')}: median {duration(p50 * 1e6)}, 90th percentile "
        f"{duration(p90 * 1e6)}, 99th {duration(percentiles['p99'] * 1e6)}.{slow if beyond else ''}"
    )
    return Figure(
        name="distribution",
        title="Distribution of the latency",
        summary=summary,
        spec=_spec(bars, {name: each for name, each in percentiles.items() if each <= limit}),
        table=Table(titles=("latency", "inferences"), rows=tuple(table)),
    )


_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99}


def _bars(latencies: list[float], spread: float) -> list[tuple[float, float, int]]:
    """Return bars of equal width, by the rule of Freedman and Diaconis.

    `spread` is the distance between the quartiles.
    """
    low, high = latencies[0], latencies[-1]
    width = 2 * spread / len(latencies) ** (1 / 3)
    wished = math.ceil((high - low) / width) if width else _FEWEST_BARS
    count = max(_FEWEST_BARS, min(_MOST_BARS, wished))
    size = (high - low) / count or high * 1e-3
    counts = [0] * count
    for each in latencies:
        counts[min(count - 1, int((each - low) / size))] += 1
    return [(low + place * size, low + (place + 1) * size, n) for place, n in enumerate(counts)]


def _spec(bars: list[tuple[float, float, int]], lines: dict[str, float]) -> dict[str, Any]:
    values = [{"x": a, "x2": b, "count": count} for a, b, count in bars]
    rules = [
        {"x": at, "name": name, "at": 8 + 13 * place}
        for place, (name, at) in enumerate(lines.items())
    ]
    x = {"field": "x", "type": "quantitative", "title": "latency, ms", "scale": {"zero": False}}
    return {
        "width": WIDTH,
        "height": _HEIGHT,
        "resolve": {"scale": {"y": "independent"}},
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "bar", "binSpacing": 1},
                "encoding": {
                    "x": {**x, "bin": {"binned": True}, "axis": {"grid": False, "tickCount": 6}},
                    "x2": {"field": "x2"},
                    "y": {
                        "field": "count",
                        "type": "quantitative",
                        "title": "inferences",
                        "scale": {"domainMax": _HEADROOM * max(count for *_, count in bars)},
                    },
                    "tooltip": [
                        {"field": "x", "title": "from, ms", "format": ".4~g"},
                        {"field": "x2", "title": "to, ms", "format": ".4~g"},
                        {"field": "count", "title": "inferences"},
                    ],
                },
            },
            {
                "data": {"values": rules},
                "mark": {"type": "rule", "style": "ink", "strokeDash": [4, 3]},
                "encoding": {"x": x},
            },
            {
                "data": {"values": rules},
                "mark": {"type": "text", "style": "label", "align": "right", "dx": -4},
                "encoding": {
                    "x": x,
                    "y": {"field": "at", "type": "quantitative", "scale": None, "axis": None},
                    "text": {"field": "name"},
                },
            },
        ],
    }
