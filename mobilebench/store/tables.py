"""The tables of a store, and their version; `migrations` is the way from older versions.

`documents` holds each record whole, and is the truth. `records` beside it is only an index: narrow
columns, derived from the types. `entries` has a line for each row of a board, from the newest
record of its cell. SQLite and PostgreSQL have the same tables.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from mobilebench.errors import SchemaError

AT_ONCE = 200
"""Rows of one statement: each database has a limit for its parameters."""
VERSION = 6
REVISION = str(VERSION)
"""What alembic calls it."""
OLDEST = 1

METADATA = sa.MetaData()


def _text() -> sa.types.TypeEngine[Any]:
    """Return a type of text that both databases order by bytes."""
    return sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def _reference() -> sa.ForeignKey:
    return sa.ForeignKey("records.record_id", ondelete="CASCADE")


def _described() -> list[sa.Column[Any]]:
    """Return the columns by which a query chooses, which records and entries share."""
    return [
        sa.Column("created", _text(), nullable=False),
        sa.Column("model", _text()),
        sa.Column("format", _text()),
        sa.Column("precision", _text()),
        sa.Column("delegate", _text()),
        sa.Column("resolution", _text()),
        sa.Column("weights", _text()),
        sa.Column("device", _text()),
        sa.Column("device_model", _text()),
        sa.Column("device_kind", _text()),
        sa.Column("os_build", _text()),
        sa.Column("runtime", _text()),
        sa.Column("runtime_version", _text()),
        sa.Column("compute_unit", _text()),
        sa.Column("threads", sa.BigInteger),
        sa.Column("protocol", _text()),
        sa.Column("settings", _text()),
        sa.Column("commit", _text()),
        sa.Column("session", _text()),
        sa.Column("side", _text()),
        sa.Column("outcome", _text()),
        sa.Column("public_key", _text()),
    ]


RECORDS = sa.Table(
    "records",
    METADATA,
    sa.Column("record_id", _text(), primary_key=True),
    sa.Column("cell", _text()),
    sa.Column("line", _text()),
    *_described(),
    sa.Index("ix_records_created", "created", "record_id"),
    sa.Index("ix_records_line", "line", "created", "record_id"),
    sa.Index("ix_records_model", "model", "created", "record_id"),
    sa.Index("ix_records_device", "device", "created", "record_id"),
    sa.Index("ix_records_device_model", "device_model", "created", "record_id"),
    sa.Index(
        "ix_records_commit",
        "commit",
        "created",
        sqlite_where=sa.text('"commit" IS NOT NULL'),
        postgresql_where=sa.text('"commit" IS NOT NULL'),
    ),
    sa.Index(
        "ix_records_session",
        "session",
        "created",
        sqlite_where=sa.text("session IS NOT NULL"),
        postgresql_where=sa.text("session IS NOT NULL"),
    ),
)
DOCUMENTS = sa.Table(
    "documents",
    METADATA,
    sa.Column("record_id", _text(), _reference(), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""Each record's text as one zstd frame; see `packing`."""
ENTRIES = sa.Table(
    "entries",
    METADATA,
    sa.Column("line", _text(), primary_key=True),
    sa.Column("record_id", _text(), _reference(), nullable=False, index=True),
    sa.Column("cell", _text()),
    sa.Column("place", _text(), nullable=False),
    *_described(),
    sa.Column("p50_ns", sa.Double),
    sa.Column("version", sa.Integer),
    sa.Column("content", sa.LargeBinary),
    sa.Index("ix_entries_place", "place", "line"),
    sa.Index("ix_entries_model", "model", "place", "line"),
    sa.Index("ix_entries_device", "device", "place", "line"),
    sa.Index("ix_entries_protocol", "protocol", "place", "line"),
)
"""The newest record of each line of a board. What its samples come to, from `p50_ns` on, is derived
when it is first asked for: that takes longer than all of an import."""
REPORTED = sa.Table(
    "reported",
    METADATA,
    sa.Column("report_id", _text(), primary_key=True),
    sa.Column("model", _text(), index=True),
    sa.Column("document", sa.Text, nullable=False),
)
ACCURACIES = sa.Table(
    "accuracies",
    METADATA,
    sa.Column("accuracy_id", _text(), primary_key=True),
    sa.Column("file_sha256", _text(), nullable=False, index=True),
    sa.Column("document", sa.Text, nullable=False),
)
STORE = sa.Table("store", METADATA, sa.Column("version", sa.Integer, nullable=False))
REVISIONS = sa.Table(
    "store_version", METADATA, sa.Column("version_num", sa.String(32), primary_key=True)
)
"""What alembic goes by; `STORE` is what every version of mobilebench reads first."""

OF_EVERY_VERSION = {"records": {"record_id", "created"}, "store": {"version"}}
"""Tables and columns by which a database is known as a store, whatever its version."""


def make(connection: sa.Connection) -> None:
    """Make the tables that are missing, and write the version where there is none."""
    METADATA.create_all(connection)
    if connection.execute(sa.select(STORE.c.version)).scalar() is None:
        connection.execute(sa.insert(STORE).values(version=VERSION))
        connection.execute(sa.insert(REVISIONS).values(version_num=REVISION))


def require_version(version: object, place: str) -> None:
    """Raise `SchemaError` for a version that this mobilebench can neither read nor migrate."""
    if version is None or (isinstance(version, int) and OLDEST <= version <= VERSION):
        return
    newer = isinstance(version, int) and version > VERSION
    advice = "update mobilebench" if newer else "use the mobilebench that made it"
    raise SchemaError(
        f"The store {place} has version {version}, this mobilebench reads {VERSION}; {advice}."
    )
