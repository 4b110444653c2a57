"""Vectors of what a screen shows of a measurement: headline, windows and deadlines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mobilebench.conformance.vector import Kind, Vector
from mobilebench.results import headline
from mobilebench.values import wire
from mobilebench.values.measurement import Phase, Samples
from mobilebench.values.protocol import Protocol, protocol

_MS = 1_000_000


def vectors() -> Iterator[Vector]:
    """Yield one vector for every kind of headline."""
    yield _vector(
        "median-of-all-rounds",
        "Warm-up samples do not count, and rounds are not averaged first.",
        protocol("burst-1"),
        _samples([[90, 10, 11, 12], [80, 30, 31, 32], [70, 13, 14, 15]]),
    )
    yield _vector(
        "ninetieth-percentile",
        "The headline of single stream is its 90th percentile.",
        protocol("mlperf-ss-1"),
        _samples([[50, *range(10, 31)]]),
    )
    trimming = replace(protocol("modelbench-1"), id="trimming", rounds=3, trim=2)
    yield _vector(
        "mean-of-trimmed-means",
        "Each round is trimmed by itself, and a round that is too short is left out.",
        trimming,
        _samples([[99, 1, 2, 10, 12, 80, 90], [99, 3, 4, 20, 24, 70, 60], [99, 5, 6, 7, 8]]),
    )
    windowed = replace(protocol("sustained-1"), id="windowed", window_ns=50 * _MS)
    yield _vector(
        "windows",
        "Windows count from the first measured sample, and those without a sample are left out.",
        windowed,
        _samples([[5, 10, 11, 12, 13, 14, 200, 15, 16]]),
    )
    paced = replace(protocol("paced-30fps-1"), id="paced", interval_ns=10 * _MS, window_ns=None)
    yield _vector(
        "deadlines",
        "Late frames and dropped frames both miss, and a frame that is just done is on time.",
        paced,
        Samples(
            t_ns=(0, 10 * _MS, 20 * _MS, 50 * _MS, 60 * _MS),
            latency_ns=(4 * _MS, 10 * _MS, 25 * _MS, 10 * _MS + 1, 3 * _MS),
            phase=(Phase.MEASURED,) * 5,
            round=(0,) * 5,
        ),
    )


def _samples(rounds_ms: list[list[int]]) -> Samples:
    """Return rounds one right after the other, whose first sample is warm-up."""
    columns: list[tuple[int, int, Phase, int]] = []
    now = 0
    for number, latencies in enumerate(rounds_ms):
        for position, latency in enumerate(latencies):
            phase = Phase.MEASURED if position else Phase.WARM_UP
            columns.append((now, latency * _MS, phase, number))
            now += latency * _MS
    t_ns, latency_ns, phases, rounds = zip(*columns, strict=True)
    return Samples(t_ns=t_ns, latency_ns=latency_ns, phase=phases, round=rounds)


def _vector(name: str, about: str, rule: Protocol, samples: Samples) -> Vector:
    windows = headline.windows(samples, rule.window_ns) if rule.window_ns else None
    deadlines = headline.deadlines(rule, samples) if rule.interval_ns else None
    return Vector(
        kind=Kind.HEADLINE,
        name=name,
        about=about,
        given={"protocol": wire.to_sparse(rule), "samples": wire.to_sparse(samples)},
        expected={
            "headline_ns": headline.headline_ns(rule, samples),
            "windows": None if windows is None else wire.to_sparse(windows),
            "deadlines": None if deadlines is None else wire.to_sparse(deadlines),
        },
    )
