"""The leaderboard as a rich table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mobilebench.leaderboard.columns import COLUMNS, notes
from mobilebench.leaderboard.rows import Row


def as_table(rows: Sequence[Row]) -> Group:
    """The rows, with their notes below."""
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("#", justify="right", style="dim")
    for column in COLUMNS:
        table.add_column(
            escape(column.title),
            justify="right" if column.numeric else "left",
            overflow="fold",
        )
    for number, row in enumerate(rows, start=1):
        cells = (escape(column.text(row)) for column in COLUMNS)
        table.add_row(str(number), *cells, style="red" if row.failure else None)
    return Group(table, *(Text(sentence, style="dim") for sentence in notes(rows)))
