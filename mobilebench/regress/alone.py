"""The figures of files that have no counterpart, from records of the candidate alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from mobilebench.regress.review import Figures
from mobilebench.stats.summary import summarise
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record


def figures(records: Iterable[Record]) -> tuple[Figures, ...]:
    """Return the figures of each cell that was measured, as medians over its runs."""
    cells: dict[str, list[Record]] = {}
    for record in records:
        if isinstance(record.outcome, Measurement):
            cells.setdefault(record.title, []).append(record)
    return tuple(_of_cell(title, runs) for title, runs in cells.items())


def _of_cell(title: str, runs: Sequence[Record]) -> Figures:
    measured = [run.outcome for run in runs if isinstance(run.outcome, Measurement)]

    def over_runs(number: Callable[[Measurement], float]) -> float:
        return float(median(map(number, measured)))

    facts = runs[0].artifact
    assert facts is not None, "a measurement has its artifact"
    return Figures(
        cell=title,
        size_bytes=facts.size_bytes,
        p50_ns=over_runs(lambda m: summarise(m.samples.latencies_ns()).p50_ns),
        p90_ns=over_runs(lambda m: summarise(m.samples.latencies_ns()).p90_ns),
        first_load_ns=over_runs(lambda m: m.loads.first_ns),
        peak_memory_bytes=int(over_runs(lambda m: m.memory.peak_bytes)),
    )
