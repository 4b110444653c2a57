"""Run a runtime's own benchmark on devices, without an app.

Nothing here measures: the tool does, and its output is read by the importer of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

from mobilebench import plugins
from mobilebench.errors import MobilebenchError, UnknownName, UserError
from mobilebench.interfaces import ToolCall, ToolRan
from mobilebench.observer import Observer
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.recipe import Format
from mobilebench.values.tool import FOLDER
from mobilebench.values.wishes import Wishes


@dataclass(frozen=True)
class Tool:
    """One kind of tool: how it is called."""

    kind: str
    """As `mobilebench import --as` names it."""
    title: str
    names: str
    """Regular expression of what its program is called."""
    format: Format
    suffixes: tuple[str, ...]
    model: tuple[str, ...]
    """How the model is named; `{model}` stands for its file."""
    model_last: bool
    threads: tuple[str, ...]
    """`{count}` stands for the number."""
    runs: tuple[str, ...]
    always: tuple[str, ...]
    units: Mapping[ComputeUnit, tuple[str, ...]]


_BY_FILE: Mapping[ComputeUnit, tuple[str, ...]] = dict.fromkeys(ComputeUnit, ())
TOOLS: Mapping[str, Tool] = {
    "litert": Tool(
        kind="litert",
        title="benchmark_model",
        names=r"benchmark_(litert_)?model",
        format=Format.TFLITE,
        suffixes=(".tflite", ".lite", ".litert"),
        model=(f"--graph={FOLDER}/{{model}}",),
        model_last=False,
        threads=("--num_threads={count}",),
        runs=("--num_runs={count}",),
        always=(),
        units={
            ComputeUnit.CPU: (),
            ComputeUnit.GPU: ("--use_gpu=true",),
            ComputeUnit.NPU: (
                "--use_npu=true",
                f"--dispatch_library_path={FOLDER}",
                f"--compiler_plugin_library_path={FOLDER}",
            ),
        },
    ),
    "executor-runner": Tool(
        kind="executor-runner",
        title="executor_runner",
        names=r"executor_runner",
        format=Format.EXECUTORCH,
        suffixes=(".pte",),
        model=(f"--model_path={FOLDER}/{{model}}",),
        model_last=False,
        threads=("--cpu_threads={count}",),
        runs=("--num_executions={count}",),
        always=(),
        # The delegate is in the file.
        units=_BY_FILE,
    ),
    "onnxruntime": Tool(
        kind="onnxruntime",
        title="onnxruntime_perf_test",
        names=r"perf_test",
        format=Format.ONNX,
        suffixes=(".onnx", ".ort"),
        model=(f"{FOLDER}/{{model}}",),
        model_last=True,
        threads=("-x", "{count}"),
        runs=("-m", "times", "-r", "{count}"),
        # It makes its inputs itself: without them it wants files beside the model.
        always=("-I",),
        units={ComputeUnit.CPU: ()},
    ),
}


@dataclass(frozen=True)
class Call:
    """One call of a tool, with what its output cannot say of the model."""

    tool: Tool
    call: ToolCall
    model: str
    precision: str | None
    threads: int | None
    compute_unit: ComputeUnit


@dataclass(frozen=True)
class Lost:
    """A device that could not be used, or not to the end."""

    device_id: str
    error: MobilebenchError


def tool_of(program: Path, kind: str | None = None) -> Tool:
    """Return the tool that a program is: the kind that is named, or by what it is called.

    Raises `UnknownName` for a kind that is not one, `UserError` for a program of another name.
    """
    if kind is not None:
        if kind not in TOOLS:
            raise UnknownName.among("kind of benchmark tool", kind, TOOLS)
        return TOOLS[kind]
    for tool in TOOLS.values():
        if re.search(tool.names, program.name):
            return tool
    known = ", ".join(f"{each.title} ({name})" for name, each in TOOLS.items())
    raise UserError(
        f"The program {program.name} has no name of a benchmark whose output is known; say with "
        f"--as which it is: {known}."
    )


def require_files(*paths: Path) -> None:
    """Raise `UserError` unless each path is a file that can be read and copied."""
    for path in paths:
        if path.is_dir():
            raise UserError(f"{path} is a folder, and one file was to be copied; name its files.")
        if not path.is_file():
            raise UserError(f"There is no file {path} to copy to the device; check its path.")


def takers(device_ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which devices take a program of others, and a sentence for each that does not.

    Raises `UserError` where none does.
    """
    taking: list[str] = []
    refusals: list[UserError] = []
    for id_ in device_ids:
        try:
            plugins.tooling(plugins.runner(id_))
            taking.append(id_)
        except UserError as error:
            refusals.append(error)
    if not taking:
        raise refusals[0]
    return taking, list(map(str, refusals))


def call_of(
    tool: Tool,
    program: Path,
    model: Path,
    *,
    title: str | None = None,
    precision: str | None = None,
    libraries: Sequence[Path] = (),
    compute_unit: ComputeUnit = ComputeUnit.CPU,
    threads: int | None = None,
    runs: int | None = None,
    more: Sequence[str] = (),
) -> Call:
    """Return the call of a tool with one model; `more` are arguments as they are given.

    Raises `UserError` for a model of another format, and for a unit that has no argument of its
    own.
    """
    if model.suffix.lower() not in tool.suffixes:
        raise UserError(
            f"{tool.title} runs {' and '.join(tool.suffixes)} files, and {model} was given; name "
            f"the tool of its runtime."
        )
    if compute_unit not in tool.units:
        raise UserError(
            f"{tool.title} has no argument that says {compute_unit}; say it in the tool's own "
            f"words with --arg, such as --arg=-e --arg=nnapi, and leave --compute-unit out."
        )

    def filled(words: Sequence[str], count: int | None) -> tuple[str, ...]:
        return () if count is None else tuple(word.format(count=count) for word in words)

    named = tuple(word.replace("{model}", model.name) for word in tool.model)
    options = (
        *tool.always,
        *tool.units[compute_unit],
        *filled(tool.threads, threads),
        *filled(tool.runs, runs),
        *more,
    )
    arguments = (*options, *named) if tool.model_last else (*named, *options)
    return Call(
        tool=tool,
        call=ToolCall(program, tuple(libraries), model, arguments),
        model=title or model.stem,
        precision=precision,
        threads=threads,
        compute_unit=compute_unit,
    )


def run_everywhere(
    device_ids: Sequence[str],
    calls: Sequence[Call],
    keep: Callable[[Call, ToolRan], str],
    *,
    observer: Observer,
    time_limit_s: float,
    wishes: Wishes,
) -> list[Lost]:
    """Do all calls on all devices, which work at the same time; return what was lost.

    Each run is given to `keep`, one at a time, as soon as it ended; what that returns is told as
    its outcome. Ctrl-C ends the tools on all devices.
    """
    cancel, lock = Event(), Lock()

    def work(device_id: str) -> Lost | None:
        runner = plugins.tooling(plugins.wishing(plugins.runner(device_id), wishes))
        wanted = [each.call for each in calls]
        progress = observer.started(f"{calls[0].tool.title} on {device_id}")
        outcome = "lost"
        try:
            given = runner.run_tools(device_id, wanted, time_limit_s, cancel, progress)
            # What stops half-way leaves the device clean.
            with closing(given) as each_ended:
                for call, ran in zip(calls, each_ended, strict=True):
                    with lock:
                        outcome = keep(call, ran)
            return None
        except MobilebenchError as error:
            return Lost(device_id, error)
        finally:
            progress.finished(outcome)

    with ThreadPoolExecutor(max_workers=max(1, len(device_ids))) as pool:
        futures = [pool.submit(work, device_id) for device_id in device_ids]
        try:
            return [lost for each in as_completed(futures) if (lost := each.result()) is not None]
        except BaseException:
            cancel.set()
            raise
