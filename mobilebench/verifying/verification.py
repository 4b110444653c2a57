"""Verification: an artifact's outputs, by every means this machine has, against PyTorch eager's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Event

from mobilebench import plugins
from mobilebench.errors import BundleError, CellFailed
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Array, Batch
from mobilebench.inputs.source import Samples
from mobilebench.machine.isolated import Cell
from mobilebench.values.artifact import (
    AGREEMENT_FILE,
    INPUTS_FILE,
    REFERENCE_FILE,
    Agreement,
    Artifact,
    Parity,
    ParityLimits,
)
from mobilebench.values.recipe import ExportRecipe
from mobilebench.verifying import parity, prediction
from mobilebench.verifying.prediction import Predicted


def verify(
    artifact: Artifact, *, cancel: Event | None = None, process: Cell | None = None
) -> tuple[Parity, ...]:
    """Compute an artifact's outputs by every means this machine has, and compare each with those
    of PyTorch that are in its bundle. Empty where no host has any means (`unverifiable`).

    `process` is one that has loaded the format's toolkit, if there is one.
    Raises `CellFailed` where a runtime cannot run it or none is at hand, `BundleError` where the
    bundle has lost its reference.
    """
    manifest = artifact.manifest
    recipe = manifest.recipe
    expected = _batches(artifact, REFERENCE_FILE, "the outputs to match")
    on_images = recipe.calibration is not None and recipe.calibration.on_images
    if on_images:
        batches = _batches(artifact, INPUTS_FILE, "the images it was compared on")
    else:
        batches = [seeded.sample(manifest.inputs, seed) for seed in manifest.facts.preflight.seeds]
    results = list(_predictions(artifact, batches, cancel, process))
    if not results and unverifiable(recipe) is None:
        raise _no_runtime(artifact)
    bound = parity.limits(recipe.precision, manifest.facts.preflight.half_precision_error)
    return tuple(
        replace(_compare(expected, outputs, evaluated_by, bound), images=on_images)
        for evaluated_by, outputs in results
    )


def unverifiable(recipe: ExportRecipe) -> str | None:
    """Why no host can compute what a recipe's file computes; None where one can."""
    return plugins.exporter(recipe.format).unverifiable(recipe)


def agree(
    artifact: Artifact,
    samples: Samples,
    *,
    cancel: Event | None = None,
    process: Cell | None = None,
) -> Agreement:
    """The share of the samples' inputs for which an artifact names the class that PyTorch named
    when it was made.

    Takes `process` and raises as `verify` does.
    """
    manifest = artifact.manifest
    [[classes]] = _batches(artifact, AGREEMENT_FILE, "the classes to match")
    found: list[int] = []
    evaluated_by = ""
    for part in samples.for_agreement(manifest.model, manifest.recipe.image_input):
        evaluated_by, outputs = next(_predictions(artifact, part, cancel, process), ("", None))
        if outputs is None:
            raise _no_runtime(artifact)
        found += [int(batch[0].argmax()) for batch in outputs]
    same = [ours == theirs for ours, theirs in zip(found, classes.tolist(), strict=True)]
    return Agreement(
        evaluated_by=evaluated_by,
        source=samples.agreement_source(),
        inputs=len(same),
        top1=sum(same) / len(same),
        least=parity.least_agreement(manifest.recipe.precision),
    )


def _no_runtime(artifact: Artifact) -> CellFailed:
    name = artifact.manifest.recipe.format
    return CellFailed("parity", "NoRuntime", f"nothing here can run {name} files")


def _batches(artifact: Artifact, name: str, what: str) -> list[list[Array]]:
    path = artifact.folder / name
    if not path.is_file():
        raise BundleError(
            f"The artifact {artifact.folder} has lost its {name}, {what}; export it again with "
            f"--force."
        )
    return seeded.load_batches(path)


def _predictions(
    artifact: Artifact,
    batches: Sequence[Batch],
    cancel: Event | None,
    process: Cell | None,
) -> Iterator[Predicted]:
    evaluated = prediction.by_evaluator(artifact, batches, cancel, process=process)
    if evaluated is not None:
        yield evaluated
    predicted = prediction.by_runtime(artifact, batches, cancel)
    if predicted is not None:
        yield predicted


def _compare(
    expected: Sequence[Sequence[Array]],
    outputs: Sequence[Sequence[Array]],
    evaluated_by: str,
    bound: ParityLimits,
) -> Parity:
    try:
        return parity.compare(expected, outputs, bound=bound, evaluated_by=evaluated_by)
    except ValueError as error:
        raise CellFailed("parity", "ShapeMismatch", str(error)) from error
