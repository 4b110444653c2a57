"""Read a table some rows at a time, in the order of its key, in flat memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

_AT_ONCE = 200


def parts(
    connection: sa.Connection, source: sa.FromClause, key: sa.Column[str]
) -> Iterator[Sequence[sa.RowMapping]]:
    """Yield the rows of a table, or of two that are joined by the key."""
    columns = [key, *(each for each in source.c if each.name != key.name)]
    first = sa.select(*columns).select_from(source).order_by(key).limit(_AT_ONCE)
    statement = first
    while rows := connection.execute(statement).mappings().all():
        yield rows
        statement = first.where(key > rows[-1][key.name])
