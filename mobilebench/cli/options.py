"""Options that several verbs share, and the lists of names in their help."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions
from mobilebench.cli.grammar import Panel
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.metric import Metric
from mobilebench.values.modelspec import USUAL_INTERPOLATION, Interpolation

if TYPE_CHECKING:
    from mobilebench.values.modelspec import Preprocessing


def listed(names: Iterable[str]) -> str:
    """Join names as in a sentence: `a, b or c`."""
    *first, last = map(str, names)
    return f"{', '.join(first)} or {last}" if first else last


Artifacts = Annotated[
    list[Path],
    typer.Argument(
        metavar="ARTIFACT...",
        help="Bundle folders, or model files from anywhere: .onnx, .tflite, .pte, .mlpackage, "
        ".mlmodel.",
    ),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="SHAPE",
        rich_help_panel=Panel.ARTIFACTS,
        help="Sizes that a model file leaves open, such as 1x3x320x320, or image=1x3x320x320 with "
        "the input's name; repeatable.",
    ),
]
Adopt = Annotated[
    bool,
    typer.Option(
        "--adopt",
        rich_help_panel=Panel.ARTIFACTS,
        help="Keep a model file as a bundle in the folder artifacts/.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        "-d",
        metavar="ID",
        autocompletion=completions.devices,
        rich_help_panel=Panel.SETTING,
        help="Device id; see `mobilebench devices`.",
    ),
]
Unit = Annotated[
    str,
    typer.Option(
        "--compute-unit",
        metavar="UNIT",
        autocompletion=completions.compute_units,
        rich_help_panel=Panel.SETTING,
        help=f"{listed(ComputeUnit)}.",
    ),
]
Runtime = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=completions.runtimes,
        rich_help_panel=Panel.SETTING,
        help="Runtime. Default: the usual one of each format.",
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        "--threads",
        "-t",
        min=1,
        metavar="N",
        rich_help_panel=Panel.SETTING,
        help="Threads of the runtime.",
    ),
]
FixedPerformance = Annotated[
    bool,
    typer.Option(
        "--fixed-performance",
        rich_help_panel=Panel.SETTING,
        help="Ask an Android device for clocks that it can hold; the record says so.",
    ),
]
RehearsedStatus = Annotated[
    int | None,
    typer.Option(
        "--rehearse-status",
        min=0,
        max=6,
        metavar="N",
        rich_help_panel=Panel.SETTING,
        help="Make an Android device report this thermal status during the run, to rehearse what a "
        "policy does in heat; the record says so.",
    ),
]
Tolerance = Annotated[
    str,
    typer.Option(
        metavar="SHARE",
        rich_help_panel=Panel.VERDICT,
        help="Smallest change that matters, such as 3% or 0.03.",
    ),
]
Alpha = Annotated[
    float,
    typer.Option(
        metavar="RATE",
        rich_help_panel=Panel.VERDICT,
        help="Acceptable false-positive rate, such as 0.01 for one in a hundred.",
    ),
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="METRIC",
        rich_help_panel=Panel.VERDICT,
        help=f"{listed(Metric)}; repeatable. Default: all.",
    ),
]
MOST_PAIRS = 10_000
"""Pairs that take a day at the shortest protocol."""
Junit = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", rich_help_panel=Panel.OUTPUT, help="Write JUnit XML to this file."
    ),
]
Markdown = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=Panel.OUTPUT,
        help="Write Markdown to this file, for the comment of a pull request.",
    ),
]
Github = Annotated[
    bool,
    typer.Option(
        "--github",
        rich_help_panel=Panel.OUTPUT,
        help="Annotate the log of a GitHub workflow and its step summary.",
    ),
]
FailsOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        help="What fails: regressed (what cannot be decided passes), inconclusive (either fails), "
        "or never. Default: regressed is exit code 1, inconclusive 3.",
        metavar="OUTCOME",
        rich_help_panel=Panel.VERDICT,
    ),
]
Pairs = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_PAIRS,
        metavar="N",
        rich_help_panel=Panel.VERDICT,
        help="Interleaved pairs of runs. Default: 8, more where many cells need them.",
    ),
]
Confirm = Annotated[
    bool,
    typer.Option(
        "--confirm",
        rich_help_panel=Panel.VERDICT,
        help="Measure what regressed once more, before it counts.",
    ),
]
NoBaseline = Annotated[
    str,
    typer.Option(
        "--no-baseline",
        metavar="VERDICT",
        rich_help_panel=Panel.VERDICT,
        help="pass or fail, where there is nothing to compare with yet.",
    ),
]
Std = Annotated[
    str | None,
    typer.Option(
        metavar="R,G,B",
        rich_help_panel=Panel.IMAGES,
        help="Standard deviation of each channel; give it together with --mean.",
    ),
]
Resize = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="PIXELS",
        rich_help_panel=Panel.IMAGES,
        help="Pixels of an image's shorter side before the crop, such as 256, for a network that "
        "does not state it. Default: the crop is the whole shorter side.",
    ),
]
Filter = Annotated[
    Interpolation | None,
    typer.Option(
        "--interpolation",
        metavar="FILTER",
        rich_help_panel=Panel.IMAGES,
        help=f"{listed(Interpolation)}: how images are resized for a network that does not state "
        f"it. Default: {USUAL_INTERPOLATION}, as torchvision's Resize.",
    ),
]
ExportJobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        metavar="N",
        rich_help_panel=Panel.WORK,
        help="Exports that run at the same time, each in a separate process.",
    ),
]
JOBS = min(2, os.cpu_count() or 1)
"""Processes at the same time, where nobody chose: more need more memory than many machines have."""
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=Panel.WORK,
        help="Address of a dask scheduler whose workers do the work. They have to see "
        "checkpoints, models, artifacts and images at the same paths.",
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        rich_help_panel=Panel.OUTPUT,
        help="Store of records: a path, or the URL of a PostgreSQL database. Default: "
        "MOBILEBENCH_STORE, else a file in your data folder.",
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", rich_help_panel=Panel.OUTPUT, help="Print every figure as JSON."),
]

Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        rich_help_panel=Panel.WORK,
        help="Address of the server, such as https://bench.example.org; http only on this "
        "computer. Default: MOBILEBENCH_SERVER.",
    ),
]
Submit = Annotated[
    str | None,
    typer.Option(
        "--submit",
        metavar="URL",
        rich_help_panel=Panel.OUTPUT,
        help="Send each record to this server too, once it is stored. What cannot be sent is kept, "
        "and sent with the next `mobilebench submit`.",
    ),
]


def refuse_given(ctx: typer.Context, names: Iterable[str], why: str) -> None:
    """Raise `UserError` for an option that was given and would be ignored.

    `names` are those of the options, such as `files_only` for --files-only.
    """
    from mobilebench.errors import UserError

    for name in names:
        option = f"--{name.replace('_', '-')}"
        for parameter in ctx.command.params:
            source = ctx.get_parameter_source(parameter.name or "")
            if option in parameter.opts and source is not None and source.name == "COMMANDLINE":
                raise UserError(f"{option} {why}.")


def refuse_unused_store(ctx: typer.Context, sources: Iterable[str]) -> None:
    """Raise `UserError` for --store where no source of records is a store."""
    if not any(source.startswith("store:") for source in sources):
        refuse_given(ctx, ("store",), "is for records named store:CONDITIONS; leave it out")


def words_of(name: str, text: str) -> list[str]:
    """Split a text into words as a shell does.

    Raises `UserError`, which names the option or argument, for a text without words and for a
    quote or a backslash without its end.
    """
    import shlex

    from mobilebench.errors import UserError

    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UserError(
            f"{name} was given as {text!r}, which a shell could not read "
            f"({str(error).lower()}); close what is open."
        ) from None
    if not any(words):
        raise UserError(f"{name} was given as {text!r}, which holds no words.")
    return words


def preprocessing_of(mean: str | None, std: str | None) -> Preprocessing | None:
    """Read --mean and --std; None without them.

    Raises `UserError` unless both are three numbers in 0..1.
    """
    from mobilebench.errors import UserError
    from mobilebench.values.modelspec import Preprocessing

    if mean is None and std is None:
        return None
    if mean is None or std is None:
        raise UserError("--mean and --std belong together; one of them was given.")
    return Preprocessing.stated(_three("mean", mean), _three("std", std))


def _three(option: str, text: str) -> tuple[float, float, float]:
    from mobilebench.errors import UserError

    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(
            f"--{option} was given as {text!r}; give three numbers, such as 0.485,0.456,0.406."
        ) from None
    three = (red, green, blue)
    if not all(0 <= number <= 1 for number in three):
        of_pixels = all(0 <= number <= 255 for number in three)
        shares = ",".join(f"{number / 255:.4g}" for number in three)
        raise UserError(
            f"--{option} was given as {text!r}; give numbers in 0..1, for pixels divided by 255"
            f"{f': {shares}' if of_pixels else ', such as 0.485,0.456,0.406'}."
        )
    return three
