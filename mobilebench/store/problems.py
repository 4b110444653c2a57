"""Documents of a store that no verb can show, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, TypeVar

import sqlalchemy as sa

from mobilebench.errors import SchemaError
from mobilebench.store import paging
from mobilebench.store.columns import columns_of
from mobilebench.store.documents import Document
from mobilebench.store.packing import unpack
from mobilebench.store.tables import ACCURACIES, DOCUMENTS, RECORDS, REPORTED
from mobilebench.values import value, wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.reported import Reported

_T = TypeVar("_T")


@value
class Problem:
    """A document that no verb can show."""

    id: str
    reason: str
    """A clause."""


def parsed(cls: type[_T], document: Any, what: str) -> _T:
    """Read a document as it lies in the database. Raises `SchemaError`, naming `what`."""
    if not isinstance(document, str):
        raise SchemaError(f"{what} is not text.")
    return wire.loads(cls, document, what)


def problems_of(connection: sa.Connection) -> tuple[int, list[Problem]]:
    """Read every record; return their number, and what is wrong with which.

    A signature that does not match its record is wrong, and an index that differs from it.
    """
    count, problems = 0, []
    for row in _rows(connection, RECORDS.outerjoin(DOCUMENTS), RECORDS.c.record_id):
        count += 1
        problems += _problem(row, row["record_id"], _require_record)
    orphans = (
        sa.select(DOCUMENTS.c.record_id)
        .outerjoin(RECORDS, RECORDS.c.record_id == DOCUMENTS.c.record_id)
        .where(RECORDS.c.record_id.is_(None))
    )
    for id_ in connection.scalars(orphans):
        count += 1
        problems.append(Problem(id=id_, reason="a document that is not in the index"))
    return count, problems


def reported_problems(connection: sa.Connection) -> tuple[int, list[Problem]]:
    """Read every result of others and every accuracy; otherwise as `problems_of`."""
    count, problems = 0, []
    for row in _rows(connection, REPORTED, REPORTED.c.report_id):
        count += 1
        problems += _problem(row, row["report_id"], _require_reported)
    for row in _rows(connection, ACCURACIES, ACCURACIES.c.accuracy_id):
        count += 1
        problems += _problem(row, row["accuracy_id"], _require_accuracy)
    return count, problems


def _rows(
    connection: sa.Connection, source: sa.FromClause, key: sa.Column[str]
) -> Iterator[sa.RowMapping]:
    return chain.from_iterable(paging.parts(connection, source, key))


def _problem(
    row: sa.RowMapping, id_: str, require: Callable[[sa.RowMapping, str], None]
) -> list[Problem]:
    try:
        require(row, id_)
    except SchemaError as error:
        reason = str(error).removesuffix(".").removeprefix(f"{id_} ")
        return [Problem(id=id_, reason=reason)]
    return []


def _require_record(row: sa.RowMapping, id_: str) -> None:
    if row["content"] is None:
        raise SchemaError(f"{id_} has no document.")
    document = Document.parse(unpack(row["content"], id_), id_)
    columns = vars(columns_of(document.record))
    differing = [name for name, content in columns.items() if row[name] != content]
    if differing:
        raise SchemaError(f"{id_} has another {', '.join(differing)} in the index.")


def _require_reported(row: sa.RowMapping, id_: str) -> None:
    result = parsed(Reported, row["document"], id_)
    if (result.report_id, result.model) != (id_, row["model"]):
        raise SchemaError(f"{id_} lies under other words than its document states.")


def _require_accuracy(row: sa.RowMapping, id_: str) -> None:
    accuracy = parsed(Accuracy, row["document"], id_)
    if (accuracy.accuracy_id, accuracy.artifact.sha256) != (id_, row["file_sha256"]):
        raise SchemaError(f"{id_} lies under other words than its document states.")
