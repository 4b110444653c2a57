"""A chart: a Vega-Lite specification, with the same in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mobilebench.notation import escapes
from mobilebench.notation.picture import Picture, converted
from mobilebench.pages import theme

WIDTH = 640
"""Of a plot, in pixels; a page fits it to its own width."""
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


@dataclass(frozen=True)
class Table:
    """Texts in columns, for those who read rather than look."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    """How many columns, from the left, are words; the others are numbers."""


@dataclass(frozen=True)
class Figure:
    """One chart of a page."""

    name: str
    """A word, also that of `--chart`."""
    title: str
    summary: str
    """What the chart shows, in a sentence or two."""
    spec: dict[str, Any]
    """Vega-Lite without data from elsewhere; its width is `WIDTH`."""
    table: Table

    def titled(self, title: str) -> Figure:
        """Return the chart under another title."""
        return replace(self, title=title)


def picture_of(figures: Sequence[Figure], picture: Picture) -> bytes:
    """Return charts, one below the other, as one file.

    Raises `MissingToolkit` without the extra `plots`.
    """
    spec = {
        "$schema": _SCHEMA,
        "config": theme.config(printed=True),
        "vconcat": [{"title": {"text": figure.title}, **figure.spec} for figure in figures],
        "spacing": 40,
    }
    return converted(visible(spec), picture)


def visible(plain: Any) -> Any:
    """Return JSON whose texts have what nobody sees written out, as `escapes.visible` does."""
    if isinstance(plain, str):
        return escapes.visible(plain)
    if isinstance(plain, dict):
        return {escapes.visible(name): visible(each) for name, each in plain.items()}
    if isinstance(plain, list | tuple):
        return [visible(each) for each in plain]
    return plain
