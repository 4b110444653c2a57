"""Select the records of a store to read, by its indexed columns alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields

import sqlalchemy as sa

from mobilebench.errors import UserError, require_known
from mobilebench.values import wire
from mobilebench.values.recipe import Format, Precision
from mobilebench.values.record import Record

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
    commit: str | None = None
    """Of the repository that the command was run in; its beginning is enough."""
    session: str | None = None
    """Its beginning is enough."""
    side: str | None = None
    id: str | None = None
    """Of the record; its beginning is enough."""
    newest: bool = False
    """Only the newest record of each cell."""

    def __post_init__(self) -> None:
        for name, names in (("format", Format), ("precision", Precision)):
            wanted = getattr(self, name)
            if wanted is not None:
                require_known(name, wanted, names)

    @classmethod
    def parse(cls, text: str) -> Query:
        """Read `model=NAME,commit=3f2a`, a list of conditions that all have to hold.

        Raises `UserError` for text that is not a condition or names one twice, `UnknownName` for
        a condition, a format or a precision that does not exist.
        """
        conditions: dict[str, str] = {}
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
            conditions[name] = wanted
        return cls(**conditions)  # type: ignore[arg-type]

    def select(self, records: sa.Table) -> sa.Select[tuple[str, str]]:
        """Return the statement that selects id and document of the records, the oldest first."""
        order = records.c.created, records.c.record_id
        statement = sa.select(records.c.record_id, records.c.document)
        for name in NAMES:
            wanted = getattr(self, name)
            if wanted is not None:
                column = records.c["record_id" if name == "id" else name]
                statement = statement.where(_meets(column, wanted, whole=name not in PREFIXES))
        if self.newest:
            rank = sa.func.row_number().over(
                partition_by=records.c.cell, order_by=[column.desc() for column in order]
            )
            ranked = statement.with_only_columns(records.c.record_id, rank.label("rank")).subquery()
            newest = sa.select(ranked.c.record_id).where(ranked.c.rank == 1)
            statement = sa.select(records.c.record_id, records.c.document).where(
                records.c.record_id.in_(newest)
            )
        return statement.order_by(*order)


NAMES = tuple(field.name for field in fields(Query) if field.name != "newest")
"""Every condition, by its name."""


def _meets(column: sa.ColumnElement[str], wanted: str, *, whole: bool) -> sa.ColumnElement[bool]:
    if whole:
        return column == wanted
    # The range lets an index serve; the comparison is exact whatever the collation of the range.
    start = sa.func.substr(column, 1, len(wanted)) == wanted
    return start if not wanted else sa.and_(column >= wanted, start)


def columns_of(record: Record) -> dict[str, str | None]:
    """Return the values of a record's columns, except for its document."""
    job, session = record.job, record.session
    # Without what is absent: a field that a later version adds then changes no cell.
    cell = json.dumps(wire.to_sparse(record.cell), sort_keys=True, separators=(",", ":"))
    return {
        "record_id": record.record_id,
        "created": record.created,
        "cell": hashlib.sha256(cell.encode()).hexdigest(),
        "model": record.model.name,
        "format": record.recipe.format.value,
        "precision": record.recipe.precision.value,
        "device": record.device.id,
        "runtime": job.runtime if job else None,
        "protocol": job.protocol.id if job else None,
        "commit": record.provenance.source_commit,
        "session": session.id if session else None,
        "side": session.side if session else None,
        "outcome": record.outcome.kind,
    }
