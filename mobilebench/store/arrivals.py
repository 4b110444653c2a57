"""Take records in: what each comes to in the tables, and whether the store has it already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from mobilebench.errors import SchemaError
from mobilebench.store import entries
from mobilebench.store.columns import columns_of
from mobilebench.store.documents import Document
from mobilebench.store.packing import pack, unpack
from mobilebench.store.tables import AT_ONCE, DOCUMENTS, RECORDS
from mobilebench.values import wire
from mobilebench.values.record import Record


class Arrival(StrEnum):
    """What came of a record that was given to a store."""

    ADDED = "added"
    THERE = "there"
    """The store had the same record already."""
    ANOTHER = "another"
    """The store has another record of the same id, and keeps that."""


@dataclass(frozen=True)
class Row:
    """A record as it lies in the tables; made before a transaction, which is then short."""

    columns: dict[str, Any]
    """Of `records`."""
    content: bytes
    """Of `documents`."""
    record: Record | None = None
    """What it was made from; None where that was in another process."""

    @classmethod
    def of(cls, given: Record | Document) -> Row:
        """Pack a record, and derive its columns."""
        document = given if isinstance(given, Document) else Document.of(given)
        record = document.record if isinstance(given, Document) else given
        return cls(dict(vars(columns_of(document.record))), pack(document.text), record)

    @property
    def record_id(self) -> str:
        """The id of the record."""
        return str(self.columns["record_id"])


def add(connection: sa.Connection, rows: Sequence[Row]) -> list[Arrival]:
    """Add the records that the store lacks; return what came of each."""
    there = contents(connection, dict.fromkeys(row.record_id for row in rows))
    new: dict[str, Row] = {}
    arrivals = []
    for row in rows:
        id_ = row.record_id
        held = new[id_].content if id_ in new else there.get(id_)
        if held is None:
            new[id_] = row
            arrivals.append(Arrival.ADDED)
        else:
            same = _same(held, row)
            arrivals.append(Arrival.THERE if same else Arrival.ANOTHER)
    if new:
        connection.execute(sa.insert(RECORDS), [row.columns for row in new.values()])
        connection.execute(
            sa.insert(DOCUMENTS),
            [{"record_id": id_, "content": row.content} for id_, row in new.items()],
        )
        entries.renew(connection, [row.columns for row in new.values()])
    return arrivals


def contents(connection: sa.Connection, ids: Iterable[str]) -> dict[str, bytes]:
    """Return what lies of some records, by id; nothing, `b""`, where a document is missing."""
    wanted = list(ids)
    held: dict[str, bytes] = {}
    both = RECORDS.outerjoin(DOCUMENTS)
    for start in range(0, len(wanted), AT_ONCE):
        statement = (
            sa.select(RECORDS.c.record_id, DOCUMENTS.c.content)
            .select_from(both)
            .where(RECORDS.c.record_id.in_(wanted[start : start + AT_ONCE]))
        )
        held |= {row.record_id: row.content or b"" for row in connection.execute(statement)}
    return held


def _same(held: bytes, row: Row) -> bool:
    """Return whether a stored document is of this record; a damaged one is of none."""
    if held == row.content:
        return True
    try:
        record = row.record or wire.loads(Record, unpack(row.content, "it"), "it")
        return wire.loads(Record, unpack(held, "it"), "it") == record
    except SchemaError:
        return False
