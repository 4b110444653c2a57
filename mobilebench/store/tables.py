"""The tables of a store, their version, and the way from older versions."""

from __future__ import annotations

import sqlalchemy as sa

from mobilebench.errors import SchemaError
from mobilebench.store.query import columns_of
from mobilebench.values import wire
from mobilebench.values.record import Record

VERSION = 4

METADATA = sa.MetaData()
RECORDS = sa.Table(
    "records",
    METADATA,
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
REPORTED = sa.Table(
    "reported",
    METADATA,
    sa.Column("report_id", sa.String(64), primary_key=True),
    sa.Column("model", sa.String, index=True),
    sa.Column("document", sa.Text, nullable=False),
)
ACCURACIES = sa.Table(
    "accuracies",
    METADATA,
    sa.Column("accuracy_id", sa.String(64), primary_key=True),
    sa.Column("file_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("document", sa.Text, nullable=False),
)
STORE = sa.Table("store", METADATA, sa.Column("version", sa.Integer, nullable=False))

OF_EVERY_VERSION = {
    "records": {"record_id", "created", "document"},
    "store": {"version"},
}
"""Tables and columns by which a database is known as a store, whatever its version."""


def make(connection: sa.Connection) -> None:
    """Make the tables that are missing, and write the version where there is none."""
    METADATA.create_all(connection)
    if connection.execute(sa.select(STORE.c.version)).scalar() is None:
        connection.execute(sa.insert(STORE).values(version=VERSION))


def require_version(version: object, place: str) -> None:
    """Raise `SchemaError` for a version that this mobilebench can neither read nor migrate."""
    if version in (None, 1, 2, 3, VERSION):
        return
    newer = isinstance(version, int) and version > VERSION
    advice = "update mobilebench" if newer else "use the mobilebench that made it"
    raise SchemaError(
        f"The store {place} has version {version}, this mobilebench reads {VERSION}; {advice}."
    )


def upgrade(connection: sa.Connection, place: str) -> None:
    """Bring the tables to this version. Raises `SchemaError` for another one."""
    version = connection.execute(sa.select(sa.func.max(STORE.c.version))).scalar()
    require_version(version, place)
    # Version 2 has more columns, version 3 a table, and version 4 other words for a cell.
    if version == 1:
        _add_columns(connection)
    make(connection)
    if version != VERSION:
        _index(connection)
    connection.execute(sa.update(STORE).values(version=VERSION))


def _add_columns(connection: sa.Connection) -> None:
    """Add the columns that version 1 did not have."""
    existing = {column["name"] for column in sa.inspect(connection).get_columns("records")}
    for column in RECORDS.columns:
        if column.name not in existing:
            kind = column.type.compile(connection.dialect)
            name = connection.dialect.identifier_preparer.quote(column.name)
            connection.execute(sa.text(f"ALTER TABLE records ADD COLUMN {name} {kind}"))


def _index(connection: sa.Connection) -> None:
    """Fill the columns of every record from its document."""
    ids = connection.execute(sa.select(RECORDS.c.record_id)).scalars().all()
    for record_id in ids:
        here = RECORDS.c.record_id == record_id
        document = connection.execute(sa.select(RECORDS.c.document).where(here)).scalar_one()
        try:
            record = wire.loads(Record, document, f"record {record_id}")
        except SchemaError:  # finding this record raises; the others can be read
            continue
        connection.execute(sa.update(RECORDS).where(here).values(**columns_of(record)))
    for index in RECORDS.indexes:
        index.create(connection, checkfirst=True)
