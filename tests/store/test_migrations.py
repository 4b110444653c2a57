"""Stores of every older version become those of this; a killed migration does nothing."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mobilebench.store import RecordStore, tables
from mobilebench.store.place import Place
from tests.conftest import Ran
from tests.postgres import Postgres
from tests.records import measured

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"
VERSIONS = [1, 2, 3, 4]


def _old(version: int, path: Path) -> Path:
    shutil.copy(DATA / f"store-v{version}.sqlite", path)
    return path


def _shape(place: str) -> dict[str, Any]:
    """Return the columns, the indexes and the references of every table."""
    engine = sa.create_engine(Place.parse(place).url)
    inspector = sa.inspect(engine)
    shape = {
        name: (
            sorted(column["name"] for column in inspector.get_columns(name)),
            sorted(
                (str(each["name"]), *each["column_names"]) for each in inspector.get_indexes(name)
            ),
            [each["referred_table"] for each in inspector.get_foreign_keys(name)],
            inspector.get_pk_constraint(name)["constrained_columns"],
        )
        for name in inspector.get_table_names()
    }
    engine.dispose()
    return shape


@pytest.mark.parametrize("version", VERSIONS)
def test_a_migrated_store_is_as_a_new_one(tmp_path: Path, version: int) -> None:
    old, new = _old(version, tmp_path / "old.sqlite"), tmp_path / "new.sqlite"
    with closing(sqlite3.connect(old)) as connection:
        before = dict(connection.execute("SELECT record_id, document FROM records"))
    with RecordStore(old) as store, RecordStore(new):
        assert store.migrated_from == version
        assert {id_: store.document(id_) for id_ in before} == before
        assert store.problems()[1] == []
        assert store.add(measured(record_id="new"))
    assert _shape(str(old)) == _shape(str(new))
    with RecordStore(old) as store:
        assert store.migrated_from is None and store.count() == len(before) + 1


def test_an_old_store_on_a_server_is_migrated_too(tmp_path: Path, postgres: Postgres) -> None:
    place = postgres.database()
    texts = _fill_old(place, _old(4, tmp_path / "old.sqlite"))
    with RecordStore(place) as store:
        assert store.migrated_from == 4
        assert {id_: store.document(id_) for id_ in texts} == texts
        assert store.problems()[1] == []
    new = postgres.database()
    RecordStore(new).close()
    assert _shape(place) == _shape(new)


def _fill_old(place: str, old: Path) -> dict[str, str]:
    """Make the tables of version 4 on a server as its mobilebench did, and fill them."""
    engine = sa.create_engine(Place.parse(place).url)
    source = sa.create_engine(f"sqlite:///{old}")
    metadata = sa.MetaData()
    metadata.reflect(source)
    metadata.create_all(engine)
    texts = {}
    with source.begin() as here, engine.begin() as there:
        for table in metadata.tables.values():
            rows = [dict(row) for row in here.execute(sa.select(table)).mappings()]
            if rows:
                there.execute(sa.insert(table), rows)
            if table.name == "records":
                texts = {row["record_id"]: row["document"] for row in rows}
    source.dispose()
    engine.dispose()
    return texts


@pytest.mark.parametrize("moment", ["rename_table", "drop_table", "create_index"])
def test_a_migration_that_is_killed_leaves_the_old_store_whole(tmp_path: Path, moment: str) -> None:
    old = _old(4, tmp_path / "old.sqlite")
    with closing(sqlite3.connect(old)) as connection:
        before = list(connection.iterdump())
    code = (
        "import os, signal, sys\nimport alembic.op\n"
        "from mobilebench.store import RecordStore\n"
        "def killed(*arguments, **named):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "setattr(alembic.op, sys.argv[1], killed)\n"
        f"RecordStore({str(old)!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", code, moment], cwd=ROOT, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(old)) as connection:
        assert list(connection.iterdump()) == before
    with RecordStore(old) as store:
        assert store.migrated_from == 4 and store.problems()[1] == []


def test_the_verb_says_what_it_did(mobilebench: Callable[..., Ran], tmp_path: Path) -> None:
    _old(3, tmp_path / "records.sqlite")
    done = mobilebench("store", "migrate")
    assert done.code == 0 and f"from version 3 to {tables.VERSION} (2 records)" in done.stderr
    assert "already (2 records)" in mobilebench("store", "migrate").stderr
