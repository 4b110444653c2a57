"""`mobilebench compare`: compare two files on the same inputs, and their size and latency."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.artifacts import opened
from mobilebench.cli.check import parse_rule
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import (
    Adopt,
    Alpha,
    Device,
    Inputs,
    Json,
    Store,
    Threads,
    Tolerance,
    listed,
    refuse_given,
)
from mobilebench.values.recipe import Precision

if TYPE_CHECKING:
    from mobilebench.inspecting.differences import Differences
    from mobilebench.regress import Report, Rule
    from mobilebench.values.artifact import Artifact
    from mobilebench.verifying.equivalence import Equivalence

_HELP = "Bundle folder, or a model file from anywhere."


_OF_LATENCY = ("pairs", "threads", "device", "tolerance", "alpha", "store")


def command(
    ctx: typer.Context,
    first: Annotated[Path, typer.Argument(metavar="A", help=_HELP)],
    second: Annotated[Path, typer.Argument(metavar="B", help=_HELP)],
    within: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            autocompletion=completions.precisions,
            rich_help_panel=Panel.VERDICT,
            help=f"Exit with 1 unless outputs keep the limits of a precision: "
            f"{listed(Precision.exported())}. Without it the limits of fp32 are shown.",
        ),
    ] = None,
    inputs: Inputs = None,
    adopt: Adopt = False,
    latency: Annotated[
        bool,
        typer.Option(
            "--latency/--no-latency",
            rich_help_panel=Panel.SETTING,
            help="Measure latency in interleaved pairs; otherwise leave it out.",
        ),
    ] = True,
    pairs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.SETTING,
            help="Pairs to measure. Default: as many as a verdict needs.",
        ),
    ] = None,
    threads: Threads = 1,
    device: Device = "host",
    tolerance: Tolerance = "3%",
    alpha: Alpha = 0.01,
    store: Store = None,
    json: Json = False,
) -> None:
    """Compare two files, of any formats: outputs on the same inputs, size, latency, placement.

    Only outputs without any difference are called equal. B is judged by A.
    """
    from mobilebench.cli.progress import follow
    from mobilebench.inspecting import inspection
    from mobilebench.inspecting.differences import differences
    from mobilebench.verifying import equivalence

    if not latency:
        refuse_given(ctx, _OF_LATENCY, "is about latency; leave it out, or leave out --no-latency")
    bound = Precision.FP32 if within is None else Precision.named(within)
    rule = parse_rule(tolerance, alpha)
    before, after = opened([first, second], inputs, adopt)
    with follow("compare outputs", 2) as progress:
        result = equivalence.compare(before, after, bound, observer=progress)
    diff = differences(*(inspection.inspect_artifact(side) for side in (before, after)))
    report, why = None, "not asked for"
    if latency:
        report, why = _measured(before, after, device, threads, pairs, rule, store)
    if json:
        output.show_json(_plain(result, diff, report, why))
    else:
        _show(before, after, result, diff, report, why)
    if within is not None and not result.parity.passed:
        raise typer.Exit(1)


def _measured(
    before: Artifact,
    after: Artifact,
    device: str,
    threads: int,
    pairs: int | None,
    rule: Rule,
    store: str | None,
) -> tuple[Report | None, str]:
    """Return a report on latency, or none and why it cannot be measured."""
    from mobilebench.cli.progress import follow
    from mobilebench.errors import UserError
    from mobilebench.measuring.pairs import compare_pairs
    from mobilebench.measuring.setting import Setting, plan
    from mobilebench.store import RecordStore
    from mobilebench.values.protocol import protocol

    setting = Setting(device_id=device, protocol=protocol("ci-ab-1"), threads=(threads,))
    try:
        [one], [other] = plan([before], setting).cells, plan([after], setting).cells
    except UserError as error:
        return None, str(error)
    count = pairs or rule.pairs_needed(1)
    with (
        RecordStore(store) as stored,
        follow(f"compare by {setting.protocol.id}", 2 * count) as progress,
    ):
        report = compare_pairs(
            [(one, other)], rule, pairs=count, observer=progress, keep=stored.add
        )
    return report, ""


def _show(
    before: Artifact,
    after: Artifact,
    result: Equivalence,
    diff: Differences,
    report: Report | None,
    why: str,
) -> None:
    from mobilebench.cli import diff as diff_verb
    from mobilebench.cli import tables
    from mobilebench.regress import reports

    summary = output.pairs()
    summary.add_row("A", f"{before.name}, computed by {result.evaluated_by[0]}")
    summary.add_row("B", f"{after.name}, computed by {result.evaluated_by[1]}")
    summary.add_row("inputs", result.inputs)
    for note in result.notes:
        summary.add_row("", note)
    summary.add_row("outputs", result.verdict)
    output.show_plain(summary)
    output.show_plain("")
    output.show_plain(_outputs(result))
    output.show_plain("")
    if not diff.none:
        diff_verb.show(diff)
    if report is None:
        output.tell(f"Latency is not measured: {why}")
    else:
        output.show_plain(tables.comparisons(report))
        for sentence in reports.remarks(report):
            output.tell(sentence)


def _outputs(result: Equivalence) -> Any:
    """Build a table with a row for each output, or part of one that has another scale."""
    table = output.columns("output", "max error>", "rel. error>", "SNR dB>", "equal>", "")
    for part in result.parity.parts:
        number = part.name.split()[1]
        table.add_row(
            part.name.replace(f"output {number}", result.outputs[int(number)], 1),
            f"{part.max_abs_error:.2g}",
            "-" if part.max_relative_error is None else f"{part.max_relative_error:.1e}",
            "-" if part.snr_db is None else f"{part.snr_db:.0f}",
            "-" if part.equal_share is None else f"{part.equal_share:.1%}",
            "no signal in B" if part.silent else "",
        )
    return table


def _plain(
    result: Equivalence, diff: Differences, report: Report | None, why: str
) -> dict[str, Any]:
    from mobilebench.regress import reports
    from mobilebench.values import wire

    return {
        "outputs": {**wire.to_plain(result), "verdict": result.verdict},
        "differences": wire.to_plain(diff),
        "latency": None if report is None else reports.as_plain(report),
        "latency_not_measured": why or None,
    }
