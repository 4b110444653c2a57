"""Rank the newest record of every cell: its row, its group and its place in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mobilebench.leaderboard.groups import CONDITIONS, ids
from mobilebench.leaderboard.judgement import UNJUDGED, by_file
from mobilebench.leaderboard.naming import Naming
from mobilebench.leaderboard.places import Place, places
from mobilebench.leaderboard.rows import Row, row_of
from mobilebench.results import Entry
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.record import Record


def rank(
    records: Iterable[Record | Entry],
    accuracies: Iterable[Accuracy] = (),
    *,
    data: str | None = None,
    names: Mapping[str, str] | None = None,
    others: Iterable[str] = (),
) -> list[Row]:
    """Return the rows of each group, the fastest first, failures last, with their ranks.

    Rows have a rank only inside their group, which shares everything that has to be equal (see
    `groups.CONDITIONS`), and the same one where their intervals overlap (see `places.places`).
    Of several records of one cell with the same weights the newest counts; one with wished
    settings, such as a rehearsal, does not stand for one without. A failed export is shown until
    the same recipe of the same model has been measured. An accuracy belongs to the records of
    the same file; of several data sets one is shown, by default or by `data` (see
    `judgement.by_file`). `names` are other names for models, and `others` models without a record
    that may be named too. Raises `UserError` for a data set or a model that is not there.
    """
    entries = [each if isinstance(each, Entry) else Entry.of(each) for each in records]
    newest = {entry.line: entry for entry in sorted(entries, key=lambda entry: entry.created)}
    exported = {entry.network for entry in newest.values() if entry.file}
    shown = [entry for entry in newest.values() if entry.file or entry.network not in exported]
    judgements = by_file(accuracies, {entry.file.sha256 for entry in shown if entry.file}, data)
    naming = Naming.of(names or {}, [*(entry.model.title for entry in shown), *others])
    rows = [
        row_of(
            entry, judgements.get(entry.file.sha256, UNJUDGED) if entry.file else UNJUDGED, naming
        )
        for entry in shown
    ]
    return _in_order(_placed(_named_apart(rows)))


def _named_apart(rows: Sequence[Row]) -> list[Row]:
    """Return the rows; those that share a name have their weights, or their record, in it."""
    for difference in (lambda row: f"weights {row.weights}", lambda row: row.record_id):
        counts = Counter(row.name for row in rows)
        rows = [
            row if counts[row.name] == 1 else replace(row, name=f"{row.name}, {difference(row)}")
            for row in rows
        ]
    return list(rows)


def _placed(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with their groups, their ranks in these, and what stands beside them."""
    groups = ids(rows)
    ranked: dict[str | None, list[tuple[int, tuple[float, float]]]] = {}
    for index, row in enumerate(rows):
        low, high = row.result_low_ms, row.result_high_ms
        if row.unranked is None and low is not None and high is not None:
            ranked.setdefault(groups[index], []).append((index, (low, high)))
    by_index: dict[int, Place] = {}
    for members in ranked.values():
        shown = places([interval for _, interval in members])
        by_index |= {index: place for (index, _), place in zip(members, shown, strict=True)}
    return [
        replace(
            row,
            group=group,
            rank=by_index[index].rank if index in by_index else None,
            tied=index in by_index and by_index[index].tied,
            **others,  # type: ignore[arg-type]
        )
        for index, (row, group, others) in enumerate(zip(rows, groups, _beside(rows), strict=True))
    ]


_OTHERWISE_EQUAL = tuple(
    condition.field
    for condition in CONDITIONS
    if condition.field not in ("protocol", "charging", "start_thermal")
)
"""What the burst of a row and its sustained run share besides the file."""
_BURSTS = ("burst-1", "modelbench-1", "ci-ab-1", "smoke-1")
"""Protocols of bursts, the one to show first."""


def _beside(rows: Sequence[Row]) -> list[dict[str, float | str | None]]:
    """Return, for each row, the burst or the sustained latency that its own protocol lacks.

    It is of the same file under otherwise equal conditions, from a record that is no suspect.
    """
    bursts: dict[tuple[object, ...], Row] = {}
    long_runs: dict[tuple[object, ...], Row] = {}
    for row in rows:
        if row.unranked is not None:
            continue
        for known, order, number in (
            (bursts, _first_burst, row.burst_ms),
            (long_runs, _first_long, row.sustained_ms),
        ):
            if number is not None:
                key = _file(row)
                known[key] = min(known.get(key, row), row, key=order)
    result = []
    for row in rows:
        others: dict[str, float | str | None] = {}
        if row.p50_ms is not None:
            burst, long_run = bursts.get(_file(row)), long_runs.get(_file(row))
            if row.burst_ms is None and burst is not None:
                others |= {"burst_ms": burst.burst_ms, "burst_protocol": burst.protocol}
            if row.sustained_ms is None and long_run is not None:
                others |= {
                    "sustained_ms": long_run.sustained_ms,
                    "sustained_protocol": long_run.protocol,
                }
        result.append(others)
    return result


def _file(row: Row) -> tuple[object, ...]:
    shared = (getattr(row, field) for field in _OTHERWISE_EQUAL)
    return (row.file_sha256, row.model, row.artifact, row.device, *shared)


def _first_burst(row: Row) -> tuple[int, str]:
    name = row.protocol or ""
    return (_BURSTS.index(name) if name in _BURSTS else len(_BURSTS), name)


def _first_long(row: Row) -> tuple[bool, bool, str]:
    """Order long runs: those of half an hour first, then those without a pace."""
    return (row.change is None, row.missed is not None, row.protocol or "")


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """Return the rows by group, the fastest first, failures last; failed exports after all."""
    shared: dict[str | None, tuple[str, ...]] = {}
    for row in sorted(rows, key=lambda row: row.p50_ms is None):
        # A failed run may not know every condition of its group.
        conditions = (getattr(row, condition.field) for condition in CONDITIONS)
        shared.setdefault(row.group, tuple(f"{content or ''}" for content in conditions))

    def order(row: Row) -> tuple[object, ...]:
        number = row.p50_ms if row.result_ms is None else row.result_ms
        return (row.group is None, shared[row.group], number is None, number or 0.0, row.model)

    return sorted(rows, key=order)
