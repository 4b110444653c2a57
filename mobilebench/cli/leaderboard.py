"""`mobilebench leaderboard`: rank the stored records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli import leaderboard_pages as pages
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Store, listed, refuse_given
from mobilebench.notation import quantities

if TYPE_CHECKING:
    from mobilebench.leaderboard import Row
    from mobilebench.leaderboard.axes import Axes
    from mobilebench.leaderboard.columns import Column
    from mobilebench.results import Entry
    from mobilebench.store import Query
    from mobilebench.store.documents import Document
    from mobilebench.values.record import Record
    from mobilebench.values.reported import Reported


class Shape(StrEnum):
    """Forms in which the leaderboard can be printed."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    HTML = "html"
    SITE = "site"
    LATEX = "latex"
    GITHUB_BENCHMARK = "github-action-benchmark"
    BENCHER = "bencher"
    RECORDS = "records"
    SVG = "svg"
    PDF = "pdf"
    PNG = "png"


_WITHOUT_FAILURES = (Shape.GITHUB_BENCHMARK, Shape.BENCHER)
_PICTURES = (Shape.SVG, Shape.PDF, Shape.PNG)
_WITHOUT_COLUMNS = (*_WITHOUT_FAILURES, *_PICTURES, Shape.RECORDS, Shape.SITE)
_WITHOUT_REPORTED = (*_WITHOUT_FAILURES, Shape.CSV, Shape.JSON, Shape.RECORDS)
"""Forms that other programs read: one row for each measured cell."""


_PAGES = listed(("board", "record", "compare", "ranking", "history", "devices", "records"))
_CHARTS = listed(("pareto", "latency", "ranking", "compare", "timeline", "distribution", "history"))
_QUANTITIES = listed(("latency", "size", "params", "macs", "accuracy"))


def command(
    ctx: typer.Context,
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
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            rich_help_panel=Panel.OUTPUT,
            help="Columns in their order, such as model,artifact,params,macs,p50,top1. An unknown "
            "name lists all. Default: what the form has room for.",
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            rich_help_panel=Panel.OUTPUT,
            help="Column to sort by within each table, the best first. Default: p50.",
        ),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            metavar="MODEL=TEXT",
            rich_help_panel=Panel.OUTPUT,
            help="Show a model under this name; repeatable.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SET",
            rich_help_panel=Panel.CHOICE,
            help="Data set whose accuracies are shown: its folder, or the beginning of its sha256. "
            "Default: a whole one, with the most files.",
        ),
    ] = None,
    x: Annotated[
        str,
        typer.Option(
            "--x",
            metavar="QUANTITY",
            rich_help_panel=Panel.OUTPUT,
            help=f"{_QUANTITIES}: what a picture has along the bottom.",
        ),
    ] = "latency",
    y: Annotated[
        str,
        typer.Option(
            "--y",
            metavar="QUANTITY",
            rich_help_panel=Panel.OUTPUT,
            help=f"{_QUANTITIES}: what a picture has up the side.",
        ),
    ] = "accuracy",
    page: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=Panel.OUTPUT,
            help=f"{_PAGES}: the page that --as html writes.",
        ),
    ] = "board",
    chart: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=Panel.OUTPUT,
            help=f"{_CHARTS}: what a picture draws.",
        ),
    ] = "pareto",
    of: Annotated[
        str | None,
        typer.Option(
            "--of",
            metavar="WHAT",
            rich_help_panel=Panel.OUTPUT,
            help="What a page or a chart is about: the beginning of a record's id, or two models "
            "or two devices with a comma between.",
        ),
    ] = None,
    standalone: Annotated[
        bool,
        typer.Option(
            "--standalone",
            rich_help_panel=Panel.OUTPUT,
            help="With latex: a whole document that pdflatex takes as it is.",
        ),
    ] = False,
    bibtex: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="With latex: write the papers of the networks to this .bib file, and cite them.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            rich_help_panel=Panel.OUTPUT,
            help="Write to this file instead, or to this folder for a site.",
        ),
    ] = None,
    store: Store = None,
) -> None:
    """Rank the stored records: latency, size, parity, measured and published accuracy.

    Each device, compute unit and protocol has its own table, and its own plot in a picture (svg,
    pdf or png): accuracy over latency, with the Pareto front.
    """
    from mobilebench.errors import UserError
    from mobilebench.leaderboard import elsewhere, exchange, rank, text
    from mobilebench.leaderboard.columns import by_column, named
    from mobilebench.leaderboard.judgement import not_shown, without_row
    from mobilebench.leaderboard.naming import Naming
    from mobilebench.store import Query, RecordStore, documents

    chosen = None if columns is None else named(columns)
    if chosen is not None and shape in _WITHOUT_COLUMNS:
        raise UserError(f"--columns was given, and {shape} has none; leave it out.")
    if bibtex is not None and bibtex.suffix != ".bib":
        raise UserError(f"BibTeX reads files that end in .bib; {bibtex} does not: rename it.")
    axes = _axes(x, y)
    one_page, one_chart = pages.page_named(page), pages.chart_named(chart)
    pages.refuse_useless(ctx, shape, one_page, one_chart, picture=shape in _PICTURES)
    _refuse_useless(ctx, shape, axes)
    if shape in (Shape.PDF, Shape.PNG) and out is None:
        raise UserError(f"A {shape} is no text; name a file for it with --out.")
    if shape is Shape.SITE and out is None:
        raise UserError("A site is a folder; name it with --out.")
    query = Query(model=model, format=format, device=device, protocol=protocol)
    # A rank is that of the whole group, whatever of it is shown.
    groups = replace(query, model=None, format=None)
    with RecordStore(store, create=False) as stored:
        entries = stored.find_entries(groups)
        reported = _chosen(stored.find_reported(model), query)
        accuracies = stored.find_accuracies()
    wanted = {entry.record_id for entry in entries if _meets(entry, query)}
    if not wanted and not reported:
        number = quantities.counted(len(accuracies), "accuracy", "accuracies")
        judged = f" ({number} without a latency)" if accuracies else ""
        raise UserError(
            f"The store {stored.place} has no such record{judged}; measure something first with "
            f"`mobilebench bench`, or use fewer filters."
        )
    naming = Naming.parse(names or [])
    others = [result.model for result in reported if result.model]
    rows = rank(entries, accuracies, data=data, names=naming, others=others)
    rows = [row for row in rows if row.record_id in wanted]
    reported = elsewhere.renamed(reported, naming)
    if sort is not None:
        rows = by_column(rows, sort)
    files = {row.file_sha256 for row in rows}
    _tell(not_shown(accuracies, files, {row.accuracy_data for row in rows}))
    # With a filter, files are without a row on purpose.
    if query == Query():
        _tell(without_row(accuracies, files))
    if shape is Shape.SITE and out is not None:
        pages.write_site(rows, reported, store, out)
        return
    if shape in _PICTURES and chart != "pareto":
        _save(pages.chart_bytes(one_chart, rows, store, of, shape), out)
        return
    if shape in _PICTURES:
        _save_picture(rows, len(reported), shape, axes, out)
        return
    if shape is Shape.TABLE and out is None:
        from mobilebench.leaderboard.table import as_table

        if rows:
            output.show(as_table(rows, output.width(), chosen))
        if reported:
            output.show(elsewhere.as_table(reported))
        return
    match shape:
        case Shape.MARKDOWN | Shape.TABLE:
            parts = [text.as_markdown(rows, chosen)] if rows else []
            parts += [elsewhere.as_markdown(reported)] if reported else []
            content = "\n".join(parts)
        case Shape.CSV:
            content = text.as_csv(rows, chosen)
        case Shape.JSON:
            content = text.as_json(rows, chosen)
        case Shape.LATEX:
            behind = [document.record for document in _behind(rows, store)]
            content = _paper(rows, behind, reported, chosen, standalone, bibtex)
        case Shape.GITHUB_BENCHMARK:
            content = exchange.as_github_benchmark(rows)
        case Shape.BENCHER:
            content = exchange.as_bencher(rows)
        case Shape.RECORDS:
            content = documents.as_json(_behind(rows, store))
        case _ if page != "board":
            content = pages.page_text(one_page, rows, store, of)
        case _:
            from mobilebench.pages.board import as_page

            content = as_page(rows, reported, chosen)
    if out is None:
        output.show_text(content)
    else:
        output.save(out, content)
    _tell(
        exchange.left_out(
            sum(row.p50_ms is None for row in rows) if shape in _WITHOUT_FAILURES else 0,
            len(reported) if shape in _WITHOUT_REPORTED else 0,
            shape,
        )
    )


def _refuse_useless(ctx: typer.Context, shape: Shape, axes: Axes) -> None:
    """Raise `UserError` for an option that has no use in a form of the output."""
    from mobilebench.leaderboard.axes import Quantity

    if shape in _PICTURES:
        refuse_given(ctx, ("sort",), f"is about tables, and {shape} has none; leave it out")
        if Quantity.ACCURACY not in (axes.x, axes.y):
            refuse_given(ctx, ("data",), "is about accuracy, which no axis has; leave it out")
    else:
        refuse_given(ctx, ("x", "y"), f"is about pictures, such as --as svg, not {shape}")
    if shape is not Shape.LATEX:
        refuse_given(ctx, ("standalone", "bibtex"), f"is about latex, not {shape}; leave it out")
    if shape is Shape.RECORDS:
        why = "is about rows of a table, and records stay as they were measured; leave it out"
        refuse_given(ctx, ("name", "data"), why)
    if shape in _WITHOUT_FAILURES:
        refuse_given(ctx, ("data",), f"is about accuracy, and {shape} has none; leave it out")
    if shape is Shape.BENCHER:
        refuse_given(ctx, ("sort",), f"is about the order, and {shape} has none; leave it out")


def _behind(rows: Sequence[Row], store: str | None) -> list[Document]:
    """Return the documents behind rows, in their order; no others are read."""
    from mobilebench.store import RecordStore

    with RecordStore(store, create=False) as stored:
        return stored.find_by_id([row.record_id for row in rows])


def _paper(
    rows: Sequence[Row],
    records: Sequence[Record],
    reported: Sequence[Reported],
    columns: Sequence[Column] | None,
    standalone: bool,
    bibtex: Path | None,
) -> str:
    """Return the tables with how they were measured, and write what to cite."""
    from mobilebench.leaderboard.bibtex import bibliography
    from mobilebench.leaderboard.paper import as_paper
    from mobilebench.zoo import registry

    if bibtex is None:
        return as_paper(rows, records, reported, columns, standalone=standalone)
    papers = {family: registry.citation(family) for family in registry.families()}
    cited = bibliography((record.model for record in records), papers)
    output.save(bibtex, cited.as_bibtex())
    return as_paper(
        rows,
        records,
        reported,
        columns,
        standalone=standalone,
        bibliography=cited,
        bibliography_file=bibtex.with_suffix("").name,
    )


def _meets(entry: Entry, query: Query) -> bool:
    """Return whether an entry is of the model and the format that are asked for."""
    return query.model in (None, entry.model.name) and query.format in (None, entry.recipe.format)


def _chosen(results: Sequence[Reported], query: Query) -> list[Reported]:
    """Return the results of others that meet the filters; they have no id of a device."""
    return [
        result
        for result in results
        if query.format in (None, result.format)
        and query.device in (None, result.device)
        and query.protocol is None
    ]


def _axes(x: str, y: str) -> Axes:
    from mobilebench.errors import UserError, require_known
    from mobilebench.leaderboard.axes import Axes, Quantity

    for name in (x, y):
        require_known("quantity", name, Quantity)
    if x == y:
        raise UserError(f"--x and --y are both {x}; give two quantities.")
    return Axes(Quantity(x), Quantity(y))


def _save_picture(
    rows: Sequence[Row], reported: int, shape: Shape, axes: Axes, out: Path | None
) -> None:
    from mobilebench.leaderboard import exchange, plot
    from mobilebench.notation.picture import Picture

    _save(plot.as_picture(rows, Picture(shape.value), axes), out)
    _tell(plot.without_point(rows, axes))
    _tell(exchange.left_out(0, reported, shape))


def _save(content: bytes, out: Path | None) -> None:
    if out is None:
        output.show_text(content.decode())
    else:
        output.save_bytes(out, content)


def _tell(sentence: str | None) -> None:
    if sentence is not None:
        output.tell(sentence)
