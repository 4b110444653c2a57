"""Take records: read, verify and store them, in one transaction where several come."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from mobilebench.errors import OutputError, SchemaError, UserError
from mobilebench.server import devices, jobs
from mobilebench.server.database import Database
from mobilebench.server.limits import require_shallow
from mobilebench.server.problems import Refused, shown
from mobilebench.server.tokens import Caller
from mobilebench.store import Query, RecordStore
from mobilebench.store.arrivals import Arrival, Row
from mobilebench.store.columns import Columns
from mobilebench.store.documents import Document
from mobilebench.values import wire
from mobilebench.values.device import may_hold_serial

_MOST_AT_ONCE = 64
"""Documents in one transaction."""
_QUIET_S = 1.0
"""Without a record for so long, the time may go to the boards."""
_DERIVED_AT_ONCE = 10
"""Entries, which take some 30 ms: a record that comes meanwhile waits as long."""
_LOG = logging.getLogger("mobilebench.server")
Outcome = str | Refused
"""`added` or `there`, or why not."""


@dataclass(frozen=True)
class Given:
    """A record that may be stored."""

    row: Row
    result: jobs.Result
    """What it says about a job."""

    @property
    def record_id(self) -> str:
        """The id of the record."""
        return self.row.record_id


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
    if may_hold_serial(document.record.device):
        raise Refused(
            "invalid",
            "The id of the record's device may be a serial number, which everybody would see; give "
            "it as SCHEME: and the first 12 hexadecimal digits of a digest, as `mobilebench bench` "
            "does, and sign the record again.",
        )
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
    return Given(Row.of(document), jobs.Result.of(plain))


def read(bodies: Sequence[bytes], caller: Caller, depth: int) -> list[Given | Refused]:
    """Read records as `checked` does; what is refused is in the place of its record."""
    result: list[Given | Refused] = []
    for body in bodies:
        try:
            result.append(checked(body, caller, depth))
        except Refused as problem:
            result.append(problem)
    return result


@dataclass(frozen=True)
class _Waiting:
    rows: Sequence[Row]
    outcomes: Future[list[Outcome]]


class Writer:
    """Writes what several requests bring in one transaction: the disk is waited for once.

    While nothing comes, it derives what the boards show, so that nobody waits for that later.
    """

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def add(self, given: Sequence[Given]) -> Future[list[Outcome]]:
        """Store records; the future has what came of each when they are on disk."""
        waiting = _Waiting([each.row for each in given], Future())
        self._queue.put(waiting)
        return waiting.outcomes

    def close(self) -> None:
        """Write what waits, and stop."""
        self._queue.put(None)
        self._thread.join()

    def _next(self) -> _Waiting | None:
        """Wait for what comes next, and derive entries in the meantime."""
        wait_s: float | None = _QUIET_S
        while True:
            try:
                return self._queue.get(timeout=wait_s)
            except queue.Empty:
                wait_s = 0 if self._derived() else None

    def _derived(self) -> bool:
        """Derive some entries; return whether there may be more."""
        try:
            return self._store.derive_entries(_DERIVED_AT_ONCE) == _DERIVED_AT_ONCE
        except UserError as error:  # whoever asks for a page derives them, and is told
            _LOG.warning("Figures of the board were not derived: %s", error)
            return False

    def _run(self) -> None:
        while (first := self._next()) is not None:
            group = [first]
            count = len(first.rows)
            stop = False
            while count < _MOST_AT_ONCE and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    stop = True
                    break
                group.append(following)
                count += len(following.rows)
            self._write(group)
            if stop:
                return

    def _write(self, group: Sequence[_Waiting]) -> None:
        rows = [row for waiting in group for row in waiting.rows]
        try:
            arrivals = iter(self._store.add_each(rows))
            outcomes = [[_outcome(row, next(arrivals)) for row in each.rows] for each in group]
        except BaseException as error:  # noqa: BLE001 - those who wait are told, all of them
            for waiting in group:
                waiting.outcomes.set_exception(error)
            return
        for waiting, those in zip(group, outcomes, strict=True):
            waiting.outcomes.set_result(those)


def _outcome(row: Row, arrival: Arrival) -> Outcome:
    if arrival is not Arrival.ANOTHER:
        return arrival.value
    return Refused(
        "other_record",
        f"Another record has the id {shown(row.record_id)}; give this one an id that nobody used.",
    )


@dataclass(frozen=True)
class Listed:
    """A page of records, for all to see."""

    records: list[dict[str, Any]]
    next: str | None


def listed(
    store: RecordStore,
    database: Database,
    conditions: Mapping[str, str | None],
    after: str | None,
    limit: int,
) -> Listed:
    """Return a page of records that match, the newest first; no document is read.

    Raises `Refused` for conditions that cannot hold.
    """
    try:
        page = store.page(Query(**conditions), after, limit)  # type: ignore[arg-type]
    except (OutputError, SchemaError):
        raise
    except UserError as error:
        raise Refused("invalid", shown(error)) from error
    keys = {line.public_key for line in page.records if line.public_key is not None}
    ids = [line.record_id for line in page.records]
    with database.reading() as connection:
        by_key = devices.aliases_by_key(connection, keys)
        by_lease = jobs.aliases_by_record(connection, ids)
    return Listed(
        [
            _shown(line, by_lease.get(line.record_id, by_key.get(line.public_key or "")))
            for line in page.records
        ],
        page.next,
    )


def _shown(line: Columns, alias: str | None) -> dict[str, Any]:
    """Return what a list shows of a record: the model of its device and an alias, never its id."""
    return {
        "record_id": line.record_id,
        "created": line.created,
        "model": line.model,
        "format": line.format,
        "precision": line.precision,
        "device_model": line.device_model,
        "device_kind": line.device_kind,
        "device": alias,
        "runtime": line.runtime,
        "protocol": line.protocol,
        "outcome": line.outcome,
        "signed": line.public_key is not None,
    }
