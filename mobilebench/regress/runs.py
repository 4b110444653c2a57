"""The runs of one cell on both sides of a check, in pairs where they were interleaved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobilebench.values.measurement import Failure, Measurement, Stage
from mobilebench.values.record import Record


@dataclass(frozen=True)
class Runs:
    """The runs of one cell that are compared, and those that are not."""

    cell: str
    baseline: Sequence[Record]
    candidate: Sequence[Record]
    paired: bool
    failures: tuple[Sequence[Failure], Sequence[Failure]] = ((), ())
    """Failed runs of both sides."""
    dropped: tuple[int, int] = (0, 0)
    """Measured runs of both sides that have no partner."""
    anchors: tuple[Sequence[Record], Sequence[Record]] | None = None
    """For each run of both sides, the run of the reference that it is divided by."""
    anchor: str | None = None
    """Name of the reference."""

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.baseline), len(self.candidate)

    @property
    def sides(self) -> tuple[Sequence[Record], Sequence[Record]]:
        return self.baseline, self.candidate

    @property
    def seconds(self) -> float:
        """Time from the start of each measured run to its last inference, added up."""
        return sum(_seconds(record) for side in self.sides for record in side)


def matched(
    cell: str,
    baseline: Sequence[Record],
    candidate: Sequence[Record],
    failures: tuple[Sequence[Failure], Sequence[Failure]] = ((), ()),
) -> Runs:
    """Return the runs of one cell, in pairs where they were interleaved.

    Whole pairs are kept and runs without a partner dropped, unless most runs of a side have none:
    then the sides are compared as groups.
    """
    by_pair = [
        {(r.session.id, r.session.pair): r for r in side if r.session is not None}
        for side in (baseline, candidate)
    ]
    shared = sorted(by_pair[0].keys() & by_pair[1].keys())
    if not shared or 2 * len(shared) < max(len(baseline), len(candidate)):
        return Runs(cell, baseline, candidate, paired=False, failures=failures)
    first, second = ([side[pair] for pair in shared] for side in by_pair)
    dropped = len(baseline) - len(shared), len(candidate) - len(shared)
    return Runs(cell, first, second, paired=True, failures=failures, dropped=dropped)


def _seconds(record: Record) -> float:
    if not isinstance(record.outcome, Measurement):
        return 0.0
    samples = record.outcome.samples
    return (samples.t_ns[-1] + samples.latency_ns[-1]) / 1e9


def infrastructure(failure: Failure) -> bool:
    """Return whether a run was lost outside of the artifact and its runtime."""
    return failure.stage is Stage.CLUSTER
