"""`mobilebench history`: show a metric over time, and where it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Alpha, Json, Store, listed, refuse_unused_store
from mobilebench.notation.quantities import quantity
from mobilebench.values.metric import Metric

if TYPE_CHECKING:
    from mobilebench.regress.history import History

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def command(
    ctx: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="RECORDS",
            help="Records as for `check`: a file or folder, or store:model=NAME,device=ID.",
        ),
    ],
    metric: Annotated[
        str,
        typer.Option(
            metavar="METRIC",
            rich_help_panel=Panel.CHOICE,
            help=f"{listed(metric for metric in Metric if metric.timed)}.",
        ),
    ] = Metric.LATENCY_P50.value,
    smallest: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            rich_help_panel=Panel.CHOICE,
            help="Share below which steps are left out.",
        ),
    ] = 0.02,
    alpha: Alpha = 0.01,
    store: Store = None,
    json: Json = False,
) -> None:
    """Show a metric of every cell over time, with its change points and their commits."""
    from mobilebench.regress import baselines
    from mobilebench.regress.history import Question, histories
    from mobilebench.values import wire

    refuse_unused_store(ctx, [source])
    records = baselines.load(source, store)
    output.tell_unsigned(records)
    series = histories(records, Question(metric=metric, alpha=alpha, smallest=smallest))
    if json:
        output.show_json([wire.to_plain(history) for history in series])
        return
    for history in series:
        _show(history)


def _show(history: History) -> None:
    from statistics import median

    numbers = [point.number for point in history.points]
    first, last = history.points[0], history.points[-1]
    runs = f"{len(numbers)} run{'s' * (len(numbers) > 1)}"
    output.show_line(history.cell)
    output.show_line(
        f"  {history.metric}: {runs} from {first.created[:10]} to {last.created[:10]}, median "
        f"{quantity(median(numbers), history.unit)}"
    )
    output.show_line(f"  {_line(numbers)}")
    for step in history.steps:
        output.show_line(
            f"  {step.ratio - 1:+.1%} between {step.before.created[:16]} and "
            f"{step.after.created[:16]}: {step.commits} (p {step.p_value:.2g})"
        )
    recent = history.undecided
    if recent is not None:
        output.show_line(
            f"  {recent.ratio - 1:+.1%} in the last {recent.runs} runs, {recent.commits}: too few "
            f"to decide yet (p {recent.p_value:.2g}); measure again"
        )
    elif not history.steps:
        output.show_line("  no step")


def _line(numbers: list[float]) -> str:
    """Draw the series as bars; neighbours share a bar where there are more than fit."""
    from statistics import median

    size = -(-len(numbers) // _WIDTH)
    parts = [median(numbers[start : start + size]) for start in range(0, len(numbers), size)]
    low, high = min(parts), max(parts)
    if low == high:
        return _BARS[0] * len(parts)
    return "".join(_BARS[round((part - low) / (high - low) * (len(_BARS) - 1))] for part in parts)
