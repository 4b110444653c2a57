"""`mobilebench export`: export networks to phone formats and verify every file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import (
    JOBS,
    Cluster,
    ExportJobs,
    Filter,
    Json,
    Resize,
    Std,
    Store,
    listed,
    preprocessing_of,
)
from mobilebench.notation import quantities
from mobilebench.values.recipe import Format, Precision

if TYPE_CHECKING:
    from mobilebench.exporting.choosing import Choice
    from mobilebench.exporting.matrix import Exported
    from mobilebench.exporting.order import Terms
    from mobilebench.exporting.workers import Limits, Workers
    from mobilebench.values.artifact import Manifest
    from mobilebench.values.modelspec import Interpolation
    from mobilebench.values.recipe import ExportRecipe
    from mobilebench.values.request import Request
    from mobilebench.values.width import Width


def command(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            autocompletion=completions.models,
            help="Names of zoo models, timm:NAME, FILE.py:FUNCTION or module:FUNCTION; the "
            "function takes no arguments and returns the network.",
        ),
    ],
    format: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            autocompletion=completions.formats,
            rich_help_panel=Panel.FILES,
            help=f"{listed(Format)}; repeatable. Default: every format whose toolkit is installed.",
        ),
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            "--precision",
            "-p",
            metavar="KIND",
            autocompletion=completions.precisions,
            rich_help_panel=Panel.FILES,
            help=f"{listed(Precision.exported())}; repeatable. Default: fp32. Not every format "
            f"offers all.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=Panel.FILES, help="Deployment target, such as iOS17 or opset18."
        ),
    ] = None,
    delegate: Annotated[
        str | None,
        typer.Option(
            autocompletion=completions.delegates,
            rich_help_panel=Panel.FILES,
            help=f"Delegate of ExecuTorch: {listed(completions.DELEGATES)}.",
        ),
    ] = None,
    image_input: Annotated[
        bool,
        typer.Option(
            "--image-input",
            rich_help_panel=Panel.FILES,
            help="Make Core ML files that take RGB images and normalise them inside.",
        ),
    ] = False,
    class_labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=Panel.FILES,
            help="File of class names, one per line, by which Core ML files label their scores.",
        ),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=Panel.IMAGES,
            help="Folder of images for the ranges of int8, and for judging files of every "
            "precision. Default: seeded inputs, and tables of int8 state it.",
        ),
    ] = None,
    mean: Annotated[
        str | None,
        typer.Option(
            metavar="R,G,B",
            rich_help_panel=Panel.IMAGES,
            help="For your own model of images: channel means by which they are normalised, in "
            "0..1, such as 0.485,0.456,0.406. They give the range of the inputs to compare on.",
        ),
    ] = None,
    std: Std = None,
    resize: Resize = None,
    interpolation: Filter = None,
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--checkpoint",
            "-c",
            metavar="PATH",
            rich_help_panel=Panel.MODEL,
            help="Weights to load; without it they are random. For several models: one for each, "
            "in their order, or NAME=PATH.",
        ),
    ] = None,
    checkpoint_key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=Panel.MODEL,
            help="Entry of the checkpoint that holds the weights, such as ema.module. Default: the "
            "one that fits.",
        ),
    ] = None,
    ema: Annotated[
        bool,
        typer.Option(
            "--ema",
            rich_help_panel=Panel.MODEL,
            help="Load the averaged (EMA) weights of the checkpoint.",
        ),
    ] = False,
    num_classes: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.MODEL,
            help="Classes of a zoo or timm model, as in your checkpoint.",
        ),
    ] = None,
    resolution: Annotated[
        list[int] | None,
        typer.Option(
            "--resolution",
            "-r",
            metavar="PIXELS",
            rich_help_panel=Panel.MODEL,
            help="Image size of a zoo or timm model; repeatable.",
        ),
    ] = None,
    width: Annotated[
        list[str] | None,
        typer.Option(
            "--width",
            metavar="SHARE",
            rich_help_panel=Panel.MODEL,
            help="Share of the channels of a zoo model to keep, such as 0.5, or one for each "
            "stage, such as 1,0.75,0.5,0.5; repeatable. Default: all channels.",
        ),
    ] = None,
    together: Annotated[
        bool,
        typer.Option(
            "--together",
            rich_help_panel=Panel.FILES,
            help="Make one file of all widths, between which an application chooses.",
        ),
    ] = False,
    input: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="SHAPE",
            rich_help_panel=Panel.MODEL,
            help="Input of your own model, such as 1x3x224x224; repeatable, in order. Models of "
            "the zoo and of timm beside it keep their usual size.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            rich_help_panel=Panel.OUTPUT,
            help="Folder for the artifacts.",
        ),
    ] = Path("artifacts"),
    no_deploy: Annotated[
        bool,
        typer.Option(
            "--no-deploy",
            rich_help_panel=Panel.MODEL,
            help="Export zoo models as in the papers, not in their deployment form, and keep the "
            "branches that blocks have for training.",
        ),
    ] = False,
    allow_parity_failure: Annotated[
        bool,
        typer.Option(
            "--allow-parity-failure",
            rich_help_panel=Panel.WORK,
            help="Keep files that fail parity with PyTorch.",
        ),
    ] = False,
    jobs: ExportJobs = JOBS,
    cluster: Cluster = None,
    time_limit: Annotated[
        float,
        typer.Option(
            min=1,
            metavar="SECONDS",
            rich_help_panel=Panel.WORK,
            help="Seconds that one conversion may take.",
        ),
    ] = 1800.0,
    memory_limit: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=1e6,
            metavar="GB",
            rich_help_panel=Panel.WORK,
            help="Gigabytes that one conversion may use. Default: nine tenths of this machine's.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            rich_help_panel=Panel.WORK,
            help="Export again, even where the same file exists.",
        ),
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Export models and verify every file against PyTorch. Failed exports go into the store."""
    from mobilebench.exporting.choosing import choose
    from mobilebench.exporting.order import Terms
    from mobilebench.inputs import labels
    from mobilebench.inputs.source import InputSource
    from mobilebench.values.recipe import Form
    from mobilebench.values.width import Width, in_one_file
    from mobilebench.zoo import references

    failed = _show_error if json else _ignore
    for reference in models:
        with failed(reference):
            references.require(reference)
    with failed(None):
        shares = [Width.parse(text) for text in width or ()]
        widths = in_one_file(shares) if together else ()
        requests = _requests(
            models,
            checkpoint or (),
            checkpoint_key or (),
            ema,
            num_classes,
            resolution or (),
            shares,
            widths,
            input or (),
            mean,
            std,
            resize,
            interpolation,
        )
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
            widths=widths,
        )
    tell_left_out(choice)
    only = requests[0].name if len(requests) == 1 else None
    with (
        failed(only),
        _workers(jobs, _limits(time_limit, memory_limit), cluster, choice.recipes) as workers,
    ):
        results = export_all(requests, choice.recipes, out, terms, workers, store)
    if json:
        names = [request.name for request in requests for _ in choice.recipes]
        output.show_json(
            [_plain(name, exported) for name, exported in zip(names, results, strict=True)]
        )
    else:
        show_exports(results)
    if any(exported.failed for exported in results):
        raise typer.Exit(1)


def _requests(
    models: Sequence[str],
    checkpoints: Sequence[str],
    keys: Sequence[str],
    ema: bool,
    num_classes: int | None,
    sizes: Sequence[int],
    shares: Sequence[Width],
    together: tuple[Width, ...],
    inputs: Sequence[str],
    mean: str | None,
    std: str | None,
    resize: int | None,
    interpolation: Interpolation | None,
) -> list[Request]:
    """Read the networks that the command line names, each at every size and width.

    `together` are the widths of one file, instead of a file for each of `shares`.
    """
    from mobilebench.cli import assigning
    from mobilebench.errors import UserError
    from mobilebench.values.modelspec import prepared
    from mobilebench.values.request import Request
    from mobilebench.values.tensor import parse_tensor
    from mobilebench.zoo import references

    names = ["input"] if len(inputs) == 1 else [f"input{index}" for index in range(len(inputs))]
    tensors = tuple(parse_tensor(text, name) for text, name in zip(inputs, names, strict=True))
    preprocessing = prepared(preprocessing_of(mean, std), resize, interpolation, tensors)
    paths = assigning.checkpoints(models, checkpoints)
    if ema and not any(paths):
        raise UserError("--ema loads the averaged weights of a checkpoint; add --checkpoint.")
    if ema and keys:
        raise UserError("--ema and --checkpoint-key both choose the weights; give one of them.")
    chosen = assigning.checkpoint_keys(models, keys, paths)
    sized, cut, classified, fed, of_images = (
        assigning.takers(option, models)
        for option in ("resolution", "width", "num-classes", "input", "mean")
    )
    requests = [
        Request(
            reference=model,
            checkpoint=path,
            checkpoint_key=key,
            ema=ema and path is not None,
            resolution=size,
            inputs=tensors if model in fed else (),
            num_classes=num_classes if model in classified else None,
            preprocessing=preprocessing if model in of_images else None,
            width=share,
            widths=together,
        )
        for model, path, key in zip(models, paths, chosen, strict=True)
        for size in (model in sized and sizes) or (None,)
        for share in (model in cut and not together and shares) or (None,)
    ]
    for request in requests:
        references.require_options(request)
    return list(dict.fromkeys(requests))  # what is named twice is exported once


def _limits(seconds: float, memory_gb: float | None) -> Limits:
    from mobilebench.exporting.workers import Limits

    limits = replace(Limits.usual(), seconds=seconds)
    return limits if memory_gb is None else replace(limits, memory_bytes=int(memory_gb * 1e9))


def tell_left_out(choice: Choice) -> None:
    """Print what a choice of recipes left out."""
    for sentence in choice.left_out:
        output.tell(sentence)


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
    from mobilebench.cli.progress import follow
    from mobilebench.store import RecordStore

    with follow("export", len(requests) * len(recipes)) as progress:
        results = pipeline.export_matrix(
            requests, recipes, out, terms=terms, workers=workers, observer=progress
        )
    failures = [exported for exported in results if exported.failed and exported.model is not None]
    if failures:
        with RecordStore(store) as records:
            for exported in failures:
                records.add(pipeline.record_of_failed_export(exported))
    return results


def show_exports(results: Sequence[Exported]) -> None:
    """Show a table of the results with their folders, and the end of each failure's log."""
    from mobilebench.cli import tables
    from mobilebench.values.artifact import Artifact

    output.show_plain(tables.exports(results))
    for sentence in tables.weights_remarks(results):
        output.show_line(sentence)
    for exported in results:
        if exported.damage is not None:
            output.tell(f"exported again because it was damaged: {exported.damage}")
        if isinstance(exported.outcome, Artifact):
            output.show_line(str(exported.outcome.folder))
            for line in _widths(exported.outcome.manifest):
                output.show_line(line)
            unverified = exported.outcome.manifest.facts.unverified
            if unverified:
                output.tell(f"{exported.outcome.name} is not verified: {unverified}.")
    names = {
        exported.outcome.manifest.model.title: None
        for exported in results
        if isinstance(exported.outcome, Artifact) and exported.outcome.manifest.only_noise
    }
    if names:
        output.tell(
            f"compared on noise of unit variance only: {', '.join(names)}. The range of the real "
            f"inputs is not known; for a network of images, state --mean and --std, or give images "
            f"with --calibration as well."
        )
    for sentence in dict.fromkeys(_entries(results)):
        output.tell(sentence)
    for exported in results:
        if not isinstance(exported.outcome, Artifact):
            failure = exported.outcome
            advice = f"; {failure.advice}" if failure.advice else ""
            output.complain(
                f"{exported.name} to {exported.recipe.label}: {failure.stage} failed: "
                f"{failure.error}: {failure.message}{advice}",
                failure.log_tail,
            )


def _widths(manifest: Manifest) -> Iterator[str]:
    """Say of each width of a file what chooses it, and which weights it reads."""
    for width in manifest.widths:
        errors = ", ".join(result.error_text for result in width.parity) or "not known"
        yield (
            f"  {width.name}: {width.entry}, relative error {errors}, "
            f"{quantities.size(width.shared_bytes)} of weights shared, "
            f"{quantities.size(width.own_bytes)} its own"
        )


def _entries(results: Sequence[Exported]) -> Iterator[str]:
    """Say which entry of a checkpoint became the weights of each network."""
    for model in (exported.model for exported in results):
        key = model.weights.key if model is not None and model.weights is not None else None
        if model is not None and key is not None:
            yield f"{model.title}: weights from the entry {key!r} of its checkpoint."


@contextmanager
def _show_error(reference: str | None) -> Iterator[None]:
    """Print an error that ends the export as JSON too, in the form of one failed export.

    `reference` is the network that it is about; None where it is about the whole command.
    """
    from mobilebench.errors import CellFailed, UserError
    from mobilebench.failures import recorded
    from mobilebench.values import wire

    try:
        yield
    except (CellFailed, UserError) as error:
        output.show_json(
            [
                {
                    "reference": reference,
                    "model": None,
                    "recipe": None,
                    "cached": False,
                    "folder": None,
                    "manifest": None,
                    "failure": wire.to_plain(recorded(error)),
                }
            ]
        )
        raise


@contextmanager
def _ignore(_: str | None) -> Iterator[None]:
    """Leave errors to the one sentence on stderr."""
    yield


def _plain(reference: str, exported: Exported) -> dict[str, object]:
    from mobilebench.values import wire
    from mobilebench.values.artifact import Artifact

    outcome = exported.outcome
    return {
        "reference": reference,
        "model": exported.name,
        "recipe": wire.to_plain(exported.recipe),
        "cached": exported.cached,
        "folder": str(outcome.folder) if isinstance(outcome, Artifact) else None,
        "manifest": wire.to_plain(outcome.manifest) if isinstance(outcome, Artifact) else None,
        "failure": None if isinstance(outcome, Artifact) else wire.to_plain(outcome),
    }
