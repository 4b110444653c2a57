"""Options that several verbs share, and the lists of names in their help."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.metric import Metric


def listed(names: Iterable[str]) -> str:
    """Join names as in a sentence: `a, b or c`."""
    *first, last = map(str, names)
    return f"{', '.join(first)} or {last}" if first else last


Artifacts = Annotated[
    list[Path], typer.Argument(metavar="ARTIFACT...", help="Bundle folders of artifacts.")
]
Device = Annotated[str, typer.Option(help="Device id; see `mobilebench devices`.")]
Unit = Annotated[str, typer.Option("--compute-unit", help=f"{listed(ComputeUnit)}.")]
Runtime = Annotated[
    str | None, typer.Option(help="Runtime. Default: the usual one of each format.")
]
Threads = Annotated[int, typer.Option(min=1, help="Threads of the runtime.")]
Tolerance = Annotated[str, typer.Option(help="Smallest change that matters, such as 3% or 0.03.")]
Alpha = Annotated[
    float, typer.Option(help="Acceptable false-positive rate, such as 0.01 for one in a hundred.")
]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", help=f"{listed(Metric)}; repeatable. Default: all."),
]
Junit = Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")]
Markdown = Annotated[
    Path | None,
    typer.Option(help="Write Markdown to this file, for the comment of a pull request."),
]
Github = Annotated[
    bool,
    typer.Option("--github", help="Annotate the log of a GitHub workflow and its step summary."),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        help="Address of a dask scheduler whose workers do the work. They have to see "
        "checkpoints, models, artifacts and images at the same paths."
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        help="Store of records: a path or an SQLAlchemy URL. Default: MOBILEBENCH_STORE, else a "
        "file in your data folder."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")]


def refuse_given(ctx: typer.Context, names: Iterable[str], why: str) -> None:
    """Raise `UserError` for an option that was given and would be ignored."""
    from mobilebench.errors import UserError

    for name in names:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UserError(f"--{name.replace('_', '-')} {why}.")
