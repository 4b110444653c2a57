"""Add and find records in a database. Documents are the truth, columns only an index."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import platformdirs
import sqlalchemy as sa

from mobilebench.errors import OutputError, SchemaError, UserError
from mobilebench.files import writing
from mobilebench.store.query import Query, columns_of
from mobilebench.values import wire
from mobilebench.values.record import Record
from mobilebench.values.reported import Reported

_STORE_VERSION = 2

_METADATA = sa.MetaData()
_RECORDS = sa.Table(
    "records",
    _METADATA,
    sa.Column("record_id", sa.String(64), primary_key=True),
    sa.Column("created", sa.String(32), nullable=False, index=True),
    sa.Column("cell", sa.String(64), index=True),
    sa.Column("model", sa.String, nullable=False, index=True),
    sa.Column("format", sa.String(32), nullable=False),
    sa.Column("precision", sa.String(32)),
    sa.Column("device", sa.String, nullable=False, index=True),
    sa.Column("runtime", sa.String(32)),
    sa.Column("protocol", sa.String(32)),
    sa.Column("commit", sa.String(64), index=True),
    sa.Column("session", sa.String(64), index=True),
    sa.Column("side", sa.String(1)),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
)
_REPORTED = sa.Table(
    "reported",
    _METADATA,
    sa.Column("report_id", sa.String(64), primary_key=True),
    sa.Column("model", sa.String, index=True),
    sa.Column("document", sa.Text, nullable=False),
)
_STORE = sa.Table("store", _METADATA, sa.Column("version", sa.Integer, nullable=False))


def default_url() -> str:
    """Return `MOBILEBENCH_STORE`, else a file in the user's data folder."""
    place = os.environ.get("MOBILEBENCH_STORE")
    return place or str(platformdirs.user_data_path("mobilebench") / "records.sqlite")


class RecordStore:
    """Records in a database, each written in its own transaction as soon as it exists."""

    def __init__(self, place: str | Path | None = None) -> None:
        """Open the store at a path (SQLite) or an SQLAlchemy URL; create it where absent.

        Without a place, the one of `default_url` is opened. Raises `OutputError` where it cannot be
        written, `SchemaError` where another version made it, `UserError` for a file that is not a
        database.
        """
        self.place = str(place or default_url())
        url = self.place
        if "://" not in url:
            path = Path(url).expanduser().resolve()
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{path}"
        self._engine = self._make_engine(url)
        with self._transaction() as connection:
            _METADATA.create_all(connection)
            self._require_version(connection)

    def _make_engine(self, url: str) -> sa.Engine:
        try:
            engine = sa.create_engine(url)
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
            raise UserError(
                f"The store {self.place} cannot be opened ({error}); give a file's path, or an "
                f"SQLAlchemy URL whose driver is installed."
            ) from error
        if engine.dialect.name == "sqlite":
            # Readers do not wait for the writer, and a killed writer leaves the file whole.
            sa.event.listen(engine, "connect", _write_ahead)
        return engine

    def _require_version(self, connection: sa.Connection) -> None:
        version = connection.execute(sa.select(_STORE.c.version)).scalar()
        if version is None:
            connection.execute(sa.insert(_STORE).values(version=_STORE_VERSION))
        elif version == 1:
            self._migrate_from_1(connection)
        elif version != _STORE_VERSION:
            raise SchemaError(
                f"The store {self.place} has version {version}, this mobilebench reads "
                f"{_STORE_VERSION}; use the mobilebench that made it."
            )

    def _migrate_from_1(self, connection: sa.Connection) -> None:
        """Add the columns that version 1 did not have, and fill them from the documents."""
        existing = {column["name"] for column in sa.inspect(connection).get_columns("records")}
        for column in _RECORDS.columns:
            if column.name not in existing:
                kind = column.type.compile(connection.dialect)
                name = connection.dialect.identifier_preparer.quote(column.name)
                connection.execute(sa.text(f"ALTER TABLE records ADD COLUMN {name} {kind}"))
        ids = connection.execute(sa.select(_RECORDS.c.record_id)).scalars().all()
        for record_id in ids:
            here = _RECORDS.c.record_id == record_id
            document = connection.execute(sa.select(_RECORDS.c.document).where(here)).scalar_one()
            try:
                record = wire.loads(Record, document, f"record {record_id}")
            except SchemaError:  # finding this record raises; the others can be read
                continue
            connection.execute(sa.update(_RECORDS).where(here).values(**columns_of(record)))
        for index in _RECORDS.indexes:
            index.create(connection, checkfirst=True)
        connection.execute(sa.update(_STORE).values(version=_STORE_VERSION))

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.IntegrityError:
            raise
        except sa.exc.DatabaseError as error:
            raise OutputError(
                f"The store {self.place} could not be used: {error.orig}. Check that the file is "
                f"a mobilebench store, that you may write it and that the disk has room."
            ) from error

    def add(self, record: Record) -> bool:
        """Add a record; return False where the same record is already stored.

        Raises `UserError` where another record has its id.
        """
        document = wire.dumps(record)
        row = {**columns_of(record), "document": document}
        try:
            with self._transaction() as connection:
                connection.execute(sa.insert(_RECORDS).values(**row))
        except sa.exc.IntegrityError as error:
            if self._document(record.record_id) == document:
                return False
            raise UserError(
                f"The store {self.place} holds another record with the id {record.record_id}; "
                f"the one given was not added."
            ) from error
        return True

    def add_reported(self, result: Reported) -> bool:
        """Add somebody else's result; return False where it is already stored."""
        row = {
            "report_id": result.report_id,
            "model": result.model,
            "document": wire.dumps(result),
        }
        try:
            with self._transaction() as connection:
                connection.execute(sa.insert(_REPORTED).values(**row))
        except sa.exc.IntegrityError:  # the id is over the file's content, so it is the same
            return False
        return True

    def find_reported(self, model: str | None = None) -> list[Reported]:
        """Return somebody else's results, of one model or of all, by source and model."""
        statement = sa.select(_REPORTED.c.report_id, _REPORTED.c.document)
        if model is not None:
            statement = statement.where(_REPORTED.c.model == model)
        with self._transaction() as connection:
            rows = connection.execute(statement).all()
        results = [
            wire.loads(Reported, document, f"result {report_id} in {self.place}")
            for report_id, document in rows
        ]
        return sorted(results, key=lambda r: (r.source, r.model or "", r.report_id))

    def _document(self, record_id: str) -> str | None:
        query = sa.select(_RECORDS.c.document).where(_RECORDS.c.record_id == record_id)
        with self._transaction() as connection:
            document: str | None = connection.execute(query).scalar()
        return document

    def find(self, query: Query | None = None) -> list[Record]:
        """Return the records that match a query, the oldest first; only these are read."""
        with self._transaction() as connection:
            rows = connection.execute((query or Query()).select(_RECORDS)).all()
        return [
            wire.loads(Record, row.document, f"record {row.record_id} in {self.place}")
            for row in rows
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; SQLite then folds its write-ahead log into the file."""
        self._engine.dispose()


def _write_ahead(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=30000")
