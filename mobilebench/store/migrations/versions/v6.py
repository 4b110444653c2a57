"""Version 6: the newest record of each line of a board, with all columns to choose by."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "6"
down_revision = "5"
_COLUMNS = (
    "cell", "created", "model", "format", "precision", "delegate", "resolution", "weights",
    "device", "device_model", "device_kind", "os_build", "runtime", "runtime_version",
    "compute_unit", "protocol", "settings", "commit", "session", "side", "outcome", "public_key",
)  # fmt: skip
_PLACE = {"device_model": "", "compute_unit": "\x7f", "protocol": ""}


def _text() -> sa.types.TypeEngine[Any]:
    return sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table, and take into it what the columns of the records say."""
    entries = op.create_table(
        "entries",
        sa.Column("line", _text(), primary_key=True),
        sa.Column(
            "record_id",
            _text(),
            sa.ForeignKey("records.record_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("place", _text(), nullable=False),
        *(sa.Column(name, _text(), nullable=name != "created") for name in _COLUMNS),
        sa.Column("threads", sa.BigInteger),
        sa.Column("p50_ns", sa.Double),
        sa.Column("version", sa.Integer),
        sa.Column("content", sa.LargeBinary),
    )
    names = ("line", "record_id", *_COLUMNS, "threads")
    records = sa.table("records", *(sa.column(name) for name in names))
    rank = sa.func.row_number().over(
        partition_by=records.c.line,
        order_by=[records.c.created.desc(), records.c.record_id.desc()],
    )
    ranked = sa.select(records, rank.label("rank")).where(records.c.line.is_not(None)).subquery()
    model, unit, protocol = (
        sa.func.coalesce(ranked.c[name], absent) for name, absent in _PLACE.items()
    )
    place = model + "\x1f" + unit + "\x1f" + protocol
    newest = sa.select(*(ranked.c[name] for name in names), place).where(ranked.c.rank == 1)
    op.execute(sa.insert(entries).from_select([*names, "place"], newest))
    op.create_index("ix_entries_record_id", "entries", ["record_id"])
    op.create_index("ix_entries_place", "entries", ["place", "line"])
    for name in ("model", "device", "protocol"):
        op.create_index(f"ix_entries_{name}", "entries", [name, "place", "line"])
    op.execute("UPDATE store SET version = 6")
