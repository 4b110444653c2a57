"""Judge by the gate's rule whether rows that were measured again have changed.

A row is judged where both sides measured alike: the same identity, so the same device, system,
runtime and protocol. `unchanged` is said of nothing but an interval that lies within the tolerance,
which takes several runs a side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.gate import compare_each
from mobilebench.regress.metrics import LATENCIES
from mobilebench.regress.rule import Rule
from mobilebench.regress.runs import Runs, matched
from mobilebench.regress.sides import key
from mobilebench.reproducing.row import Row
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record

_METRICS = tuple(metric.name for metric in LATENCIES)
_ORDER = (Verdict.REGRESSED, Verdict.NOT_COMPARABLE, Verdict.INCONCLUSIVE, Verdict.IMPROVED)


@dataclass(frozen=True)
class Judged:
    """What the gate's rule says of one row."""

    comparisons: tuple[Comparison, ...] = ()
    """Of the latency's median and 90th percentile."""
    not_judged: str | None = None
    """Why there is no comparison, in a clause; None where there is one, or nothing was measured."""

    @property
    def verdict(self) -> Verdict | None:
        """The worst verdict: unchanged only where every latency is."""
        verdicts = {comparison.verdict for comparison in self.comparisons}
        if not verdicts:
            return None
        return next((each for each in _ORDER if each in verdicts), Verdict.UNCHANGED)

    @property
    def decided(self) -> bool:
        """Whether the runs show that it changed, or that it did not."""
        decisive = (Verdict.REGRESSED, Verdict.IMPROVED, Verdict.UNCHANGED)
        return self.verdict in decisive

    @property
    def words(self) -> str:
        """The verdict for a table; empty where nothing was measured."""
        if self.not_judged is not None:
            return "not comparable"
        worst = [each for each in self.comparisons if each.verdict is self.verdict]
        return worst[0].words if worst else ""


def judge(rows: Sequence[Row], rule: Rule | None = None) -> list[Judged]:
    """Judge every row that was measured again; p-values are adjusted over the rows."""
    judged = [Judged(not_judged=_obstacle(row)) for row in rows]
    places = [
        place for place, row in enumerate(rows) if row.runs and judged[place].not_judged is None
    ]
    cells = [_cell(rows[place]) for place in places]
    comparisons: dict[int, list[Comparison]] = {}
    for index, comparison in compare_each(cells, rule or Rule(), _METRICS):
        if comparison.metric in _METRICS:
            comparisons.setdefault(places[index], []).append(comparison)
    return [
        Judged(tuple(comparisons[place])) if place in comparisons else each
        for place, each in enumerate(judged)
    ]


def _cell(row: Row) -> Runs:
    return matched(row.title, _alike(row, (row.record, *row.others)), _alike(row, row.runs))


def _alike(row: Row, runs: Sequence[Record]) -> list[Record]:
    """Return the measured runs that compare with the table's."""
    wanted = key(row.record)
    return [run for run in _measured(runs) if key(run) == wanted]


def _measured(runs: Sequence[Record]) -> Iterator[Record]:
    for run in runs:
        if isinstance(run.outcome, Measurement):
            yield run


def _obstacle(row: Row) -> str | None:
    """Return why a row with new measurements cannot be judged; None where it can."""
    if not row.runs:
        return None
    if not isinstance(row.record.outcome, Measurement):
        return "the table has no latency of it"
    new = list(_measured(row.runs))
    if not new:
        return "no new run has a latency"
    if _alike(row, row.runs):
        return None
    differences = row.record.identity.differences(new[0].identity)
    if differences:
        return f"it was measured otherwise: {', '.join(differences)}"
    return "it is about another network"
