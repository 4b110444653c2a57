"""Making the model file: in a fresh process for each recipe, or here for a module in memory."""

from __future__ import annotations

import traceback
from pathlib import Path
from threading import Event
from typing import Any

import torch
from torch import nn

from mobilebench import cell, plugins, wire
from mobilebench.artifact import LOG_FILE
from mobilebench.bundle import Made, Make
from mobilebench.calibration import Samples
from mobilebench.deploy import deploy, target_of
from mobilebench.errors import CellFailed, ModelRefused, OutputError, UserError, write_advice
from mobilebench.inputs import sample
from mobilebench.interfaces import Structure
from mobilebench.process import tail
from mobilebench.recipe import ExportRecipe, Form
from mobilebench.zoo.fingerprint import fingerprint
from mobilebench.zoo.loading import LoadedModel, Request, load

_TIMEOUT_S = 1800.0


def in_cell(request: Request, expected_fingerprint: str, samples: Samples) -> Make:
    """Load the network again in a fresh process and export it there."""

    def make(recipe: ExportRecipe, folder: Path, cancel: Event) -> Made:
        answer = cell.call(
            "mobilebench.making:export",
            {
                "request": wire.to_plain(request),
                "recipe": wire.to_plain(recipe),
                "fingerprint": expected_fingerprint,
                "folder": str(folder.resolve()),
                "images": None if samples.folder is None else str(samples.folder.resolve()),
            },
            stage="export",
            timeout_s=_TIMEOUT_S,
            cancel=cancel,
            log_to=folder / LOG_FILE,
        )
        structure = wire.from_plain(Structure, answer["structure"], "the cell's answer")
        return Made(folder / answer["model_file"], structure)

    return make


def in_this_process(loaded: LoadedModel, samples: Samples) -> Make:
    """Export a module that exists only in this process's memory."""

    def make(recipe: ExportRecipe, folder: Path, cancel: Event) -> Made:
        return _export(loaded, recipe, folder, samples)

    return make


def export(request: dict[str, Any]) -> dict[str, Any]:
    """Cell: load a network, export it, read the file back."""
    asked = wire.from_plain(Request, request["request"], "the cell's request")
    recipe = wire.from_plain(ExportRecipe, request["recipe"], "the cell's request")
    loaded = load(asked)
    if fingerprint(loaded.module) != request["fingerprint"]:
        raise ModelRefused(
            f"{asked.reference} builds another network each time it is called; give its weights "
            f"a fixed seed or a checkpoint."
        )
    images = request["images"]
    samples = Samples(None if images is None else Path(images))
    made = _export(loaded, recipe, Path(request["folder"]), samples)
    return {"model_file": made.model_path.name, "structure": wire.to_plain(made.structure)}


def deployed(loaded: LoadedModel, recipe: ExportRecipe) -> nn.Module:
    """The network in the form that a recipe asks for."""
    if recipe.form is Form.PLAIN:
        return loaded.module
    example = [torch.from_numpy(array) for array in sample(loaded.spec.inputs, seed=0)]
    return deploy(loaded.module, *example, target=target_of(recipe))


def _export(loaded: LoadedModel, recipe: ExportRecipe, folder: Path, samples: Samples) -> Made:
    exporter = plugins.exporter(recipe.format)
    try:
        module = deployed(loaded, recipe)
        path = exporter.export(
            module,
            loaded.spec.inputs,
            recipe,
            folder,
            samples.for_calibration(loaded.spec) if recipe.calibration else (),
        )
        return Made(path, exporter.inspect(path))
    except (CellFailed, UserError):
        raise
    except Exception as error:
        advice = write_advice(error)
        if advice is not None:
            raise OutputError(f"Could not write {folder.parent}: {advice}.") from error
        trace = "".join(traceback.format_exception(error))
        raise CellFailed("export", type(error).__name__, str(error), tail(trace)) from error
