"""Add and find records in a database. Documents are the truth, columns only an index."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import platformdirs
import sqlalchemy as sa

from mobilebench.errors import NoRecords, OutputError, SchemaError, UserError
from mobilebench.results import Entry
from mobilebench.store import arrivals, entries, migrations, tables, upkeep
from mobilebench.store import place as places
from mobilebench.store.arrivals import Arrival, Row
from mobilebench.store.columns import Columns
from mobilebench.store.database import Database
from mobilebench.store.documents import Document
from mobilebench.store.entries import Held, Mark, Place
from mobilebench.store.packing import unpack
from mobilebench.store.problems import Problem, parsed, problems_of, reported_problems
from mobilebench.store.query import After, Page, Query
from mobilebench.store.tables import ACCURACIES, AT_ONCE, DOCUMENTS, RECORDS, REPORTED
from mobilebench.values import wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.record import Record
from mobilebench.values.reported import Reported

_T = TypeVar("_T")
_COLUMNS = [RECORDS.c[name] for name in Columns.__dataclass_fields__]
_MOST = 1000
"""Records of one page."""


def default_url() -> str:
    """Return `MOBILEBENCH_STORE`, else a file in the user's data folder."""
    place = os.environ.get("MOBILEBENCH_STORE")
    return place or str(platformdirs.user_data_path("mobilebench") / "records.sqlite")


class RecordStore:
    """Records in a database, each written in its own transaction as soon as it exists.

    Threads may share a store, and processes a database.
    """

    def __init__(self, place: str | Path | None = None, *, create: bool = True) -> None:
        """Open the store at a path (SQLite) or a URL (PostgreSQL); create it where absent.

        Without a place, the one of `default_url` is opened. A store of an older version is
        migrated. A store that may not be written can be read. Raises `OutputError` where it cannot
        be used, `SchemaError` where a newer version made it or it is damaged, `UserError` for a
        file that is not a store, and where there is none and `create` is false.
        """
        self._option = "" if place is None else f" --store {shlex.quote(str(place))}"
        self._place = places.Place.parse(default_url() if place is None else str(place))
        self.place = self._place.shown
        self.migrated_from: int | None = None
        """The version that the store had before it was opened; None where it had this one."""
        self._closing = ExitStack()
        self._read_only = False
        url = self._place.url
        if self._place.path is not None:
            path = self._ready(self._place.path, create)
            url = url.set(database=str(path))
        self._database = Database(url, self.place)
        self._closing.callback(self._database.close)
        try:
            self._prepare(create)
        except BaseException:
            self.close()
            raise

    def _ready(self, path: Path, create: bool) -> Path:
        """Return the file to open: the store itself, made where absent, or a copy to read."""
        if not places.exists(path, self.place):
            if not create:
                raise self._no_store()
            places.create(path, self._make_file)
        if not places.writable(path):
            self._read_only = True
            places.require_whole(path, self.place)
            path = self._closing.enter_context(places.copied(path))
        places.require_store(path, self.place)
        return path

    def _no_store(self) -> NoRecords:
        return NoRecords(
            f"There is no store {self.place}; measure something first with `mobilebench bench`, "
            f"or name another with --store or MOBILEBENCH_STORE."
        )

    def _make_file(self, path: Path) -> None:
        database = Database(sa.URL.create("sqlite", database=str(path)), self.place)
        try:
            database.write(tables.make)
        finally:
            database.close()

    def _prepare(self, create: bool) -> None:
        """Bring the tables to this version; on a server, make them where they are missing."""
        names, version = self._database.read(_tables_and_version)
        if version == tables.VERSION and set(tables.METADATA.tables) <= names:
            return
        if "store" not in names:
            if not create and not self._database.is_sqlite:
                raise self._no_store()
            self._database.write(tables.make)
            return
        self._database.write(lambda connection: migrations.upgrade(connection, self.place))
        if version != tables.VERSION:
            self.migrated_from = version

    def _write(self, work: Callable[[sa.Connection], _T]) -> _T:
        if self._read_only:
            raise OutputError(
                f"The store {self.place} may only be read: the file, or its folder, is not "
                f"writable; copy it elsewhere, or name another with --store or MOBILEBENCH_STORE."
            )
        return self._database.write(work)

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
        records: Sequence[Record | Document | Row] = (),
        reported: Sequence[Reported] = (),
        accuracies: Sequence[Accuracy] = (),
    ) -> int:
        """Add records, others' results and accuracies, all or none; return how many are new.

        A `Document` is stored as it came, so that its signature stays valid. A `Row` was prepared
        before, such as in another process. Raises `UserError` where another record or accuracy has
        the id of one.
        """
        rows = _rows(records)

        def work(connection: sa.Connection) -> int:
            added = self._add_rows(connection, rows)
            return added + self._add_others(connection, reported, accuracies)

        return self._write(work)

    def add_each(self, documents: Iterable[Record | Document | Row]) -> list[Arrival]:
        """Add what is new of some records, in one transaction; return what came of each.

        A record whose id another one has is not added; the others are. A `Row` is as in `add_all`.
        """
        rows = _rows(documents)
        return self._write(lambda connection: arrivals.add(connection, rows))

    def _add_rows(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        came = arrivals.add(connection, rows)
        for row, arrival in zip(rows, came, strict=True):
            if arrival is Arrival.ANOTHER:
                raise self._another("record", row.record_id)
        return came.count(Arrival.ADDED)

    def _another(self, noun: str, id_: str) -> UserError:
        return UserError(
            f"The store {self.place} holds another {noun} with the id {id_}; none of those given "
            f"was added."
        )

    def _add_others(
        self,
        connection: sa.Connection,
        reported: Iterable[Reported],
        accuracies: Iterable[Accuracy],
    ) -> int:
        added = 0
        for accuracy in accuracies:
            id_ = accuracy.accuracy_id
            here = ACCURACIES.c.accuracy_id == id_
            stored = connection.execute(sa.select(ACCURACIES.c.document).where(here)).scalar()
            if stored is None:
                row = {
                    "accuracy_id": id_,
                    "file_sha256": accuracy.artifact.sha256,
                    "document": wire.dumps(accuracy),
                }
                connection.execute(sa.insert(ACCURACIES).values(**row))
                added += 1
            elif not _holds(stored, accuracy):
                raise self._another("accuracy", id_)
        for result in reported:
            # The id is over the file's content, so what has the same id is the same.
            here = REPORTED.c.report_id == result.report_id
            if connection.execute(sa.select(REPORTED.c.report_id).where(here)).scalar() is None:
                connection.execute(
                    sa.insert(REPORTED).values(
                        report_id=result.report_id,
                        model=result.model,
                        document=wire.dumps(result),
                    )
                )
                added += 1
        return added

    def find(self, query: Query | None = None) -> list[Record]:
        """Return the records that match a query, the oldest first; only these are read.

        Raises `SchemaError`, with its id and the cure, for one that is not valid.
        """
        return [document.record for document in self.find_documents(query)]

    def find_documents(self, query: Query | None = None) -> list[Document]:
        """Return the records that match a query, each with its text; otherwise as `find`."""
        return list(self.documents(query))

    def documents(self, query: Query | None = None) -> Iterator[Document]:
        """Yield the records that match a query, as `find_documents`, some at a time."""
        statement = (
            sa.select(RECORDS.c.record_id)
            .where(*_matching(query or Query()))
            .order_by(RECORDS.c.created, RECORDS.c.record_id)
        )
        wanted = self._database.read(lambda connection: connection.scalars(statement).all())
        yield from self._each(wanted)

    def find_by_id(self, ids: Sequence[str]) -> list[Document]:
        """Return records by their whole ids, in that order; what is not there is left out.

        Raises `SchemaError`, with its id and the cure, for one that is not valid.
        """
        return list(self._each(ids))

    def _each(self, wanted: Sequence[str]) -> Iterator[Document]:
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            held = self._contents(part)
            for id_ in part:
                if id_ in held:  # it may have been removed meanwhile
                    yield self._document(id_, held[id_])

    def _contents(self, ids: Sequence[str]) -> dict[str, bytes]:
        return self._database.read(lambda connection: arrivals.contents(connection, ids))

    def document(self, record_id: str) -> str | None:
        """Return the text of a record as it came, by its whole id; None where it is not there.

        Raises `SchemaError` for one that is damaged.
        """
        held = self._contents([record_id])
        if record_id not in held:
            return None
        return self._cured(record_id, lambda what: unpack(held[record_id], what))

    def page(
        self,
        query: Query | None = None,
        after: str | None = None,
        limit: int = 100,
        *,
        oldest_first: bool = False,
    ) -> Page:
        """Return the index of some records that match, the newest first; no document is read.

        `after` is `next` of the page before. Raises `UserError` for any other text, and for a
        limit that is not from 1 to 1000.
        """
        if not 1 <= limit <= _MOST:
            raise UserError(f"The limit of a page is {limit}; give one from 1 to {_MOST}.")
        place = sa.tuple_(RECORDS.c.created, RECORDS.c.record_id)
        statement = sa.select(*_COLUMNS).where(*_matching(query or Query())).limit(limit + 1)
        if after is not None:
            last = After.parse(after)
            end = sa.tuple_(sa.literal(last.created), sa.literal(last.record_id))
            statement = statement.where(place > end if oldest_first else place < end)
        for column in (RECORDS.c.created, RECORDS.c.record_id):
            statement = statement.order_by(column if oldest_first else column.desc())
        rows = self._database.read(lambda connection: connection.execute(statement).all())
        shown = tuple(Columns(**row._mapping) for row in rows[:limit])
        if len(rows) <= limit:
            return Page(records=shown, next=None)
        last_here = After(created=shown[-1].created, record_id=shown[-1].record_id)
        return Page(records=shown, next=last_here.text)

    def find_entries(
        self, query: Query | None = None, after: str | None = None, limit: int | None = None
    ) -> list[Entry]:
        """Return the newest record of each line of a board that matches, without its samples.

        They come by device model, compute unit and protocol; `after` is the `line` of the last
        entry before. What was not asked for before is derived from its record, and kept. Raises
        `SchemaError`, with its id and the cure, for a record that is not valid, and `UserError` for
        a line that is not there.
        """
        held = self._database.read(
            lambda connection: entries.find(connection, query or Query(), after, limit)
        )
        return self._entries(held)

    def renew_entries(
        self, known: Mapping[Mark, Entry], query: Query | None = None
    ) -> dict[Mark, Entry]:
        """Return the entries that match, as `find_entries`; only those that are new are read.

        `known` are entries that this returned before.
        """

        def work(connection: sa.Connection) -> tuple[list[Mark], list[Held]]:
            marks = entries.marks(connection, query or Query())
            new = [mark.record_id for mark in marks if mark not in known]
            return marks, entries.of_records(connection, new)

        marks, held = self._database.read(work)
        new = {entry.record_id: entry for entry in self._entries(held)}
        both = ((mark, known.get(mark) or new.get(mark.record_id)) for mark in marks)
        return {mark: entry for mark, entry in both if entry is not None}

    def _entries(self, held: Sequence[Held]) -> list[Entry]:
        results, derived = [], []
        for each in held:
            entry, new = self._cured(each.record_id, partial(entries.read, each))
            results.append(entry)
            if new:
                derived.append(entry)
        if derived and not self._read_only:
            self._write(lambda connection: entries.keep(connection, derived))
        return results

    def derive_entries(self, most: int = AT_ONCE) -> int:
        """Derive entries that nobody has asked for yet; return how many there were, up to `most`.

        A board is then quick at its first look, too.
        """
        held = self._database.read(lambda connection: entries.lacking(connection, most))
        derived = []
        for each in held:
            with suppress(SchemaError):  # whoever asks for it is told
                derived.append(entries.read(each, each.record_id)[0])
        if derived:
            self._write(lambda connection: entries.keep(connection, derived))
        return len(derived)

    def places(self, query: Query | None = None) -> list[Place]:
        """Return the device models, units and protocols that a board has, and their lines."""
        return self._database.read(lambda connection: entries.places(connection, query or Query()))

    def count(self, query: Query | None = None) -> int:
        """Return how many records match a query."""
        statement = sa.select(sa.func.count(RECORDS.c.record_id)).where(
            *_matching(query or Query())
        )
        return self._database.read(lambda connection: connection.execute(statement).scalar_one())

    def find_reported(self, model: str | None = None) -> list[Reported]:
        """Return somebody else's results, of one model or of all, by source and model.

        Raises `SchemaError`, with its id and the cure, for one that is not valid.
        """
        statement = sa.select(REPORTED.c.report_id, REPORTED.c.document)
        if model is not None:
            statement = statement.where(REPORTED.c.model == model)
        rows = self._database.read(lambda connection: connection.execute(statement).all())
        results = [self._read(Reported, "result", *row) for row in rows]
        return sorted(results, key=lambda r: (r.source, r.model or "", r.report_id))

    def find_accuracies(self) -> list[Accuracy]:
        """Return every accuracy, the oldest first.

        Raises `SchemaError`, with its id and the cure, for one that is not valid.
        """
        statement = sa.select(ACCURACIES.c.accuracy_id, ACCURACIES.c.document)
        rows = self._database.read(lambda connection: connection.execute(statement).all())
        accuracies = [self._read(Accuracy, "accuracy", *row) for row in rows]
        return sorted(accuracies, key=lambda each: (each.created, each.accuracy_id))

    def _document(self, id_: str, content: bytes) -> Document:
        def work(what: str) -> Document:
            text = unpack(content, what)
            return Document(record=parsed(Record, text, what), text=text)

        return self._cured(id_, work)

    def _read(self, cls: type[_T], noun: str, id_: str, document: Any) -> _T:
        return self._cured(id_, lambda what: parsed(cls, document, what), noun)

    def _cured(self, id_: str, work: Callable[[str], _T], noun: str = "record") -> _T:
        """Read a document; the error about one that is not valid names what to do."""
        try:
            return work(f"The {noun} {id_} in {self.place}")
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
        with self._database.snapshot() as connection:
            if self._database.is_sqlite:
                report = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
                if report != "ok":
                    raise SchemaError(places.damaged(self.place, report))
            count, problems = problems_of(connection)
            others, more = reported_problems(connection)
        return count + others, problems + more

    def remove(self, ids: Sequence[str]) -> int:
        """Remove records, others' results and accuracies by whole ids, all or none of them.

        Raises `UserError` for an id that the store does not hold.
        """
        wanted = list(dict.fromkeys(ids))

        def work(connection: sa.Connection) -> int:
            lines = entries.lines_of(connection, wanted)
            unknown = [id_ for id_ in wanted if not _removed(connection, id_)]
            if unknown:
                raise UserError(
                    f"The store {self.place} holds nothing with the id {', '.join(unknown)}; give "
                    f"whole ids, as `mobilebench leaderboard --as csv` and `mobilebench store "
                    f"check` print them. Nothing was removed."
                )
            entries.renew_after_removal(connection, lines)
            return len(wanted)

        return self._write(work)

    def backup(self, path: Path) -> int:
        """Write a consistent copy of the store to a new SQLite file, while others use it.

        Return its size in bytes. Raises `OutputError` where it cannot be written, `UserError` where
        there is a file of that name.
        """
        return upkeep.backup(self._database, path)

    def copy_to(self, other: RecordStore) -> tuple[int, int]:
        """Copy every document into another store; return how many were new, and how many there.

        The other store keeps what it has. Raises `UserError`, naming them, where it has other
        documents under the same ids; what was copied before stays.
        """
        return upkeep.copy(self._database, other._write, other.place)

    def compact(self) -> tuple[int, int]:
        """Give back the room of what was removed; return the size in bytes before and after."""
        if self._read_only:
            self._write(lambda connection: None)
        return upkeep.compact(self._database)

    def size_bytes(self) -> int:
        """Return how many bytes the store has on its disk, with its log."""
        return upkeep.size_bytes(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; SQLite then folds its write-ahead log into the file."""
        self._closing.close()


def _rows(given: Iterable[Record | Document | Row]) -> list[Row]:
    return [each if isinstance(each, Row) else Row.of(each) for each in given]


def _matching(query: Query) -> list[sa.ColumnElement[bool]]:
    if query.newest:
        return [RECORDS.c.record_id.in_(query.ids(RECORDS))]
    return query.conditions(RECORDS)


def _tables_and_version(connection: sa.Connection) -> tuple[set[str], int | None]:
    names = set(sa.inspect(connection).get_table_names())
    version = None
    if {"records", "store"} <= names:
        version = connection.execute(sa.select(sa.func.max(tables.STORE.c.version))).scalar()
    return names, version


def _removed(connection: sa.Connection, id_: str) -> bool:
    """Remove what has an id; return whether there was anything."""
    counts = [
        connection.execute(sa.delete(column.table).where(column == id_)).rowcount
        for column in (
            DOCUMENTS.c.record_id,
            RECORDS.c.record_id,
            REPORTED.c.report_id,
            ACCURACIES.c.accuracy_id,
        )
    ]
    return any(counts)


def _holds(document: Any, given: object) -> bool:
    """Return whether a stored document is of this value; a damaged one is of none."""
    try:
        return parsed(type(given), document, "it") == given
    except SchemaError:
        return False
