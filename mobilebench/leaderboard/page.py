"""Write the leaderboard as one HTML file that needs no network and loads no script."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mobilebench.leaderboard import elsewhere, text
from mobilebench.leaderboard.chart import charts
from mobilebench.leaderboard.columns import UNKNOWN, Column, offered
from mobilebench.leaderboard.groups import groups
from mobilebench.leaderboard.notes import notes
from mobilebench.leaderboard.rows import Row
from mobilebench.machine import host
from mobilebench.notation import escapes
from mobilebench.values.reported import Reported

_BETWEEN = re.compile(r"(?<=[-_/@])(?=\S)|(?<=\.)(?=[^\s\d])|(?<=\S{24})(?=\S)")

_BELOW = {
    "model": {"weights": "weights: {}"},
    "p50": {"spread": "{}"},
    "top1": {"interval": "{}", "images": "{} images"},
}
"""Columns that stand in the cell of another one, each with the words around its text."""
_SHORT = 16
"""Characters of a name that stays in one line."""


def as_page(
    rows: Sequence[Row],
    reported: Sequence[Reported] = (),
    columns: Sequence[Column] | None = None,
    title: str = "mobilebench leaderboard",
) -> str:
    """Return the page as HTML, with a table for each group.

    Intervals, numbers of images and weights stand small below what they are about.
    """
    chosen = list(offered(rows) if columns is None else columns)
    below = {
        column.name: [other for other in chosen if other.name in _BELOW.get(column.name, ())]
        for column in chosen
    }
    small = [column for others in below.values() for column in others]
    templates = Environment(
        loader=PackageLoader("mobilebench.leaderboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Every text of the page passes here, before the markup is escaped.
        finalize=lambda shown: escapes.visible(shown) if type(shown) is str else shown,
    )
    templates.filters["breaking"] = _breaking
    return templates.get_template("page.html.j2").render(
        title=title,
        created=f"{host.now()[:16].replace('T', ' ')} UTC",
        version=host.version(),
        columns=[column for column in chosen if column not in small],
        below=below,
        words={name: text for others in _BELOW.values() for name, text in others.items()},
        chosen=columns is not None,
        groups=groups(rows),
        rows=rows,
        notes=notes(rows, [column.name for column in chosen]),
        charts=charts(rows),
        unknown=UNKNOWN,
        elsewhere=elsewhere,
        reported=[elsewhere.cells(result) for result in reported],
        downloads={
            "CSV": _data_url("text/csv", text.as_csv(rows, columns)),
            "JSON": _data_url("application/json", text.as_json(rows, columns)),
        },
    )


def _breaking(text: str) -> Markup:
    """Let a browser break a long name after its separators, and only there."""
    shown = escapes.visible(text)
    parts = _BETWEEN.split(shown) if len(shown) > _SHORT else [shown]
    return Markup("<wbr>").join(map(Markup.escape, parts))


def _data_url(kind: str, content: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content.encode()).decode()}"
