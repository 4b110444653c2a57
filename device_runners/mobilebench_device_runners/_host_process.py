"""Load a file and run it, in a separate process."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from mobilebench.inputs import seeded
from mobilebench.measuring import performing
from mobilebench.measuring.performing import Runtime


def perform(runtime_place: str, folder: Path) -> Path:
    """Do the job in a folder on the runtime at `module:Class`; see `performing.perform`."""
    return performing.perform(folder, lambda: runtime_at(runtime_place))


def predict(
    name: str, runtime_place: str, threads: int, model: Path, inputs: Path, predicted: Path
) -> str:
    """Compute outputs for batches of inputs, from one .npz to another.

    Return the name and version of the runtime.
    """
    runtime = runtime_at(runtime_place)
    with performing.stage("load"):
        loaded = runtime.load(model, threads)
    with performing.stage("run"):
        batches = [performing.outputs(loaded, batch) for batch in seeded.load_batches(inputs)]
    seeded.save_batches(predicted, batches)
    return f"{name} {runtime.version()}"


def predict_entry(
    name: str, threads: int, model: Path, entry: str, inputs: Path, predicted: Path
) -> str:
    """Compute outputs of an entry of a file of several widths, otherwise as `predict`.

    `name` is that of a runtime of the host.
    """
    from mobilebench_device_runners.host import RUNTIMES

    runtime: Any = runtime_at(RUNTIMES[name].place)
    with performing.stage("load"):
        loaded = runtime.load(model, threads, entry)
    with performing.stage("run"):
        batches = [performing.outputs(loaded, batch) for batch in seeded.load_batches(inputs)]
    seeded.save_batches(predicted, batches)
    return f"{name} {runtime.version()}"


def runtime_at(place: str) -> Runtime:
    """Import and construct the runtime at `module:Class`."""
    module, _, name = place.partition(":")
    runtime: Runtime = getattr(importlib.import_module(module), name)()
    return runtime
