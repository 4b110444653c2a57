"""Version 5: documents packed in a table beside narrow columns for every filter."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from mobilebench.errors import SchemaError
from mobilebench.store.columns import columns_of, narrow
from mobilebench.store.packing import pack
from mobilebench.values import wire
from mobilebench.values.record import Record

revision = "5"
down_revision = "4"
_OLD = (
    "cell", "model", "format", "precision", "device", "runtime", "protocol", "commit", "session",
    "side", "outcome",
)  # fmt: skip
_NEW = (
    "created", "cell", "line", "model", "format", "precision", "delegate", "resolution", "weights",
    "device", "device_model", "device_kind", "os_build", "runtime", "runtime_version",
    "compute_unit", "protocol", "settings", "commit", "session", "side", "outcome", "public_key",
)  # fmt: skip
_INDEXES = ("line", "model", "device", "device_model")
_PARTIAL = ("commit", "session")
_AT_ONCE = 200


def _text() -> sa.types.TypeEngine[Any]:
    return sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Take each record out of its row, and derive its columns anew."""
    connection = op.get_bind()
    for index in sa.inspect(connection).get_indexes("records"):
        op.drop_index(str(index["name"]), "records")
    op.rename_table("records", "records_4")
    records = op.create_table(
        "records",
        sa.Column("record_id", _text(), primary_key=True),
        *(sa.Column(name, _text(), nullable=name != "created") for name in _NEW),
        sa.Column("threads", sa.BigInteger),
    )
    documents = op.create_table(
        "documents",
        sa.Column(
            "record_id",
            _text(),
            sa.ForeignKey("records.record_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    _move(connection, records, documents)
    op.drop_table("records_4")
    op.create_index("ix_records_created", "records", ["created", "record_id"])
    for name in _INDEXES:
        op.create_index(f"ix_records_{name}", "records", [name, "created", "record_id"])
    for name in _PARTIAL:
        where = sa.text(f'"{name}" IS NOT NULL')
        op.create_index(
            f"ix_records_{name}",
            "records",
            [name, "created"],
            sqlite_where=where,
            postgresql_where=where,
        )
    op.execute("UPDATE store SET version = 5")


def _move(connection: sa.Connection, records: sa.Table, documents: sa.Table) -> None:
    old = sa.table(
        "records_4", *(sa.column(name) for name in ("record_id", "created", *_OLD, "document"))
    )
    last = None
    while True:
        statement = sa.select(old).order_by(old.c.record_id).limit(_AT_ONCE)
        if last is not None:
            statement = statement.where(old.c.record_id > last)
        rows = connection.execute(statement).mappings().all()
        if not rows:
            return
        last = rows[-1]["record_id"]
        connection.execute(sa.insert(records), [_columns(row) for row in rows])
        connection.execute(
            sa.insert(documents),
            [{"record_id": row["record_id"], "content": _packed(row["document"])} for row in rows],
        )


def _columns(row: Any) -> dict[str, Any]:
    try:
        columns = columns_of(wire.loads(Record, row["document"], "the record"))
        new = {name: getattr(columns, name) for name in (*_NEW, "threads")}
    except (SchemaError, TypeError):  # finding this record raises; the others can be read
        new = dict.fromkeys((*_NEW, "threads"))
        new |= {name: narrow(row[name]) for name in _OLD if isinstance(row[name], str)}
        new["created"] = row["created"]
    return {"record_id": row["record_id"], **new}


def _packed(document: Any) -> bytes:
    if isinstance(document, str):
        return pack(document)
    return document if isinstance(document, bytes) else b""
