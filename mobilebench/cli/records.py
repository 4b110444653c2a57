"""`mobilebench records`: write records as a tidy table, for data frames."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Store, listed, refuse_unused_store


class Shape(StrEnum):
    """Forms in which records can be written."""

    CSV = "csv"
    PARQUET = "parquet"


def command(
    ctx: typer.Context,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="RECORDS",
            help="Records as for `check`: a file or folder, or store:model=NAME,device=ID. "
            "Default: all of the store.",
        ),
    ] = None,
    shape: Annotated[
        Shape,
        typer.Option(
            "--as",
            metavar="FORM",
            rich_help_panel=Panel.OUTPUT,
            help=f"Form of the output: {listed(Shape)}. Parquet needs the extra `analysis`.",
        ),
    ] = Shape.CSV,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples",
            rich_help_panel=Panel.OUTPUT,
            help="One row for each sample, joined to records by record_id.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="Write to this file instead.",
        ),
    ] = None,
    store: Store = None,
) -> None:
    """Write records as a tidy table for data frames: one row for each record, or each sample.

    All records are there, also those that a newer one of their cell replaces on the leaderboard.
    """
    from mobilebench.errors import UserError
    from mobilebench.regress import baselines
    from mobilebench.results import tidy

    if shape is Shape.PARQUET and out is None:
        raise UserError("A Parquet file is no text; name a file for it with --out.")
    if source is not None:
        refuse_unused_store(ctx, [source])
    records = baselines.each(source or baselines.EVERYTHING, store)
    table = tidy.of_samples(records) if samples else tidy.of_records(records)
    if shape is Shape.PARQUET:
        assert out is not None
        output.save_bytes(out, table.parquet())
    elif out is None:
        output.show_text(table.csv())
    else:
        output.save(out, table.csv())
