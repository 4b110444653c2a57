"""Prediction: a file's outputs, by a runtime of this machine or its format's evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Event

from mobilebench import plugins
from mobilebench.inputs.exchange import exchange
from mobilebench.inputs.seeded import Batch
from mobilebench.machine.isolated import IsolatedProcess
from mobilebench.values.measurement import Stage
from mobilebench.values.recipe import ExportRecipe

Predicted = tuple[str, list[Batch]]
"""Name and version of what computed, and the outputs for every batch of inputs."""

_EVALUATOR_TIMEOUT_S = 1800.0


def by_runtime(
    model_path: Path,
    recipe: ExportRecipe,
    batches: Sequence[Batch],
    cancel: Event | None = None,
    *,
    runtime: str | None = None,
    threads: int = 1,
) -> Predicted | None:
    """Predict by a runtime of this machine, the usual one by default.

    None where none runs the format. Raises `UserError` for a runtime that does not run the
    recipe's file, `CellFailed` where it fails.
    """
    host = plugins.runner("host")
    usual = host.runtimes(recipe.format, recipe.delegate)[:1]
    name = runtime or next(iter(usual), None)
    if name is None:
        return None
    return host.predict("host", model_path, recipe, name, batches, cancel, threads)


def by_evaluator(
    model_path: Path,
    recipe: ExportRecipe,
    batches: Sequence[Batch],
    cancel: Event | None = None,
    *,
    process: IsolatedProcess | None = None,
) -> Predicted | None:
    """Predict by the evaluator of the file (see `Exporter.evaluator`); None where it has none.

    It runs in `process`, which has loaded its toolkit, or in a separate one.
    """
    evaluator = plugins.exporter(recipe.format).evaluator(recipe)
    if evaluator is None:
        return None
    with (
        exchange(batches) as arrays,
        nullcontext(process) if process else IsolatedProcess(cancel=cancel) as chosen,
    ):
        call = evaluator(model_path.resolve(), arrays.inputs, arrays.outputs)
        evaluated_by = chosen.call(call, stage=Stage.PARITY, timeout_s=_EVALUATOR_TIMEOUT_S)
        return evaluated_by, arrays.read()
