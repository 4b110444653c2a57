"""Select the records of a store to read, by its indexed columns alone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import sqlalchemy as sa

from mobilebench.errors import UserError, require_known
from mobilebench.store.columns import Columns, narrow
from mobilebench.values import value
from mobilebench.values.device import DeviceKind
from mobilebench.values.recipe import Format, Precision

_KNOWN = {
    "format": Format,
    "precision": Precision,
    "device_kind": DeviceKind,
    "outcome": ("measurement", "failure"),
}
_WHOLE = ("threads",)
_LAST = "\U0010ffff"
"""The last character that there is."""
PREFIXES = ("commit", "id", "session")
"""Conditions that match the beginning of a value; all others match the whole value."""


@dataclass(frozen=True)
class Query:
    """Conditions that records must match; None matches any value."""

    model: str | None = None
    format: str | None = None
    precision: str | None = None
    device: str | None = None
    runtime: str | None = None
    protocol: str | None = None
    device_model: str | None = None
    device_kind: str | None = None
    os_build: str | None = None
    runtime_version: str | None = None
    compute_unit: str | None = None
    threads: int | None = None
    delegate: str | None = None
    resolution: str | None = None
    """Height by width, `224x224`."""
    weights: str | None = None
    """Their label, as the leaderboard shows it."""
    outcome: str | None = None
    """`measurement` or `failure`."""
    public_key: str | None = None
    """Of whoever signed the record."""
    commit: str | None = None
    """Of the repository that the command was run in; its beginning is enough."""
    session: str | None = None
    """Its beginning is enough."""
    side: str | None = None
    id: str | None = None
    """Of the record; its beginning is enough."""
    newest: bool = False
    """Only the newest record of each cell."""
    line: str | None = None
    """Digest of a board's line: its cell, weights and the device's settings."""

    def __post_init__(self) -> None:
        for name, names in _KNOWN.items():
            wanted = getattr(self, name)
            if wanted is not None:
                require_known(name.replace("_", " "), wanted, names)

    @classmethod
    def parse(cls, text: str) -> Query:
        """Read `model=NAME,commit=3f2a`, a list of conditions that all have to hold.

        Raises `UserError` for text that is not a condition or names one twice, `UnknownName` for
        a condition, a format or a precision that does not exist.
        """
        conditions: dict[str, Any] = {}
        for condition in text.split(","):
            name, equals, wanted = condition.partition("=")
            if not equals:
                raise UserError(
                    f"{condition!r} is not a condition; write NAME=VALUE, with one of "
                    f"{', '.join(NAMES)}."
                )
            require_known("condition", name, NAMES)
            if name in conditions:
                raise UserError(f"The condition {name} is given twice; give one value for it.")
            conditions[name] = _whole(name, wanted) if name in _WHOLE else wanted
        return cls(**conditions)

    def conditions(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        """Return what the rows of an index, `records` or `entries`, have to meet."""
        conditions = []
        for name in NAMES:
            wanted = getattr(self, name)
            if wanted is not None:
                column = table.c["record_id" if name == "id" else name]
                conditions.append(_meets(column, wanted, whole=name not in PREFIXES))
        return conditions

    def ids(self, records: sa.Table) -> sa.Select[tuple[str]]:
        """Return the statement that selects the ids of the records, in no order."""
        statement = sa.select(records.c.record_id).where(*self.conditions(records))
        if not self.newest:
            return statement
        order = records.c.created.desc(), records.c.record_id.desc()
        rank = sa.func.row_number().over(partition_by=records.c.cell, order_by=order)
        ranked = statement.add_columns(rank.label("rank")).subquery()
        return sa.select(ranked.c.record_id).where(ranked.c.rank == 1)


NAMES = tuple(field.name for field in fields(Query) if field.name != "newest")
"""Every condition, by its name."""


def _meets(column: sa.ColumnElement[Any], wanted: Any, *, whole: bool) -> sa.ColumnElement[bool]:
    if isinstance(wanted, str):
        wanted = narrow(wanted)
    same: sa.ColumnElement[bool] = column == wanted
    if whole:
        return same
    return starts_with(column, wanted)


def starts_with(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    """Return the condition that a column begins with a text, which an index serves."""
    # Both databases order these columns by their bytes; the comparison is exact.
    start: sa.ColumnElement[bool] = sa.func.substr(column, 1, len(text)) == text
    return sa.and_(column >= text, column < f"{text}{_LAST}", start) if text else start


def _whole(name: str, wanted: str) -> int:
    try:
        return int(wanted)
    except ValueError as error:
        raise UserError(f"{name}={wanted} is not a whole number; write {name}=4.") from error


@value
class After:
    """A place in the order of time, from which the next page goes on."""

    created: str
    record_id: str

    @property
    def text(self) -> str:
        """As it stands in an address."""
        return f"{self.created},{self.record_id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `text` gave. Raises `UserError` for any other text."""
        created, comma, record_id = text.partition(",")
        if not (created and comma and record_id):
            raise UserError(
                f"{text[:80]!r} is not a place in a list; give `next` of the page before it."
            )
        return cls(created=created, record_id=record_id)


@value
class Page:
    """Some of the records that match a query, in order."""

    records: tuple[Columns, ...]
    next: str | None
    """Where the next page goes on; None on the last one."""
