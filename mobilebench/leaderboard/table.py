"""Format the leaderboard as a rich table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mobilebench.leaderboard.columns import COLUMNS, Column, by_importance, needed, notes, offered
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes

_NARROWEST = 8
"""Width to which a column of words shrinks, its words broken, before a terminal is too narrow."""


def empty_table() -> Table:
    """Return a table without columns, in the look of the leaderboard."""
    return Table(header_style="bold", box=None, pad_edge=False, collapse_padding=True)


def as_table(rows: Sequence[Row], width: int) -> Group:
    """Format the rows, with their notes below, for a terminal of `width` characters.

    Model, artifact, device and median are always there, and what tells two rows apart; a line
    states which columns are left out.
    """
    number_width = len(str(len(rows)))
    columns, widths = _fitting(rows, width - number_width - 1)
    table = empty_table()
    table.add_column("#", justify="right", style="dim", width=number_width)
    for column, column_width in zip(columns, widths, strict=True):
        table.add_column(
            Text(column.title),
            justify="right" if column.numeric else "left",
            width=column_width,
            overflow="fold",
        )
    for number, row in enumerate(rows, start=1):
        cells = (Text(text) for text in _texts(columns, row))
        table.add_row(str(number), *cells, style="red" if row.failure else None)
    lines = [escapes.terminal(sentence) for sentence in notes(rows)]
    left_out = [column.title for column in offered(rows) if column not in columns]
    if left_out:
        lines.append(
            f"left out: {', '.join(left_out)}; a wider terminal shows them, as does --as html."
        )
    return Group(table, *(Text(line, style="dim") for line in lines))


def _fitting(rows: Sequence[Row], width: int) -> tuple[list[Column], list[int]]:
    """Return the columns that fit, in their order, and the width of each."""
    natural = {column: _natural(column, rows) for column in COLUMNS}
    chosen = needed(rows)
    for column in by_importance(offered(rows)):
        more = [*chosen, *([] if column in chosen else [column])]
        if sum(natural[each] + 1 for each in more) - 1 <= width:
            chosen = more
    columns = [column for column in COLUMNS if column in chosen]
    widths = [natural[column] for column in columns]
    while sum(widths) + len(widths) - 1 > width:
        shrinking = [
            place
            for place, column in enumerate(columns)
            if not column.numeric and widths[place] > _NARROWEST
        ]
        if not shrinking:
            break
        widest = max(shrinking, key=lambda place: widths[place])
        widths[widest] -= 1
    return columns, widths


def _natural(column: Column, rows: Sequence[Row]) -> int:
    texts = [column.title, *(text for row in rows for text in _texts([column], row))]
    return max(map(cell_len, texts))


def _texts(columns: Sequence[Column], row: Row) -> list[str]:
    return [escapes.terminal(column.text(row)) for column in columns]
