"""`mobilebench slim search`: choose the widths that are worth their latency."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Json, Store, refuse_given
from mobilebench.cli.slim_options import (
    Cpu,
    Data,
    Model,
    Shared,
    Statistics,
    Workers,
    read_trained,
)

if TYPE_CHECKING:
    from mobilebench.slimmable.training.latencies import LatencyTable
    from mobilebench.slimmable.training.searching import Candidate


def command(
    ctx: typer.Context,
    model: Model,
    checkpoint: Shared,
    data: Data,
    latencies: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            rich_help_panel=Panel.SETTING,
            help="Measured latencies of the widths to choose from: a table, as .csv or .json, or "
            "records as for `check`: store:model=NAME, a file or a folder.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="File for the table of widths that `mobilebench simulate --widths` reads.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            help="Judge on this many images of val/, evenly spaced. Default: all.",
        ),
    ] = None,
    count: Statistics = 1024,
    workers: Workers = 4,
    cpu: Cpu = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Judge the widths of a table of latencies, and choose those worth their latency.

    A width is chosen where no faster one is as accurate. Weights do not change. A width that was
    not trained gets statistics from training images first.
    """
    from mobilebench.cli.progress import counting
    from mobilebench.slimmable.training import searching
    from mobilebench.slimmable.training.batches import TrainingData
    from mobilebench.values import wire

    if not latencies.startswith("store:"):
        refuse_given(ctx, ("store",), "is for records named store:CONDITIONS; leave it out")
    table = _latencies(latencies, model, store)
    trained, spec = read_trained(model, checkpoint)
    images = TrainingData.find(data)
    images.val.require_outputs(trained.num_classes, model)
    judged_on = images.val if limit is None else images.val.limited(limit)
    with counting(model, len(judged_on.images), "images") as counted:
        candidates = searching.judge(
            trained,
            spec,
            images,
            table,
            judged_on=judged_on,
            recalibrated_on=count,
            cpu=cpu,
            workers=workers,
            counted=counted,
        )
    front = searching.front(candidates)
    chosen = searching.in_falling_order(front)
    accuracy = f"{model}, {len(judged_on.images)} images of {images.val.folder.name}/"
    widths = searching.as_widths(chosen, table.source, f"measured by mobilebench slim: {accuracy}")
    if out is not None:
        wire.write(out, widths)
    if json:
        output.show_json(wire.to_plain(widths))
    else:
        _show_candidates(candidates, front, chosen)
    output.tell(f"Latencies: {table.source}. Accuracies: {accuracy}.")
    if out is not None:
        output.tell(f"written: {out}")


def _latencies(place: str, model: str, store: str | None) -> LatencyTable:
    from mobilebench.regress import baselines
    from mobilebench.slimmable.training import latencies
    from mobilebench.values import wire

    path = Path(place)
    if path.suffix.lower() == ".csv":
        return latencies.read(path)
    if path.is_file():
        content = wire.parse(path.read_bytes(), place)
        if isinstance(content, dict) and "latencies" in content:
            return latencies.read(path)
    return latencies.of_records(baselines.load(place, store), model)


def _show_candidates(
    candidates: list[Candidate], front: list[Candidate], chosen: list[Candidate]
) -> None:
    table = output.columns("width", "norms", "latency ms>", "top-1 %>", "chosen")
    for each in candidates:
        out_of_order = "no: narrower ones are slower" if each in front else "no"
        table.add_row(
            str(each.width),
            "recalibrated" if each.recalibrated else "trained",
            f"{each.latency_ms:.3f}",
            f"{each.top1:.2f}",
            "yes" if each in chosen else out_of_order,
        )
    output.show_plain(table)
