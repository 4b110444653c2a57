"""Run the migrations on the connection that the server gives."""

from __future__ import annotations

from alembic import context

from mobilebench.server.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table="server_version",
)
context.run_migrations()
