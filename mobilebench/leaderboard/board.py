"""Ranked rows for scripts and notebooks, where they are shown as a table."""

from __future__ import annotations

from html import escape

from mobilebench.leaderboard.columns import notes, offered
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes


class Board(list[Row]):
    """Rows of a leaderboard, the fastest first."""

    def __repr__(self) -> str:
        return f"<Board: {len(self)} rows>"

    def _repr_html_(self) -> str:
        """Return a table for a notebook, with what a reader must know below it."""
        columns = offered(self)
        head = "".join(f"<th>{_text(column.title)}</th>" for column in columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{_text(column.text(row))}</td>' for column in columns)}</tr>"
            for row in self
        )
        below = "".join(f"<p>{_text(sentence)}</p>" for sentence in notes(self))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def _text(text: str) -> str:
    return escape(escapes.visible(text))
