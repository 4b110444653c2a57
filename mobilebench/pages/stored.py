"""Pages of a store: the one place of this package that reads a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mobilebench.leaderboard import rank
from mobilebench.leaderboard.rows import Row
from mobilebench.leaderboard.view import View
from mobilebench.pages.devices import Seen
from mobilebench.pages.history import Cell
from mobilebench.pages.records import Listed
from mobilebench.regress.history import History, histories
from mobilebench.results import Entry
from mobilebench.store import Query, RecordStore
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.measurement import Measurement, Validity
from mobilebench.values.record import Record
from mobilebench.values.reported import Reported

_CELLS = 500
"""Cells of the list of histories."""


class StoredPages:
    """The data of pages from a store, as `Source` says."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    def rows(self, view: View) -> Sequence[Row]:
        return rank(self._entries(), self._store.find_accuracies(), data=view.data)

    def _entries(self) -> Sequence[Entry]:
        return [Entry.of(record) for record in self._store.find(Query(newest=True))]

    def entries(self, rows: Sequence[Row]) -> Sequence[Entry]:
        shown = {row.record_id for row in rows}
        return [entry for entry in self._entries() if entry.record_id in shown]

    def reported(self) -> Sequence[Reported]:
        return self._store.find_reported()

    def record(self, record_id: str) -> Record | None:
        records = [
            record
            for record in self._store.find(Query(id=record_id))
            if record.record_id == record_id
        ]
        return records[0] if records else None

    def document(self, record_id: str) -> str | None:
        documents = self._store.find_documents(Query(id=record_id))
        return next((each.text for each in documents if each.record.record_id == record_id), None)

    def accuracies(self, file_sha256: str) -> Sequence[Accuracy]:
        return [
            each for each in self._store.find_accuracies() if each.artifact.sha256 == file_sha256
        ]

    def records(self, view: View, after: str, limit: int) -> tuple[Sequence[Listed], str]:
        records = sorted(self._store.find(_query(view)), key=_key, reverse=True)
        if after:
            records = [record for record in records if _key(record) < after]
        page = records[:limit]
        return [listed(record) for record in page], _key(page[-1]) if records[limit:] else ""

    def devices(self) -> Sequence[Seen]:
        return devices(self._entries())

    def cells(self) -> Sequence[Cell]:
        counts: Counter[object] = Counter()
        newest: dict[object, Record] = {}
        for record in self._store.find():
            if isinstance(record.outcome, Measurement):
                counts[record.cell] += 1
                newest[record.cell] = record
        return [
            Cell(newest[cell].record_id, newest[cell].title, count, newest[cell].created)
            for cell, count in counts.most_common(_CELLS)
            if count > 1
        ]

    def histories(self, record_id: str) -> Sequence[History]:
        record = self.record(record_id)
        if record is None or not isinstance(record.outcome, Measurement):
            return ()
        query = Query(
            model=record.model.name,
            format=record.recipe.format,
            precision=record.recipe.precision,
            device=record.device.id,
        )
        alike = [each for each in self._store.find(query) if each.cell == record.cell]
        return histories(alike)


def _query(view: View) -> Query:
    """Return what a store can leave out by itself for a view."""
    chosen = {
        name: own[0]
        for name in ("model", "format", "precision", "device", "runtime", "protocol")
        if len(own := view.chosen(name)) == 1
    }
    return Query(**chosen)  # type: ignore[arg-type]


def _key(record: Record) -> str:
    return f"{record.created} {record.record_id}"


def devices(entries: Sequence[Entry]) -> list[Seen]:
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


def listed(record: Record) -> Listed:
    """Return a record as a line of the list."""
    outcome = record.outcome
    measured = isinstance(outcome, Measurement)
    return Listed(
        record_id=record.record_id,
        created=record.created,
        model=record.model.title,
        artifact=record.recipe.label,
        device=record.device.model,
        device_kind=record.device.kind,
        protocol=record.job.protocol.id if record.job else None,
        p50_ns=None if record.p50_ms is None else record.p50_ms * 1e6,
        failed=not measured,
        suspect=isinstance(outcome, Measurement) and outcome.validity is not Validity.VALID,
    )
