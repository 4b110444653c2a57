"""`mobilebench reproduce`: make the rows of a table again and compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.check import parse_rule
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import (
    JOBS,
    Alpha,
    ExportJobs,
    Json,
    Store,
    Tolerance,
    refuse_given,
)
from mobilebench.notation import quantities

if TYPE_CHECKING:
    from rich.table import Table

    from mobilebench.reproducing.plan import Plan
    from mobilebench.reproducing.row import Row
    from mobilebench.reproducing.verdict import Judged
    from mobilebench.values.record import CellKey, Record

MOST_RUNS = 1000
"""Runs of one row: a day at the shortest protocol."""
_OF_A_RUN = ("device", "runs", "tolerance", "alpha", "store")


def command(
    ctx: typer.Context,
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="A table: a bundle, as `mobilebench bundle` writes it, or records, as "
            "`leaderboard --as records` does.",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=REFERENCE",
            help="Where a network of the author's own is here, such as net.make=net.py:make; "
            "repeatable.",
            rich_help_panel=Panel.MODEL,
        ),
    ] = None,
    supply: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            help="A file of the author's that rows were made from: a checkpoint, a folder of "
            "calibration images, class labels, a model file. Found by its sha256; repeatable.",
            rich_help_panel=Panel.MODEL,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only say what the rows were made from, and what is missing here.",
            rich_help_panel=Panel.WORK,
        ),
    ] = False,
    files_only: Annotated[
        bool,
        typer.Option(
            "--files-only",
            help="Compare the files, and measure nothing.",
            rich_help_panel=Panel.WORK,
        ),
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            "-d",
            metavar="ID",
            help="Device to measure on. Default: the one of each row.",
            rich_help_panel=Panel.SETTING,
        ),
    ] = None,
    runs: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_RUNS,
            metavar="N",
            rich_help_panel=Panel.SETTING,
            help="Runs of each row. With several, and a bundle that holds several, each row gets "
            "a verdict by the gate's rule.",
        ),
    ] = 1,
    tolerance: Tolerance = "3%",
    alpha: Alpha = 0.01,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Folder for the artifacts.",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = Path("reproduced"),
    jobs: ExportJobs = JOBS,
    store: Store = None,
    json: Json = False,
) -> None:
    """Make the rows of a table again: export, verify, measure, and compare with the table.

    Every file is compared by its sha256, and every row is measured by its own protocol, runtime
    and threads. Exit code 1 where a row fails, where the same versions of all tools give another
    file, or where --runs shows that it became slower; else 3 where something is missing here, other
    than what --files-only leaves out, or cannot be decided.
    """
    from mobilebench.errors import UserError
    from mobilebench.reproducing import bundle, verdict
    from mobilebench.reproducing.plan import Name, plan
    from mobilebench.reproducing.supplies import Supplies
    from mobilebench.store import documents

    if dry_run:
        why = "is about a run, and --dry-run makes nothing; leave it out"
        refuse_given(ctx, ("files_only", "out", "jobs", *_OF_A_RUN), why)
    if files_only:
        why = "is about measuring, and --files-only measures nothing; leave it out"
        refuse_given(ctx, _OF_A_RUN, why)
    if runs == 1:
        why = "is about the verdict, which one run cannot have; give --runs, or leave it out"
        refuse_given(ctx, ("tolerance", "alpha"), why)
    rule = parse_rule(tolerance, alpha)
    if bundle.is_bundle(table):
        packed = bundle.read(table)
        records = [document.record for document in packed.rows]
        others = [document.record for document in packed.runs]
    else:
        records, others = documents.read_records(table), []
    if not records:
        raise UserError(f"{table} holds no records; write some with `mobilebench bundle`.")
    planned = plan(records, Supplies.read(supply or ()), [Name.parse(text) for text in model or ()])
    if dry_run:
        _show_plan(records, planned, json)
        raise typer.Exit(3 if planned.not_tried else 0)
    by_cell = _by_cell(others)
    rows = [
        replace(row, others=by_cell.get(row.record.cell, ()))
        for row in _in_order(records, make(planned, out, jobs, store, device, not files_only, runs))
    ]
    judged = verdict.judge(rows, rule)
    if json:
        plain = [_plain(*each) for each in zip(rows, judged, strict=True)]
        output.show_json(plain)
    else:
        _show(rows, judged)
    verdicts = judged if runs > 1 else []
    raise typer.Exit(exit_code(rows, verdicts, measured=not files_only))


def _by_cell(records: Sequence[Record]) -> dict[CellKey, tuple[Record, ...]]:
    """Return records by the cell that they are runs of."""
    cells: dict[CellKey, tuple[Record, ...]] = {}
    for record in records:
        cells[record.cell] = (*cells.get(record.cell, ()), record)
    return cells


def make(
    planned: Plan,
    out: Path,
    jobs: int,
    store: str | None,
    device: str | None,
    measured: bool,
    runs: int,
) -> list[Row]:
    """Make the rows of a plan again under a progress bar; store each new record."""
    from mobilebench.cli.progress import follow
    from mobilebench.exporting.workers import LocalWorkers
    from mobilebench.reproducing.reproduction import reproduce
    from mobilebench.store import RecordStore

    exports = sum(len({r.recipe for r in t.records}) for t in planned.tasks if t.request)
    cells = sum(r.job is not None for t in planned.tasks for r in t.records) if measured else 0
    rows: list[Row] = []
    with RecordStore(store) as stored, follow("reproduce", exports + runs * cells) as progress:
        for row in reproduce(
            planned,
            out,
            LocalWorkers(jobs),
            progress,
            device_id=device,
            measured=measured,
            runs=runs,
        ):
            stored.add_all(row.runs)
            rows.append(row)
    return rows


def exit_code(rows: Sequence[Row], judged: Sequence[Judged], *, measured: bool) -> int:
    """Return 1 where a row is not the table's, 3 where that is not known of one, else 0.

    Without `measured`, nobody asked for measurements, so none is missing. `judged` are the verdicts
    that were asked for.
    """
    from mobilebench.regress import Verdict
    from mobilebench.reproducing.row import Likeness

    if any(row.likeness is Likeness.FAILED or not row.explained for row in rows):
        return 1
    if any(each.verdict is Verdict.REGRESSED for each in judged):
        return 1
    unknown = (Likeness.NOT_TRIED, Likeness.FAILURE_OF_THE_KIND)
    undone = any(row.likeness in unknown or (measured and row.missing) for row in rows)
    undecided = any(not each.decided for row, each in zip(rows, judged, strict=False) if row.runs)
    return 3 if undone or undecided else 0


def _in_order(records: Sequence[Record], rows: Sequence[Row]) -> list[Row]:
    """Return the rows in the order of the table."""
    by_record = {row.record.record_id: row for row in rows}
    return [by_record[record.record_id] for record in records]


def _show(rows: Sequence[Row], judged: Sequence[Judged]) -> None:
    from mobilebench.reproducing import summary

    numbers = ("p50 then>", "p50 now>", "ratio>")
    table = output.columns("#>", "model", "artifact", "file", *numbers, "latency")
    for number, (row, each) in enumerate(zip(rows, judged, strict=True), start=1):
        before, after = row.p50_ns
        table.add_row(
            str(number),
            row.record.model.title,
            row.record.recipe.label,
            row.likeness,
            "" if before is None else quantities.duration(before),
            "" if after is None else quantities.duration(after),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            each.words,
        )
    output.show_plain(table)
    for sentence in summary.sentences(rows, judged):
        output.show_line(sentence)


def _show_plan(records: Sequence[Record], planned: Plan, json: bool) -> None:
    from mobilebench.reproducing import summary

    if json:
        output.show_json(
            [
                {"record_id": each.record.record_id, "missing": each.reason}
                for each in planned.not_tried
            ]
        )
        return
    output.show_plain(_origins(records))
    for sentence in (*summary.versions(records), *summary.unsigned(records)):
        output.show_line(sentence)
    for each in planned.not_tried:
        number = 1 + [record.record_id for record in records].index(each.record.record_id)
        output.show_line(f"row {number} cannot be made here: {each.reason}")


def _origins(records: Sequence[Record]) -> Table:
    """Build a table of what every row was made from."""
    table = output.columns("#>", "model", "weights", "artifact", "measured by", "on")
    for number, record in enumerate(records, start=1):
        job = record.job
        weights = record.model.weights
        table.add_row(
            str(number),
            record.model.title,
            "" if weights is None else weights.label,
            record.recipe.label,
            "export failed" if job is None else f"{job.protocol.id}, {job.title}",
            record.device.model,
        )
    return table


def _plain(row: Row, judged: Judged) -> dict[str, object]:
    before, after = row.p50_ns
    return {
        "record_id": row.record.record_id,
        "title": row.title,
        "signed": row.record.signature is not None,
        "file": row.likeness,
        "reason": row.reason,
        "explained": row.explained,
        "p50_ns": before,
        "p50_ns_again": after,
        "ratio": row.ratio,
        "differs_in": row.elsewhere,
        "not_measured": row.not_measured,
        "record_id_again": None if row.again is None else row.again.record_id,
        "differs_as_file": row.differs,
        "runs": [run.record_id for run in row.runs],
        "verdict": judged.verdict,
        "not_judged": judged.not_judged,
        "comparisons": [asdict(each) for each in judged.comparisons],
    }
