"""`mobilebench eval`: measure accuracy on the images of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.artifacts import opened_among
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import (
    JOBS,
    Adopt,
    Artifacts,
    Cluster,
    Filter,
    Inputs,
    Json,
    Resize,
    Runtime,
    Std,
    Store,
    Threads,
    preprocessing_of,
)
from mobilebench.notation import quantities

if TYPE_CHECKING:
    from rich.table import Table

    from mobilebench.errors import CellFailed, UserError
    from mobilebench.inputs.folder import ImageFolder
    from mobilebench.values.accuracy import Accuracy, Share
    from mobilebench.values.artifact import Artifact
    from mobilebench.values.modelspec import Interpolation, Preprocessing
    from mobilebench.verifying.evaluation import Evaluation, Options
    from mobilebench.verifying.journal import Journal

    Failed = tuple[str, CellFailed | UserError]
    """The name of an artifact, and why it has no result."""


def command(
    artifacts: Artifacts,
    data: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=Panel.IMAGES,
            help="Folder of images, with a folder for each class: DATA/CLASS/*.jpg.",
        ),
    ],
    classes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=Panel.IMAGES,
            help="File that names the folder of each of the network's scores, one per line, in "
            "their order. Default: the folders by name.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            help="At most this many images, evenly spaced over all classes.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="File for the results, as JSON. With it, an evaluation that was stopped resumes.",
        ),
    ] = None,
    per_class: Annotated[
        Path | None,
        typer.Option(
            "--per-class",
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="File for the counts by class, as CSV.",
        ),
    ] = None,
    runtime: Runtime = None,
    threads: Threads = 1,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            metavar="N",
            rich_help_panel=Panel.WORK,
            help="Batches of files at the same time, each in a separate process.",
        ),
    ] = JOBS,
    batch_of_files: Annotated[
        int | None,
        typer.Option(
            "--batch-of-files",
            min=1,
            metavar="N",
            rich_help_panel=Panel.WORK,
            help="Images per start of a runtime. Default: 256, fewer of large ones.",
        ),
    ] = None,
    cluster: Cluster = None,
    skip_unreadable: Annotated[
        bool,
        typer.Option(
            "--skip-unreadable",
            rich_help_panel=Panel.IMAGES,
            help="Leave out images that cannot be read, and count them.",
        ),
    ] = False,
    mean: Annotated[
        str | None,
        typer.Option(
            metavar="R,G,B",
            rich_help_panel=Panel.IMAGES,
            help="Channel means by which images are normalised, in 0..1, for artifacts that do not "
            "state them: 0.485,0.456,0.406.",
        ),
    ] = None,
    std: Std = None,
    resize: Resize = None,
    interpolation: Filter = None,
    inputs: Inputs = None,
    adopt: Adopt = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Evaluate artifacts on real images: top-1 and top-5, with intervals.

    Images are prepared as by the network's authors, or by --mean, --std, --resize and
    --interpolation where these are not known. Each result goes into the store, and `leaderboard`
    shows it beside the latency of the same file. An artifact that cannot be judged on the images is
    left out. Exit code 1 where one is damaged or fails; the others are evaluated all the same.
    """
    from mobilebench.files import is_special
    from mobilebench.inputs.folder import ImageFolder
    from mobilebench.values import wire
    from mobilebench.verifying.evaluation import Options
    from mobilebench.verifying.journal import Journal
    from mobilebench.verifying.ranking import as_csv

    stated = preprocessing_of(mean, std)
    opening, refused = opened_among(artifacts, inputs, adopt)
    folder = ImageFolder.find(data, classes)
    if limit is not None:
        folder = folder.limited(limit)
    options = Options(
        runtime=runtime,
        threads=threads,
        part_images=batch_of_files,
        skip_unreadable=skip_unreadable,
    )
    evaluations, failed = planned(opening, stated, resize, interpolation, folder, options)
    # A device or a pipe has no neighbour in which answers could be kept.
    journal = None if out is None or is_special(out) else Journal.beside(out)
    results = evaluate_all(evaluations, failed, journal, jobs, cluster, store)
    plain = [wire.to_plain(result) for result in results]
    if out is not None and results:
        output.save_json(out, plain)
    if per_class is not None and results:
        output.save(per_class, as_csv(results))
    for path in (out, per_class):
        if path is not None and not results:
            output.tell(f"not written: {path}, since nothing was evaluated")
    if json:
        output.show_json(plain)
    elif results:
        output.show_plain(as_table(results))
        for sentence in remarks(results):
            output.tell(sentence)
    for name, error in failed:
        output.complain(f"{name}: {error}", getattr(error, "log_tail", ""))
    if failed or refused:
        raise typer.Exit(1)
    if journal is not None:
        journal.discard()


def planned(
    artifacts: list[Artifact],
    stated: Preprocessing | None,
    resize: int | None,
    interpolation: Interpolation | None,
    data: ImageFolder,
    options: Options,
) -> tuple[list[Evaluation], list[Failed]]:
    """Plan evaluations; tell which artifacts are left out and why.

    Returns also the files that cannot be run. Raises the first error where nothing is left.
    """
    from mobilebench.errors import CellFailed, UserError
    from mobilebench.verifying.evaluation import Evaluation

    evaluations: list[Evaluation] = []
    failed: list[Failed] = []
    refused: list[tuple[str, UserError]] = []
    for artifact in artifacts:
        try:
            prepared = artifact.preprocessed(stated, resize, interpolation)
            evaluations.append(Evaluation.plan(prepared, data, options))
        except UserError as error:
            refused.append((artifact.name, error))
        except CellFailed as error:
            failed.append((artifact.name, error))
    if not evaluations:
        raise next(error for _, error in (*refused, *failed))
    for name, refusal in refused:
        sentence = str(refusal)
        output.tell(f"left out: {sentence if name in sentence else f'{name}: {sentence}'}")
    return evaluations, failed


def evaluate_all(
    evaluations: list[Evaluation],
    failed: list[Failed],
    journal: Journal | None,
    jobs: int,
    cluster: str | None,
    store: str | None,
) -> list[Accuracy]:
    """Evaluate artifacts one by one under a progress bar; go on after a failed one.

    Each result is stored as soon as it exists. Failed ones are added to `failed`. Raises
    `ImageError` for an image that cannot be read, since all artifacts get the same images.
    """
    from mobilebench.cli.progress import counting
    from mobilebench.errors import CellFailed, ImageError, UserError
    from mobilebench.store import RecordStore

    results = []
    with RecordStore(store) as stored, _executor(evaluations, jobs, cluster) as executor:
        for evaluation in evaluations:
            name = evaluation.artifact.name
            try:
                with counting(name, len(evaluation.data.images), "images") as counted:
                    result = evaluation.run(
                        executor,
                        journal=journal,
                        counted=counted,
                        transport="local process" if cluster is None else "dask",
                    )
                stored.add_accuracy(result)
                results.append(result)
            except ImageError:
                raise
            except (CellFailed, UserError) as error:
                failed.append((name, error))
    return results


@contextmanager
def _executor(evaluations: list[Evaluation], jobs: int, address: str | None) -> Iterator[Executor]:
    from mobilebench.machine import cluster

    if address is None:
        with cluster.local(jobs) as executor:
            yield executor
    else:
        formats = {evaluation.artifact.manifest.recipe.format for evaluation in evaluations}
        with cluster.executor(address, extras=formats) as executor:
            yield executor


def as_table(results: list[Accuracy]) -> Table:
    """Build a table with a row for each artifact; the change is against the first.

    It is blank where images were prepared otherwise than for the first.
    """
    from mobilebench.leaderboard.preparation import basis

    numbers = ("images", "top-1 %", "95 % interval", "change", "top-5 %", "95 % interval", "size")
    compared = basis(results[:1])
    table = output.columns(
        "model", "artifact", "evaluated by", "resized", *(f"{title}>" for title in numbers)
    )
    first = results[0].top1.value
    for result in results:
        top1, top5 = result.top1, result.top5
        change = None if top1.value is None or first is None else top1.value - first
        if not compared.has(result):
            change = None  # of other preparation, not of the artifact
        table.add_row(
            result.model.title,
            result.recipe.label,
            result.evaluated_by,
            f"{result.preprocessing.resize(result.resolution)} {result.preprocessing.filter}",
            str(result.images),
            _percent(top1),
            _interval(top1),
            "" if result is results[0] or change is None else f"{100 * change:+.2f}",
            "" if top5 is None else _percent(top5),
            "" if top5 is None else _interval(top5),
            quantities.size(result.artifact.size_bytes),
        )
    return table


def remarks(results: list[Accuracy]) -> list[str]:
    """Return what the user should know besides the table, in sentences."""
    sentences = list(_preparations(results))
    data = results[0].data
    if data.images < data.available:
        sentences.append(f"Judged on {data.images} of {data.available} images.")
    if data.unreadable:
        sentences.append(
            f"{_images(len(data.unreadable))} could not be read and left out: "
            f"{', '.join(data.unreadable[:3])}{' ...' if len(data.unreadable) > 3 else ''}"
        )
    for result in results:
        name = f"{result.model.title} {result.recipe.label}"
        if result.not_finite:
            sentences.append(
                f"{name}: the scores for {_images(result.not_finite)} are not finite; wrong."
            )
        weights = result.model.weights
        if weights is not None and weights.origin == "random":
            sentences.append(
                f"{name} has random weights: its accuracy says nothing about the network."
            )
    return sentences


def _preparations(results: list[Accuracy]) -> Iterator[str]:
    """Yield how images were prepared; with the names of the artifacts where that differs."""
    by_preparation: dict[str, list[str]] = {}
    for result in results:
        name = f"{result.model.title} {result.recipe.label}"
        by_preparation.setdefault(result.preparation, []).append(name)
    for preparation, names in by_preparation.items():
        whose = f" for {', '.join(names)}" if len(by_preparation) > 1 else ""
        yield f"Images{whose}: {preparation}."


def _percent(share: Share) -> str:
    return "" if share.value is None else f"{100 * share.value:.2f}"


def _interval(share: Share) -> str:
    if share.interval is None:
        return ""
    low, high = share.interval
    return f"{100 * low:.2f} to {100 * high:.2f}"


def _images(number: int) -> str:
    return quantities.counted(number, "image")
