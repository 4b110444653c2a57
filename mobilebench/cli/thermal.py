"""`mobilebench thermal`: what a phone's heat does to its latency."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel, Section, Verbs, add
from mobilebench.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from mobilebench.values.fit import FitReport, FittedSeries

app = typer.Typer(
    cls=Verbs,
    help="Fit a simulated phone to a recorded run under load.",
    epilog="mobilebench thermal fit run.csv",
    no_args_is_help=True,
)
_FEWEST, _MOST = 2, 4


def fit(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Runs of one phone, back to back, as CSV with the columns minute and median_ms.",
        ),
    ],
    steps: Annotated[
        int | None,
        typer.Option(
            min=_FEWEST,
            max=_MOST,
            metavar="N",
            rich_help_panel=Panel.WORK,
            help="Clock steps of the phone. Default: the best of 2, 3 and 4.",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", rich_help_panel=Panel.WORK, help="Seed of the random search."
        ),
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="Write the simulated phone to this file, as JSON.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Fit a simulated phone to recorded runs, and show what the fit is worth.

    A fit describes the minutes that were recorded; it is no forecast. Beside it stand the errors of
    a constant, of the previous minute, of a few constants, and of the same fit to the minutes in
    random order. The columns p90_ms, frames and battery_temp_c are used where they are.
    """
    from mobilebench.cli.progress import follow
    from mobilebench.thermal.report import report
    from mobilebench.thermal.series import read_series
    from mobilebench.values import wire

    series = [read_series(path) for path in files]
    with follow("fit", 1) as observer:
        progress = observer.started(", ".join(each.file for each in series))
        try:
            result = report(series, steps, seed, progress=progress.stage)
            progress.finished("fitted")
        except BaseException:
            progress.finished("stopped")
            raise
    if out is not None:
        output.save(out, wire.dumps(result.phone, indent=2) + "\n")
    if json:
        output.show_json(_plain(result))
    else:
        _show(result)


def _plain(result: FitReport) -> dict[str, Any]:
    """Return a report as JSON; the figures of a single file are also at the top."""
    from mobilebench.values import wire

    plain: dict[str, Any] = wire.to_plain(result)
    return {**plain["files"][0], **plain} if len(plain["files"]) == 1 else plain


def _show(result: FitReport) -> None:
    output.show_plain(_errors(result))
    output.show_line("")
    output.show(_tried(result))
    output.show_line("")
    output.show_plain(_numbers(result))
    output.show_line("")
    output.show_line(f"{result.label}. The series are reported by others, not measured here.")
    output.show_line(
        f"Errors are means by the minute, as a share of the latency. {result.equally_good} phones "
        f"that were tried are as good, with errors up to {result.equally_good_error:.1%}; the "
        f"intervals hold them all."
    )
    for remark in result.remarks:
        output.show_line(remark)
    output.show_line("")
    output.show_line("Assumed, not seen:")
    for sentence in result.phone.assumptions:
        output.show_line(f"- {sentence}")


def _errors(result: FitReport) -> Table:
    pieces = [f"{each.pieces} constants>" for each in result.files[0].pieces]
    table = output.columns(
        "file", "minutes>", "fit>", "constant>", "last value>", *pieces, "shuffled>"
    )
    for each in result.files:
        last = each.last_value_error
        table.add_row(
            each.file,
            str(each.minutes),
            f"{each.mean_absolute_error:.1%}",
            f"{each.constant_error:.1%}",
            "" if last is None else f"{last:.1%}",
            *(f"{piece.error:.1%}" for piece in each.pieces),
            f"{each.shuffled_error:.1%}",
        )
    return table


def _tried(result: FitReport) -> Table:
    table = output.columns("steps", "fit>", "fitted numbers>", "criterion>", "")
    for each in result.tried:
        table.add_row(
            str(each.steps),
            f"{each.mean_absolute_error:.1%}",
            str(each.parameters),
            f"{each.criterion:.1f}",
            "chosen" if each.steps == result.steps else "",
        )
    return table


def _numbers(result: FitReport) -> Table:
    table = output.columns("fitted", "value>", "as good from>", "to>", "")
    first = result.files[0]
    for name, unit, values, intervals in _shared(first):
        for place, (number, (least, most)) in enumerate(
            zip(values, intervals, strict=True), start=1
        ):
            title = f"{name} {place}" if len(values) > 1 or name == "trip" else name
            vague = "not identified" if title in first.not_identified else ""
            table.add_row(title, *(_figure(x, unit) for x in (number, least, most)), vague)
    for each in result.files:
        least, most = each.start_interval_c
        title = f"start, {each.file}"
        table.add_row(title, *(_figure(x, "C") for x in (each.start_c, least, most)), "")
    return table


def _shared(
    first: FittedSeries,
) -> list[tuple[str, str, tuple[float, ...], tuple[tuple[float, float], ...]]]:
    """Return what all series share: name, unit, values and intervals."""
    fast, slow = zip(first.time_constants_s, first.time_constants_interval_s, strict=True)
    return [
        ("latency of step", "ms", first.steps_ms, first.steps_interval_ms),
        ("fast time constant", "s", (fast[0],), (fast[1],)),
        ("slow time constant", "s", (slow[0],), (slow[1],)),
        ("trip", "C", first.trips_c, first.trips_interval_c),
        ("hysteresis", "C", (first.hysteresis_c,), (first.hysteresis_interval_c,)),
        ("least time between moves", "s", (first.least_s,), (first.least_interval_s,)),
    ]


def _figure(number: float, unit: str) -> str:
    return f"{number:.1f} {unit}" if unit != "s" else f"{number:.0f} s"


add(app, "fit", fit, Section.MEASURE, "mobilebench thermal fit run.csv --out phone.json")
