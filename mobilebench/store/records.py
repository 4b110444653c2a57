"""Add and find records in a database. Documents are the truth, columns only an index."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import platformdirs
import sqlalchemy as sa

from mobilebench.errors import NoRecords, OutputError, SchemaError, UserError
from mobilebench.store import place as places
from mobilebench.store import tables
from mobilebench.store.documents import Document
from mobilebench.store.problems import Problem, parsed, problems_of
from mobilebench.store.query import Query, columns_of
from mobilebench.store.tables import ACCURACIES, RECORDS, REPORTED
from mobilebench.values import wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.record import Record
from mobilebench.values.reported import Reported

_T = TypeVar("_T")
_PATIENCE_MS = 60_000
"""How long a writer waits for others; each holds the store for a few milliseconds."""


def default_url() -> str:
    """Return `MOBILEBENCH_STORE`, else a file in the user's data folder."""
    place = os.environ.get("MOBILEBENCH_STORE")
    return place or str(platformdirs.user_data_path("mobilebench") / "records.sqlite")


class RecordStore:
    """Records in a database, each written in its own transaction as soon as it exists."""

    def __init__(self, place: str | Path | None = None, *, create: bool = True) -> None:
        """Open the store at a path (SQLite) or an SQLAlchemy URL; create it where absent.

        Without a place, the one of `default_url` is opened. A store that may not be written can be
        read. Raises `OutputError` where it cannot be used, `SchemaError` where a newer version made
        it or it is damaged, `UserError` for a file that is not a store, and where there is none and
        `create` is false.
        """
        self._option = "" if place is None else f" --store {shlex.quote(str(place))}"
        self._place = places.Place.parse(default_url() if place is None else str(place))
        self.place = self._place.shown
        self._closing = ExitStack()
        self._read_only = False
        url = self._place.url
        if self._place.path is not None:
            path = self._ready(self._place.path, create)
            url = url.set(database=str(path))
        self._engine = self._make_engine(url)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _ready(self, path: Path, create: bool) -> Path:
        """Return the file to open: the store itself, made where absent, or a copy to read."""
        if not places.exists(path, self.place):
            if not create:
                raise NoRecords(
                    f"There is no store {self.place}; measure something first with `mobilebench "
                    f"bench`, or name another with --store or MOBILEBENCH_STORE."
                )
            places.create(path, self._make_file)
        if not places.writable(path):
            self._read_only = True
            places.require_whole(path, self.place)
            path = self._closing.enter_context(places.copied(path))
        places.require_store(path, self.place)
        return path

    def _make_file(self, path: Path) -> None:
        engine = self._make_engine(sa.URL.create("sqlite", database=str(path)))
        try:
            with self._transaction(engine.execution_options(writes=True)) as connection:
                tables.make(connection)
        finally:
            engine.dispose()

    def _make_engine(self, url: sa.URL) -> sa.Engine:
        try:
            engine = sa.create_engine(url)
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
            raise UserError(
                f"The store {self.place} cannot be opened ({error}); give a file's path, or an "
                f"SQLAlchemy URL whose driver is installed."
            ) from error
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _write_ahead)
            sa.event.listen(engine, "begin", _begin)
        return engine

    def _prepare(self) -> None:
        """Bring the tables to this version; on a server, make them where they are missing."""
        try:
            self._upgrade()
        except (OutputError, sa.exc.IntegrityError):
            # A server's tables have no IF NOT EXISTS that holds against another process.
            if self._engine.dialect.name == "sqlite":
                raise
            self._upgrade()

    def _upgrade(self) -> None:
        with self._transaction() as connection:
            names = set(sa.inspect(connection).get_table_names())
            version = None
            if {"records", "store"} <= names:
                version = connection.execute(sa.select(tables.STORE.c.version)).scalar()
        if version == tables.VERSION and set(tables.METADATA.tables) <= set(names):
            return
        with self._transaction(self._writer) as connection:
            if "store" in names:
                tables.upgrade(connection, self.place)
            else:
                tables.make(connection)

    @property
    def _writer(self) -> sa.Engine:
        return self._engine.execution_options(writes=True)

    @contextmanager
    def _transaction(self, engine: sa.Engine | None = None) -> Iterator[sa.Connection]:
        try:
            with (engine or self._engine).begin() as connection:
                yield connection
        except sa.exc.IntegrityError:
            raise
        except sa.exc.DatabaseError as error:
            raise self._explained(error) from error

    def _explained(self, error: sa.exc.DatabaseError) -> UserError:
        why = " ".join(str(error.orig).split())
        if any(sign in why for sign in ("malformed", "not a database", "corrupt")):
            return SchemaError(places.damaged(self.place, why))
        if "locked" in why or "busy" in why:
            return OutputError(
                f"The store {self.place} is in use: another program held it for "
                f"{_PATIENCE_MS // 1000} s; end that program, or try again."
            )
        return OutputError(
            f"The store {self.place} could not be used: {why}. Check that the file is a "
            f"mobilebench store, that you may write it and that the disk has room."
        )

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        if self._read_only:
            raise OutputError(
                f"The store {self.place} may only be read: the file, or its folder, is not "
                f"writable; copy it elsewhere, or name another with --store or MOBILEBENCH_STORE."
            )
        with self._transaction(self._writer) as connection:
            yield connection

    def add(self, record: Record) -> bool:
        """Add a record; return False where the same record is already stored.

        Raises `UserError` where another record has its id.
        """
        return self.add_all([record]) == 1

    def add_reported(self, result: Reported) -> bool:
        """Add somebody else's result; return False where it is already stored."""
        return self.add_all(reported=[result]) == 1

    def add_accuracy(self, accuracy: Accuracy) -> bool:
        """Add the accuracy of a file; return False where it is already stored.

        Raises `UserError` where another accuracy has its id.
        """
        return self.add_all(accuracies=[accuracy]) == 1

    def add_all(
        self,
        records: Sequence[Record | Document] = (),
        reported: Sequence[Reported] = (),
        accuracies: Sequence[Accuracy] = (),
    ) -> int:
        """Add records, others' results and accuracies, all or none; return how many are new.

        A `Document` is stored as it came, so that its signature stays valid.
        Raises `UserError` where another record or accuracy has the id of one.
        """
        try:
            with self._writing() as connection:
                return self._add(connection, records, reported, accuracies)
        except sa.exc.IntegrityError:  # on a server, another process added one of them meanwhile
            with self._writing() as connection:
                return self._add(connection, records, reported, accuracies)

    def _add(
        self,
        connection: sa.Connection,
        records: Iterable[Record | Document],
        reported: Iterable[Reported],
        accuracies: Iterable[Accuracy],
    ) -> int:
        added = 0
        for given in records:
            record = given.record if isinstance(given, Document) else given
            if self._is_new(connection, RECORDS, "record", record.record_id, record):
                text = given.text if isinstance(given, Document) else Document.of(record).text
                row = {**columns_of(record), "document": text}
                connection.execute(sa.insert(RECORDS).values(**row))
                added += 1
        for accuracy in accuracies:
            id_ = accuracy.accuracy_id
            if self._is_new(connection, ACCURACIES, "accuracy", id_, accuracy):
                row = {
                    "accuracy_id": id_,
                    "file_sha256": accuracy.artifact.sha256,
                    "document": wire.dumps(accuracy),
                }
                connection.execute(sa.insert(ACCURACIES).values(**row))
                added += 1
        for result in reported:
            # The id is over the file's content, so what has the same id is the same.
            here = REPORTED.c.report_id == result.report_id
            if connection.execute(sa.select(REPORTED.c.report_id).where(here)).scalar() is None:
                row = {
                    "report_id": result.report_id,
                    "model": result.model,
                    "document": wire.dumps(result),
                }
                connection.execute(sa.insert(REPORTED).values(**row))
                added += 1
        return added

    def _is_new(
        self, connection: sa.Connection, table: sa.Table, noun: str, id_: str, given: object
    ) -> bool:
        """Return whether the store lacks a value. Raises `UserError` for another of its id."""
        [key] = table.primary_key.columns
        stored = connection.execute(sa.select(table.c.document).where(key == id_)).scalar()
        if stored is not None and not _holds(stored, given):
            raise UserError(
                f"The store {self.place} holds another {noun} with the id {id_}; none of those "
                f"given was added."
            )
        return stored is None

    def find(self, query: Query | None = None) -> list[Record]:
        """Return the records that match a query, the oldest first; only these are read.

        Raises `SchemaError`, with its id and the cure, for one that is not valid.
        """
        return [document.record for document in self.find_documents(query)]

    def find_documents(self, query: Query | None = None) -> list[Document]:
        """Return the records that match a query, each with its text; otherwise as `find`."""
        with self._transaction() as connection:
            rows = connection.execute((query or Query()).select(RECORDS)).all()
        return [
            Document(
                record=self._read(Record, "record", row.record_id, row.document), text=row.document
            )
            for row in rows
        ]

    def find_reported(self, model: str | None = None) -> list[Reported]:
        """Return somebody else's results, of one model or of all, by source and model.

        Raises `SchemaError`, with its id and the cure, for one that is not valid.
        """
        statement = sa.select(REPORTED.c.report_id, REPORTED.c.document)
        if model is not None:
            statement = statement.where(REPORTED.c.model == model)
        with self._transaction() as connection:
            rows = connection.execute(statement).all()
        results = [self._read(Reported, "result", *row) for row in rows]
        return sorted(results, key=lambda r: (r.source, r.model or "", r.report_id))

    def find_accuracies(self) -> list[Accuracy]:
        """Return every accuracy, the oldest first.

        Raises `SchemaError`, with its id and the cure, for one that is not valid.
        """
        statement = sa.select(ACCURACIES.c.accuracy_id, ACCURACIES.c.document)
        with self._transaction() as connection:
            rows = connection.execute(statement).all()
        accuracies = [self._read(Accuracy, "accuracy", *row) for row in rows]
        return sorted(accuracies, key=lambda each: (each.created, each.accuracy_id))

    def _read(self, cls: type[_T], noun: str, id_: str, document: Any) -> _T:
        try:
            return parsed(cls, document, f"The {noun} {id_} in {self.place}")
        except SchemaError as error:
            raise SchemaError(
                f"{str(error).removesuffix('.')}; remove it with `mobilebench store remove "
                f"{shlex.quote(id_)}{self._option}`."
            ) from error

    def problems(self) -> tuple[int, list[Problem]]:
        """Read every document; return their number, and those that no verb can show.

        A signature that does not match its record is a problem, and an index that differs from the
        document. Raises `SchemaError` where the database itself is damaged.
        """
        with self._transaction() as connection:
            if connection.dialect.name == "sqlite":
                report = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
                if report != "ok":
                    raise SchemaError(places.damaged(self.place, report))
            records = connection.execute(sa.select(RECORDS)).mappings().all()
            reported = connection.execute(sa.select(REPORTED)).mappings().all()
            accuracies = connection.execute(sa.select(ACCURACIES)).mappings().all()
        documents = [*records, *reported, *accuracies]
        return len(documents), problems_of(documents)

    def remove(self, ids: Sequence[str]) -> int:
        """Remove records, others' results and accuracies by whole ids, all or none of them.

        Raises `UserError` for an id that the store does not hold.
        """
        with self._writing() as connection:
            unknown = []
            for id_ in dict.fromkeys(ids):
                gone = [
                    connection.execute(sa.delete(table).where(column == id_)).rowcount
                    for table, column in (
                        (RECORDS, RECORDS.c.record_id),
                        (REPORTED, REPORTED.c.report_id),
                        (ACCURACIES, ACCURACIES.c.accuracy_id),
                    )
                ]
                if not any(gone):
                    unknown.append(id_)
            if unknown:
                raise UserError(
                    f"The store {self.place} holds nothing with the id {', '.join(unknown)}; give "
                    f"whole ids, as `mobilebench leaderboard --as csv` and `mobilebench store "
                    f"check` print them. Nothing was removed."
                )
        return len(dict.fromkeys(ids))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; SQLite then folds its write-ahead log into the file."""
        if hasattr(self, "_engine"):
            self._engine.dispose()
        self._closing.close()


def _holds(document: Any, given: object) -> bool:
    """Return whether a stored document is of this value; a damaged one is of none."""
    try:
        return parsed(type(given), document, "it") == given
    except SchemaError:
        return False


def _write_ahead(connection: Any, _: Any) -> None:
    """Prepare a connection: readers do not wait for the writer, a killed writer breaks nothing."""
    connection.isolation_level = None  # transactions begin where `_begin` says, not later
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
    if connection.execute("PRAGMA journal_mode").fetchone() == ("delete",):
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _begin(connection: sa.Connection) -> None:
    # A writer that begins as a reader fails at once where another writer was faster.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
