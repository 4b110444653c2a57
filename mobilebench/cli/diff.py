"""`mobilebench diff`: show what changed between two artifacts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.options import Json
from mobilebench.notation import quantities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from mobilebench.inspecting.differences import Change, Differences

_SIZES = ("size", "constants")
"""Facts that are numbers of bytes."""
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_SHOWN_SHA256 = 12
_HELP = "Artifact folder or model file."


def command(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help=_HELP)],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help=_HELP)],
    json: Json = False,
) -> None:
    """Show what changed from one artifact to another: recipe, size, operations, forecast."""
    from mobilebench.inspecting import inspection
    from mobilebench.inspecting.differences import differences
    from mobilebench.values import wire

    diff = differences(inspection.inspect(before), inspection.inspect(after))
    if json:
        output.show_json(wire.to_plain(diff))
        return
    if diff.none:
        output.show_plain("The two are the same.")
    else:
        show(diff)


def show(diff: Differences) -> None:
    """Print a table for each kind of difference."""
    for title, changes in (
        ("artifact", diff.facts),
        ("file", diff.file),
        ("operation", diff.operations),
        ("placement forecast", diff.forecasts),
    ):
        if changes:
            output.show_plain(_table(title, changes))
            output.show_plain("")
    if diff.moved:
        output.show_plain(_moves(diff))


def _table(title: str, changes: Sequence[Change]) -> Table:
    table = output.columns(title, "before", "after", "change>")
    for change in changes:
        write = _sized if change.name in _SIZES else _text
        table.add_row(change.name, write(change.before), write(change.after), _step(change))
    return table


def _text(shown: str | int | float | None) -> str:
    if shown is None:
        return "-"
    return _shortened(shown) if isinstance(shown, str) else f"{shown:,}"


def _shortened(text: str) -> str:
    """Return a text with the beginnings of its digests, which tell two apart."""
    return _DIGEST.sub(lambda match: match[0][:_SHOWN_SHA256], text)


def _sized(count: str | int | float | None) -> str:
    return _text(count) if isinstance(count, str | None) else quantities.size(count)


def _step(change: Change) -> str:
    before, after = change.before, change.after
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return ""
    share = f" ({after / before - 1:+.1%})" if before and after else ""
    if change.name in _SIZES:
        sign = "+" if after >= before else ""
        return f"{sign}{quantities.size(after - before)}{share}"
    return f"{after - before:+,}{share}"


def _moves(diff: Differences) -> Table:
    """Build a table of refusals by reason: more (+) or fewer (-) operations of each kind."""
    groups: dict[tuple[str, str], list[str]] = {}
    for move in diff.moved:
        groups.setdefault((move.forecast, move.reason), []).append(f"{move.kind} {move.count:+}")
    table = output.columns("refused by", "reason", "more (+) or fewer (-)")
    for (label, reason), kinds in groups.items():
        table.add_row(label, reason, ", ".join(kinds))
    return table
