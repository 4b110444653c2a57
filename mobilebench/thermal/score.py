"""What a run was worth: accuracy of the frames in time, latencies, shifts, heat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mobilebench.thermal.simulation import TICK_NS, Run
from mobilebench.values import value
from mobilebench.values.phone import Node

_S = 1_000_000_000


@value
class Score:
    """The numbers of one policy on one phone. Everything in it is simulated."""

    policy: str
    on_time_top1: float
    """Accuracy of a frame that met its deadline, 0 for one that did not or was not computed, over
    all frames due; in per cent."""
    top1: float
    """Mean accuracy of the frames that were computed, in time or not; in per cent."""
    p50_ms: float
    p90_ms: float
    p99_ms: float
    cool_p50_ms: float
    """Median latency of the full network at the fastest clock."""
    missed_fraction: float
    """Share of the frames due that were late or not computed."""
    longest_miss_run: int
    """Most frames in a row that were missed."""
    shifts_per_minute: float
    capped_s: float
    """Time with a capped clock."""
    first_capped_s: float | None
    """When the clock was capped first; None for never."""
    skin_max_c: float
    energy_j: float
    """Of the whole phone."""
    kind: str = "simulated"


def score(run: Run, policy: str) -> Score:
    """Return what a run was worth."""
    use = run.use
    top1 = np.array([cost.top1 for cost in use.widths])
    in_time = run.latency_ns <= use.deadline_ns
    missed = np.ones(use.frames_due, bool)
    missed[(run.start_ns // use.interval_ns)[in_time]] = False
    capped = run.seconds[:, 3] > 0
    p50, p90, p99 = np.percentile(run.latency_ns, (50, 90, 99)) / 1e6
    return Score(
        policy=policy,
        on_time_top1=float((top1[run.index] * in_time).sum() / use.frames_due),
        top1=float(top1[run.index].mean()),
        p50_ms=float(p50),
        p90_ms=float(p90),
        p99_ms=float(p99),
        cool_p50_ms=use.widths[0].cool_ms,
        missed_fraction=float(missed.mean()),
        longest_miss_run=_longest(missed),
        shifts_per_minute=len(run.shifts) / (use.duration_ns / (60 * _S)),
        capped_s=float(capped.sum() * TICK_NS / _S),
        first_capped_s=float((capped.argmax() + 1) * TICK_NS / _S) if capped.any() else None,
        skin_max_c=float(run.seconds[:, Node.SKIN.position].max()),
        energy_j=run.energy_j,
    )


def _longest(missed: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missed, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
