"""Compute a file's outputs, by a runtime here or by its format's evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Event

from mobilebench import plugins
from mobilebench.inputs.exchange import exchange
from mobilebench.inputs.seeded import Batch
from mobilebench.machine import isolated
from mobilebench.machine.isolated import Function, IsolatedProcess
from mobilebench.values.measurement import Stage
from mobilebench.values.recipe import ExportRecipe

Predicted = tuple[str, list[Batch]]
"""Name and version of the runtime or evaluator, and the outputs for every batch of inputs."""

_EVALUATOR_TIMEOUT_S = 1800.0
_OF_ENTRY = Function[[str, int, Path, str, Path, Path], str](
    "mobilebench_device_runners._host_process:predict_entry", str
)


def by_runtime(
    model_path: Path,
    recipe: ExportRecipe,
    batches: Sequence[Batch],
    cancel: Event | None = None,
    *,
    runtime: str | None = None,
    threads: int = 1,
    entry: str | None = None,
) -> Predicted | None:
    """Compute outputs by a runtime of this machine, by default the usual one.

    `entry` chooses a width of a file that holds several, by default the widest.
    None where no runtime here runs the format. Raises `UserError` for a runtime that does not run
    the recipe's file, `CellFailed` where it fails.
    """
    host = plugins.runner("host")
    usual = host.runtimes(recipe.format, recipe.delegate)[:1]
    name = runtime or next(iter(usual), None)
    if name is None:
        return None
    if entry is not None:
        with exchange(batches) as arrays:
            place = model_path.resolve()
            call = _OF_ENTRY(name, threads, place, entry, arrays.inputs, arrays.outputs)
            by = isolated.call(
                call, stage=Stage.PARITY, timeout_s=_EVALUATOR_TIMEOUT_S, cancel=cancel
            )
            return by, arrays.read()
    return host.predict("host", model_path, recipe, name, batches, cancel, threads)


def by_evaluator(
    model_path: Path,
    recipe: ExportRecipe,
    batches: Sequence[Batch],
    cancel: Event | None = None,
    *,
    process: IsolatedProcess | None = None,
    entry: str | None = None,
) -> Predicted | None:
    """Compute outputs by a file's evaluator (see `Exporter.evaluator`), of an entry if given.

    None where the file has no evaluator. It runs in `process`, which has loaded its toolkit, or in
    a separate one.
    """
    evaluator = plugins.exporter(recipe.format).evaluator(recipe)
    if evaluator is None:
        return None
    with (
        exchange(batches) as arrays,
        nullcontext(process) if process else IsolatedProcess(cancel=cancel) as chosen,
    ):
        call = evaluator(model_path.resolve(), arrays.inputs, arrays.outputs, entry)
        evaluated_by = chosen.call(call, stage=Stage.PARITY, timeout_s=_EVALUATOR_TIMEOUT_S)
        return evaluated_by, arrays.read()
