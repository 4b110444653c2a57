"""Documents of a store that no verb can show, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from mobilebench.errors import SchemaError
from mobilebench.store import signing
from mobilebench.store.query import columns_of
from mobilebench.values import value, wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.record import Record
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


_IDS = ("record_id", "report_id", "accuracy_id")


def problems_of(rows: Iterable[Mapping[Any, Any]]) -> list[Problem]:
    """Return what is wrong with rows of the three tables of documents.

    A signature that does not match its record is wrong, and an index that differs from it.
    """
    problems = []
    for row in rows:
        id_ = str(next(row[name] for name in _IDS if name in row))
        try:
            _require_good(row, id_)
        except SchemaError as error:
            reason = str(error).removesuffix(".").removeprefix(f"{id_} ")
            problems.append(Problem(id=id_, reason=reason))
    return problems


def _require_good(row: Mapping[Any, Any], id_: str) -> None:
    if "accuracy_id" in row:
        accuracy = parsed(Accuracy, row["document"], id_)
        index = accuracy.accuracy_id, accuracy.artifact.sha256
        if index != (id_, row["file_sha256"]):
            raise SchemaError(f"{id_} lies under other words than its document states.")
        return
    if "report_id" in row:
        result = parsed(Reported, row["document"], id_)
        if (result.report_id, result.model) != (id_, row["model"]):
            raise SchemaError(f"{id_} lies under other words than its document states.")
        return
    record = parsed(Record, row["document"], id_)
    signing.require_intact(wire.parse(row["document"], id_), id_)
    differing = [name for name, text in columns_of(record).items() if row[name] != text]
    if differing:
        raise SchemaError(f"{id_} has another {', '.join(differing)} in the index.")
