"""A terminal's console, and tables for it, that print foreign text as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import StyleType
from rich.table import Column, Table
from rich.text import Text

from mobilebench.notation import escapes

_GAP = 2
"""Characters between columns."""
_NARROWEST = 16
"""Characters to which a column of words shrinks; below, sentences become hard to read."""


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
    """A table of escaped cells, which becomes a list where its columns do not fit.

    Words may be wrapped at spaces, but no name is broken and nothing is left out.
    """

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row; a cell that is a text is escaped."""
        super().add_row(
            *(escapes.terminal(cell) if isinstance(cell, str) else cell for cell in cells),
            **options,
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render as columns where every word fits, else as a list with a block for each row."""
        if not self.show_header:
            yield from super().__rich_console__(console, options)
            return
        titles = [_text(console, column.header) for column in self.columns]
        cells = [[_text(console, cell) for cell in column.cells] for column in self.columns]
        widths = _fitting(self.columns, titles, cells, options.max_width)
        if widths is None:
            styles = [row.style for row in self.rows]
            yield from _blocks(titles, list(zip(*cells, strict=True)), styles, options.max_width)
            return
        for column, width in zip(self.columns, widths, strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)


def _text(console: Console, cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else console.render_str(str(cell))


def _fitting(
    columns: Sequence[Column], titles: Sequence[Text], cells: Sequence[Sequence[Text]], most: int
) -> list[int] | None:
    """Return the width of each column, or None where they do not fit into `most` characters.

    Columns of words shrink, the widest first, to their longest word.
    """
    widths, least = [], []
    for column, title, texts in zip(columns, titles, cells, strict=True):
        natural = max(text.cell_len for text in (title, *texts))
        words = [cell_len(word) for text in (title, *texts) for word in text.plain.split()]
        widths.append(natural)
        narrowest = max(*words, min(natural, _NARROWEST)) if words else natural
        least.append(natural if column.no_wrap else narrowest)
    while sum(widths) + _GAP * (len(widths) - 1) > most:
        shrinking = [place for place, width in enumerate(widths) if width > least[place]]
        if not shrinking:
            return None
        widths[max(shrinking, key=lambda place: widths[place])] -= 1
    return widths


def _blocks(
    titles: Sequence[Text],
    rows: Sequence[Sequence[Text]],
    styles: Sequence[StyleType | None],
    most: int,
) -> Iterator[Text]:
    """Yield the lines of a list: the first cell of each row, then the others with titles.

    A row whose first cell is empty goes on with the row above.
    """
    yield Text(titles[0].plain, style="bold")
    for cells, style in zip(rows, styles, strict=True):
        if cells[0].plain:
            yield Text(cells[0].plain, style=style or "", overflow="fold")
        line = ""
        for title, cell in zip(titles[1:], cells[1:], strict=True):
            if not cell.plain:
                continue
            item = f"{title.plain} {cell.plain}".strip()
            if line and cell_len(line) + _GAP + cell_len(item) > most:
                yield Text(line, style=style or "", overflow="fold")
                line = ""
            line += f"{' ' * _GAP}{item}"
        if line:
            yield Text(line, style=style or "", overflow="fold")
