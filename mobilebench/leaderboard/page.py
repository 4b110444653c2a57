"""Write the leaderboard as one HTML file that needs no network and loads no script."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from mobilebench.leaderboard import elsewhere, text
from mobilebench.leaderboard.chart import latency_svg
from mobilebench.leaderboard.columns import COLUMNS, notes
from mobilebench.leaderboard.rows import Row
from mobilebench.machine import host
from mobilebench.values.reported import Reported


def as_page(
    rows: Sequence[Row],
    reported: Sequence[Reported] = (),
    title: str = "mobilebench leaderboard",
) -> str:
    """Return the page as HTML."""
    templates = Environment(
        loader=PackageLoader("mobilebench.leaderboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("page.html.j2").render(
        title=title,
        created=host.now(),
        version=host.version(),
        columns=COLUMNS,
        rows=rows,
        notes=notes(rows),
        chart=latency_svg(rows),
        elsewhere=elsewhere,
        reported=[elsewhere.cells(result) for result in reported],
        downloads={
            "CSV": _data_url("text/csv", text.as_csv(rows)),
            "JSON": _data_url("application/json", text.as_json(rows)),
        },
    )


def _data_url(kind: str, content: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content.encode()).decode()}"
