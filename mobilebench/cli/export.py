"""`mobilebench export`: networks to phone formats, every file proven equal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output

if TYPE_CHECKING:
    from mobilebench.exporting.matrix import Exported
    from mobilebench.exporting.order import Terms
    from mobilebench.exporting.workers import Limits, Workers
    from mobilebench.values.artifact import Agreement
    from mobilebench.values.modelspec import Preprocessing
    from mobilebench.values.recipe import ExportRecipe
    from mobilebench.values.request import Request


def command(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="Names of the zoo, timm:NAME, FILE.py:FUNCTION or module:FUNCTION.",
        ),
    ],
    format: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            help="onnx, tflite, executorch or coreml; repeatable. "
            "Default: every format whose toolkit is installed.",
        ),
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            help="fp32, fp16, fp16-weights, int8, int8-io, int8-dynamic, int8-weights, palette6 or "
            "palette4; repeatable. Default: fp32. Not every format has all."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Deployment target, such as iOS17 or opset18.")
    ] = None,
    delegate: Annotated[
        str | None,
        typer.Option(
            help="What ExecuTorch lowers to: xnnpack, coreml, vulkan, qualcomm or ethos-u."
        ),
    ] = None,
    image_input: Annotated[
        bool,
        typer.Option(
            "--image-input",
            help="Make Core ML files that take RGB images and normalise them inside.",
        ),
    ] = False,
    class_labels: Annotated[
        Path | None,
        typer.Option(help="Names of the outputs, one on each line, that Core ML files answer by."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Folder of images that int8 takes its ranges from and quantized files are judged "
            "on. Default: noise, and every table says so."
        ),
    ] = None,
    mean: Annotated[
        str | None,
        typer.Option(
            help="Of your own model: mean by channel of the images it was trained on, in 0..1, "
            "such as 0.485,0.456,0.406."
        ),
    ] = None,
    std: Annotated[
        str | None, typer.Option(help="The deviation by channel, given together with --mean.")
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="Weights to load; without it they are random.")
    ] = None,
    ema: Annotated[bool, typer.Option(help="Take the checkpoint's averaged weights.")] = False,
    num_classes: Annotated[
        int, typer.Option(min=1, help="Classes of a zoo model, as in your checkpoint.")
    ] = 1000,
    resolution: Annotated[
        list[int] | None, typer.Option(help="Image size of a zoo or timm model; repeatable.")
    ] = None,
    input: Annotated[
        list[str] | None,
        typer.Option(help="Input of your own model, such as 1x3x224x224; repeatable, in order."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the artifacts.")] = Path("artifacts"),
    no_deploy: Annotated[
        bool,
        typer.Option(
            "--no-deploy",
            help="Export zoo models as the papers have them, not in their form for inference.",
        ),
    ] = False,
    allow_parity_failure: Annotated[
        bool,
        typer.Option(
            "--allow-parity-failure", help="Keep files that are not equal enough to PyTorch."
        ),
    ] = False,
    jobs: Annotated[
        int, typer.Option(min=1, help="Exports at the same time, each in its own process.")
    ] = min(2, os.cpu_count() or 1),
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Address of a dask scheduler whose workers export; they have to see checkpoints, "
            "models and images of your own at the same paths."
        ),
    ] = None,
    time_limit: Annotated[
        float, typer.Option(min=1, help="Seconds that one conversion may take.")
    ] = 1800.0,
    memory_limit: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Gigabytes that one conversion may hold. Default: nine tenths of this machine's.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option(help="Export again what is there already.")] = False,
    store: Annotated[
        str | None, typer.Option(help="Store that failed exports are recorded in.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
) -> None:
    """Export models and verify every file against PyTorch."""
    from mobilebench.errors import UserError
    from mobilebench.exporting.choosing import choose
    from mobilebench.exporting.order import Terms
    from mobilebench.exporting.workers import Limits
    from mobilebench.inputs import labels
    from mobilebench.inputs.source import InputSource
    from mobilebench.values.recipe import Form
    from mobilebench.values.request import Request
    from mobilebench.values.tensor import parse_tensor

    if checkpoint is not None and len(models) > 1:
        raise UserError(
            f"One checkpoint was given for {len(models)} models; export them one at a time."
        )
    inputs = tuple(
        parse_tensor(text, "input" if len(input or []) == 1 else f"input{index}")
        for index, text in enumerate(input or [])
    )
    sizes: list[int | None] = [*resolution] if resolution else [None]
    requests = [
        Request(
            reference=model,
            checkpoint=checkpoint,
            ema=ema,
            resolution=size,
            inputs=inputs,
            num_classes=num_classes,
            preprocessing=_preprocessing(mean, std),
        )
        for model in models
        for size in sizes
    ]
    terms = Terms(
        source=InputSource(calibration),
        image_input=image_input,
        class_labels=() if class_labels is None else labels.read(class_labels),
        force=force,
        allow_parity_failure=allow_parity_failure,
    )
    choice = choose(
        format or (),
        precision or ("fp32",),
        target=target,
        delegate=delegate,
        form=Form.PLAIN if no_deploy else Form.DEPLOYED,
        terms=terms,
    )
    for sentence in choice.left_out:
        output.tell(sentence)
    limits = replace(Limits.usual(), seconds=time_limit)
    if memory_limit is not None:
        limits = replace(limits, memory_bytes=int(memory_limit * 1e9))
    with _workers(jobs, limits, cluster, choice.recipes) as workers:
        done = export_all(requests, choice.recipes, out, terms, workers, store)
    if json:
        output.show_json([_plain(exported) for exported in done])
    else:
        show_exports(done)
    if any(exported.failed for exported in done):
        raise typer.Exit(1)


@contextmanager
def _workers(
    jobs: int, limits: Limits, address: str | None, recipes: Sequence[ExportRecipe]
) -> Iterator[Workers]:
    from mobilebench.exporting.remote import RemoteWorkers
    from mobilebench.exporting.workers import LocalWorkers
    from mobilebench.machine import cluster

    if address is None:
        yield LocalWorkers(jobs, limits)
        return
    with cluster.executor(address, extras={recipe.format for recipe in recipes}) as tasks:
        yield RemoteWorkers(tasks, tasks.slots, limits)


def _preprocessing(mean: str | None, std: str | None) -> Preprocessing | None:
    from mobilebench.errors import UserError
    from mobilebench.values.modelspec import Preprocessing

    if mean is None and std is None:
        return None
    if mean is None or std is None:
        raise UserError("--mean and --std belong together; one of them was given.")
    return Preprocessing(mean=_three("mean", mean), std=_three("std", std))


def _three(option: str, text: str) -> tuple[float, float, float]:
    from mobilebench.errors import UserError

    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(
            f"--{option} was given as {text!r}; give three numbers, such as 0.485,0.456,0.406."
        ) from None
    return red, green, blue


def export_all(
    requests: list[Request],
    recipes: Sequence[ExportRecipe],
    out: Path,
    terms: Terms,
    workers: Workers,
    store: str | None,
) -> list[Exported]:
    """Export every model by every recipe under a progress bar; failures go into the store."""
    from mobilebench import pipeline
    from mobilebench.cli.progress import MatrixProgress
    from mobilebench.store import RecordStore, default_url

    with MatrixProgress("export", len(requests) * len(recipes)) as progress:
        done = pipeline.export_matrix(
            requests, recipes, out, terms=terms, workers=workers, observer=progress
        )
    failed = [exported for exported in done if exported.failed and exported.model is not None]
    if failed:
        with RecordStore(store or default_url()) as records:
            for exported in failed:
                records.add(pipeline.record_of_failed_export(exported))
    return done


def show_exports(done: list[Exported]) -> None:
    """A table of what came out with its folders, and the end of the log of what did not."""
    from rich.table import Table

    from mobilebench.values.artifact import Artifact

    table = Table(header_style="bold", box=None, pad_edge=False)
    titles = ["model", "artifact", "outcome", "rel. error", "SNR dB", "top-1", "size MB"]
    if any(exported.recipe.precision.quantized for exported in done):
        titles.append("agreement")
    for title in titles:
        table.add_column(title, justify="left" if title in _WORDS else "right")
    for exported in done:
        label = exported.recipe.label
        if not isinstance(exported.outcome, Artifact):
            table.add_row(exported.name, label, f"failed: {exported.outcome.stage}", style="red")
            continue
        facts = exported.outcome.manifest.facts
        if facts.unverified:
            table.add_row(
                exported.name,
                label,
                _seconds(exported, facts.export_seconds),
                "not verified",
                "",
                "",
                f"{facts.size_bytes / 1e6:.2f}",
            )
        for index, parity in enumerate(facts.parity):
            table.add_row(
                exported.name if index == 0 else "",
                label if index == 0 else "",
                _seconds(exported, facts.export_seconds) if index == 0 else "",
                parity.error_text,
                parity.snr_text,
                "" if parity.top1_agreement is None else f"{parity.top1_agreement:.0%}",
                f"{facts.size_bytes / 1e6:.2f}",
                *_agreement(facts.agreement, len(titles) - 7),
                style=None if parity.passed else "red",
            )
    output.show(table)
    for exported in done:
        if exported.damage is not None:
            output.tell(f"made again, for it was damaged: {exported.damage}")
        if isinstance(exported.outcome, Artifact):
            output.show_text(f"{exported.outcome.folder}\n")
            unverified = exported.outcome.manifest.facts.unverified
            if unverified:
                output.tell(f"{exported.outcome.name} is not verified: {unverified}.")
    for exported in done:
        if not isinstance(exported.outcome, Artifact):
            failure = exported.outcome
            advice = f"; {failure.advice}" if failure.advice else ""
            output.complain(
                f"{exported.name} to {exported.recipe.label}: {failure.stage} failed: "
                f"{failure.error}: {failure.message}{advice}",
                failure.log_tail,
            )


_WORDS = ("model", "artifact", "outcome")


def _agreement(found: Agreement | None, cells: int) -> list[str]:
    """The share of inputs with PyTorch's class, where the table has a column for it."""
    from mobilebench.values.recipe import NOISE

    if found is None:
        return [""] * cells
    on = "noise" if found.source == NOISE else "images"
    return [f"{found.top1:.0%} of {found.inputs} ({on}){'' if found.passed else ' TOO LOW'}"]


def _seconds(exported: Exported, seconds: float) -> str:
    return "cached" if exported.cached else f"{seconds:.1f} s"


def _plain(exported: Exported) -> dict[str, object]:
    from mobilebench.values import wire
    from mobilebench.values.artifact import Artifact

    outcome = exported.outcome
    return {
        "model": exported.name,
        "recipe": wire.to_plain(exported.recipe),
        "cached": exported.cached,
        "folder": str(outcome.folder) if isinstance(outcome, Artifact) else None,
        "manifest": wire.to_plain(outcome.manifest) if isinstance(outcome, Artifact) else None,
        "failure": None if isinstance(outcome, Artifact) else wire.to_plain(outcome),
    }
