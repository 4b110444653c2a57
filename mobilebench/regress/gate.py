"""Gate: two sets of records are matched cell by cell, compared and judged together."""

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
"""What has to be equal before two records are compared."""
Key = tuple[Network, tuple[object, ...]]


@value
class Report:
    """What a check found."""

    rule: Rule
    comparisons: tuple[Comparison, ...]
    unmatched: tuple[str, ...]
    """Cells that one side alone has, in sentences."""
    across: tuple[str, ...]
    """Fields of the identity that were allowed to differ, and did."""

    @property
    def verdict(self) -> Verdict:
        """The worst that was found; inconclusive also where a cell has no counterpart."""
        found = {comparison.verdict for comparison in self.comparisons}
        if Verdict.REGRESSED in found:
            return Verdict.REGRESSED
        if Verdict.INCONCLUSIVE in found or self.unmatched:
            return Verdict.INCONCLUSIVE
        return Verdict.IMPROVED if Verdict.IMPROVED in found else Verdict.UNCHANGED


def check(
    baseline: Iterable[Record],
    candidate: Iterable[Record],
    rule: Rule | None = None,
    *,
    metrics: Sequence[str] | None = None,
    allow_different: Sequence[str] = (),
) -> Report:
    """Compare every cell that both sides have.

    P-values are adjusted over all cells for each metric by itself. `allow_different` names fields
    of the identity that need not be equal. Raises `UserError` where a side is empty, and where no
    cell of one side has a counterpart on the other, saying which fields differ; `UnknownName` for
    a metric or a field that does not exist.
    """
    rule = rule or Rule()
    chosen = _known(names(), metrics or names(), "metric")
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
        comparisons=(*compare(cells, rule, chosen), *gone),
        unmatched=tuple(_unmatched(before, after, {*shared, *failed})),
        across=tuple(name for name in FIELDS if name in free and _differs(name, cells)),
    )


def compare(
    cells: Sequence[Runs], rule: Rule, metrics: Sequence[str] | None = None
) -> tuple[Comparison, ...]:
    """Compare cells that were matched already; p-values are adjusted as by `check`."""
    return tuple(comparison for _, comparison in compare_each(cells, rule, metrics))


def compare_each(
    cells: Sequence[Runs], rule: Rule, metrics: Sequence[str] | None = None
) -> Iterator[tuple[int, Comparison]]:
    """Compare cells as `compare` does; yield each comparison with the position of its cell."""
    chosen = _known(names(), metrics or names(), "metric")
    for timed in TIMED:
        if timed.name in chosen:
            yield from enumerate(judge_all([weigh(runs, timed, rule) for runs in cells], rule))
    for exact in EXACT:
        if exact.name in chosen:
            for index, runs in enumerate(cells):
                comparison = judge_exact(runs, exact, rule)
                if comparison is not None:
                    yield index, comparison


def _distinct(records: Iterable[Record], word: str) -> dict[str, Record]:
    """Records by their ids; one that was given twice counts once.

    Raises `UserError` for two different ones with one id.
    """
    found: dict[str, Record] = {}
    for record in records:
        if found.setdefault(record.record_id, record) != record:
            raise UserError(
                f"The {word} holds two different records with the id {record.record_id}; one of "
                f"them was changed: take both from where they were measured."
            )
    return found


@dataclass(frozen=True)
class _Side:
    """The measured records of one side by what makes them comparable, and its failures."""

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
    """Return what has to be equal before two records are compared."""
    identity = record.identity
    same = tuple(getattr(identity, name) for name in FIELDS if name not in free)
    return (_network(record, free), same)


def _network(record: Record, free: frozenset[str]) -> Network:
    """The record's network, without its inputs where these may differ."""
    return replace(record.network, inputs=()) if "inputs" in free else record.network


def _runs(baseline: list[Record], candidate: list[Record]) -> Runs:
    """Runs of one cell, in pairs where every one has its partner in the same session."""
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
    """A cell that was measured before and fails now."""
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
    """How the most similar cell of the same network differs, as the end of a sentence."""
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
    """Whether two records are about one model by one recipe, at whatever input sizes."""
    return (one.model.name, one.recipe) == (other.model.name, other.recipe)


def _differences(one: Record, other: Record) -> list[str]:
    names = one.identity.differences(other.identity)
    return [
        f"{name} ({getattr(one.identity, name)} / {getattr(other.identity, name)})"
        for name in names
    ]


def _nothing_in_common(before: _Side, after: _Side) -> str:
    """Why no cell can be compared."""
    for records in before.cells.values():
        for others in after.cells.values():
            if _alike(records[0], others[0]):
                found = ", ".join(_differences(records[0], others[0]))
                return (
                    f"No record of the candidate can be compared with the baseline: those of "
                    f"{records[0].model.title} differ in {found}. Measure both alike, or allow a "
                    f"field to differ with --allow-different."
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
