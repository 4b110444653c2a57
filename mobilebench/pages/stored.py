"""Pages of a store: the one place of this package that reads a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from mobilebench.errors import SchemaError
from mobilebench.leaderboard import rank
from mobilebench.leaderboard.columns import UNKNOWN
from mobilebench.leaderboard.rows import Row
from mobilebench.leaderboard.view import View
from mobilebench.notation.quantities import counted
from mobilebench.pages.devices import Seen
from mobilebench.pages.history import Cell
from mobilebench.pages.records import Listed
from mobilebench.regress.history import History, histories
from mobilebench.results import Entry
from mobilebench.stats.summary import percentile
from mobilebench.store import Query, RecordStore
from mobilebench.store.columns import Columns
from mobilebench.store.entries import Mark
from mobilebench.values import wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.measurement import Failure, Measurement, Validity
from mobilebench.values.record import Record
from mobilebench.values.reported import Reported

_CELLS = 500
"""Cells of the list of histories."""
_AT_ONCE = 1000
_CELL_PAGES = 20
"""The newest twenty thousand records are looked at for cells that were measured again."""
_RUNS = 500
"""The newest runs of a history."""
_KNOWN = 10_000
"""Entries that are kept in memory, about 10 KB each."""
_BOARDS = 20
"""Boards that are kept ranked."""


@dataclass(frozen=True)
class _Ranked:
    """A board that was shown, and what it was made of: as long as that is the same, so is it."""

    marks: tuple[Mark, ...]
    accuracies: Sequence[Accuracy]
    rows: Sequence[Row]


class StoredPages:
    """The data of pages from a store, as `Source` says."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._groups: dict[str, Query] = {}
        """What is known of groups that were shown, so that others need not be read for one."""
        self._known: dict[Mark, Entry] = {}
        """Entries that were read before."""
        self._ranked: dict[tuple[Query, str | None], _Ranked] = {}

    def rows(self, view: View) -> Sequence[Row]:
        query = self._narrowed(view)
        entries, accuracies = self._entries(query), self._store.find_accuracies()
        marks = tuple(entries)
        ranked = self._ranked.get((query, view.data))
        if ranked is not None and ranked.marks == marks and ranked.accuracies == accuracies:
            return ranked.rows
        rows = rank(entries.values(), accuracies, data=view.data)
        if len(self._ranked) >= _BOARDS:
            self._ranked = {}
        self._ranked[query, view.data] = _Ranked(marks, accuracies, rows)
        for row in rows:
            if row.group is not None:
                self._groups[row.group] = Query(
                    device_model=row.device_model, compute_unit=row.compute_unit
                )
        return rows

    def _entries(self, query: Query | None = None) -> dict[Mark, Entry]:
        entries = self._store.renew_entries(self._known, query)
        known = {**self._known, **entries}
        # Those of records that are not the newest any more would stay for ever.
        self._known = known if len(known) <= _KNOWN else dict(islice(entries.items(), _KNOWN))
        return entries

    def _narrowed(self, view: View) -> Query:
        """Return what a view needs of a store: whole groups, for ranks are those of a group."""
        groups = view.chosen("group")
        if len(groups) == 1 and groups[0] in self._groups:
            return self._groups[groups[0]]
        return _query(view, _SHARED)

    def entries(self, rows: Sequence[Row]) -> Sequence[Entry]:
        shown = {row.record_id for row in rows}
        if not shown:
            return ()
        return [entry for entry in self._entries().values() if entry.record_id in shown]

    def reported(self) -> Sequence[Reported]:
        return self._store.find_reported()

    def record(self, record_id: str) -> Record | None:
        text = self._store.document(record_id)
        return None if text is None else wire.loads(Record, text, f"The record {record_id}")

    def document(self, record_id: str) -> str | None:
        return self._store.document(record_id)

    def accuracies(self, file_sha256: str) -> Sequence[Accuracy]:
        return [
            each for each in self._store.find_accuracies() if each.artifact.sha256 == file_sha256
        ]

    def records(self, view: View, after: str, limit: int) -> tuple[Sequence[Listed], str]:
        page = self._store.page(_query(view, _NARROWED), after or None, limit)
        return [listed(each, self._outcome(each)) for each in page.records], page.next or ""

    def _outcome(self, columns: Columns) -> Measurement | Failure | None:
        """Return the outcome of a record; None where it cannot be read or has just been removed."""
        try:
            record = self.record(columns.record_id)
        except SchemaError:  # one damaged record must not hide the others
            return None
        return None if record is None else record.outcome

    def devices(self) -> Sequence[Seen]:
        return devices(self._entries().values())

    def cells(self) -> Sequence[Cell]:
        counts: Counter[str] = Counter()
        newest: dict[str, Columns] = {}
        after = None
        for _ in range(_CELL_PAGES):
            page = self._store.page(Query(outcome="measurement"), after, _AT_ONCE)
            for each in page.records:
                if each.line is not None:
                    counts[each.line] += 1
                    newest.setdefault(each.line, each)
            after = page.next
            if after is None:
                break
        return [
            Cell(newest[line].record_id, _title(newest[line]), count, newest[line].created)
            for line, count in counts.most_common(_CELLS)
            if count > 1
        ]

    def histories(self, record_id: str) -> Sequence[History]:
        own = [
            each
            for each in self._store.page(Query(id=record_id), limit=_AT_ONCE).records
            if each.record_id == record_id
        ]
        if not own or own[0].line is None or own[0].outcome != "measurement":
            return ()
        alike = self._store.page(Query(line=own[0].line, outcome="measurement"), limit=_RUNS)
        records = (self.record(each.record_id) for each in alike.records)
        return histories([record for record in records if record is not None])


def _title(columns: Columns) -> str:
    """Return a cell in words, from what is known of it without reading a record."""
    file = "-".join(filter(None, (columns.format, columns.precision, columns.delegate)))
    threads = None if columns.threads is None else counted(columns.threads, "thread")
    where = (columns.device_model, columns.compute_unit, columns.protocol)
    parts = (f"{columns.model} {file}", columns.runtime, threads, *where)
    return ", ".join(part for part in parts if part)


_NARROWED = {
    "model": "model", "format": "format", "precision": "precision", "device": "device",
    "device-model": "device_model", "os-build": "os_build", "unit": "compute_unit",
    "protocol": "protocol",
}  # fmt: skip
"""Filters of a view that a store can answer, each with its column."""


_SHARED = {name: _NARROWED[name] for name in ("precision", "device-model", "os-build", "unit")}
"""Those of them that all rows of a group have in common, and the rows of the same file under other
protocols, whose burst or sustained latency stands beside."""


def _query(view: View, columns: Mapping[str, str]) -> Query:
    """Return what a store can leave out by itself for a view."""
    chosen = {
        column: own[0] for name, column in columns.items() if len(own := view.chosen(name)) == 1
    }
    return Query(**chosen)  # type: ignore[arg-type]


def devices(entries: Iterable[Entry]) -> list[Seen]:
    """Return the devices of some entries, with what each did."""
    by_device: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.created):
        by_device.setdefault(f"{entry.device.id} {entry.device.model}", []).append(entry)
    return [
        Seen(
            device=own[-1].device,
            measurements=sum(entry.measured is not None for entry in own),
            failures=sum(entry.failure is not None for entry in own),
            protocols=tuple(sorted({entry.job.protocol.id for entry in own if entry.job})),
            newest=own[-1].created,
        )
        for own in by_device.values()
    ]


def listed(columns: Columns, outcome: Measurement | Failure | None) -> Listed:
    """Return a record as a line of the list; its outcome is None where it cannot be read."""
    measured = outcome if isinstance(outcome, Measurement) else None
    recipe = (columns.format, columns.precision, columns.delegate)
    return Listed(
        record_id=columns.record_id,
        created=columns.created,
        model=columns.model or UNKNOWN,
        artifact="-".join(filter(None, recipe)),
        device=columns.device_model or UNKNOWN,
        device_kind=columns.device_kind or UNKNOWN,
        protocol=columns.protocol,
        p50_ns=None if measured is None else percentile(measured.samples.select().latency_ns, 50),
        failed=columns.outcome == "failure",
        suspect=measured is not None and measured.validity is not Validity.VALID,
        unreadable=outcome is None,
    )
