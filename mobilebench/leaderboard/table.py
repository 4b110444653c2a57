"""Format the leaderboard as rich tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from mobilebench.leaderboard.columns import COLUMNS, Column, Use, by_importance, needed, offered
from mobilebench.leaderboard.groups import Group, groups
from mobilebench.leaderboard.notes import notes
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes

_NARROWEST = 8
"""Width to which a column of words shrinks, its words broken, before a terminal is too narrow."""


def empty_table() -> Table:
    """Return a table without columns, in the look of the leaderboard."""
    return Table(header_style="bold", box=None, pad_edge=False, collapse_padding=True)


def as_table(rows: Sequence[Row], width: int, columns: Sequence[Column] | None = None) -> Lines:
    """Format a table for each group, with notes below, for a terminal of `width` characters.

    Model, artifact and median are always there, and what tells two rows apart, unless `columns`
    are others; a line states which columns are left out.
    """
    number_width = len(str(len(rows)))
    if columns is None:
        chosen, possible = needed(rows), offered(rows)
        order = [*chosen, *by_importance(possible)]
    else:
        possible = list(columns)
        order = sorted(columns, key=lambda column: column.use is not Use.ALWAYS)
        chosen = [column for column in order if column.use is Use.ALWAYS]
    shown, widths = _fitting(rows, width - number_width - 1, chosen, order)
    # In the order in which they were given, or that of all columns.
    in_order = [column for column in (COLUMNS if columns is None else columns) if column in shown]
    parts: list[RenderableType] = []
    for group in groups(rows):
        parts += [
            Text(escapes.terminal(group.heading), style="bold"),
            _table(group, in_order, [widths[column] for column in in_order], number_width),
            *([Text(escapes.terminal(group.details), style="dim")] if group.details else []),
            Text(""),
        ]
    lines = [escapes.terminal(sentence) for sentence in notes(rows, [each.name for each in shown])]
    left_out = [column.title for column in possible if column not in shown]
    if left_out:
        lines.append(
            f"left out: {', '.join(left_out)}; a wider terminal shows them, --columns chooses, and "
            f"--as html has room."
        )
    return Lines(*parts, *(Text(line, style="dim") for line in lines))


def _table(
    group: Group, columns: Sequence[Column], widths: Sequence[int], number_width: int
) -> Table:
    table = empty_table()
    table.add_column("#", justify="right", style="dim", width=number_width)
    for column, column_width in zip(columns, widths, strict=True):
        table.add_column(
            Text(column.title),
            justify="right" if column.numeric else "left",
            width=column_width,
            overflow="fold",
        )
    for number, row in group.rows:
        cells = (Text(escapes.terminal(column.text(row))) for column in columns)
        table.add_row(str(number), *cells, style="red" if row.failure else None)
    return table


def _fitting(
    rows: Sequence[Row], width: int, chosen: Sequence[Column], order: Sequence[Column]
) -> tuple[list[Column], dict[Column, int]]:
    """Return the columns that fit, and the width of each.

    Those in `chosen` are there in any case, with their words broken where that is needed; of the
    others those that still fit, in the order of `order`.
    """
    shown = list(chosen)
    widths = {column: _natural(column, rows) for column in [*chosen, *order]}
    for column in order:
        more = [*shown, *([] if column in shown else [column])]
        if sum(widths[each] + 1 for each in more) - 1 <= width:
            shown = more
    while sum(widths[column] for column in shown) + len(shown) - 1 > width:
        shrinking = [
            column for column in shown if not column.numeric and widths[column] > _NARROWEST
        ]
        if not shrinking:
            break
        widest = max(shrinking, key=lambda column: widths[column])
        widths[widest] -= 1
    return shown, widths


def _natural(column: Column, rows: Sequence[Row]) -> int:
    return max(map(cell_len, [column.title, *(escapes.terminal(column.text(r)) for r in rows)]))
