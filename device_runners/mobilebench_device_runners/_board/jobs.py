"""Do one job on a board, in the process that measures."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from mobilebench.errors import CellFailed, UserError
from mobilebench.files import write_text
from mobilebench.inputs import seeded
from mobilebench.measuring import job_folder, performing, widths
from mobilebench.measuring.performing import Runtime
from mobilebench.values.job import Abilities
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.policy import PolicyRule
from mobilebench_device_runners import _host_process
from mobilebench_device_runners._board.lock import alone
from mobilebench_device_runners._board.place import Board
from mobilebench_device_runners.host import RUNTIMES

TRANSPORT = "ssh"
_TFLITE = "mobilebench_device_runners._runtimes:TFLiteRuntime"
"""In the place of LiteRT where that has no wheel."""


def perform(folder: Path, identity: str) -> int:
    """Do the job in a folder, and write the record; return the exit status.

    A job that the board does not take leaves the reason in a file.
    """
    refusal = folder / job_folder.NO_RECORD_FILE
    refusal.unlink(missing_ok=True)
    try:
        given = job_folder.read(folder)
        with alone():
            _require_able(given.job.runtime, given)
            error: CellFailed | None = None
            try:
                performing.perform(folder, runtime_named(given.job.runtime), Board(identity))
            except CellFailed as failed:
                error = failed
            performing.write_record(given, TRANSPORT, error)
    except UserError as error_of_user:
        write_text(refusal, f"refused\n{error_of_user}\n")
        return 2
    return 0


def runtime_named(name: str) -> Callable[[], Runtime]:
    """Return what imports a runtime."""
    entry = RUNTIMES[name]
    place = entry.place
    if name == "litert" and find_spec(entry.library) is None and find_spec("tflite_runtime"):
        place = _TFLITE
    return lambda: _host_process.runtime_at(place)


def predict(runtime: str, threads: int, model: Path, inputs: Path, outputs: Path) -> str:
    """Compute outputs for batches of inputs; return the runtime's name with its version."""
    library = runtime_named(runtime)()
    loaded = library.load(model, threads)
    batches = [performing.outputs(loaded, batch) for batch in seeded.load_batches(inputs)]
    seeded.save_batches(outputs, batches)
    return f"{runtime} {library.version()}"


def _require_able(runtime: str, given: job_folder.JobFolder) -> None:
    abilities = Abilities(
        runtimes=tuple(RUNTIMES),
        compute_units=(ComputeUnit.CPU,),
        policies=tuple(PolicyRule),
    )
    lack = abilities.lacks(given.job)
    if lack is not None:
        raise UserError(f"The board cannot do the job: {lack}; change what it asks for.")
    widths.require_possible(given.job)
