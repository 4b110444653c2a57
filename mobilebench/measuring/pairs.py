"""Compare artifacts by interleaved pairs of runs, with the rule of the regression check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mobilebench.measuring.bench import measure_pair
from mobilebench.measuring.setting import Cell
from mobilebench.observer import Observer, Silent
from mobilebench.regress import Comparison, Report, Rule, Verdict
from mobilebench.regress.gate import compare_each
from mobilebench.regress.judging import OUTCOME
from mobilebench.regress.runs import Runs, matched
from mobilebench.values.measurement import Failure, Measurement
from mobilebench.values.record import Record

Keep = Callable[[Record], object]
_HOPELESS = 2
"""Failures of a side that was never measured after which the session ends."""


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
    if that session agrees. A failed run breaks its pair and is judged too.
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
        (observer or Silent()).expect(2 * count * len(doubtful))
        again = [_runs(cells[index], count, observer, keep) for index in doubtful]
        second = {
            (doubtful[index], comparison.metric): comparison
            for index, comparison in compare_each(again, rule, metrics)
        }
        comparisons = [
            (index, confirmed(comparison, second.get((index, comparison.metric))))
            for index, comparison in comparisons
        ]
        known = {(index, comparison.metric) for index, comparison in comparisons}
        comparisons += [
            (index, comparison)
            for (index, metric), comparison in second.items()
            if comparison.metric == OUTCOME and (index, metric) not in known
        ]
    judged = tuple(comparison for _, comparison in comparisons)
    return Report(rule=rule, comparisons=judged, unmatched=(), across=())


def measure_sides(
    cells: tuple[Cell, Cell],
    pairs: int,
    observer: Observer | None = None,
    keep: Keep = lambda _: None,
) -> tuple[list[Record], list[Record]]:
    """Measure one session and return the records of both sides, failed runs among them.

    The session ends early where a side has failed twice and was never measured.
    """
    sides: dict[str, list[Record]] = {"A": [], "B": []}
    for record in measure_pair(cells, pairs, observer):
        keep(record)
        assert record.session is not None
        side = sides[record.session.side]
        side.append(record)
        if len(side) == _HOPELESS and all(isinstance(r.outcome, Failure) for r in side):
            break
    return sides["A"], sides["B"]


def whole_pairs(name: str, sides: tuple[Sequence[Record], Sequence[Record]]) -> Runs:
    """Return the whole pairs of a session, with the failures that broke the others."""
    first, second = (
        [record for record in side if isinstance(record.outcome, Measurement)] for side in sides
    )
    failures = [
        [record.outcome for record in side if isinstance(record.outcome, Failure)] for side in sides
    ]
    return matched(name, first, second, (failures[0], failures[1]))


def _runs(cells: tuple[Cell, Cell], pairs: int, observer: Observer | None, keep: Keep) -> Runs:
    sides = measure_sides(cells, pairs, observer, keep)
    before, after = cells
    name = (sides[1] or sides[0])[0].title
    if before.artifact.name != after.artifact.name:
        name = f"{before.artifact.name} to {name}"
    return whole_pairs(name, sides)


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
