"""`mobilebench gate`: export two commits, measure both, say whether the change may pass."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilebench.cli import export, output
from mobilebench.cli.check import parse_fail_on, parse_no_baseline, parse_rule, show_review
from mobilebench.cli.grammar import Panel, UsageError
from mobilebench.cli.options import (
    Alpha,
    Confirm,
    Device,
    FailsOn,
    Github,
    Json,
    Junit,
    Markdown,
    Metrics,
    NoBaseline,
    Pairs,
    Runtime,
    Store,
    Threads,
    Tolerance,
    Unit,
    words_of,
)

if TYPE_CHECKING:
    from mobilebench.gating.repository import Repository
    from mobilebench.values.record import Record

_OURS = ("out", "store", "json")
"""Options of `export` that the gate itself gives."""


def command(
    arguments: Annotated[
        str,
        typer.Option(
            "--export",
            help="What `mobilebench export` is given on both sides, such as "
            '"model.py:make --input 1x3x224x224 --format onnx".',
            metavar="OPTIONS",
            rich_help_panel=Panel.MODEL,
        ),
    ],
    baseline: Annotated[
        str | None,
        typer.Option(
            help="Commit to compare with. Default: the target branch of a pull request of GitHub, "
            "else the commit before.",
            metavar="COMMIT",
            rich_help_panel=Panel.CHOICE,
        ),
    ] = None,
    device: Device = "host",
    runtime: Runtime = None,
    compute_unit: Unit = "cpu",
    threads: Threads = 1,
    pairs: Pairs = None,
    confirm: Confirm = False,
    tolerance: Tolerance = "3%",
    alpha: Alpha = 0.01,
    metric: Metrics = None,
    fail_on: FailsOn = None,
    no_baseline: NoBaseline = "pass",
    junit: Junit = None,
    markdown: Markdown = None,
    github: Github = False,
    artifacts: Annotated[
        Path | None,
        typer.Option(
            help="Folder to keep the exports of both sides in, as A and B.",
            metavar="FOLDER",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the records to this file too; an empty list where nothing is measured.",
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Compare the working tree with a commit: export both, measure in turns, report.

    Files that are the same on both sides are not measured. Exit code 0 is a pass, 1 a regression, 2
    a mistake to fix, 3 means that the runs cannot decide, 4 that this side cannot be exported or
    run. The report files are written in every case.
    """
    from mobilebench.errors import UserError
    from mobilebench.gating.flow import Order, judge
    from mobilebench.gating.repository import Repository
    from mobilebench.measuring.setting import Setting
    from mobilebench.regress import Rule
    from mobilebench.regress.review import Review
    from mobilebench.values.measurement import ComputeUnit
    from mobilebench.values.protocol import protocol

    review = Review(
        baseline=baseline or "the baseline",
        candidate="this change",
        rule=Rule(),
    )
    records: list[Record] = []
    try:
        with _written(out, records):
            review = replace(
                review,
                rule=parse_rule(tolerance, alpha),
                fail_on=parse_fail_on(fail_on),
                need_baseline=not parse_no_baseline(no_baseline),
            )
            words = words_of("--export", arguments)
            order = Order(
                arguments=tuple(words),
                models=tuple(_models(words)),
                setting=Setting(
                    device_id=device,
                    protocol=protocol("ci-ab-1"),
                    runtimes=() if runtime is None else (runtime,),
                    threads=(threads,),
                    compute_unit=ComputeUnit.named(compute_unit),
                ),
                rule=review.rule,
                pairs=pairs,
                confirm=confirm,
                metrics=None if metric is None else tuple(metric),
                store=None if store is None else _absolute(store),
            )
            repository = Repository.around(Path.cwd())
            review = replace(review, candidate=_here(repository))
            before = repository.baseline(baseline, os.environ.get("GITHUB_BASE_REF"))
            review = replace(
                review, baseline="an earlier commit" if before is None else before.title
            )
            output.tell(f"baseline: {review.baseline}")
            output.tell(f"candidate: {review.candidate}")
            with _folder(artifacts) as folder, _keeping(records, store) as keep:
                review = judge(review, repository, before, order, folder, _follow, keep)
    except UserError as error:
        review = replace(review, refusal=str(error))
    show_review(review, junit=junit, markdown=markdown, github=github, json=json)
    for fault in review.missing:
        output.tell(f"no baseline: {fault.subject}: {fault.message}")
    for fault in review.broken:
        output.complain(f"{fault.subject}: {fault.message}", fault.log_tail)
    if review.refusal is not None:
        output.complain(review.refusal)
    if github:
        _tell_github(str(review.outcome), markdown, out if records else None)
    raise typer.Exit(review.exit_code)


def _models(words: Sequence[str]) -> Sequence[str]:
    """Return the networks that arguments of `export` name; parse them as `export` does.

    Raises `UserError` for what `export` would refuse, and for options that the gate itself gives.
    """
    from mobilebench.errors import UserError

    app = typer.Typer(add_completion=False)
    app.command("export")(export.command)
    try:
        context = typer.main.get_command(app).make_context("export", list(words))
    except UsageError as error:
        raise UserError(f"--export: {error.format_message()}") from error
    except typer.Exit as error:  # --help
        raise UserError("--export asks for the help of `mobilebench export`.") from error
    given = [
        name
        for name in _OURS
        if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    ]
    if given:
        raise UserError(f"--export holds --{given[0]}, which the gate chooses; leave it out.")
    models: Sequence[str] = context.params["models"]
    return models


def _here(repository: Repository) -> str:
    head = repository.head().title
    return f"{head}, with changes that are not committed," if repository.changed() else head


def _absolute(store: str) -> str:
    """Return a store as both sides can name it, from whatever folder."""
    return store if "://" in store else str(Path(store).absolute())


@contextmanager
def _folder(artifacts: Path | None) -> Iterator[Path]:
    if artifacts is not None:
        yield artifacts.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="mobilebench-gate-") as folder:
        yield Path(folder)


@contextmanager
def _written(out: Path | None, records: Sequence[Record]) -> Iterator[None]:
    """Write the records to a file when the block ends, however it does; maybe none.

    A file of an earlier run would pass for the records of this one.
    """
    from mobilebench import files
    from mobilebench.store import documents

    try:
        yield
    finally:
        if out is not None:
            files.write_text(out, documents.as_json(map(documents.Document.of, records)))
            if not records:
                output.tell(f"nothing was measured: {out} holds no records")


@contextmanager
def _keeping(records: list[Record], store: str | None) -> Iterator[Any]:
    """Yield a function that stores each record and adds it to a list."""
    from mobilebench.store import RecordStore

    with RecordStore(store) as stored:

        def keep(record: Record) -> None:
            stored.add(record)
            records.append(record)

        yield keep


def _follow(title: str, cells: int) -> Any:
    from mobilebench.cli.progress import follow

    return follow(title, cells)


def _tell_github(outcome: str, markdown: Path | None, records: Path | None) -> None:
    """Write the outputs of a step of a workflow, where this is one."""
    from mobilebench import files

    place = os.environ.get("GITHUB_OUTPUT")
    if not place:
        return
    paths = {"report": markdown, "records": records}
    lines = [f"verdict={outcome}"]
    lines += [f"{name}={path.absolute()}" for name, path in paths.items() if path is not None]
    files.append_text(Path(place), "".join(f"{line}\n" for line in lines))
