"""A terminal's console, and tables for it, that print foreign text as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

from mobilebench.notation import escapes


class SafeConsole(Console):
    """A console through which no text reaches the terminal as a command."""

    def __init__(self, **options: Any) -> None:
        # Highlighting would cut a text into pieces, each of them harmless alone.
        super().__init__(highlight=False, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render, and write out what is hidden in the text; styles and controls stay."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text == "\n":
                yield segment
            else:
                yield segment._replace(text=escapes.terminal_lines(segment.text))


class SafeTable(Table):
    """A table whose cells are escaped before their width is measured."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row; a cell that is a text is escaped."""
        super().add_row(
            *(escapes.terminal(cell) if isinstance(cell, str) else cell for cell in cells),
            **options,
        )
