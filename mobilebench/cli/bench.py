"""`mobilebench bench`: measure artifacts on a device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.check import EXIT_CODES, parse_rule, show_report

if TYPE_CHECKING:
    from mobilebench.artifact import Artifact
    from mobilebench.record import Record
    from mobilebench.regress import Report, Rule


def command(
    artifacts: Annotated[list[Path], typer.Argument(metavar="ARTIFACT...", help="Bundle folders.")],
    device: Annotated[str, typer.Option(help="Device id; see `mobilebench devices`.")] = "host",
    runtime: Annotated[
        list[str] | None,
        typer.Option(help="Runtime; repeatable. Default: the usual one of each format."),
    ] = None,
    compute_unit: Annotated[str, typer.Option(help="cpu, gpu, npu or all.")] = "cpu",
    threads: Annotated[
        list[int] | None, typer.Option(min=1, help="Threads; repeatable. Default: 1.")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="Measurement protocol. Default: burst-1, and ci-ab-1 with --ab."),
    ] = None,
    ab: Annotated[
        bool,
        typer.Option(
            "--ab",
            help="Measure A and B in turns and judge B: the artifacts are one or more of A, then "
            "as many of B.",
        ),
    ] = False,
    pairs: Annotated[
        int | None,
        typer.Option(min=1, help="Pairs of --ab. Default: 8, more where many cells need them."),
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="With --ab, measure what regressed once more.")
    ] = False,
    tolerance: Annotated[
        str, typer.Option(help="With --ab, the smallest change that matters.")
    ] = "3%",
    alpha: Annotated[
        float, typer.Option(help="With --ab, the share of false alarms to put up with.")
    ] = 0.01,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="With --ab, what to judge; repeatable. Default: every metric."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="With --ab, write JUnit XML here.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="With --ab, write Markdown here.")] = None,
    github: Annotated[
        bool, typer.Option("--github", help="With --ab, annotate the log of a GitHub workflow.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the records here too, as a baseline to keep.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="Path or SQLAlchemy URL. Default: MOBILEBENCH_STORE, else a file in "
            "your data folder."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """Measure latency, load time and memory; each record is stored as soon as it exists.

    With --ab two sides are measured in turns and compared; then the exit codes are those of
    `mobilebench check`.
    """
    from mobilebench import files, wire
    from mobilebench.artifact import Artifact
    from mobilebench.leaderboard import rank
    from mobilebench.leaderboard.table import as_table

    found = [Artifact.load(folder) for folder in artifacts]
    rule = protocol or ("ci-ab-1" if ab else "burst-1")
    cells = Cells(device, runtime or [], compute_unit, threads or [1], rule)
    done: list[Record] = []
    try:
        if ab:
            judged = parse_rule(tolerance, alpha)
            report = compare_sides(found, cells, judged, pairs, confirm, metric, store, done)
        else:
            measure_all(found, cells, store, done)
    finally:
        if out is not None and done:
            documents = ",\n".join(wire.dumps(record) for record in done)
            files.write_text(out, f"[\n{documents}\n]\n")
    if ab:
        show_report(report, junit=junit, markdown=markdown, github=github, json=json)
        raise typer.Exit(EXIT_CODES.get(report.verdict, 0))
    if json:
        output.show_json([wire.to_plain(record) for record in done])
    else:
        output.show(as_table(rank(done), output.width()))
    if any(record.outcome.kind == "failure" for record in done):
        raise typer.Exit(1)


@dataclass(frozen=True)
class Cells:
    """On what, and how, artifacts are measured, in the words of the command line."""

    device: str
    runtimes: list[str]
    compute_unit: str
    threads: list[int]
    protocol: str


def measure_all(
    artifacts: list[Artifact], cells: Cells, store: str | None, done: list[Record]
) -> None:
    """Measure every cell under a progress bar; each record is stored, and added to `done`, at
    once."""
    from mobilebench import pipeline
    from mobilebench.api import parse_compute_unit
    from mobilebench.cli.progress import MatrixProgress
    from mobilebench.protocol import protocol as find_protocol
    from mobilebench.store import RecordStore, default_url

    rule = find_protocol(cells.protocol)
    unit = parse_compute_unit(cells.compute_unit)
    count = len(artifacts) * len(cells.threads) * max(len(cells.runtimes), 1)
    with (
        RecordStore(store or default_url()) as kept,
        MatrixProgress(f"measure by {rule.id}", count) as progress,
    ):
        for record in pipeline.benchmark_cells(
            artifacts,
            device_id=cells.device,
            runtimes=cells.runtimes,
            threads=cells.threads,
            protocol=rule,
            compute_unit=unit,
            observer=progress,
        ):
            kept.add(record)
            done.append(record)


def compare_sides(
    artifacts: list[Artifact],
    cells: Cells,
    rule: Rule,
    pairs: int | None,
    confirm: bool,
    metrics: list[str] | None,
    store: str | None,
    done: list[Record],
) -> Report:
    """Measure the first half of the artifacts in turns with the second, and judge these."""
    from mobilebench import ab
    from mobilebench.api import parse_compute_unit
    from mobilebench.cli.progress import MatrixProgress
    from mobilebench.errors import UserError
    from mobilebench.protocol import protocol as find_protocol
    from mobilebench.store import RecordStore, default_url

    if len(artifacts) % 2:
        raise UserError(
            f"--ab was given {len(artifacts)} artifacts; give those of A and then as many of B."
        )
    setting = ab.Setting(
        cells.device,
        cells.runtimes,
        cells.threads,
        find_protocol(cells.protocol),
        parse_compute_unit(cells.compute_unit),
    )
    half = len(artifacts) // 2
    count = half * len(cells.threads) * max(len(cells.runtimes), 1)
    runs = 2 * count * (pairs or rule.pairs_needed(count))
    with (
        RecordStore(store or default_url()) as kept,
        MatrixProgress(f"compare by {cells.protocol}", runs) as progress,
    ):

        def keep(record: Record) -> None:
            kept.add(record)
            done.append(record)

        return ab.run(
            artifacts[:half],
            artifacts[half:],
            setting,
            rule,
            pairs=pairs,
            confirm=confirm,
            metrics=metrics,
            observer=progress,
            keep=keep,
        )
