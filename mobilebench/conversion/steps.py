"""Cells of an export, the part that needs torch: a network is prepared, and its files are made."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import torch
from torch import nn

from mobilebench import plugins
from mobilebench.conversion import loading, origins, preflight
from mobilebench.conversion.loading import LoadedModel
from mobilebench.deploy import deploy, target_of
from mobilebench.errors import CellFailed, MobilebenchWarning, ModelRefused, OutputError, UserError
from mobilebench.exporting import preparation
from mobilebench.exporting.bundle import Made
from mobilebench.exporting.preparation import Needs, Prepared, Reference
from mobilebench.exporting.workers import Task
from mobilebench.files import write_advice
from mobilebench.inputs import images
from mobilebench.inputs.seeded import sample
from mobilebench.inputs.source import Samples
from mobilebench.machine import host
from mobilebench.machine.process import tail
from mobilebench.observer import Step
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.recipe import ExportRecipe, Form
from mobilebench.values.request import Request
from mobilebench.verifying import parity
from mobilebench.zoo.fingerprint import fingerprint


@dataclass(frozen=True)
class InThisProcess:
    """Workers that export a network which exists only in this process's memory."""

    loaded: LoadedModel
    parallel: int = 1

    def prepare(
        self, request: Request, needs: Needs, samples: Samples, folder: Path, cancel: Event
    ) -> None:
        preparation.write(folder, *prepared(self.loaded, needs, samples))

    def build(self, task: Task, out_dir: Path, step: Step, cancel: Event) -> Artifact:
        def make_here(recipe: ExportRecipe, folder: Path, cancel: Event) -> Made:
            return make(self.loaded, recipe, folder, task.samples)

        return task.build(out_dir, make_here, step, cancel)


def prepare(asked: dict[str, Any]) -> dict[str, Any]:
    """Cell: load a network, put it through preflight and write what was found into a folder."""
    request = wire.from_plain(Request, asked["request"], "the cell's request")
    needs = wire.from_plain(Needs, asked["needs"], "the cell's request")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", MobilebenchWarning)
        found, reference = prepared(loading.load(request), needs, _samples(asked["images"]))
    sentences = [str(w.message) for w in told if issubclass(w.category, MobilebenchWarning)]
    found = replace(found, warnings=tuple(dict.fromkeys(sentences)))
    preparation.write(Path(asked["folder"]), found, reference)
    return {}


def prepared(loaded: LoadedModel, needs: Needs, samples: Samples) -> tuple[Prepared, Reference]:
    """What the exports of a network need to know, with PyTorch's outputs for parity.

    Raises `ModelRefused` where the network must not be exported.
    """
    how = images.image_input(loaded.spec) if needs.image_input else None
    passed, reference = preflight.preflight(loaded.module, loaded.spec, parity.INPUTS, how)
    # Half precision is slow on a CPU, and only a network with thresholds is judged by it.
    if needs.half_precision and passed.passed_over:
        error = preflight.half_precision_error(loaded.module, loaded.spec, reference)
        passed = replace(passed, half_precision_error=error)
    classes, taken = None, []
    if needs.agreement is not None:
        parts = samples.for_agreement(loaded.spec, how)
        classes = preflight.classes(loaded.module, parts, how)
        taken = samples.for_parity(loaded.spec, parity.INPUTS, how)
    found = Prepared(
        model=loading.with_macs(loaded).spec,
        fingerprint=fingerprint(loaded.module),
        preflight=passed,
        classes=classes,
    )
    of_images = preflight.outputs(loaded.module, taken, how)
    return found, Reference(reference.outputs, taken, of_images)


def export(asked: dict[str, Any]) -> dict[str, Any]:
    """Cell: load a network, export it, read the file back."""
    request = wire.from_plain(Request, asked["request"], "the cell's request")
    recipe = wire.from_plain(ExportRecipe, asked["recipe"], "the cell's request")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MobilebenchWarning)  # its preparation has said it
        loaded = loading.load(request)
    if fingerprint(loaded.module) != asked["fingerprint"]:
        raise ModelRefused(
            f"{request.reference} builds another network each time it is called; give its weights "
            f"a fixed seed or a checkpoint."
        )
    made = make(loaded, recipe, Path(asked["folder"]), _samples(asked["images"]))
    return {
        "model_file": made.model_path.name,
        "structure": wire.to_plain(made.structure),
        "peak_memory_bytes": host.peak_memory_bytes(),
    }


def make(loaded: LoadedModel, recipe: ExportRecipe, folder: Path, samples: Samples) -> Made:
    """Write the model file of a recipe into a folder and read it back.

    Raises `CellFailed` where the toolkit fails, with the line of the user's code that the named
    operation comes from, and `OutputError` where the folder cannot be written.
    """
    exporter = plugins.exporter(recipe.format)
    module = loaded.module
    try:
        module = deployed(loaded, recipe)
        calibration = samples.for_calibration(loaded.spec) if recipe.calibration else ()
        path = exporter.export(module, loaded.spec.inputs, recipe, folder, calibration)
        return Made(path, exporter.inspect(path))
    except (CellFailed, UserError):
        raise
    except Exception as error:
        advice = write_advice(error)
        if advice is not None:
            raise OutputError(f"Could not write {folder.parent}: {advice}.") from error
        trace = tail("".join(traceback.format_exception(error)))
        cause = _root(error)
        message = _message(cause, module, _example(loaded))
        raise CellFailed("export", type(cause).__name__, message, trace) from error


def _root(error: BaseException) -> BaseException:
    """What began it: toolkits wrap an error in general words."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _message(error: BaseException, module: nn.Module, example: Sequence[torch.Tensor]) -> str:
    """The first paragraph of a toolkit's words, and the line of code that they are about."""
    # A KeyError quotes its words as Python code.
    words = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    place = origins.of(error, module, example)
    first = " ".join(words.partition("\n\n")[0].split()) or type(error).__name__
    return first if place is None else f"{first} (from {place})"


def deployed(loaded: LoadedModel, recipe: ExportRecipe) -> nn.Module:
    """The network in the form that a recipe asks for."""
    if recipe.form is Form.PLAIN:
        return loaded.module
    return deploy(loaded.module, *_example(loaded), target=target_of(recipe))


def _example(loaded: LoadedModel) -> Sequence[torch.Tensor]:
    return [torch.from_numpy(array) for array in sample(loaded.spec.inputs, seed=0)]


def _samples(images: str | None) -> Samples:
    return Samples(None if images is None else Path(images))
