"""Match two sets of records cell by cell, compare them and judge them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mobilebench.errors import UserError, require_known
from mobilebench.notation.quantities import counted
from mobilebench.regress.anchors import Anchor
from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.evidence import weigh
from mobilebench.regress.judging import judge_all, judge_exact, judge_outcome
from mobilebench.regress.metrics import EXACT, FAMILIES, LATENCIES, names
from mobilebench.regress.rule import Rule
from mobilebench.regress.runs import Runs, matched
from mobilebench.regress.sides import FIELDS, Key, Side, place_of, would_be
from mobilebench.values import value
from mobilebench.values.measurement import Failure
from mobilebench.values.record import Record

_WORDS = ("baseline", "candidate")


@value
class Report:
    """The result of a check."""

    rule: Rule
    comparisons: tuple[Comparison, ...]
    unmatched: tuple[str, ...]
    """Cells that only one side has, in sentences."""
    across: tuple[str, ...]
    """Fields of the identity that were allowed to differ, and did."""

    def __repr__(self) -> str:
        return f"<Report {self.verdict}: {len(self.comparisons)} comparisons>"

    @property
    def verdict(self) -> Verdict:
        """Return the worst verdict.

        Inconclusive also where a cell has no counterpart, where one side alone lacks a number, and
        where nothing could be compared.
        """
        verdicts = {comparison.verdict for comparison in self.comparisons}
        if Verdict.REGRESSED in verdicts:
            return Verdict.REGRESSED
        if self.unmatched or any(comparison.undecided for comparison in self.comparisons):
            return Verdict.INCONCLUSIVE
        if verdicts <= {Verdict.NOT_COMPARABLE}:
            return Verdict.INCONCLUSIVE
        return Verdict.IMPROVED if Verdict.IMPROVED in verdicts else Verdict.UNCHANGED


def check(
    baseline: Iterable[Record],
    candidate: Iterable[Record],
    rule: Rule | None = None,
    *,
    metrics: Sequence[str] | None = None,
    allow_different: Sequence[str] = (),
    anchor: str | None = None,
) -> Report:
    """Compare every cell that both sides have.

    P-values are adjusted over all cells for each metric separately. `allow_different` names fields
    of the identity that need not be equal. `anchor` names a reference artifact that both sides
    measured, by its name or the beginning of its sha256: latencies are divided by those of the
    reference, which is not compared itself. Raises `UserError` where a side is empty, and where no
    cell of one side has a counterpart on the other, naming the fields that differ; `UnknownName`
    for a metric or a field that does not exist.
    """
    rule = rule or Rule()
    selected = _known(names(), metrics or names(), "metric")
    free = frozenset(_known(FIELDS, allow_different, "field of the identity"))
    records = [
        _distinct(side, word) for side, word in ((baseline, _WORDS[0]), (candidate, _WORDS[1]))
    ]
    for side, word in zip(records, _WORDS, strict=True):
        if not side:
            raise UserError(f"The {word} holds no records; give one that does.")
    reference = None
    if anchor is not None:
        if not any(metric.name in selected for metric in LATENCIES):
            raise UserError(
                "--anchor divides latencies, and --metric selects none; leave one of them out."
            )
        reference = Anchor.find(anchor, [side.values() for side in records])
    before, after = (
        Side.of([r for r in side.values() if reference is None or not reference.has(r)], free)
        for side in records
    )
    shared = [key for key in before.cells if key in after.cells]
    gone = [key for key in before.cells if key not in after.cells and after.failures_of(key)]
    lost = [key for key in after.cells if key not in before.cells and before.failures_of(key)]
    if not (shared or gone or lost or before.failing & after.failing):
        raise UserError(_nothing_in_common(before, after))
    both = records[0].keys() & records[1].keys()
    if both:
        raise UserError(
            f"The baseline and the candidate have {counted(len(both), 'record')} in common, such "
            f"as {min(both)}; a run cannot be compared with itself."
        )
    cells = [_cell(key, before, after) for key in shared]
    if reference is not None:
        cells = [reference.divide(runs) for runs in cells]
    outcomes = [judge_outcome(_cell(key, before, after), rule) for key in gone]
    return Report(
        rule=rule,
        comparisons=(
            *compare(cells, rule, selected),
            *(outcome for outcome in outcomes if outcome is not None),
        ),
        unmatched=tuple(_unmatched(before, after, {*shared, *gone})),
        across=tuple(name for name in FIELDS if name in free and _differs(name, cells)),
    )


def _cell(key: Key, before: Side, after: Side) -> Runs:
    """Return the runs of a cell that the first side has, and perhaps the second."""
    first, second = before.cells[key], after.cells.get(key, [])
    failures = before.failures_of(key), after.failures_of(key)
    return matched((second or first)[0].title, first, second, failures)


def compare(
    cells: Sequence[Runs], rule: Rule, metrics: Sequence[str] | None = None
) -> tuple[Comparison, ...]:
    """Compare cells that are already matched; p-values are adjusted as by `check`."""
    return tuple(comparison for _, comparison in compare_each(cells, rule, metrics))


def compare_each(
    cells: Sequence[Runs], rule: Rule, metrics: Sequence[str] | None = None
) -> Iterator[tuple[int, Comparison]]:
    """Compare cells as `compare` does; yield each comparison with the position of its cell."""
    selected = _known(names(), metrics or names(), "metric")
    measured = [index for index, runs in enumerate(cells) if all(runs.counts)]
    for of_family in FAMILIES:
        family = [metric for metric in of_family if metric.name in selected]
        weighed = [weigh(cells[index], family, rule) for index in measured] if family else []
        for of_metric in zip(*weighed, strict=True):
            yield from zip(measured, judge_all(of_metric, rule), strict=True)
    for index, runs in enumerate(cells):
        outcome = judge_outcome(runs, rule)
        if outcome is not None:
            yield index, outcome
    for exact in EXACT:
        if exact.name in selected:
            for index in measured:
                comparison = judge_exact(cells[index], exact, rule)
                if comparison is not None:
                    yield index, comparison


def _distinct(records: Iterable[Record], word: str) -> dict[str, Record]:
    """Return records by their ids; a record that was given twice counts once.

    Raises `UserError` for two different records with the same id.
    """
    by_id: dict[str, Record] = {}
    for record in records:
        if by_id.setdefault(record.record_id, record) != record:
            raise UserError(
                f"The {word} holds two different records with the id {record.record_id}; one of "
                f"them was changed: take both from where they were measured."
            )
    return by_id


def _unmatched(before: Side, after: Side, matched: set[Key]) -> Iterable[str]:
    for side, other, word in ((before, after, "baseline"), (after, before, "candidate")):
        for key, records in side.cells.items():
            if key in matched:
                continue
            failures = other.failures_of(key)
            why = f"; the other side's failed: {failures[-1].description}" if failures else ""
            yield f"only the {word} has {records[0].title}{why or _nearest(records[0], other)}"
    cells = {*before.cells, *after.cells}
    for side, other, words in (
        (before, after, "only the baseline has {}, and it failed"),
        (after, before, "only the candidate has {}, and it failed"),
    ):
        named = set()
        for record in side.failures:
            place = place_of(record, side.free)
            if place in named or any(would_be(record, cell, side.free) for cell in cells):
                continue
            named.add(place)
            assert isinstance(record.outcome, Failure)
            if place not in other.failing:
                yield f"{words.format(record.title)}: {record.outcome.description}"
            elif side is after:
                yield f"both sides of {record.title} failed: {record.outcome.description}"


def _nearest(record: Record, other: Side) -> str:
    """Return how the most similar cell of the network differs, to end a sentence."""
    differences = [
        _differences(record, records[0])
        for records in other.cells.values()
        if _alike(records[0], record)
    ]
    if not differences:
        return ""
    fewest = min([len(names) for names in differences])
    nearest = next(names for names in differences if len(names) == fewest)
    return f"; the other side's differs in {', '.join(nearest)}"


def _alike(one: Record, other: Record) -> bool:
    """Return whether two records have the same model and recipe, at whatever input sizes."""
    return replace(one.network, inputs=()) == replace(other.network, inputs=())


def _differences(one: Record, other: Record) -> list[str]:
    names = one.identity.differences(other.identity)
    return [
        f"{name} ({_shown(getattr(one.identity, name))} / {_shown(getattr(other.identity, name))})"
        for name in names
    ]


def _shown(part: object) -> str:
    """Return a field of an identity in words; what is unknown equals nothing that is known."""
    return "unknown" if part is None else str(part)


def _nothing_in_common(before: Side, after: Side) -> str:
    """Return why no cell can be compared, in a sentence."""
    for records in before.cells.values():
        for others in after.cells.values():
            if _alike(records[0], others[0]):
                differences = ", ".join(_differences(records[0], others[0]))
                return (
                    f"No record of the candidate can be compared with the baseline: those of "
                    f"{records[0].model.title} differ in {differences}. Measure both alike, or "
                    f"allow a field to differ with --allow-different."
                )
    if not before.cells and not after.cells:
        return "Both sides hold nothing to compare beside failures and the anchor; measure both."
    one, other = (
        sorted({f"{r[0].model.title} {r[0].recipe.label}" for r in side.cells.values()})
        for side in (before, after)
    )
    return (
        f"The baseline and the candidate have no model by the same recipe in common: "
        f"{', '.join(one[:4])} on one side, {', '.join(other[:4])} on the other."
    )


def _differs(name: str, cells: list[Runs]) -> bool:
    return any(
        getattr(one.identity, name) != getattr(other.identity, name)
        for runs in cells
        for one in runs.baseline[:1]
        for other in runs.candidate[:1]
    )


def _known(known: Sequence[str], names: Sequence[str], noun: str) -> Sequence[str]:
    for name in names:
        require_known(noun, name, known)
    return names
