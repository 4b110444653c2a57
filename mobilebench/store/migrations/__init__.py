"""Bring the tables of an older store to this version, in one transaction, by alembic.

A version is a file in `versions/`; none is ever changed. The first is that of version 4, to which
it also brings the versions before. A store says its version in two places: `store`, which every
mobilebench reads before anything else, and `store_version`, which is alembic's.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from mobilebench.store import tables


def upgrade(connection: sa.Connection, place: str) -> None:
    """Bring the tables to this version. Raises `SchemaError` for one that cannot be brought."""
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":  # another process waits here until this one is done
        connection.exec_driver_sql("LOCK TABLE store IN ACCESS EXCLUSIVE MODE")
    version = connection.execute(sa.select(sa.func.max(tables.STORE.c.version))).scalar()
    tables.require_version(version, place)
    if version != tables.VERSION:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, tables.REVISION)
    tables.make(connection)
