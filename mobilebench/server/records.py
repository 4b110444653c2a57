"""Take records: read, verify and store them, in one transaction where several come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import sqlalchemy as sa

from mobilebench.errors import OutputError, SchemaError, UserError
from mobilebench.server.database import Database
from mobilebench.server.jobs import Result
from mobilebench.server.limits import require_shallow
from mobilebench.server.problems import Refused, shown
from mobilebench.server.tokens import Caller
from mobilebench.store import RecordStore
from mobilebench.store.documents import Document
from mobilebench.store.query import columns_of
from mobilebench.store.tables import RECORDS
from mobilebench.values import wire

_MOST_AT_ONCE = 64
"""Documents in one transaction."""
Outcome = str | Refused
"""`added` or `there`, or why not."""


@dataclass(frozen=True)
class Given:
    """A record that may be stored."""

    document: Document
    result: Result
    """What it says about a job."""

    @property
    def record_id(self) -> str:
        """The id of the record."""
        return self.document.record.record_id


def checked(body: bytes, caller: Caller, depth: int) -> Given:
    """Read a record as a caller sent it, with its signature verified. Raises `Refused`."""
    require_shallow(body, depth)
    try:
        plain = wire.parse(body, "The record")
    except SchemaError as error:
        raise Refused("bad_json", shown(error)) from error
    try:
        document = Document.from_plain(plain, "The record")
    except SchemaError as error:
        raise Refused("invalid", shown(error)) from error
    signature = document.record.signature
    if caller.alias is not None:
        if signature is None:
            raise Refused("unsigned", "The record is not signed; sign it with the device's key.")
        if signature.public_key.lower() != caller.public_key:
            raise Refused(
                "other_key",
                "The record is signed by another key than the one of this device's enrolment; "
                "send it from the device that measured it.",
            )
    for name, text in columns_of(document.record).items():
        if "\0" in (text or ""):
            raise Refused("invalid", f"The record has a character of code 0 in its {name}.")
    return Given(document, Result.of(plain))


@dataclass(frozen=True)
class _Waiting:
    documents: Sequence[Given]
    outcomes: Future[list[Outcome]]


class Writer:
    """Writes what several requests bring in one transaction: the disk is waited for once."""

    def __init__(self, store: RecordStore, database: Database) -> None:
        self._store = store
        self._database = database
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def add(self, documents: Sequence[Given]) -> Future[list[Outcome]]:
        """Store documents; the future has what came of each when they are on disk."""
        waiting = _Waiting(documents, Future())
        self._queue.put(waiting)
        return waiting.outcomes

    def close(self) -> None:
        """Write what waits, and stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            count = len(first.documents)
            stop = False
            while count < _MOST_AT_ONCE and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    stop = True
                    break
                group.append(following)
                count += len(following.documents)
            self._write(group)
            if stop:
                return

    def _write(self, group: Sequence[_Waiting]) -> None:
        documents = [given.document for waiting in group for given in waiting.documents]
        try:
            outcomes = self._stored(documents)
        except BaseException as error:  # noqa: BLE001 - those who wait are told, all of them
            for waiting in group:
                waiting.outcomes.set_exception(error)
            return
        for waiting in group:
            number = len(waiting.documents)
            waiting.outcomes.set_result(outcomes[:number])
            del outcomes[:number]

    def _stored(self, documents: Sequence[Document]) -> list[Outcome]:
        known = self._known([document.record.record_id for document in documents])
        try:
            self._store.add_all(documents)
        except OutputError:
            raise
        except UserError:  # one of them has the id of another record
            return [self._stored_alone(document) for document in documents]
        outcomes: list[Outcome] = []
        for document in documents:
            id_ = document.record.record_id
            outcomes.append("there" if id_ in known else "added")
            known.add(id_)
        return outcomes

    def _stored_alone(self, document: Document) -> Outcome:
        try:
            return "added" if self._store.add_all([document]) else "there"
        except OutputError:
            raise
        except UserError:
            id_ = document.record.record_id
            return Refused(
                "other_record",
                f"Another record has the id {shown(id_)}; give this one an id that nobody used.",
            )

    def _known(self, ids: Sequence[str]) -> set[str]:
        statement = sa.select(RECORDS.c.record_id).where(RECORDS.c.record_id.in_(ids))
        with self._database.reading() as connection:
            return set(connection.execute(statement).scalars())


def document(database: Database, record_id: str) -> str | None:
    """Return a record's document as it came; None where there is no such record."""
    statement = sa.select(RECORDS.c.document).where(RECORDS.c.record_id == record_id)
    with database.reading() as connection:
        text: str | None = connection.execute(statement).scalar()
    return text
