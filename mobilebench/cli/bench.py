"""`mobilebench bench`: measure artifacts on a device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output

if TYPE_CHECKING:
    from mobilebench.artifact import Artifact
    from mobilebench.record import Record


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
    protocol: Annotated[str, typer.Option(help="Measurement protocol.")] = "burst-1",
    store: Annotated[
        str | None,
        typer.Option(
            help="Path or SQLAlchemy URL. Default: MOBILEBENCH_STORE, else a file in "
            "your data folder."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """Measure latency, load time and memory; each record is stored as soon as it exists."""
    from mobilebench import wire
    from mobilebench.artifact import Artifact
    from mobilebench.leaderboard import rank
    from mobilebench.leaderboard.table import as_table

    found = [Artifact.load(folder) for folder in artifacts]
    records = measure_all(
        found, device, runtime or [], compute_unit, threads or [1], protocol, store
    )
    if json:
        output.show_json([wire.to_plain(record) for record in records])
    else:
        output.show(as_table(rank(records), output.width()))
    if any(record.outcome.kind == "failure" for record in records):
        raise typer.Exit(1)


def measure_all(
    artifacts: list[Artifact],
    device: str,
    runtimes: list[str],
    compute_unit: str,
    threads: list[int],
    protocol: str,
    store: str | None,
) -> list[Record]:
    """Measure every cell under a progress bar and store each record at once."""
    from mobilebench import pipeline
    from mobilebench.api import parse_compute_unit
    from mobilebench.cli.progress import MatrixProgress
    from mobilebench.protocol import protocol as find_protocol
    from mobilebench.store import RecordStore, default_url

    rule = find_protocol(protocol)
    unit = parse_compute_unit(compute_unit)
    kept = RecordStore(store or default_url())
    done: list[Record] = []
    cells = len(artifacts) * len(threads) * max(len(runtimes), 1)
    with MatrixProgress(f"measure by {rule.id}", cells) as progress:
        for record in pipeline.benchmark_cells(
            artifacts,
            device_id=device,
            runtimes=runtimes,
            threads=threads,
            protocol=rule,
            compute_unit=unit,
            observer=progress,
        ):
            kept.add(record)
            done.append(record)
    kept.close()
    return done
