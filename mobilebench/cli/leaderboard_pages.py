"""The forms of `mobilebench leaderboard` that are pages: a site, one page, a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mobilebench.cli import output
from mobilebench.cli.options import refuse_given
from mobilebench.notation import quantities

if TYPE_CHECKING:
    from mobilebench.leaderboard import Row
    from mobilebench.pages.choosing import Chart, OnePage
    from mobilebench.values.reported import Reported


def page_named(name: str) -> OnePage:
    """Return the page of a name. Raises `UnknownName`."""
    from mobilebench.errors import require_known
    from mobilebench.pages.choosing import OnePage

    require_known("page", name, OnePage)
    return OnePage(name)


def chart_named(name: str) -> Chart:
    """Return the chart of a name. Raises `UnknownName`."""
    from mobilebench.errors import require_known
    from mobilebench.pages.choosing import Chart

    require_known("chart", name, Chart)
    return Chart(name)


def refuse_useless(
    ctx: typer.Context, shape: str, page: OnePage, chart: Chart, *, picture: bool
) -> None:
    """Raise `UserError` for an option that has no use in a page, a chart or another form."""
    from mobilebench.pages.choosing import ABOUT_SOMETHING, Chart, OnePage

    if not picture:
        refuse_given(ctx, ("chart",), f"is about pictures, such as --as svg, not {shape}")
    if shape != "html":
        refuse_given(ctx, ("page",), f"is about --as html, not {shape}")
    what = chart if picture else page
    if what not in ABOUT_SOMETHING:
        named = "chart" if picture else "page"
        why = f"is about one record, or two models or devices, and the {named} {what} is not"
        refuse_given(ctx, ("of",), why if picture or shape == "html" else f"has no use in {shape}")
    if picture and chart is not Chart.PARETO:
        refuse_given(ctx, ("x", "y", "data"), f"is about --chart pareto, not {chart}")
    if shape == "html" and page is not OnePage.BOARD:
        refuse_given(ctx, ("sort", "columns"), f"is about tables of rows, not the page {page}")
    if shape == "html" and page in (OnePage.HISTORY, OnePage.DEVICES):
        refuse_given(ctx, ("name",), f"is about the names of rows, not the page {page}")


def write_site(
    rows: Sequence[Row], reported: Sequence[Reported], store: str | None, out: Path
) -> None:
    """Write the folder of pages, and say how many there are."""
    from mobilebench.pages import site
    from mobilebench.pages.stored import StoredPages
    from mobilebench.store import RecordStore

    site.require_place(out.absolute())
    with RecordStore(store, create=False) as stored:
        shown = site.Board(rows=tuple(rows), reported=tuple(reported))
        pages = site.write(out, shown, StoredPages(stored))
    output.tell(f"Wrote {quantities.counted(pages, 'page')} to {out}; open {out / 'index.html'}.")


def page_text(name: OnePage, rows: Sequence[Row], store: str | None, of: str | None) -> str:
    """Return a page that needs nothing else."""
    from mobilebench.pages import choosing
    from mobilebench.pages.stored import StoredPages
    from mobilebench.store import RecordStore

    with RecordStore(store, create=False) as stored:
        return choosing.page(name, rows, StoredPages(stored), of)


def chart_bytes(
    name: Chart, rows: Sequence[Row], store: str | None, of: str | None, shape: str
) -> bytes:
    """Return a chart as a picture."""
    from mobilebench.notation.picture import Picture
    from mobilebench.pages import choosing
    from mobilebench.pages.figure import picture_of
    from mobilebench.pages.stored import StoredPages
    from mobilebench.store import RecordStore

    with RecordStore(store, create=False) as stored:
        return picture_of(choosing.charts(name, rows, StoredPages(stored), of), Picture(shape))
