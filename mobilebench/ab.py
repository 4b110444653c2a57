"""A/B: artifacts measured in turns with their counterparts, and judged by the rule of the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mobilebench import pipeline, plugins
from mobilebench.artifact import Artifact
from mobilebench.errors import CellFailed, UserError
from mobilebench.measurement import ComputeUnit, Failure
from mobilebench.observer import Observer
from mobilebench.protocol import Protocol
from mobilebench.record import Record
from mobilebench.regress import Comparison, Report, Rule, Verdict
from mobilebench.regress.gate import compare, describe
from mobilebench.regress.judging import Runs


@dataclass(frozen=True)
class Setting:
    """On what, and how, both sides are measured."""

    device_id: str
    runtimes: Sequence[str]
    threads: Sequence[int]
    protocol: Protocol
    compute_unit: ComputeUnit = ComputeUnit.CPU


@dataclass(frozen=True)
class _Cell:
    """Two artifacts on one runtime."""

    first: Artifact
    second: Artifact
    runtime: str | None
    threads: int


def run(
    first: Sequence[Artifact],
    second: Sequence[Artifact],
    setting: Setting,
    rule: Rule,
    *,
    pairs: int | None = None,
    confirm: bool = False,
    metrics: Sequence[str] | None = None,
    observer: Observer | None = None,
    keep: Callable[[Record], object] = lambda _: None,
) -> Report:
    """Measure interleaved pairs of every cell, by default as many as the rule needs, and judge the
    second side by the first; counterparts are at the same place of both lists.

    Every record is given to `keep` as soon as it exists. With `confirm` what seems to have
    regressed is measured again in a session of its own, and stays so only if that says the same.
    Raises `CellFailed` where a side cannot be measured, `UserError` where the sides do not match
    or the device cannot be had.
    """
    cells = list(_cells(first, second, setting))
    count = pairs or rule.pairs_needed(len(cells))

    def measured(cell: _Cell) -> Runs:
        return _measured(cell, setting, count, observer, keep)

    runs = [measured(cell) for cell in cells]
    found = compare(runs, rule, metrics)
    if confirm:
        doubtful = {c.cell for c in found if c.verdict is Verdict.REGRESSED and c.interval}
        again = compare(
            [measured(cell) for cell, its in zip(cells, runs, strict=True) if its.cell in doubtful],
            rule,
            metrics,
        )
        seen = {(comparison.cell, comparison.metric): comparison for comparison in again}
        found = tuple(confirmed(c, seen.get((c.cell, c.metric))) for c in found)
    return Report(rule=rule, comparisons=found, unmatched=(), across=())


def _cells(
    first: Sequence[Artifact], second: Sequence[Artifact], setting: Setting
) -> Iterator[_Cell]:
    if len(first) != len(second) or not first:
        raise UserError(
            f"A comparison needs as many artifacts on both sides, and was given {len(first)} and "
            f"{len(second)}."
        )
    runner = plugins.runner(setting.device_id)
    for before, after in zip(first, second, strict=True):
        recipes = before.manifest.recipe, after.manifest.recipe
        offered = [runner.runtimes(recipe.format, recipe.delegate) for recipe in recipes]
        shared = [name for name in offered[0] if name in offered[1]]
        asked = [name for name in setting.runtimes if name in shared]
        if not shared or (setting.runtimes and not asked):
            raise UserError(
                f"No runtime{' of those asked for' * bool(setting.runtimes)} runs both "
                f"{before.name} and {after.name} on {setting.device_id}."
            )
        for runtime in asked or shared[:1]:
            for threads in setting.threads:
                yield _Cell(before, after, runtime, threads)


def _measured(
    cell: _Cell,
    setting: Setting,
    pairs: int,
    observer: Observer | None,
    keep: Callable[[Record], object],
) -> Runs:
    first, second = measure_pairs(
        cell.first,
        cell.second,
        replace(setting, runtimes=[cell.runtime] if cell.runtime else [], threads=[cell.threads]),
        pairs,
        observer,
        keep,
    )
    name = describe(second[0])
    if cell.first.name != cell.second.name:
        name = f"{cell.first.name} to {name}"
    return Runs(name, first, second, paired=True)


def measure_pairs(
    first: Artifact,
    second: Artifact,
    setting: Setting,
    pairs: int,
    observer: Observer | None = None,
    keep: Callable[[Record], object] = lambda _: None,
) -> tuple[list[Record], list[Record]]:
    """The records of both sides of one session, pair by pair, on the setting's first runtime and
    thread count. Raises `CellFailed` where a run fails: its session tells nothing."""
    sides: dict[str, list[Record]] = {"A": [], "B": []}
    for record in pipeline.benchmark_pairs(
        first,
        second,
        pairs=pairs,
        device_id=setting.device_id,
        runtime=next(iter(setting.runtimes), None),
        threads=setting.threads[0],
        protocol=setting.protocol,
        compute_unit=setting.compute_unit,
        observer=observer,
    ):
        keep(record)
        if isinstance(record.outcome, Failure):
            failure = record.outcome
            raise CellFailed(failure.stage, failure.error, failure.message, failure.log_tail)
        assert record.session is not None
        sides[record.session.side].append(record)
    return sides["A"], sides["B"]


def confirmed(found: Comparison, again: Comparison | None) -> Comparison:
    """What a second session leaves of a verdict of the first."""
    if found.verdict is not Verdict.REGRESSED or again is None or found.interval is None:
        return found
    effect = f"{again.effect:+.1%}" if again.effect is not None else "nothing"
    if again.verdict is Verdict.REGRESSED:
        return replace(found, reason=f"{found.reason}; a second session says {effect}")
    return replace(
        found,
        verdict=Verdict.INCONCLUSIVE,
        reason=f"not confirmed: a second session says {effect} ({again.verdict})",
    )
