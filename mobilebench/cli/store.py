"""`mobilebench store`: check, copy, migrate and compact the store, and remove from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Section, Verbs, add
from mobilebench.cli.options import Json, Store
from mobilebench.notation import quantities

app = typer.Typer(
    cls=Verbs,
    help="Check, back up, move, migrate and compact the store of records, and remove from it.",
    epilog="mobilebench store check",
    no_args_is_help=True,
)


def check(store: Store = None, json: Json = False) -> None:
    """Read every document of the store; name those that no verb can show, with the reason.

    Exit code 1 where there are any.
    """
    from mobilebench.store import RecordStore
    from mobilebench.values import wire

    with RecordStore(store, create=False) as records:
        count, problems = records.problems()
    if json:
        output.show_json([wire.to_plain(problem) for problem in problems])
    else:
        for problem in problems:
            output.show_line(f"{problem.id}: {problem.reason}")
    if problems:
        output.tell(
            f"{len(problems)} of {quantities.counted(count, 'document')} cannot be shown; remove "
            f"what is named with `mobilebench store remove ID...`, and import it again from where "
            f"it was measured."
        )
        raise typer.Exit(1)
    number = quantities.counted(count, "document")
    output.tell(f"{number}, and nothing is wrong: {records.place}")


def remove(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Whole ids of records or results.")
    ],
    store: Store = None,
) -> None:
    """Remove records, or results of others, from the store; all of those named or none."""
    from mobilebench.store import RecordStore

    with RecordStore(store, create=False) as records:
        count = records.remove(ids)
    output.tell(f"{count} removed: {records.place}")


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the copy.")],
    store: Store = None,
) -> None:
    """Write a consistent copy of the store to a new file, while others may use the store.

    The copy is a store itself (SQLite), also where the store is a PostgreSQL database.
    """
    from mobilebench.store import RecordStore

    with RecordStore(store, create=False) as records:
        size = records.backup(file)
    output.tell(f"{quantities.size(size)} written: {file}")


def copy(
    destination: Annotated[
        str,
        typer.Argument(
            metavar="STORE",
            help="The store to copy into: a path, or postgresql://USER@HOST/NAME. A new one is "
            "made.",
        ),
    ],
    store: Store = None,
) -> None:
    """Copy every document into another store, such as from SQLite to PostgreSQL.

    The other store keeps what it has; run again, only what is new is copied.
    """
    from mobilebench.store import RecordStore

    with RecordStore(store, create=False) as records, RecordStore(destination) as other:
        added, there = records.copy_to(other)
    output.tell(f"{added} added, {there} there already: {other.place}")


def migrate(store: Store = None) -> None:
    """Bring a store of an older version to this one, as every verb does by itself."""
    from mobilebench.store import RecordStore
    from mobilebench.store.tables import VERSION

    with RecordStore(store, create=False) as records:
        before, count = records.migrated_from, records.count()
    number = quantities.counted(count, "record")
    if before is None:
        output.tell(f"The store has version {VERSION} already ({number}): {records.place}")
    else:
        output.tell(f"Migrated from version {before} to {VERSION} ({number}): {records.place}")


def compact(store: Store = None) -> None:
    """Give back the room on the disk of what was removed; other programs wait meanwhile."""
    from mobilebench.store import RecordStore

    with RecordStore(store, create=False) as records:
        before, after = records.compact()
    won = quantities.size(max(before - after, 0))
    output.tell(f"{won} won, {quantities.size(after)} left: {records.place}")


add(app, "check", check, Section.RESULTS, "mobilebench store check")
add(app, "remove", remove, Section.RESULTS, "mobilebench store remove 4f1c0a...")
add(app, "backup", backup, Section.RESULTS, "mobilebench store backup records-copy.sqlite")
add(app, "copy", copy, Section.RESULTS, "mobilebench store copy postgresql://lab@db/records")
add(app, "migrate", migrate, Section.RESULTS, "mobilebench store migrate")
add(app, "compact", compact, Section.RESULTS, "mobilebench store compact")
