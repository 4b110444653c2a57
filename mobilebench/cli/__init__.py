"""The command line: one verb, one file. Only this package prints and decides exit codes.

Exit codes: 0 good, 1 a check or a cell failed, 2 the user can fix it, 3 not enough data to decide,
4 the candidate of `gate` cannot be exported or run, 130 stopped by Ctrl-C, 143 by a polite kill and
129 by a hangup. `streams` says what happens where the output cannot be printed, `stopping` what a
signal does.
"""

from __future__ import annotations

import os
import warnings
from typing import Annotated, TextIO

import typer

from mobilebench.cli import (
    agent,
    bench,
    bundle,
    calibrate,
    check,
    compare,
    conformance,
    demo,
    devices,
    diff,
    doctor,
    enrol,
    eval_,
    export,
    gate,
    history,
    import_,
    inspect,
    job,
    leaderboard,
    models,
    records,
    reproduce,
    serve,
    server,
    simulate,
    slim,
    stopping,
    store,
    streams,
    submit,
    thermal,
    tool,
    verify,
)
from mobilebench.cli.grammar import Panel, Section, Verbs, add
from mobilebench.cli.output import tell

app = typer.Typer(
    cls=Verbs,
    name="mobilebench",
    help="Export vision models to phone formats, verify them, measure them, and rank them.",
    epilog="mobilebench export mobilevig_ti --format onnx",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _section, _name, _module, _example in (
    (Section.START, "demo", demo, "mobilebench demo --out demo"),
    (Section.START, "models", models, "mobilebench models --family mobilevig"),
    (Section.START, "doctor", doctor, "mobilebench doctor"),
    (Section.START, "devices", devices, "mobilebench devices"),
    (
        Section.FILES,
        "export",
        export,
        "mobilebench export net.py:make -i 1x3x224x224 -f onnx -c best.pth",
    ),
    (Section.FILES, "verify", verify, "mobilebench verify artifacts/*"),
    (Section.FILES, "inspect", inspect, "mobilebench inspect artifacts/NAME-onnx-..."),
    (Section.MEASURE, "bench", bench, "mobilebench bench artifacts/* -t 1 -t 2"),
    (Section.MEASURE, "eval", eval_, "mobilebench eval artifacts/* --data imagenet/val"),
    (
        Section.MEASURE,
        "simulate",
        simulate,
        "mobilebench simulate --phone throttling --policy deadline --policy threshold",
    ),
    (Section.MEASURE, "calibrate", calibrate, "mobilebench calibrate artifacts/NAME-onnx-..."),
    (
        Section.MEASURE,
        "tool",
        tool,
        "mobilebench tool benchmark_model net.tflite --device adb:SERIAL",
    ),
    (
        Section.MEASURE,
        "agent",
        agent,
        "mobilebench agent --server https://bench.example.org --device all",
    ),
    (Section.COMPARE, "compare", compare, "mobilebench compare theirs.onnx ours.tflite"),
    (Section.COMPARE, "diff", diff, "mobilebench diff artifacts/OLD-... artifacts/NEW-..."),
    (
        Section.COMPARE,
        "check",
        check,
        "mobilebench check --baseline git:main:bench.json --candidate now.json",
    ),
    (
        Section.COMPARE,
        "gate",
        gate,
        'mobilebench gate --baseline origin/main --export "net.py:make -i 1x3x224x224"',
    ),
    (Section.COMPARE, "history", history, "mobilebench history store:model=mobilevig_ti"),
    (
        Section.RESULTS,
        "leaderboard",
        leaderboard,
        "mobilebench leaderboard --as html --out board.html",
    ),
    (Section.RESULTS, "records", records, "mobilebench records --as parquet --out records.parquet"),
    (
        Section.RESULTS,
        "bundle",
        bundle,
        "mobilebench bundle --protocol burst-1 --out table.mbbundle",
    ),
    (
        Section.RESULTS,
        "reproduce",
        reproduce,
        "mobilebench reproduce table.mbbundle --with best.pth",
    ),
    (Section.RESULTS, "import", import_, "mobilebench import records.json"),
    (Section.RESULTS, "serve", serve, "mobilebench serve --store lab.sqlite"),
    (
        Section.RESULTS,
        "submit",
        submit,
        "mobilebench submit records.json --server https://bench.example.org",
    ),
    (
        Section.RESULTS,
        "enrol",
        enrol,
        "mobilebench enrol 7K3M-PQ9X --server https://bench.example.org",
    ),
    (
        Section.DEVELOP,
        "conformance",
        conformance,
        'mobilebench conformance "python device.py"',
    ),
):
    add(app, _name, _module.command, _section, _example)
app.add_typer(job.app, name="job", rich_help_panel=Section.MEASURE)
app.add_typer(slim.app, name="slim", rich_help_panel=Section.FILES)
app.add_typer(thermal.app, name="thermal", rich_help_panel=Section.MEASURE)
app.add_typer(store.app, name="store", rich_help_panel=Section.RESULTS)
app.add_typer(server.app, name="server", rich_help_panel=Section.RESULTS)


def _print_version(wanted: bool) -> None:
    if wanted:
        from mobilebench.machine.host import version

        typer.echo(f"mobilebench {version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            rich_help_panel=Panel.HELP,
            help="Print the version and stop.",
        ),
    ] = False,
) -> None:
    """Take the options that belong to no verb."""


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    from mobilebench.errors import MobilebenchWarning

    if issubclass(category, MobilebenchWarning):
        tell(f"warning: {message}")


def main() -> None:
    """Run the `mobilebench` program."""
    # Ours are for the user; those that libraries write are for their developers.
    warnings.showwarning = _warned
    stopping.hear()
    if "MOBILEBENCH_PARENT" in os.environ:
        from mobilebench.machine import process

        process.end_with(int(os.environ.pop(process.PARENT)))
    with streams.guarded():
        app()
