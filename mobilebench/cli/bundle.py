"""`mobilebench bundle`: pack a table with everything behind it into one file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Store
from mobilebench.notation.quantities import counted, size

if TYPE_CHECKING:
    from mobilebench.reproducing.bundle import Bundle, TableView
    from mobilebench.store.documents import Document
    from mobilebench.values.artifact import Manifest
    from mobilebench.values.record import Record

_ARTIFACTS = Path("artifacts")
"""Where `export` puts artifacts."""


def command(
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completions.zoo,
            rich_help_panel=Panel.CHOICE,
            help="Only this model.",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            autocompletion=completions.formats,
            rich_help_panel=Panel.CHOICE,
            help="Only this format.",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            "-d",
            metavar="ID",
            autocompletion=completions.devices,
            rich_help_panel=Panel.CHOICE,
            help="Only this device id.",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            autocompletion=completions.protocol_ids,
            rich_help_panel=Panel.CHOICE,
            help="Only this protocol.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SET",
            rich_help_panel=Panel.CHOICE,
            help="Data set whose accuracies the table shows; as `leaderboard` takes it.",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            rich_help_panel=Panel.CHOICE,
            help="Columns of the table, which the bundle remembers; as `leaderboard` takes them.",
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            rich_help_panel=Panel.CHOICE,
            help="Column that the table is sorted by. Default: p50.",
        ),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            metavar="MODEL=TEXT",
            rich_help_panel=Panel.CHOICE,
            help="Name of a model in the table; repeatable.",
        ),
    ] = None,
    all_runs: Annotated[
        bool,
        typer.Option(
            "--all-runs",
            rich_help_panel=Panel.CHOICE,
            help="Pack every stored run of the rows' files, not the newest alone: `reproduce` can "
            "then tell a change from noise.",
        ),
    ] = False,
    artifacts: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=Panel.FILES,
            help="Folder of artifacts, whose manifests are packed; repeatable. Default: artifacts, "
            "where there is one.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="File to write, which ends in .mbbundle.",
        ),
    ] = Path("table.mbbundle"),
    store: Store = None,
) -> None:
    """Pack a table into one file: its records, accuracies and manifests, for others to check.

    Records stay as they came, with their signatures. The file holds no weights, no images and no
    paths. The same content gives the same bytes. `reproduce` and `import` take it.
    """
    from mobilebench.errors import UserError
    from mobilebench.leaderboard.columns import named
    from mobilebench.leaderboard.naming import Naming
    from mobilebench.reproducing.bundle import SUFFIX, TableView

    if out.suffix != SUFFIX:
        raise UserError(f"A bundle is a file that ends in {SUFFIX}; {out} does not: rename it.")
    view = TableView(
        model=model,
        format=format,
        device=device,
        protocol=protocol,
        data=data,
        columns=() if columns is None else tuple(column.name for column in named(columns)),
        sort=sort,
        names=dict(Naming.parse(names or [])),
    )
    packed = _packed(view, all_runs, artifacts, store)
    content = packed.as_bytes()
    output.save_bytes(out, content)
    _tell(packed, len(content))


def _packed(
    view: TableView, all_runs: bool, folders: Sequence[Path] | None, store: str | None
) -> Bundle:
    """Collect a table and what stands behind it. Raises `UserError` where it has no rows."""
    from mobilebench.errors import UserError
    from mobilebench.leaderboard import rank
    from mobilebench.leaderboard.columns import by_column
    from mobilebench.reproducing.bundle import Bundle
    from mobilebench.store import Query, RecordStore

    query = Query(
        model=view.model,
        format=view.format,
        device=view.device,
        protocol=view.protocol,
        newest=True,
    )
    with RecordStore(store, create=False) as stored:
        newest = stored.find_documents(query)
        every = stored.find_documents(replace(query, newest=False)) if all_runs else []
        reported = [
            result
            for result in stored.find_reported(view.model)
            if view.format in (None, result.format)
            and view.device in (None, result.device)
            and view.protocol is None
        ]
        accuracies = stored.find_accuracies()
        place = stored.place
    if not newest:
        raise UserError(
            f"The store {place} has no such record, so there is no table to pack; measure "
            f"something first with `mobilebench bench`, or use fewer filters."
        )
    others = [result.model for result in reported if result.model]
    records = [document.record for document in newest]
    rows = rank(records, accuracies, data=view.data, names=view.names, others=others)
    if view.sort is not None:
        rows = by_column(rows, view.sort)
    by_id = {document.record.record_id: document for document in newest}
    shown = [by_id[row.record_id] for row in rows]
    files = {row.file_sha256 for row in rows if row.file_sha256 is not None}
    return Bundle(
        rows=tuple(shown),
        runs=tuple(_other_runs(shown, every)),
        accuracies=tuple(each for each in accuracies if each.artifact.sha256 in files),
        reported=tuple(reported),
        manifests=tuple(_manifests(folders, files)),
        view=view,
    )


def _other_runs(shown: Sequence[Document], every: Sequence[Document]) -> Iterator[Document]:
    """Yield the runs of the rows' cells that are no rows themselves, of the same files."""

    def what(record: Record) -> tuple[object, ...]:
        return record.cell, record.artifact and record.artifact.sha256, record.device_settings

    ids = {document.record.record_id for document in shown}
    cells = {what(document.record) for document in shown if document.record.job is not None}
    for document in every:
        record = document.record
        if record.record_id not in ids and what(record) in cells:
            yield document


def _manifests(folders: Sequence[Path] | None, files: Collection[str]) -> Iterator[Manifest]:
    """Yield the manifests of the files that lie in some folders, each once.

    Raises `UserError` for a folder that was named and is not there.
    """
    from mobilebench.errors import UserError
    from mobilebench.values import wire
    from mobilebench.values.artifact import MANIFEST_FILE, Manifest

    if folders is None:
        folders = [_ARTIFACTS] if _ARTIFACTS.is_dir() else []
    packed: set[str] = set()
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"There is no folder {folder}; --artifacts names one of artifacts.")
        for path in sorted({*folder.glob(MANIFEST_FILE), *folder.glob(f"*/{MANIFEST_FILE}")}):
            try:
                manifest = wire.read(Manifest, path)
            except UserError as error:
                output.tell(f"Left out: {error}")
                continue
            sha256 = manifest.facts.sha256
            if sha256 in files and sha256 not in packed:
                packed.add(sha256)
                yield manifest


def _tell(packed: Bundle, size_bytes: int) -> None:
    """Tell what is in a bundle, and what a reader will miss."""
    rows = [document.record for document in packed.rows]
    parts = [counted(len(rows), "row")]
    parts += [counted(len(packed.runs), "other run")] if packed.runs else []
    parts += [counted(len(packed.accuracies), "accuracy", "accuracies")]
    parts += [counted(len(packed.manifests), "manifest")]
    parts += [f"{counted(len(packed.reported), 'reported result')}"] if packed.reported else []
    output.tell(f"packed: {', '.join(parts)}; {size(size_bytes)}")
    output.tell_unsigned(rows)
    files = {record.artifact.sha256 for record in rows if record.artifact is not None}
    missing = len(files) - len(packed.manifests)
    if missing:
        output.tell(
            f"{counted(missing, 'file')} of {len(files)} without a manifest: no artifact at hand; "
            f"--artifacts names their folder. The records themselves hold what is compared."
        )
