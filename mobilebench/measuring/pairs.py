"""Compare artifacts by interleaved pairs of runs, with the rule of the regression check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mobilebench.errors import CellFailed
from mobilebench.measuring.bench import measure_pair
from mobilebench.measuring.setting import Cell
from mobilebench.observer import Observer
from mobilebench.regress import Comparison, Report, Rule, Verdict
from mobilebench.regress.gate import compare_each
from mobilebench.regress.judging import Runs
from mobilebench.values.measurement import Failure
from mobilebench.values.record import Record

Keep = Callable[[Record], object]


def compare_pairs(
    cells: Sequence[tuple[Cell, Cell]],
    rule: Rule,
    *,
    pairs: int | None = None,
    confirm: bool = False,
    metrics: Sequence[str] | None = None,
    observer: Observer | None = None,
    keep: Keep = lambda _: None,
) -> Report:
    """Measure interleaved pairs of every cell, and judge the second side by the first.

    By default as many pairs as the rule needs. Every record is given to `keep` as soon as it
    exists. With `confirm`, every regression is measured again in a second session, and stands only
    if that session agrees. Raises `CellFailed` where a side cannot be measured.
    """
    count = pairs or rule.pairs_needed(len(cells))
    runs = [_runs(pair, count, observer, keep) for pair in cells]
    comparisons = list(compare_each(runs, rule, metrics))
    if confirm:
        doubtful = sorted(
            {
                index
                for index, comparison in comparisons
                if comparison.verdict is Verdict.REGRESSED and comparison.interval
            }
        )
        again = [_runs(cells[index], count, observer, keep) for index in doubtful]
        second = {
            (doubtful[index], comparison.metric): comparison
            for index, comparison in compare_each(again, rule, metrics)
        }
        comparisons = [
            (index, confirmed(comparison, second.get((index, comparison.metric))))
            for index, comparison in comparisons
        ]
    judged = tuple(comparison for _, comparison in comparisons)
    return Report(rule=rule, comparisons=judged, unmatched=(), across=())


def measure_sides(
    cells: tuple[Cell, Cell],
    pairs: int,
    observer: Observer | None = None,
    keep: Keep = lambda _: None,
) -> tuple[list[Record], list[Record]]:
    """Measure one session and return the records of both sides, pair by pair.

    Raises `CellFailed` where a run fails: an incomplete session shows nothing.
    """
    sides: dict[str, list[Record]] = {"A": [], "B": []}
    for record in measure_pair(cells, pairs, observer):
        keep(record)
        if isinstance(record.outcome, Failure):
            failure = record.outcome
            raise CellFailed(failure.stage, failure.error, failure.message, failure.log_tail)
        assert record.session is not None
        sides[record.session.side].append(record)
    return sides["A"], sides["B"]


def _runs(cells: tuple[Cell, Cell], pairs: int, observer: Observer | None, keep: Keep) -> Runs:
    first, second = measure_sides(cells, pairs, observer, keep)
    before, after = cells
    name = second[0].title
    if before.artifact.name != after.artifact.name:
        name = f"{before.artifact.name} to {name}"
    return Runs(name, first, second, paired=True)


def confirmed(first: Comparison, second: Comparison | None) -> Comparison:
    """Return the first session's comparison, corrected by that of the second session."""
    if first.verdict is not Verdict.REGRESSED or second is None or first.interval is None:
        return first
    effect = f"{second.effect:+.1%}" if second.effect is not None else "nothing"
    if second.verdict is Verdict.REGRESSED:
        return replace(first, reason=f"{first.reason}; a second session measured {effect}")
    return replace(
        first,
        verdict=Verdict.INCONCLUSIVE,
        reason=f"not confirmed: a second session measured {effect} ({second.verdict})",
    )
