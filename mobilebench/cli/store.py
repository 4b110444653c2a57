"""`mobilebench store`: check the documents of a store, and remove some."""

from __future__ import annotations

from typing import Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Section, Verbs, add
from mobilebench.cli.options import Json, Store
from mobilebench.notation import quantities

app = typer.Typer(
    cls=Verbs,
    help="Check the store of records, and remove records from it.",
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


add(app, "check", check, Section.RESULTS, "mobilebench store check")
add(app, "remove", remove, Section.RESULTS, "mobilebench store remove 4f1c0a...")
