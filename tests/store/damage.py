"""Change a store behind its back, as a broken disk or another program does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from mobilebench.store import packing
from mobilebench.store.place import Place


def change(place: str | Path, statement: str, **parameters: object) -> None:
    """Run a statement on a store's database."""
    engine = sa.create_engine(Place.parse(str(place)).url)
    with engine.begin() as connection:
        connection.execute(sa.text(statement), parameters)
    engine.dispose()


def rewrite(place: str | Path, record_id: str, edit: Callable[[str], str]) -> None:
    """Replace the text of a document; its columns stay as they are."""
    engine = sa.create_engine(Place.parse(str(place)).url)
    with engine.begin() as connection:
        here = {"id": record_id}
        query = sa.text("SELECT content FROM documents WHERE record_id = :id")
        content = bytes(connection.execute(query, here).scalar_one())
        packed = packing.pack(edit(packing.unpack(content, "it")))
        update = sa.text("UPDATE documents SET content = :content WHERE record_id = :id")
        connection.execute(update, {**here, "content": packed})
    engine.dispose()
