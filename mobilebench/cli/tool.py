"""`mobilebench tool`: run a runtime's own benchmark in the shell of Android devices."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.batch import Devices
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import FixedPerformance, Json, Store, Unit

if TYPE_CHECKING:
    from mobilebench.interfaces import ToolRan
    from mobilebench.measuring.tools import Call, Tool
    from mobilebench.values.measurement import ComputeUnit
    from mobilebench.values.reported import Reported


def command(
    program: Annotated[
        Path,
        typer.Argument(
            metavar="PROGRAM",
            help="benchmark_model, executor_runner or onnxruntime_perf_test, built for Android.",
        ),
    ],
    models: Annotated[
        list[Path],
        typer.Argument(metavar="MODEL...", help="Bundle folders, or model files of its format."),
    ],
    device: Devices,
    library: Annotated[
        list[Path] | None,
        typer.Option(
            "--library",
            "-l",
            metavar="FILE",
            rich_help_panel=Panel.SETTING,
            help="Library, or another file that lies beside the program; repeatable. For an NPU, "
            "its dispatch and compiler libraries.",
        ),
    ] = None,
    compute_unit: Unit = "cpu",
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            "-t",
            min=1,
            metavar="N",
            rich_help_panel=Panel.SETTING,
            help="Threads. Default: what the program chooses.",
        ),
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option(
            "--runs",
            min=1,
            metavar="N",
            rich_help_panel=Panel.SETTING,
            help="Inferences. Default: what the program chooses.",
        ),
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option(
            "--arg",
            metavar="WORD",
            rich_help_panel=Panel.SETTING,
            help="One more argument of the program, such as --arg=--use_xnnpack=false; repeatable.",
        ),
    ] = None,
    fixed_performance: FixedPerformance = False,
    kind: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="KIND",
            rich_help_panel=Panel.CHOICE,
            help="What the program is: litert, executor-runner or onnxruntime. Default: by its "
            "name.",
        ),
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option(
            min=1,
            metavar="SECONDS",
            rich_help_panel=Panel.WORK,
            help="A run that takes longer is stopped, and failed.",
        ),
    ] = 600,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            rich_help_panel=Panel.OUTPUT,
            help="Folder for all that the programs print, a file for each run.",
        ),
    ] = Path("tool-output"),
    store: Store = None,
    json: Json = False,
) -> None:
    """Run a runtime's own benchmark in the shell of Android devices, without the app.

    The program and its libraries are copied to each device, run there with one model after the
    other, and removed. Several devices work at the same time. What it prints is kept, and its
    results go to the store as reported: the program measured them, and they are never ranked.

    Exit code 1 where a run failed, its output cannot be read, or a device was lost.
    """
    from mobilebench import files
    from mobilebench.cli.progress import follow
    from mobilebench.errors import UserError
    from mobilebench.leaderboard import elsewhere
    from mobilebench.measuring import devices, tools
    from mobilebench.store import RecordStore
    from mobilebench.values import wire
    from mobilebench.values.measurement import ComputeUnit
    from mobilebench.values.wishes import Wishes

    tool = tools.tool_of(program, kind)
    tools.require_files(program, *(library or ()))
    unit = ComputeUnit.named(compute_unit)
    calls = [
        _call(tool, program, model, library or [], unit, threads, runs, arg or [])
        for model in models
    ]
    ids = [device]
    if devices.is_several(device):
        choice = devices.choose(device)
        ids = [each.id for each in choice.devices]
        for sentence in choice.left_out:
            output.tell(f"left out: {sentence}")
    ids, others = tools.takers(ids)
    for sentence in others:
        output.tell(f"left out: {sentence}")
    files.require_folder(out)
    results: list[Reported] = []
    with (
        RecordStore(store) as stored,
        follow(f"run {tool.title}", len(ids)) as progress,
    ):

        def keep(call: Call, ran: ToolRan) -> str:
            read = _read(out, call, ran)
            for result in read:
                stored.add_reported(result)
            results.extend(read)
            return "failed" if _failed(read) else "done"

        lost = tools.run_everywhere(
            ids,
            calls,
            keep,
            observer=progress,
            time_limit_s=time_limit,
            wishes=Wishes(fixed_performance=fixed_performance),
        )
    if lost and not results:
        first = lost[0]
        if isinstance(first.error, UserError):
            raise first.error
        raise UserError(
            f"{first.device_id} was lost: {first.error}; check its cable, and look at `mobilebench "
            f"devices`."
        ) from first.error
    for missing in lost:
        output.tell(f"{missing.device_id} was lost: {missing.error}")
    for result in results:
        if result.latency.mean_ns is None:
            output.tell(f"{result.model} on {result.device}: {'; '.join(result.remarks)}")
            output.tell(f"all that it printed is in {out / result.file}")
    if json:
        output.show_json([wire.to_plain(result) for result in results])
    else:
        output.show(elsewhere.as_table(results))
    if lost or _failed(results):
        raise typer.Exit(1)


def _call(
    tool: Tool,
    program: Path,
    model: Path,
    libraries: list[Path],
    unit: ComputeUnit,
    threads: int | None,
    runs: int | None,
    more: list[str],
) -> Call:
    """Return the call with one model: a bundle's own file, with what the bundle says of it."""
    from mobilebench.measuring import tools
    from mobilebench.values.artifact import Artifact

    title = precision = None
    if model.is_dir():
        artifact = Artifact.load(model)
        model = artifact.model_path
        title, precision = artifact.manifest.model.title, artifact.manifest.recipe.precision.value
    tools.require_files(model)
    return tools.call_of(
        tool,
        program,
        model,
        title=title,
        precision=precision,
        libraries=libraries,
        compute_unit=unit,
        threads=threads,
        runs=runs,
        more=more,
    )


def _read(out: Path, call: Call, ran: ToolRan) -> list[Reported]:
    """Keep all that a program printed in a file, and read it."""
    import hashlib
    from dataclasses import replace

    from mobilebench import files, interop
    from mobilebench.interop import shell

    id_ = shell.run_id(ran.run)
    device = ran.run.before.device.model
    words = re.sub(r"[^\w.]+", "-", f"{call.model}-{device}-{call.compute_unit}").strip("-")
    path = out / f"{words}-{id_[:8]}.txt"
    head = f"# run {id_} by mobilebench in the shell of {device}, {ran.run.began}\n"
    content = head.encode() + ran.output
    files.write_bytes(path, content)
    run = replace(
        ran.run,
        output_sha256=hashlib.sha256(content).hexdigest() if ran.output else None,
    )
    known = shell.Known(
        run=run,
        model=call.model,
        format=call.tool.format.value,
        precision=call.precision,
        threads=call.threads,
        compute_unit=call.compute_unit,
        remarks=ran.remarks,
        failure=ran.failure,
    )
    return interop.read_run(path, call.tool.kind, known)


def _failed(results: list[Reported]) -> bool:
    return any(result.latency.mean_ns is None for result in results)
