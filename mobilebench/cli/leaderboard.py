"""`mobilebench leaderboard`: rank the stored records."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Store, listed


class Shape(StrEnum):
    """Forms in which the leaderboard can be printed."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    HTML = "html"
    LATEX = "latex"
    GITHUB_BENCHMARK = "github-action-benchmark"
    BENCHER = "bencher"
    RECORDS = "records"


_WITHOUT_FAILURES = (Shape.GITHUB_BENCHMARK, Shape.BENCHER)
_WITHOUT_REPORTED = (*_WITHOUT_FAILURES, Shape.CSV, Shape.JSON, Shape.RECORDS)
"""Forms that other programs read: one row for each measured cell."""


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
    shape: Annotated[
        Shape,
        typer.Option(
            "--as",
            metavar="FORM",
            rich_help_panel=Panel.OUTPUT,
            help=f"Form of the output: {listed(Shape)}.",
        ),
    ] = Shape.TABLE,
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
    """Rank the stored records: latency, size, parity and published accuracy."""
    from mobilebench.errors import UserError
    from mobilebench.leaderboard import elsewhere, exchange, rank, text
    from mobilebench.leaderboard.rows import behind
    from mobilebench.store import Query, RecordStore, documents

    query = Query(model=model, format=format, device=device, protocol=protocol, newest=True)
    with RecordStore(store, create=False) as records:
        newest = records.find(query)
        rows = rank(newest)
        reported = records.find_reported(model)
    if not rows and not reported:
        raise UserError(
            f"The store {records.place} has no such record; measure something first with "
            f"`mobilebench bench`, or use fewer filters."
        )
    if shape is Shape.TABLE and out is None:
        from mobilebench.leaderboard.table import as_table

        if rows:
            output.show(as_table(rows, output.width()))
        if reported:
            output.show(elsewhere.as_table(reported))
        return
    match shape:
        case Shape.MARKDOWN | Shape.TABLE:
            parts = [text.as_markdown(rows)] if rows else []
            parts += [elsewhere.as_markdown(reported)] if reported else []
            content = "\n".join(parts)
        case Shape.CSV:
            content = text.as_csv(rows)
        case Shape.JSON:
            content = text.as_json(rows)
        case Shape.LATEX:
            content = exchange.as_latex(rows, reported)
        case Shape.GITHUB_BENCHMARK:
            content = exchange.as_github_benchmark(rows)
        case Shape.BENCHER:
            content = exchange.as_bencher(rows)
        case Shape.RECORDS:
            content = documents.as_json(behind(rows, newest))
        case Shape.HTML:
            from mobilebench.leaderboard.page import as_page

            content = as_page(rows, reported)
    if out is None:
        output.show_text(content)
    else:
        output.save(out, content)
    sentence = exchange.left_out(
        sum(row.p50_ms is None for row in rows) if shape in _WITHOUT_FAILURES else 0,
        len(reported) if shape in _WITHOUT_REPORTED else 0,
        shape,
    )
    if sentence is not None:
        output.tell(sentence)
