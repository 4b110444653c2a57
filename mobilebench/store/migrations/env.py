"""Run the migrations on the connection that `upgrade` gives, within its transaction."""

from __future__ import annotations

from alembic import context

from mobilebench.store.tables import REVISIONS

context.configure(
    connection=context.config.attributes["connection"],
    version_table=REVISIONS.name,
    transactional_ddl=True,
)
context.run_migrations()
