"""Prediction: an artifact's outputs, by a runtime of this machine or its format's evaluator."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Event

from mobilebench import plugins
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.machine.isolated import Cell
from mobilebench.values.artifact import Artifact

Predicted = tuple[str, list[Batch]]
"""Name and version of what computed, and the outputs for every batch of inputs."""

_EVALUATOR_TIMEOUT_S = 1800.0


def by_runtime(
    artifact: Artifact,
    batches: Sequence[Batch],
    cancel: Event | None = None,
    *,
    runtime: str | None = None,
    threads: int = 1,
) -> Predicted | None:
    """By a runtime of this machine, the usual one by default; None where none runs the format.

    Raises `UserError` for a runtime that does not, `CellFailed` where it fails.
    """
    host, recipe = plugins.runner("host"), artifact.manifest.recipe
    usual = host.runtimes(recipe.format, recipe.delegate)[:1]
    chosen = runtime or next(iter(usual), None)
    if chosen is None:
        return None
    return host.predict("host", artifact, chosen, batches, cancel, threads)


def by_evaluator(
    artifact: Artifact,
    batches: Sequence[Batch],
    cancel: Event | None = None,
    *,
    process: Cell | None = None,
) -> Predicted | None:
    """By the evaluator of the file (see `Exporter.evaluator`), in a process that has loaded its
    toolkit or in one of its own; None where it has none."""
    recipe = artifact.manifest.recipe
    evaluator = plugins.exporter(recipe.format).evaluator(recipe)
    if evaluator is None:
        return None
    with tempfile.TemporaryDirectory(prefix="mobilebench-evaluate-") as name:
        asked, answered = Path(name) / "inputs.npz", Path(name) / "outputs.npz"
        seeded.save_batches(asked, batches)
        request = {
            "model": str(artifact.model_path.resolve()),
            "inputs": str(asked),
            "outputs": str(answered),
        }
        with nullcontext(process) if process else Cell(cancel=cancel) as chosen:
            answer = chosen.call(evaluator, request, stage="parity", timeout_s=_EVALUATOR_TIMEOUT_S)
        return answer["evaluated_by"], list(seeded.load_batches(answered))
