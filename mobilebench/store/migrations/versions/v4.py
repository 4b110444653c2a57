"""Version 4: what `records` had in columns while each record lay there as text.

Version 1 lacks columns, version 2 the table of accuracies, and version 3 has other words for a
cell. Whatever is in the columns is derived anew by version 5.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = None
_COLUMNS = (
    "cell", "model", "format", "precision", "device", "runtime", "protocol", "commit", "session",
    "side", "outcome",
)  # fmt: skip


def upgrade() -> None:
    """Add the columns and tables that an older version lacks."""
    inspector = sa.inspect(op.get_bind())
    names = set(inspector.get_table_names())
    there = {column["name"] for column in inspector.get_columns("records")}
    for name in _COLUMNS:
        if name not in there:
            op.add_column("records", sa.Column(name, sa.Text))
    if "reported" not in names:
        op.create_table(
            "reported",
            sa.Column("report_id", sa.Text, primary_key=True),
            sa.Column("model", sa.Text, index=True),
            sa.Column("document", sa.Text, nullable=False),
        )
    if "accuracies" not in names:
        op.create_table(
            "accuracies",
            sa.Column("accuracy_id", sa.Text, primary_key=True),
            sa.Column("file_sha256", sa.Text, nullable=False, index=True),
            sa.Column("document", sa.Text, nullable=False),
        )
    op.execute("UPDATE store SET version = 4")
