"""Match two sets of records cell by cell, compare them and judge them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

from mobilebench.errors import UserError, require_known
from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.judging import Runs, judge_all, judge_exact, weigh
from mobilebench.regress.metrics import EXACT, TIMED, names
from mobilebench.regress.rule import Rule
from mobilebench.values import value
from mobilebench.values.measurement import Failure
from mobilebench.values.record import Identity, Network, Record

FIELDS = tuple(field.name for field in fields(Identity))
"""Fields that have to be equal before two records are compared."""
Key = tuple[Network, tuple[object, ...]]


@value
class Report:
    """The result of a check."""

    rule: Rule
    comparisons: tuple[Comparison, ...]
    unmatched: tuple[str, ...]
    """Cells that only one side has, in sentences."""
    across: tuple[str, ...]
    """Fields of the identity that were allowed to differ, and did."""

    @property
    def verdict(self) -> Verdict:
        """Return the worst verdict; inconclusive also where a cell has no counterpart."""
        verdicts = {comparison.verdict for comparison in self.comparisons}
        if Verdict.REGRESSED in verdicts:
            return Verdict.REGRESSED
        if Verdict.INCONCLUSIVE in verdicts or self.unmatched:
            return Verdict.INCONCLUSIVE
        return Verdict.IMPROVED if Verdict.IMPROVED in verdicts else Verdict.UNCHANGED


def check(
    baseline: Iterable[Record],
    candidate: Iterable[Record],
    rule: Rule | None = None,
    *,
    metrics: Sequence[str] | None = None,
    allow_different: Sequence[str] = (),
) -> Report:
    """Compare every cell that both sides have.

    P-values are adjusted over all cells for each metric separately. `allow_different` names fields
    of the identity that need not be equal. Raises `UserError` where a side is empty, and where no
    cell of one side has a counterpart on the other, naming the fields that differ; `UnknownName`
    for a metric or a field that does not exist.
    """
    rule = rule or Rule()
    selected = _known(names(), metrics or names(), "metric")
    free = frozenset(_known(FIELDS, allow_different, "field of the identity"))
    words = ("baseline", "candidate")
    records = [
        _distinct(side, word) for side, word in zip((baseline, candidate), words, strict=True)
    ]
    sides = [_Side.of(side.values(), free) for side in records]
    for side, word in zip(sides, words, strict=True):
        if not side.cells and not side.failures:
            raise UserError(f"The {word} holds no records; give one that does.")
    before, after = sides
    shared = [key for key in before.cells if key in after.cells]
    failed = [key for key in before.cells if key not in after.cells and key[0] in after.failures]
    if not shared and not failed:
        raise UserError(_nothing_in_common(before, after))
    both = records[0].keys() & records[1].keys()
    if both:
        raise UserError(
            f"The baseline and the candidate have {len(both)} records in common, such as "
            f"{min(both)}; a run cannot be compared with itself."
        )
    cells = [_runs(before.cells[key], after.cells[key]) for key in shared]
    gone = [_gone(before.cells[key], after.failures[key[0]]) for key in failed]
    return Report(
        rule=rule,
        comparisons=(*compare(cells, rule, selected), *gone),
        unmatched=tuple(_unmatched(before, after, {*shared, *failed})),
        across=tuple(name for name in FIELDS if name in free and _differs(name, cells)),
    )


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
    for timed in TIMED:
        if timed.name in selected:
            yield from enumerate(judge_all([weigh(runs, timed, rule) for runs in cells], rule))
    for exact in EXACT:
        if exact.name in selected:
            for index, runs in enumerate(cells):
                comparison = judge_exact(runs, exact, rule)
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


@dataclass(frozen=True)
class _Side:
    """The measured records of one side, by what makes them comparable, and its failures."""

    cells: dict[Key, list[Record]]
    failures: dict[Network, Failure]

    @classmethod
    def of(cls, records: Iterable[Record], free: frozenset[str]) -> _Side:
        cells: dict[Key, list[Record]] = {}
        failures: dict[Network, Failure] = {}
        for record in sorted(records, key=lambda record: (record.created, record.record_id)):
            if isinstance(record.outcome, Failure):
                failures[_network(record, free)] = record.outcome
            else:
                cells.setdefault(key(record, free), []).append(record)
        return cls(cells, failures)


def key(record: Record, free: frozenset[str] = frozenset()) -> Key:
    """Return the values that have to be equal before two records are compared."""
    identity = record.identity
    same = tuple(getattr(identity, name) for name in FIELDS if name not in free)
    return (_network(record, free), same)


def _network(record: Record, free: frozenset[str]) -> Network:
    """Return the record's network, without its inputs where these may differ."""
    return replace(record.network, inputs=()) if "inputs" in free else record.network


def _runs(baseline: list[Record], candidate: list[Record]) -> Runs:
    """Return the runs of one cell, in pairs where each has a partner in the same session."""
    by_pair = [
        {(r.session.id, r.session.pair): r for r in side if r.session is not None}
        for side in (baseline, candidate)
    ]
    shared = sorted(by_pair[0].keys() & by_pair[1].keys())
    cell = candidate[0].title
    if shared and len(shared) == len(baseline) == len(candidate):
        first, second = ([side[pair] for pair in shared] for side in by_pair)
        return Runs(cell, first, second, paired=True)
    return Runs(cell, baseline, candidate, paired=False)


def _gone(baseline: list[Record], failure: Failure) -> Comparison:
    """Return the comparison of a cell that was measured before and fails now."""
    return Comparison(
        cell=baseline[0].title,
        metric="outcome",
        unit="",
        baseline=None,
        candidate=None,
        effect=None,
        interval=None,
        p_value=None,
        runs=(len(baseline), 0),
        paired=False,
        verdict=Verdict.REGRESSED,
        reason=f"{failure.stage} failed: {failure.error}: {failure.message}",
    )


def _unmatched(before: _Side, after: _Side, matched: set[Key]) -> Iterable[str]:
    for side, other, word in ((before, after, "baseline"), (after, before, "candidate")):
        for key, records in side.cells.items():
            if key not in matched:
                why = _nearest(records[0], other)
                yield f"only the {word} has {records[0].title}{why}"


def _nearest(record: Record, other: _Side) -> str:
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
    return (one.model.name, one.recipe) == (other.model.name, other.recipe)


def _differences(one: Record, other: Record) -> list[str]:
    names = one.identity.differences(other.identity)
    return [
        f"{name} ({getattr(one.identity, name)} / {getattr(other.identity, name)})"
        for name in names
    ]


def _nothing_in_common(before: _Side, after: _Side) -> str:
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
