"""Version 1: devices, tokens, enrolments, jobs and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "server_devices",
        sa.Column("alias", sa.String(40), primary_key=True),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("os", sa.String(100), nullable=False),
        sa.Column("os_build", sa.String(100)),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("soc", sa.String(100)),
        sa.Column("public_key", sa.String(64)),
        sa.Column("served_by", sa.String(40)),
        sa.Column("enrolled", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "server_tokens",
        sa.Column("token_id", sa.String(10), primary_key=True),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("alias", sa.String(40)),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
    )
    op.create_table(
        "server_enrolments",
        sa.Column("code_sha256", sa.String(64), primary_key=True),
        sa.Column("alias", sa.String(40)),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("public_key", sa.String(64)),
        sa.Column("token_id", sa.String(10)),
    )
    op.create_table(
        "server_jobs",
        sa.Column("job_id", sa.String(64), primary_key=True),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("device", sa.String(100)),
        sa.Column("device_is_pattern", sa.Boolean, nullable=False),
        sa.Column("model", sa.String(100)),
        sa.Column("model_is_pattern", sa.Boolean, nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("record_id", sa.String(64)),
    )
    op.create_table(
        "server_job_files",
        sa.Column(
            "job_id",
            sa.String(64),
            sa.ForeignKey("server_jobs.job_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("path", sa.String(200), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "server_leases",
        sa.Column("lease_id", sa.String(32), primary_key=True),
        sa.Column(
            "job_id",
            sa.String(64),
            sa.ForeignKey("server_jobs.job_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("alias", sa.String(40), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("word", sa.String(40)),
        sa.Column("sentence", sa.String(500)),
    )
    op.create_index("ix_server_devices_public_key", "server_devices", ["public_key"])
    op.create_index("ix_server_tokens_alias", "server_tokens", ["alias"])
    op.create_index("ix_server_jobs_record_id", "server_jobs", ["record_id"])
    op.create_index("server_jobs_by_state", "server_jobs", ["state", "created", "job_id"])
    op.create_index("server_jobs_by_time", "server_jobs", ["created", "job_id"])
    op.create_index("ix_server_job_files_sha256", "server_job_files", ["sha256"])
    op.create_index("ix_server_leases_job_id", "server_leases", ["job_id"])
    op.create_index("server_leases_by_alias", "server_leases", ["alias", "state"])
    op.create_index("server_leases_by_state", "server_leases", ["state", "expires"])


def downgrade() -> None:
    """Refuse: a database goes back by its backup."""
    raise NotImplementedError("restore a backup")
