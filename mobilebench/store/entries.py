"""Keep the newest record of each line of a board, so that a board reads no other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from mobilebench.errors import UserError
from mobilebench.results import VERSION, Entry
from mobilebench.store.packing import pack, unpack
from mobilebench.store.query import Query, starts_with
from mobilebench.store.tables import AT_ONCE, DOCUMENTS, ENTRIES, RECORDS
from mobilebench.values import value, wire
from mobilebench.values.record import Record

_SEPARATOR = "\x1f"
_NO_UNIT = "\x7f"
"""In the place of failed exports, after all others of the device."""
_COLUMNS = tuple(column.name for column in ENTRIES.c if column.name in RECORDS.c)
_DERIVED = ("p50_ns", "version", "content")


@value
class Place:
    """A device model, a compute unit and a protocol: what stands together on a board."""

    device_model: str
    compute_unit: str | None
    """None, like the protocol, for failed exports."""
    protocol: str | None
    entries: int
    """How many lines stand there."""


class Mark(NamedTuple):
    """What tells an entry from others, also from one of a removed record that had the same id."""

    record_id: str
    line: str
    created: str
    p50_ns: float | None


@dataclass(frozen=True)
class Held:
    """An entry as it lies in the tables: derived before, or what it is derived from."""

    line: str
    record_id: str
    content: bytes | None
    """Of the entry; None where it is to be derived."""
    document: bytes | None
    """Of the record, where the entry is to be derived."""


def place_of(columns: Mapping[str, Any]) -> str:
    """Return where a record stands on a board: device model, compute unit and protocol."""
    parts = columns["device_model"], columns["compute_unit"] or _NO_UNIT, columns["protocol"]
    return _SEPARATOR.join(part or "" for part in parts)


def renew(connection: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Let records that are newer take their lines; they are given by their columns."""
    lines = [
        {**{name: row[name] for name in _COLUMNS}, "place": place_of(row)}
        for row in rows
        if row["line"] is not None
    ]
    if not lines:
        return
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(ENTRIES)
    given = insert.excluded
    changes = {name: given[name] for name in (*_COLUMNS, "place") if name != "line"}
    newer = sa.tuple_(given.created, given.record_id) > sa.tuple_(
        ENTRIES.c.created, ENTRIES.c.record_id
    )
    statement = insert.on_conflict_do_update(
        index_elements=[ENTRIES.c.line],
        set_={**changes, **dict.fromkeys(_DERIVED)},
        where=newer,
    )
    # In one order everywhere: two writers then never wait for each other.
    connection.execute(statement, sorted(lines, key=lambda row: str(row["line"])))


def lines_of(connection: sa.Connection, ids: Sequence[str]) -> list[str]:
    """Return the lines that records have on a board, by their ids."""
    statement = sa.select(ENTRIES.c.line).where(ENTRIES.c.record_id.in_(ids))
    return list(connection.scalars(statement))


def renew_after_removal(connection: sa.Connection, lines: Iterable[str]) -> None:
    """Let the newest records that are left take lines whose own were removed."""
    for line in lines:
        newest = (
            sa.select(RECORDS)
            .where(RECORDS.c.line == line)
            .order_by(RECORDS.c.created.desc(), RECORDS.c.record_id.desc())
            .limit(1)
        )
        row = connection.execute(newest).mappings().one_or_none()
        if row is not None:
            renew(connection, [dict(row)])


def find(
    connection: sa.Connection, query: Query, after: str | None, limit: int | None
) -> list[Held]:
    """Return the entries that match, by place and line, with what else they are derived from.

    `after` is the line of the last entry before. Raises `UserError` for one that is not there.
    """
    statement = _held().where(*_conditions(query)).order_by(ENTRIES.c.place, ENTRIES.c.line)
    if after is not None:
        last = connection.execute(sa.select(ENTRIES.c.place).where(ENTRIES.c.line == after))
        place = last.scalar_one_or_none()
        if place is None:
            raise UserError(
                f"{after[:80]!r} is no line of the board any more; begin again with its first page."
            )
        here = sa.tuple_(ENTRIES.c.place, ENTRIES.c.line)
        statement = statement.where(here > sa.tuple_(sa.literal(place), sa.literal(after)))
    if limit is not None:
        statement = statement.limit(limit)
    return [Held(*row) for row in connection.execute(statement)]


def marks(connection: sa.Connection, query: Query) -> list[Mark]:
    """Return the marks of the entries that match, by place and line; their content is not read."""
    columns = (ENTRIES.c.record_id, ENTRIES.c.line, ENTRIES.c.created, ENTRIES.c.p50_ns)
    statement = sa.select(*columns).where(*_conditions(query))
    rows = connection.execute(statement.order_by(ENTRIES.c.place, ENTRIES.c.line))
    return [Mark(*row) for row in rows]


def of_records(connection: sa.Connection, wanted: Sequence[str]) -> list[Held]:
    """Return the entries of some records, in no order; one that has gone is left out."""
    held = []
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        rows = connection.execute(_held().where(ENTRIES.c.record_id.in_(part)))
        held += [Held(*row) for row in rows]
    return held


def _held() -> sa.Select[Any]:
    derived = ENTRIES.c.version == VERSION
    return sa.select(
        ENTRIES.c.line,
        ENTRIES.c.record_id,
        sa.case((derived, ENTRIES.c.content), else_=None).label("content"),
        sa.case((derived, None), else_=DOCUMENTS.c.content).label("document"),
    ).select_from(ENTRIES.outerjoin(DOCUMENTS, DOCUMENTS.c.record_id == ENTRIES.c.record_id))


def _conditions(query: Query) -> list[sa.ColumnElement[bool]]:
    conditions = query.conditions(ENTRIES)
    # The place begins with the device model, which its index then serves.
    if query.device_model is not None:
        parts = [query.device_model]
        if query.compute_unit is not None:
            parts.append(query.compute_unit)
            if query.protocol is not None:
                parts.append(query.protocol)
        whole = len(parts) == 3
        text = _SEPARATOR.join(parts)
        conditions.append(
            ENTRIES.c.place == text
            if whole
            else starts_with(ENTRIES.c.place, f"{text}{_SEPARATOR}")
        )
    return conditions


def read(held: Held, what: str) -> tuple[Entry, bool]:
    """Return an entry, and whether it had to be derived. Raises `SchemaError`, naming `what`."""
    if held.content is not None:
        return wire.loads(Entry, unpack(held.content, what), what), False
    return Entry.of(wire.loads(Record, unpack(held.document, what), what)), True


def keep(connection: sa.Connection, entries: Sequence[Entry]) -> None:
    """Keep entries that were derived, unless newer records have their lines by now."""
    statement = (
        sa.update(ENTRIES)
        .where(ENTRIES.c.record_id == sa.bindparam("of"))
        .values({name: sa.bindparam(name) for name in _DERIVED})
    )
    rows = [
        {
            "of": entry.record_id,
            "p50_ns": entry.measured.figures.p50_ns if entry.measured else None,
            "version": VERSION,
            "content": pack(wire.dumps(entry)),
        }
        for entry in entries
    ]
    if rows:
        connection.execute(statement, rows)


def lacking(connection: sa.Connection, limit: int) -> list[Held]:
    """Return some entries that are to be derived, in no order."""
    statement = (
        sa.select(ENTRIES.c.line, ENTRIES.c.record_id, sa.null(), DOCUMENTS.c.content)
        .select_from(ENTRIES.join(DOCUMENTS, DOCUMENTS.c.record_id == ENTRIES.c.record_id))
        .where(sa.or_(ENTRIES.c.version.is_(None), ENTRIES.c.version != VERSION))
        .limit(limit)
    )
    return [Held(*row) for row in connection.execute(statement)]


def places(connection: sa.Connection, query: Query) -> list[Place]:
    """Return the places of the entries that match, in their order."""
    statement = (
        sa.select(ENTRIES.c.place, sa.func.count())
        .where(*_conditions(query))
        .group_by(ENTRIES.c.place)
        .order_by(ENTRIES.c.place)
    )
    return [_place(text, count) for text, count in connection.execute(statement)]


def _place(text: str, count: int) -> Place:
    device_model, unit, protocol = text.split(_SEPARATOR)
    return Place(
        device_model=device_model,
        compute_unit=None if unit == _NO_UNIT else unit,
        protocol=protocol or None,
        entries=count,
    )
