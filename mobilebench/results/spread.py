"""Compute how far the median of a measurement varies within it, for print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mobilebench import stats
from mobilebench.notation.quantities import duration
from mobilebench.results.headline import windows
from mobilebench.stats.summary import percentiles
from mobilebench.values import value
from mobilebench.values.measurement import Samples
from mobilebench.values.protocol import Protocol

_FEWEST = 2


@value
class Spread:
    """Two latencies that hold the medians of a measurement's parts."""

    low_ns: float
    high_ns: float
    kind: str
    """What the two are, in words."""


def spread(protocol: Protocol, samples: Samples) -> Spread | None:
    """Compute the spread of the median over the rounds of a protocol.

    Rounds are the sampling unit: inferences of one round share its state, so an interval over all
    samples would be far too narrow. The interval is that of the median round by order statistics,
    which holds for any distribution (see `stats.median_interval`); for the 5 rounds of `burst-1`
    it is the lowest and the highest, at 94 %. A t interval would assume normal rounds, and a
    bootstrap of 5 numbers is too narrow. It covers other rounds of the same process, not another
    day or another device of the model.

    A protocol of one round has none. Where it has windows of time, the range of their medians is
    given: a range only, for neighbouring windows depend on each other.
    """
    if protocol.rounds >= _FEWEST:
        rounds: dict[int, list[int]] = {}
        measured = samples.select()
        for round_, latency in zip(measured.round, measured.latency_ns, strict=True):
            rounds.setdefault(round_, []).append(latency)
        medians = [percentiles(np.sort(latencies), 50)[0] for latencies in rounds.values()]
        if len(medians) < _FEWEST:
            return None
        low, high, confidence = stats.median_interval(medians)
        kind = f"{confidence:.0%} interval of the median round, from {len(medians)} rounds"
        return Spread(low_ns=low, high_ns=high, kind=kind)
    if protocol.window_ns is None:
        return None
    return of_windows(protocol, [window.p50_ns for window in windows(samples, protocol.window_ns)])


def of_windows(protocol: Protocol, medians: Sequence[float]) -> Spread | None:
    """Return the range of the medians of a protocol's windows; None for fewer than two."""
    if protocol.window_ns is None or len(medians) < _FEWEST:
        return None
    kind = f"range of the medians of {len(medians)} windows of {duration(protocol.window_ns)}"
    return Spread(low_ns=min(medians), high_ns=max(medians), kind=kind)
