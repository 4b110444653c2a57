"""Pages of a store: the one place of this package that reads a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mobilebench.leaderboard import rank
from mobilebench.leaderboard.columns import UNKNOWN
from mobilebench.leaderboard.rows import Row
from mobilebench.leaderboard.view import View
from mobilebench.pages.devices import Seen
from mobilebench.pages.history import Cell
from mobilebench.pages.records import Listed
from mobilebench.regress.history import History, histories
from mobilebench.results import Entry
from mobilebench.store import Query, RecordStore
from mobilebench.store.columns import Columns
from mobilebench.values import wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.measurement import Measurement
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
        text = self._store.document(record_id)
        return None if text is None else wire.loads(Record, text, f"The record {record_id}")

    def document(self, record_id: str) -> str | None:
        return self._store.document(record_id)

    def accuracies(self, file_sha256: str) -> Sequence[Accuracy]:
        return [
            each for each in self._store.find_accuracies() if each.artifact.sha256 == file_sha256
        ]

    def records(self, view: View, after: str, limit: int) -> tuple[Sequence[Listed], str]:
        page = self._store.page(_query(view), after or None, limit)
        return [listed(each) for each in page.records], page.next or ""

    def devices(self) -> Sequence[Seen]:
        return devices(self._entries())

    def cells(self) -> Sequence[Cell]:
        counts: Counter[str] = Counter()
        newest: dict[str, Entry] = {}
        for record in self._store.find(Query(outcome="measurement")):
            entry = Entry.of(record)
            counts[entry.cell] += 1
            newest[entry.cell] = entry
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


_NARROWED = {
    "model": "model", "format": "format", "precision": "precision", "device": "device",
    "device-model": "device_model", "os-build": "os_build", "unit": "compute_unit",
    "protocol": "protocol",
}  # fmt: skip
"""Filters of a view that a store can answer, each with its column."""


def _query(view: View) -> Query:
    """Return what a store can leave out by itself for a view."""
    chosen = {
        column: own[0] for name, column in _NARROWED.items() if len(own := view.chosen(name)) == 1
    }
    return Query(**chosen)  # type: ignore[arg-type]


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


def listed(columns: Columns) -> Listed:
    """Return a record as a line of the list, from what is known of it without reading it."""
    recipe = (columns.format, columns.precision, columns.delegate)
    return Listed(
        record_id=columns.record_id,
        created=columns.created,
        model=columns.model or UNKNOWN,
        artifact="-".join(filter(None, recipe)),
        device=columns.device_model or UNKNOWN,
        device_kind=columns.device_kind or UNKNOWN,
        protocol=columns.protocol,
        p50_ns=None,
        failed=columns.outcome == "failure",
    )
