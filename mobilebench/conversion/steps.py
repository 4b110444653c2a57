"""Prepare and convert networks: the torch side of an export, run in a child process."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from mobilebench import plugins
from mobilebench.conversion import eager, loading, origins, preflight
from mobilebench.conversion.loading import LoadedModel
from mobilebench.conversion.merging import examine, without_branches
from mobilebench.conversion.program import program_sha256
from mobilebench.deploy import deploy, target_of
from mobilebench.errors import (
    CellFailed,
    MobilebenchWarning,
    ModelRefused,
    OutputError,
    QuantizationFailed,
    UserError,
)
from mobilebench.exporting import preparation
from mobilebench.exporting.bundle import Converted
from mobilebench.exporting.preparation import Prepared
from mobilebench.files import write_advice
from mobilebench.inputs import images, seeded
from mobilebench.inputs.source import InputSource
from mobilebench.machine import host
from mobilebench.machine.process import tail
from mobilebench.values.graph import Operation
from mobilebench.values.measurement import Stage
from mobilebench.values.recipe import ExportRecipe, Form
from mobilebench.values.request import Request, is_own
from mobilebench.verifying import parity
from mobilebench.verifying.reference import Reference
from mobilebench.zoo.fingerprint import fingerprint


def prepare(
    request: Request,
    recipes: tuple[ExportRecipe, ...],
    source: InputSource,
    image_input: bool,
    folder: Path,
) -> None:
    """Load a network, run preflight on it and write its preparation into a folder."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MobilebenchWarning)
        networks = map(loading.load, request.each)
        own = is_own(request.reference)
        prepare_each(networks, recipes, source, image_input, folder, caught, own=own)


def prepare_each(
    networks: Iterable[LoadedModel],
    recipes: Sequence[ExportRecipe],
    source: InputSource,
    image_input: bool,
    folder: Path,
    caught: Sequence[warnings.WarningMessage] = (),
    *,
    own: bool = True,
) -> None:
    """Write the preparation of a network, or of its widths, the widest first.

    `caught` collects the warnings meanwhile; otherwise as `prepare_loaded`.
    """
    widths = [prepare_loaded(each, recipes, source, image_input, own=own) for each in networks]
    sentences = [str(w.message) for w in caught if issubclass(w.category, MobilebenchWarning)]
    (widest, *references), *others = widths
    narrower = tuple(prepared for prepared, *_ in others)
    prepared = replace(widest, warnings=tuple(dict.fromkeys(sentences)), narrower=narrower)
    for position, (each, *of_width) in enumerate(others, start=1):
        place = preparation.of_width(folder, position)
        place.mkdir()
        preparation.write(place, each, *of_width)
    preparation.write(folder, prepared, *references)


def prepare_loaded(
    loaded: LoadedModel,
    recipes: Sequence[ExportRecipe],
    source: InputSource,
    image_input: bool,
    *,
    own: bool = True,
) -> tuple[Prepared, Reference, Reference]:
    """Return a network's preparation and the references that its files must match.

    `own` is whether its code may be the user's, so that its graph tells it from others.

    The references are PyTorch's outputs on seeded inputs, and on images where there are any. Raises
    `ModelRefused` where the network must not be exported, `UserError` where there are images and it
    takes none.
    """
    normalisation = images.image_input(loaded.spec) if image_input else None
    checked, drawn = preflight.preflight(loaded.module, loaded.spec, parity.INPUTS)
    if own:
        digest = program_sha256(loaded.module, _example(loaded))
        checked = replace(checked, program_sha256=digest)
    merging = examine(loaded.module, _example(loaded), loaded.spec.name)
    checked = replace(checked, branches=merging)
    thresholds = bool(checked.passed_over)
    candidates = parity.INPUTS * (eager.MOST_DRAWS if thresholds else 1)
    image_batches, image_outputs = eager.on_images(
        loaded.module,
        source.for_parity(loaded.spec, candidates, normalisation),
        parity.INPUTS,
        normalisation,
        thresholds=thresholds,
    )
    # Half precision is slow on a CPU, and only a network with thresholds is judged by it.
    if preparation.needs_half_precision(recipes) and thresholds:
        if image_batches:
            inputs = (seeded.of_network(batch, normalisation) for batch in image_batches)
            error = eager.half_precision_error_on(loaded.module, inputs, image_outputs)
        else:
            error = eager.half_precision_error(loaded.module, loaded.spec, drawn)
        checked = replace(checked, half_precision_error=error)
    classes = None
    if preparation.needs_agreement(recipes):
        parts = source.for_agreement(loaded.spec, normalisation, drawn.normalisation)
        classes = eager.classes(loaded.module, parts, normalisation)
    prepared = Prepared(
        model=loading.with_macs(loaded).spec,
        fingerprint=checked.fingerprint,
        preflight=checked,
        classes=classes,
        on_calibration=source.only_calibration,
    )
    return (
        prepared,
        Reference(inputs=(), outputs=drawn.outputs),
        Reference(inputs=image_batches, outputs=image_outputs, images=True),
    )


def convert(
    request: Request, recipe: ExportRecipe, expected: str, source: InputSource, folder: Path
) -> Converted:
    """Load a network, convert it by a recipe and read the file back.

    Raises `ModelRefused` where its fingerprint is not `expected`, otherwise as `convert_loaded`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MobilebenchWarning)  # its preparation reports them
        loaded, *narrower = map(loading.load, request.each)
    if fingerprint(loaded.module) != expected:
        raise ModelRefused(
            f"{request.reference} builds another network each time it is called; give its weights "
            f"a fixed seed or a checkpoint."
        )
    converted = convert_loaded(loaded, recipe, source, folder, narrower)
    return replace(converted, peak_memory_bytes=host.peak_memory_bytes())


def convert_loaded(
    loaded: LoadedModel,
    recipe: ExportRecipe,
    source: InputSource,
    folder: Path,
    narrower: Sequence[LoadedModel] = (),
) -> Converted:
    """Write the model file of a recipe into a folder and read it back.

    It holds the `narrower` widths of the network, too, where there are any. Raises `CellFailed`
    where the toolkit fails, with the line of the user's code that the named operation comes from,
    and `OutputError` where the folder cannot be written.
    """
    exporter = plugins.exporter(recipe.format)
    module = loaded.module
    try:
        module = deployed(loaded, recipe)
        if narrower:
            modules = [module, *(deployed(each, recipe) for each in narrower)]
            path = exporter.export_together(modules, loaded.spec.inputs, recipe, folder)
            weights = exporter.weights(path)
            entries = {name: dict(weights[name]) for name in exporter.entries(recipe.widths)}
            structure = exporter.inspect(path)
            return Converted(model_file=path.name, structure=structure, entries=entries)
        calibration = source.for_calibration(loaded.spec) if recipe.calibration else ()
        path = exporter.export(module, loaded.spec.inputs, recipe, folder, calibration)
        return Converted(model_file=path.name, structure=exporter.inspect(path))
    except (CellFailed, UserError):
        raise
    except Exception as error:
        advice = write_advice(error)
        if advice is not None:
            raise OutputError(f"Could not write {folder.parent}: {advice}.") from error
        trace = tail("".join(traceback.format_exception(error)))
        cause = _root(error)
        place = origins.of(cause, module, _example(loaded))
        message = _message(cause)
        if isinstance(error, QuantizationFailed):
            message = f"in quantization to {recipe.precision}: {message}"
        if place is None:
            raise CellFailed(Stage.EXPORT, type(cause).__name__, message, trace) from error
        message = f"{message} (from {place})"
        raise CellFailed(Stage.EXPORT, type(cause).__name__, message, trace).at(
            place.file, place.line
        ) from error


def locate(
    request: Request, recipe: ExportRecipe, operation: Operation, place: int, places: int
) -> str:
    """Load a network and find the source line of an operation of its file.

    Otherwise as `line_of`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MobilebenchWarning)
        loaded = loading.load(request.each[0])
    return line_of(loaded, recipe, operation, place, places)


def line_of(
    loaded: LoadedModel, recipe: ExportRecipe, operation: Operation, place: int, places: int
) -> str:
    """Find the source line of an operation of a network's file.

    It is the one at `place` of the `places` of its kind in its layer. Returns an empty text where
    the line is not known.
    """
    module = deployed(loaded, recipe)
    lines = origins.of_operation(
        operation.kind, operation.layer, place, places, module, _example(loaded)
    )
    return " or ".join(lines)


def _root(error: BaseException) -> BaseException:
    """Return the first error of a chain: toolkits wrap it in a more general one."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _message(error: BaseException) -> str:
    """Return the first paragraph of a toolkit's message."""
    # A KeyError quotes its message as Python code.
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    return " ".join(text.partition("\n\n")[0].split()) or type(error).__name__


def deployed(loaded: LoadedModel, recipe: ExportRecipe) -> nn.Module:
    """Return the network in the form that a recipe asks for."""
    if recipe.form is Form.PLAIN:
        return loaded.module
    example = _example(loaded)
    module = without_branches(loaded.module, example)
    return deploy(module, *example, target=target_of(recipe))


def _example(loaded: LoadedModel) -> Sequence[torch.Tensor]:
    inputs, how = loaded.spec.inputs, images.normalisation(loaded.spec)
    return [torch.from_numpy(array) for array in seeded.sample_of_network(inputs, 0, how)]
