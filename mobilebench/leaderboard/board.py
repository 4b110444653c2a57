"""Ranked rows for scripts and notebooks, where they are shown as tables."""

from __future__ import annotations

from html import escape

from mobilebench.leaderboard.columns import offered
from mobilebench.leaderboard.groups import groups
from mobilebench.leaderboard.notes import notes
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes
from mobilebench.notation.quantities import counted


class Board(list[Row]):
    """Rows of a leaderboard, the fastest of each device and protocol first."""

    def __repr__(self) -> str:
        return f"<Board: {counted(len(self), 'row')}>"

    def _repr_html_(self) -> str:
        """Return a table for each group, with what a reader must know below them."""
        columns = offered(self)
        titles = ["#", *(column.title for column in columns)]
        head = "".join(f"<th>{_text(title)}</th>" for title in titles)
        parts = []
        for group in groups(self):
            lines = (
                [str(number), *(column.text(row) for column in columns)]
                for number, row in group.rows
            )
            body = "".join(
                f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in line)}</tr>" for line in lines
            )
            parts.append(
                f"<h4>{_text(group.heading)}</h4>"
                f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            )
        about = notes(self, [column.name for column in columns])
        below = "".join(f"<p>{_text(sentence)}</p>" for sentence in about)
        return "".join(parts) + below


def _text(text: str) -> str:
    return escape(escapes.visible(text))
