"""Format figures as Markdown tables, and as pages with a title and an explanation."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from mobilebench.machine import host


def markdown(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Format a table with a line under its titles."""
    rows = (titles, ["---"] * len(titles), *lines)
    return "".join(f"| {' | '.join(map(_inside, row))} |\n" for row in rows)


def _inside(cell: str) -> str:
    return cell.replace("|", "/").replace("\n", " ")


def page(title: str, explained: str, table: str) -> str:
    """Format a page, with its explanation in lines of 100 characters."""
    return "\n\n".join((title, filled(explained), table))


def filled(text: str) -> str:
    """Break paragraphs into lines of 100 characters, never at a hyphen."""
    return "\n\n".join(
        textwrap.fill(paragraph, 100, break_on_hyphens=False) for paragraph in text.split("\n\n")
    )


def machine() -> str:
    """Name this machine, for a sentence."""
    device = host.host_device()
    return f"{device.os} on {device.soc or device.model}"
