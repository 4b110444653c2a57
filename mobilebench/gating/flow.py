"""From two commits to a review: export both, pair up their files, measure, judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.gating.exports import Checkout, Export, export_side
from mobilebench.gating.repository import Commit, Repository
from mobilebench.gating.words import Move
from mobilebench.measuring.bench import measure
from mobilebench.measuring.pairs import compare_pairs
from mobilebench.measuring.setting import Cell, Setting, find_device, plan, plan_pairs
from mobilebench.observer import Observer
from mobilebench.regress import Report, Rule
from mobilebench.regress.alone import figures
from mobilebench.regress.review import Fault, Figures, Review
from mobilebench.values.artifact import Artifact, ArtifactFacts
from mobilebench.values.measurement import Failure
from mobilebench.values.record import Record

Follow = Callable[[str, int], AbstractContextManager[Observer]]
"""Shows the progress of that many cells under a title."""


@dataclass(frozen=True)
class Order:
    """What a gate is asked to do."""

    arguments: tuple[str, ...]
    """Of `mobilebench export`, the same for both sides."""
    models: tuple[str, ...]
    """The networks among the arguments."""
    setting: Setting
    rule: Rule
    pairs: int | None = None
    confirm: bool = False
    metrics: tuple[str, ...] | None = None
    store: str | None = None
    """Of failed exports; None for the usual one."""


@dataclass
class _Matches:
    """The files of the candidate, each with its counterpart or without one."""

    pairs: list[tuple[Artifact, Artifact]] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    alone: list[Artifact] = field(default_factory=list)
    missing: list[Fault] = field(default_factory=list)
    broken: list[Fault] = field(default_factory=list)


def judge(
    review: Review,
    repository: Repository,
    baseline: Commit | None,
    order: Order,
    folder: Path,
    follow: Follow,
    keep: Callable[[Record], object],
) -> Review:
    """Complete the review of the working tree against a commit.

    Exports go into `folder`, and every record to `keep` as soon as it exists. Raises `UserError`
    for what is the caller's mistake on both sides: a model that neither has, a toolkit or a device
    that does not exist.
    """
    find_device(order.setting.device_id)  # before minutes of exports
    here = Checkout(repository.root, repository.root / repository.inside)
    after = export_side(here, order.arguments, order.models, folder / "B", order.store, here.root)
    _require_sense(after)
    before: tuple[Export, ...] = ()
    there = here
    if baseline is not None and any(_worth_comparing(export) for export in after):
        with repository.worktree(baseline) as tree:
            there = Checkout(tree, tree / repository.inside)
            there.make_folder()
            before = _export_before(there, here, repository, order, folder / "A")
    matches = _match(before, after, there, here)
    if baseline is None:
        first = Fault(subject=review.baseline, message="This is the first commit.", fresh=True)
        matches.missing.append(first)
    report, unmeasured = _compared(matches, baseline, order, follow, keep)
    alone, crashed, more = _measured_alone(matches.alone, order, follow, keep)
    review = replace(
        review,
        report=report,
        same=tuple(matches.same),
        alone=alone,
        missing=tuple(matches.missing),
        broken=(*matches.broken, *crashed),
        unmeasured=(*unmeasured, *more),
    )
    if unmeasured and not (report or review.same or alone or review.broken):
        raise UserError(unmeasured[0])
    return review


def _export_before(
    there: Checkout, here: Checkout, repository: Repository, order: Order, out: Path
) -> tuple[Export, ...]:
    """Export the baseline; its networks have the names that the caller gave them."""
    move = Move(here.root, here.folder, there.root, repository.tracks)
    names = {move.model(model): model for model in order.models}
    words = move.words(order.arguments, order.models)
    exports = export_side(there, words, tuple(names), out, order.store, here.root)
    return tuple(
        replace(export, reference=names.get(export.reference or "", export.reference))
        for export in exports
    )


def _worth_comparing(export: Export) -> bool:
    """Return whether the baseline matters: there is a file, or the model is gone."""
    return isinstance(export.outcome, Artifact) or export.absent


def _require_sense(after: Sequence[Export]) -> None:
    """Raise `UserError` for what no change of the network can mend."""
    for export in after:
        if export.of_the_caller and isinstance(export.outcome, Failure):
            raise UserError(export.outcome.message)


def _match(
    before: Sequence[Export], after: Sequence[Export], there: Checkout, here: Checkout
) -> _Matches:
    matches = _Matches()
    for export in after:
        counterpart = _counterpart(export, before)
        if isinstance(export.outcome, Failure):
            if export.absent and not _has(export.reference, before):
                raise UserError(export.outcome.message)
            matches.broken.append(here.fault(export, export.outcome))
        elif counterpart is None:
            matches.alone.append(export.outcome)
        elif isinstance(counterpart.outcome, Failure):
            fault = there.fault(counterpart, counterpart.outcome)
            if fault not in matches.missing:
                matches.missing.append(fault)
            matches.alone.append(export.outcome)
        elif _same(counterpart.outcome, export.outcome):
            matches.same.append(export.outcome.name)
        else:
            matches.pairs.append((counterpart.outcome, export.outcome))
    return matches


def _counterpart(export: Export, before: Sequence[Export]) -> Export | None:
    """Return the same network by the same recipe, or the failure that came before any recipe."""
    for each in before:
        of_it = each.reference in (export.reference, None)
        if of_it and each.label in (export.label, None):
            return each
    return None


def _has(reference: str | None, before: Sequence[Export]) -> bool:
    """Return whether a side has a model of that name, exported or broken."""
    return any(each.reference == reference and not each.absent for each in before)


def _same(before: Artifact, after: Artifact) -> bool:
    """Return whether two files cannot differ in any figure: equal bytes, used in one way."""
    one, other = before.manifest, after.manifest
    return (
        one.facts.sha256 == other.facts.sha256
        and one.recipe == other.recipe
        and one.inputs == other.inputs
        and one.model_file == other.model_file
        and _verdicts(one.facts) == _verdicts(other.facts)
    )


def _verdicts(facts: ArtifactFacts) -> tuple[object, ...]:
    """Return which verifications passed: the same file may be another network's by now."""
    agreed = None if facts.agreement is None else facts.agreement.passed
    return (tuple((each.evaluated_by, each.passed) for each in facts.parity), agreed)


def _compared(
    matches: _Matches,
    baseline: Commit | None,
    order: Order,
    follow: Follow,
    keep: Callable[[Record], object],
) -> tuple[Report | None, tuple[str, ...]]:
    """Measure the pairs interleaved; return the report, and what the device cannot run."""
    cells: list[tuple[Cell, Cell]] = []
    unmeasured: list[str] = []
    for before, after in matches.pairs:
        try:
            planned = plan_pairs([before], [after], order.setting)
        except UserError as error:
            unmeasured.append(str(error))
            continue
        unmeasured += planned.left_out
        commit = None if baseline is None else baseline.sha
        cells += [(replace(first, commit=commit), second) for first, second in planned.cells]
    if not cells:
        return None, tuple(unmeasured)
    count = order.pairs or order.rule.pairs_needed(len(cells))
    with follow(f"compare by {order.setting.protocol.id}", 2 * count * len(cells)) as observer:
        report = compare_pairs(
            cells,
            order.rule,
            pairs=count,
            confirm=order.confirm,
            metrics=order.metrics,
            observer=observer,
            keep=keep,
        )
    return report, tuple(unmeasured)


def _measured_alone(
    artifacts: Sequence[Artifact], order: Order, follow: Follow, keep: Callable[[Record], object]
) -> tuple[tuple[Figures, ...], tuple[Fault, ...], tuple[str, ...]]:
    """Measure files without a counterpart once.

    Return their figures, the runs that failed, and what the device cannot run.
    """
    cells: list[Cell] = []
    sizes: list[Figures] = []
    unmeasured: list[str] = []
    for artifact in artifacts:
        try:
            cells += plan([artifact], order.setting).cells
        except UserError as error:
            unmeasured.append(str(error))
            size = artifact.manifest.facts.size_bytes
            sizes.append(Figures(cell=artifact.name, size_bytes=size))
    records = []
    if cells:
        with follow(f"measure by {order.setting.protocol.id}", len(cells)) as observer:
            for record in measure(cells, observer):
                keep(record)
                records.append(record)
    crashed = tuple(
        Fault(
            subject=record.title,
            message=record.outcome.description,
            advice=record.outcome.advice,
            log_tail=record.outcome.log_tail,
        )
        for record in records
        if isinstance(record.outcome, Failure)
    )
    return (*figures(records), *sizes), crashed, tuple(unmeasured)
