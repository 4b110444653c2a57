"""Compare a file's outputs with PyTorch's by every runtime and evaluator here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from mobilebench import plugins
from mobilebench.errors import CellFailed
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.inputs.source import InputSource
from mobilebench.machine.isolated import IsolatedProcess
from mobilebench.values.artifact import (
    AGREEMENT_FILE,
    Agreement,
    Artifact,
    Parity,
    ParityLimits,
    Preflight,
    WidthInFile,
)
from mobilebench.values.measurement import Stage
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe
from mobilebench.verifying import parity, prediction
from mobilebench.verifying.prediction import Predicted
from mobilebench.verifying.reference import Reference, drawn_as, load
from mobilebench.verifying.trial import Trial, judge

_TRIAL_SEED = 1000


def verify_bundle(artifact: Artifact, cancel: Event | None = None) -> tuple[Parity, ...]:
    """Verify an artifact against the reference in its bundle; otherwise as `verify`.

    Of a file of several widths the results of each follow each other. Raises `BundleError` where
    the bundle has lost its reference.
    """
    return tuple(result for _, results in verify_widths(artifact, cancel) for result in results)


def verify_widths(
    artifact: Artifact, cancel: Event | None = None
) -> Iterator[tuple[WidthInFile | None, tuple[Parity, ...]]]:
    """Verify each width of an artifact as `verify_bundle` does; None is an ordinary file."""
    for width in artifact.manifest.widths or (None,):
        one = artifact if width is None else artifact.of_width(width)
        narrower = None if width is None or width == artifact.manifest.widths[0] else width.name
        yield (
            width,
            verify(
                one.model_path,
                one.manifest.recipe,
                Reference.of_bundle(one, width=narrower),
                one.manifest.facts.of_export().half_precision_error,
                cancel,
                entry=None if width is None else width.entry,
            ),
        )


def verify(
    model_path: Path,
    recipe: ExportRecipe,
    reference: Reference,
    half_precision_error: float | None = None,
    cancel: Event | None = None,
    process: IsolatedProcess | None = None,
    entry: str | None = None,
) -> tuple[Parity, ...]:
    """Compute a file's outputs by every means installed here; compare them with PyTorch's.

    `entry` chooses a width of a file that holds several, by default the widest.

    Returns one result for each means; empty where no host has any (see `unverifiable`).
    `half_precision_error` is PyTorch's own, where it is known; `process` has loaded the format's
    toolkit. Raises `CellFailed` where a runtime cannot run the file or none is installed.
    """
    results = list(_predictions(model_path, recipe, reference.inputs, cancel, process, entry))
    if not results and unverifiable(recipe) is None:
        raise _no_runtime(recipe)
    bound = parity.limits(recipe.precision, half_precision_error)
    return tuple(
        replace(
            _compare(reference.outputs, outputs, evaluated_by, bound),
            images=reference.images,
            on_calibration=reference.on_calibration,
        )
        for evaluated_by, outputs in results
    )


def trials(artifact: Artifact, cancel: Event | None = None) -> tuple[Trial, ...]:
    """Run a file that has no reference twice, by every means installed here.

    Empty where no host can compute it. Raises as `verify` does.
    """
    manifest = artifact.manifest
    recipe, path = manifest.recipe, artifact.model_path
    inputs = seeded.samples(manifest.inputs, parity.INPUTS, _TRIAL_SEED)
    results = [
        judge(first[1], second[1], first[0])
        for first, second in zip(
            *(_predictions(path, recipe, inputs, cancel, None) for _ in range(2)), strict=True
        )
    ]
    return tuple(results)


def unverifiable(recipe: ExportRecipe) -> str | None:
    """Return why no host can compute a recipe's file, as a clause; None where one can."""
    return plugins.exporter(recipe.format).unverifiable(recipe)


def agree_bundle(artifact: Artifact, source: InputSource, cancel: Event | None = None) -> Agreement:
    """Compare an artifact with the classes in its bundle; otherwise as `agree`.

    Raises `BundleError` where the bundle has lost them.
    """
    manifest = artifact.manifest
    [[classes]] = load(artifact, AGREEMENT_FILE, "the classes to match")
    return agree(
        artifact.model_path,
        manifest.recipe,
        manifest.model,
        manifest.facts.of_export(),
        classes.tolist(),
        source,
        cancel,
    )


def agree(
    model_path: Path,
    recipe: ExportRecipe,
    model: ModelSpec,
    preflight: Preflight,
    classes: Sequence[int],
    source: InputSource,
    cancel: Event | None = None,
    process: IsolatedProcess | None = None,
) -> Agreement:
    """Return the share of a source's inputs for which a file names PyTorch's class.

    Takes `process` and raises as `verify` does.
    """
    labels: list[int] = []
    evaluated_by = ""
    for part in source.for_agreement(model, recipe.image_input, drawn_as(model, preflight)):
        predictions = _predictions(model_path, recipe, part, cancel, process)
        evaluated_by, outputs = next(predictions, ("", None))
        if outputs is None:
            raise _no_runtime(recipe)
        labels += [int(batch[0].argmax()) for batch in outputs]
    same = [ours == theirs for ours, theirs in zip(labels, classes, strict=True)]
    return Agreement(
        evaluated_by=evaluated_by,
        source=source.agreement_source(),
        inputs=len(same),
        top1=sum(same) / len(same),
        least=parity.least_agreement(recipe.precision),
        on_calibration=source.only_calibration and recipe.calibration is not None,
    )


def _no_runtime(recipe: ExportRecipe) -> CellFailed:
    return CellFailed(Stage.PARITY, "NoRuntime", f"nothing here can run {recipe.format} files")


def _predictions(
    model_path: Path,
    recipe: ExportRecipe,
    batches: Sequence[Batch],
    cancel: Event | None,
    process: IsolatedProcess | None,
    entry: str | None = None,
) -> Iterator[Predicted]:
    evaluated = prediction.by_evaluator(
        model_path, recipe, batches, cancel, process=process, entry=entry
    )
    if evaluated is not None:
        yield evaluated
    predicted = prediction.by_runtime(model_path, recipe, batches, cancel, entry=entry)
    if predicted is not None:
        yield predicted


def _compare(
    expected: Sequence[Batch], outputs: Sequence[Batch], evaluated_by: str, bound: ParityLimits
) -> Parity:
    try:
        return parity.compare(expected, outputs, bound=bound, evaluated_by=evaluated_by)
    except ValueError as error:
        raise CellFailed(Stage.PARITY, "ShapeMismatch", str(error)) from error
