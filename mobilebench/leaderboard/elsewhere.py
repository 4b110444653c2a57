"""Show results that others report, in a separate table that is never ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.console import Group
from rich.text import Text

from mobilebench.leaderboard.columns import UNKNOWN
from mobilebench.leaderboard.naming import Naming
from mobilebench.leaderboard.table import empty_table
from mobilebench.notation import escapes
from mobilebench.notation.quantities import duration
from mobilebench.values.reported import Reported

TITLE = "Reported by others, not measured here"
COLUMNS = ("source", "model", "artifact", "device", "runtime", "latency", "top-1 %", "remarks")
_STATISTICS = (("p50_ns", "median"), ("mean_ns", "mean"), ("p90_ns", "p90"))


def cells(result: Reported) -> tuple[str, ...]:
    """Return a result as texts, one for each column."""
    runtime = " ".join(filter(None, (result.runtime, result.delegate)))
    threads = f" x{result.threads}" if result.threads else ""
    texts = (
        source(result),
        result.model,
        " ".join(filter(None, (result.format, result.precision))),
        " ".join(filter(None, (result.device, result.compute_unit))),
        runtime + threads,
        _latency(result),
        None if result.top1 is None else f"{result.top1:.1f}",
        "; ".join(result.remarks),
    )
    return tuple(text or UNKNOWN for text in texts)


def source(result: Reported) -> str:
    """Return who states a result, with how it was run where mobilebench ran the tool."""
    if result.run is None:
        return result.source
    profile = "" if result.run.profile else ", not in the top-app profile"
    return f"{result.source}, run in the shell by mobilebench{profile}"


def renamed(results: Sequence[Reported], names: Mapping[str, str]) -> list[Reported]:
    """Return the results under the names that an author gives the models."""
    naming = Naming(names)
    return [
        result if result.model is None else replace(result, model=naming.shown(result.model))
        for result in results
    ]


def _latency(result: Reported) -> str | None:
    """Return the first statistic that the source gives, with its name."""
    for field, name in _STATISTICS:
        number = getattr(result.latency, field)
        if number is not None:
            return f"{duration(number)} ({name})"
    if result.inferences_per_second is not None:
        return f"{result.inferences_per_second:.1f} a second"
    return None


def as_table(results: Sequence[Reported]) -> Group:
    """Format the results as a table for the terminal."""
    table = empty_table()
    for title in COLUMNS:
        table.add_column(title, overflow="fold")
    for result in results:
        table.add_row(*(Text(escapes.terminal(cell)) for cell in cells(result)))
    return Group(Text(f"\n{TITLE}", style="bold"), table)


def as_markdown(results: Sequence[Reported]) -> str:
    """Format the results as Markdown, to follow the leaderboard's own table."""
    rows = [tuple(map(escapes.markdown, cells(result))) for result in results]
    lines = (f"| {' | '.join(row)} |" for row in (COLUMNS, ("---",) * len(COLUMNS), *rows))
    return "\n".join((f"### {TITLE}", "", *lines)) + "\n"
