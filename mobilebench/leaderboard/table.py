"""Format the leaderboard as a rich table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mobilebench.leaderboard.columns import COLUMNS, Column, notes
from mobilebench.leaderboard.rows import Row

_ROOM_FOR_ALL = 150


def empty_table() -> Table:
    """Return a table without columns, in the look of the leaderboard."""
    return Table(header_style="bold", box=None, pad_edge=False, collapse_padding=True)


def as_table(rows: Sequence[Row], width: int) -> Group:
    """Format the rows, with their notes below, for a terminal of `width` characters."""
    columns = [column for column in COLUMNS if width >= _ROOM_FOR_ALL or not column.wide]
    table = empty_table()
    table.add_column("#", justify="right", style="dim")
    for column in columns:
        table.add_column(
            escape(column.title),
            justify="right" if column.numeric else "left",
            min_width=_longest_word(column, rows),
        )
    for number, row in enumerate(rows, start=1):
        cells = (escape(column.text(row)) for column in columns)
        table.add_row(str(number), *cells, style="red" if row.failure else None)
    return Group(table, *(Text(sentence, style="dim") for sentence in notes(rows)))


def _longest_word(column: Column, rows: Sequence[Row]) -> int:
    """Return the length of a column's longest word, so that cells break only between words."""
    texts = [column.title, *(column.text(row) for row in rows)]
    return max(len(word) for text in texts for word in text.split())
