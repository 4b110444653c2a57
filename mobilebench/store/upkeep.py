"""Copy a store while it is in use, move it to another database, and give back its room."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from mobilebench.errors import UserError
from mobilebench.files import writing
from mobilebench.store import arrivals, paging, tables
from mobilebench.store.arrivals import Arrival, Row
from mobilebench.store.database import Database
from mobilebench.store.tables import ACCURACIES, DOCUMENTS, RECORDS, REPORTED

_LISTED = 5
Write = Callable[[Callable[[sa.Connection], Any]], Any]


def backup(database: Database, path: Path) -> int:
    """Write a consistent copy of a store to a new SQLite file; return its size in bytes.

    The file appears whole or not at all. Raises `UserError` where there is one of that name.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as folder:
            neighbour = Path(folder) / "records.sqlite"
            if database.is_sqlite:
                with database.bare() as source, closing(sqlite3.connect(neighbour)) as target:
                    source.backup(target)
                    target.execute("PRAGMA journal_mode=DELETE")
            else:
                _copy_to_file(database, neighbour)
            _sync(neighbour)
            try:
                os.link(neighbour, path)
            except FileExistsError as error:
                raise UserError(
                    f"There is a file {path} already, and a backup never replaces one; name "
                    f"another, or remove it first."
                ) from error
            except OSError:  # a file system without links
                neighbour.rename(path)
    return path.stat().st_size


def _sync(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def _copy_to_file(database: Database, path: Path) -> None:
    target = Database(sa.URL.create("sqlite", database=str(path)), str(path))
    try:
        target.write(tables.make)
        copy(database, target.write, str(path))
    finally:
        target.close()


def copy(database: Database, write: Write, place: str) -> tuple[int, int]:
    """Copy every document to another store; return how many were new, and how many there.

    Raises `UserError` where the other store has other documents under the same ids.
    """
    added = there = 0
    others: list[str] = []
    with database.snapshot() as connection:
        for rows in paging.parts(connection, RECORDS.join(DOCUMENTS), RECORDS.c.record_id):
            packed = [_row(row) for row in rows]
            came = write(partial(arrivals.add, rows=packed))
            added += came.count(Arrival.ADDED)
            there += came.count(Arrival.THERE)
            pairs = zip(packed, came, strict=True)
            others += [row.record_id for row, each in pairs if each is Arrival.ANOTHER]
        for table in (REPORTED, ACCURACIES):
            [id_] = table.primary_key.columns
            for rows in paging.parts(connection, table, id_):
                plain = [dict(row) for row in rows]
                new, held, other = write(partial(_others, rows=plain))
                added, there, others = added + new, there + held, others + other
    if others:
        more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
        raise UserError(
            f"The store {place} holds other documents with the ids "
            f"{', '.join(others[:_LISTED])}{more}; it keeps them. Everything else was copied."
        )
    return added, there


def _row(row: sa.RowMapping) -> Row:
    columns = {column.name: row[column.name] for column in RECORDS.c}
    return Row(columns, row["content"])


def _others(connection: sa.Connection, rows: list[dict[str, Any]]) -> tuple[int, int, list[str]]:
    """Add results of others, or accuracies; return how many were new and there, and other ids."""
    table = REPORTED if "report_id" in rows[0] else ACCURACIES
    [key] = table.primary_key.columns
    ids = [row[key.name] for row in rows]
    statement = sa.select(key, table.c.document).where(key.in_(ids))
    held = {row[0]: row[1] for row in connection.execute(statement)}
    new = [row for row in rows if row[key.name] not in held]
    if new:
        connection.execute(sa.insert(table), new)
    same = [row for row in rows if held.get(row[key.name]) == row["document"]]
    other = [row[key.name] for row in rows if row not in new and row not in same]
    return len(new), len(same), other


def compact(database: Database) -> tuple[int, int]:
    """Give back the room of what was removed; return the size in bytes before and after.

    Others wait meanwhile.
    """
    before = size_bytes(database)
    with database.bare() as connection:
        if database.is_sqlite:
            for statement in ("ANALYZE", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                connection.execute(statement).fetchall()
        else:
            for name in tables.METADATA.tables:
                connection.execute(f'VACUUM (FULL, ANALYZE) "{name}"')
    return before, size_bytes(database)


def size_bytes(database: Database) -> int:
    """Return how many bytes a store has on its disk, with its log."""
    if not database.is_sqlite:
        sizes = [
            sa.func.pg_total_relation_size(sa.literal_column(f"'{name}'"))
            for name in tables.METADATA.tables
        ]
        return sum(database.read(lambda connection: connection.execute(sa.select(*sizes)).one()))
    with database.bare() as connection:
        file = connection.execute("PRAGMA database_list").fetchone()[2]
    return sum(
        place.stat().st_size
        for place in (Path(file), Path(f"{file}-wal"))
        if file and place.exists()
    )
