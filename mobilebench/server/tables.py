"""The tables of the server, in the database of the store."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()
DEVICES = sa.Table(
    "server_devices",
    METADATA,
    sa.Column("alias", sa.String(40), primary_key=True),
    sa.Column("model", sa.String(100), nullable=False),
    sa.Column("os", sa.String(100), nullable=False),
    sa.Column("os_build", sa.String(100)),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("soc", sa.String(100)),
    sa.Column("public_key", sa.String(64), index=True),  # None for one that a computer serves
    sa.Column("served_by", sa.String(40)),
    sa.Column("enrolled", sa.BigInteger, nullable=False),
    sa.Column("last_seen", sa.BigInteger, nullable=False),
)
TOKENS = sa.Table(
    "server_tokens",
    METADATA,
    sa.Column("token_id", sa.String(10), primary_key=True),
    sa.Column("secret_sha256", sa.String(64), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("scopes", sa.String(64), nullable=False),
    sa.Column("alias", sa.String(40), index=True),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("revoked", sa.BigInteger),
)
ENROLMENTS = sa.Table(
    "server_enrolments",
    METADATA,
    sa.Column("code_sha256", sa.String(64), primary_key=True),
    sa.Column("alias", sa.String(40)),
    sa.Column("scopes", sa.String(64), nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("public_key", sa.String(64)),  # that has used it
    sa.Column("token_id", sa.String(10)),
)
JOBS = sa.Table(
    "server_jobs",
    METADATA,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("device", sa.String(100)),
    sa.Column("device_is_pattern", sa.Boolean, nullable=False),
    sa.Column("model", sa.String(100)),
    sa.Column("model_is_pattern", sa.Boolean, nullable=False),
    sa.Column("title", sa.String(300), nullable=False),
    sa.Column("model_sha256", sa.String(64), nullable=False),
    sa.Column("record_id", sa.String(64), index=True),
    sa.Index("server_jobs_by_state", "state", "created", "job_id"),
    sa.Index("server_jobs_by_time", "created", "job_id"),
)
JOB_FILES = sa.Table(
    "server_job_files",
    METADATA,
    sa.Column(
        "job_id",
        sa.String(64),
        sa.ForeignKey("server_jobs.job_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("path", sa.String(200), primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
)
LEASES = sa.Table(
    "server_leases",
    METADATA,
    sa.Column("lease_id", sa.String(32), primary_key=True),
    sa.Column(
        "job_id",
        sa.String(64),
        sa.ForeignKey("server_jobs.job_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("alias", sa.String(40), nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("expires", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("word", sa.String(40)),
    sa.Column("sentence", sa.String(500)),
    sa.Index("server_leases_by_alias", "alias", "state"),
    sa.Index("server_leases_by_state", "state", "expires"),
)
