"""`mobilebench submit`: send records to a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.options import Server, Store, refuse_unused_store

if TYPE_CHECKING:
    from mobilebench.store.documents import Document
    from mobilebench.submitting.outbox import Outbox

_STORE = "store:"


def command(
    ctx: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RECORDS...",
            help="Files of records, folders of jobs or of records, or "
            "store:model=NAME,device=ID (`store:` for all of a store). Without any, only what "
            "earlier calls could not send.",
        ),
    ] = None,
    server: Server = None,
    store: Store = None,
) -> None:
    """Send records to a server, and what earlier calls could not send.

    What the server has already is not there twice. What cannot be sent now is kept on this computer
    and sent with the next call; what the server refuses is set apart with its reason. Exit code 1
    where the server has not taken everything.
    """
    from mobilebench.submitting.address import Address
    from mobilebench.submitting.outbox import Outbox

    refuse_unused_store(ctx, sources or ())
    outbox = Outbox(Address.chosen(server))
    outbox.put_all(_documents(sources or (), store))
    finish(outbox)
    if not outbox.complete:
        raise typer.Exit(1)


def finish(outbox: Outbox) -> None:
    """Send what waits, and say what came of it."""
    outbox.close()
    for sentence in outbox.sentences():
        output.tell(sentence)


def _documents(sources: Sequence[str], store: str | None) -> Iterator[Document]:
    """Yield the records that are named, each with its text; all are read before any is sent."""
    for _ in _each(sources, store):  # a store may be larger than the memory
        pass
    yield from _each(sources, store)


def _each(sources: Sequence[str], store: str | None) -> Iterator[Document]:
    for source in sources:
        if source.startswith(_STORE):
            yield from _of_store(source.removeprefix(_STORE), store)
        else:
            yield from _of_path(Path(source))


def _of_store(conditions: str, place: str | None) -> Iterator[Document]:
    from mobilebench.errors import NoRecords
    from mobilebench.store import Query, RecordStore

    query = Query.parse(conditions) if conditions else Query()
    with RecordStore(place, create=False) as store:
        if not store.count(query):
            raise NoRecords(f"The store {store.place} has no such record; use fewer conditions.")
        yield from store.documents(query)


def _of_path(path: Path) -> list[Document]:
    from mobilebench.errors import NoRecords
    from mobilebench.measuring import job_folder
    from mobilebench.store.documents import read_documents

    if not path.is_dir():
        return read_documents(path)
    if (path / job_folder.JOB_FILE).exists():
        given = job_folder.read(path)
        if not given.record_path.exists():
            raise NoRecords(
                f"{path} is the folder of a job without a record; do it with `mobilebench job run "
                f"{path}`, or read what a device left with `mobilebench job read {path}`."
            )
        return [given.document()]
    documents = [each for file in sorted(path.glob("*.json")) for each in read_documents(file)]
    if not documents:
        raise NoRecords(f"The folder {path} holds no records; give one that does.")
    return documents
