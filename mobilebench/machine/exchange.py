"""Exchange arrays with a child process: batches of inputs in, batches of outputs out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.machine.isolated import Call, IsolatedProcess
from mobilebench.values.measurement import Stage


def predict(
    process: IsolatedProcess,
    call: Callable[[Path, Path], Call[str]],
    batches: Sequence[Batch],
    *,
    stage: Stage,
    timeout_s: float,
) -> tuple[str, list[Batch]]:
    """Run a call that reads inputs from one .npz and writes outputs to another.

    `call` makes it from the two paths. Return its answer, the name of the runtime or
    evaluator, and the outputs for every batch. Raises as `IsolatedProcess.call` does.
    """
    with tempfile.TemporaryDirectory(prefix="mobilebench-predict-") as name:
        inputs, outputs = Path(name) / "inputs.npz", Path(name) / "outputs.npz"
        seeded.save_batches(inputs, batches)
        evaluated_by = process.call(call(inputs, outputs), stage=stage, timeout_s=timeout_s)
        return evaluated_by, list(seeded.load_batches(outputs))
