"""The host runner: ONNX Runtime, LiteRT, ExecuTorch and, on macOS, Core ML on this machine.

Every cell runs in a fresh process, so that one runtime's arena or thread pool does not change the
next, and a crash or a hang is one recorded failure. Measurements of the host are labelled as
such wherever they are shown: they show nothing about a phone.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Event

from mobilebench.errors import CellFailed, MissingToolkit, UnknownName, UserError
from mobilebench.inputs.exchange import exchange
from mobilebench.inputs.seeded import Batch
from mobilebench.interfaces import Ran, Runner
from mobilebench.machine import host, isolated
from mobilebench.machine.isolated import Function, IsolatedCall
from mobilebench.measuring import job_folder, journal, performing, rounds, widths
from mobilebench.measuring.job_folder import JobFolder
from mobilebench.observer import Progress, SilentProgress
from mobilebench.values.artifact import Artifact
from mobilebench.values.attached import Attached, of_device
from mobilebench.values.device import Device
from mobilebench.values.job import Abilities, Job
from mobilebench.values.measurement import ComputeUnit, Stage
from mobilebench.values.policy import PolicyRule
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.values.record import Record
from mobilebench_device_runners import _executorch_errors

_HERE = "mobilebench_device_runners._runtimes"
PERFORM = Function[[str, Path], Path]("mobilebench_device_runners._host_process:perform", Path)
PREDICT = Function[[str, str, int, Path, Path, Path], str](
    "mobilebench_device_runners._host_process:predict", str
)
_PREDICTION_S = 2.0
"""Limit of one inference where nothing is measured. The slowest network of the zoo takes less, even
in kernels that are not tuned for 8 bits."""


@dataclass(frozen=True)
class RuntimeEntry:
    """Where to find a runtime, without importing it."""

    format: Format
    place: str
    """`module:Class` of its adapter."""
    library: str
    """The importable module that the adapter needs."""
    extra: str
    delegates: tuple[str, ...] = ()
    """Delegates that the runtime has, of formats that are lowered to one ahead of time."""


RUNTIMES: Mapping[str, RuntimeEntry] = {
    "onnxruntime": RuntimeEntry(Format.ONNX, f"{_HERE}:OnnxRuntime", "onnxruntime", "onnx"),
    "litert": RuntimeEntry(Format.TFLITE, f"{_HERE}:LiteRT", "ai_edge_litert", "tflite"),
    "executorch": RuntimeEntry(
        Format.EXECUTORCH,
        f"{_HERE}:ExecuTorch",
        "executorch",
        "executorch",
        # Its package carries Core ML's delegate on macOS only, and Vulkan's nowhere.
        ("xnnpack", "coreml") if platform.system() == "Darwin" else ("xnnpack",),
    ),
    "coreml": RuntimeEntry(Format.COREML, f"{_HERE}:CoreML", "coremltools", "coreml"),
}


class HostRunner:
    """Runs artifacts on this machine.

    `overhead_s` is what a cell may take besides its protocol.
    """

    scheme = "host"
    transport = "local process"
    title = "host"

    def __init__(
        self, runtimes: Mapping[str, RuntimeEntry] = RUNTIMES, overhead_s: float = 120.0
    ) -> None:
        self._runtimes = runtimes
        self._overhead_s = overhead_s

    def devices(self) -> tuple[Device, ...]:
        return (host.host_device(),)

    def attached(self, device_id: str | None = None) -> tuple[Attached, ...]:
        return tuple(
            of_device(device) for device in self.devices() if device_id in (None, device.id)
        )

    def runtimes(self, artifact_format: Format, delegate: str | None = None) -> tuple[str, ...]:
        return tuple(
            name
            for name, entry in self._runtimes.items()
            if entry.format == artifact_format
            and (delegate is None or delegate in entry.delegates)
            and (artifact_format != Format.COREML or platform.system() == "Darwin")
        )

    def run(
        self,
        device_id: str,
        artifact: Artifact,
        job: Job,
        cancel: Event | None = None,
        progress: Progress | None = None,
        variants: Sequence[Artifact] = (),
    ) -> Ran:
        self._entry_for(job)  # before a folder is written
        with job_folder.temporary(artifact, job, variants) as folder:
            given = job_folder.read(folder)
            self._perform(device_id, given, cancel, progress)
            written = given.journal()
            measured = performing.require_measured(journal.outcome(written, given.job))
            return Ran(measured, written.starts[-1].device)

    def perform(
        self,
        device_id: str,
        folder: Path,
        cancel: Event | None = None,
        progress: Progress | None = None,
    ) -> Record:
        given = job_folder.read(folder)
        try:
            self._perform(device_id, given, cancel, progress)
        except CellFailed as error:
            if given.journal_path.exists() and given.journal().ended:
                performing.write_record(given, self.transport, error)
            raise
        record = performing.write_record(given, self.transport)
        performing.require_measured(record.outcome)
        return record

    def _function(self, device_id: str, place: str, folder: Path) -> IsolatedCall[Path]:
        """Return what the separate process runs: a job on the runtime at `module:Class`."""
        return PERFORM(place, folder)

    def _perform(
        self,
        device_id: str,
        given: JobFolder,
        cancel: Event | None,
        progress: Progress | None,
    ) -> None:
        """Measure by the job in a folder, in a separate process; the journal is in it then."""
        job = given.job
        entry = self._entry_for(job)
        watch = rounds.Watch(given.journal_path, job.protocol, progress or SilentProgress())
        with _errors_in_words(entry):
            isolated.call(
                self._function(device_id, entry.place, given.path.resolve()),
                stage=Stage.RUN,
                timeout_s=self._overhead_s + job.protocol.longest_ns / 1e9,
                cancel=cancel,
                watch=watch.look,
            )

    def _entry_for(self, job: Job) -> RuntimeEntry:
        """Return the runtime of a job. Raises `UserError` where this machine cannot do the job."""
        entry = self._entry(job.runtime, job.format, job.delegate)
        abilities = Abilities(
            runtimes=tuple(self._runtimes),
            compute_units=(ComputeUnit.CPU,),
            policies=tuple(PolicyRule),
        )
        lack = abilities.lacks(job)
        if lack is not None:
            raise UserError(f"The {self.title} cannot do the job: {lack}; change what it asks for.")
        widths.require_possible(job)
        return entry

    def predict(
        self,
        device_id: str,
        model_path: Path,
        recipe: ExportRecipe,
        runtime: str,
        batches: Sequence[Batch],
        cancel: Event | None = None,
        threads: int = 1,
    ) -> tuple[str, list[Batch]]:
        entry = self._entry(runtime, recipe.format, recipe.delegate)
        with exchange(batches) as arrays, _errors_in_words(entry):
            model_path = model_path.resolve()
            evaluated_by = isolated.call(
                PREDICT(runtime, entry.place, threads, model_path, arrays.inputs, arrays.outputs),
                stage=Stage.PARITY,
                timeout_s=self._overhead_s + _PREDICTION_S * len(batches),
                cancel=cancel,
            )
            return evaluated_by, arrays.read()

    def _entry(self, runtime: str, artifact_format: Format, delegate: str | None) -> RuntimeEntry:
        entry = self._runtimes.get(runtime)
        if entry is None:
            raise UnknownName.among(f"runtime on the {self.title}", runtime, self._runtimes)
        if runtime not in self.runtimes(artifact_format, delegate):
            names = ", ".join(self.runtimes(artifact_format, delegate)) or "none here"
            lowered = f" for {delegate}" if delegate else ""
            raise UserError(
                f"The runtime {runtime} cannot run a {artifact_format} artifact{lowered} on this "
                f"machine; runtimes that can: {names}."
            )
        if find_spec(entry.library) is None:
            raise MissingToolkit(
                f"The runtime {runtime} needs the package {entry.library!r}, which is not "
                f"installed; run: pip install 'mobilebench[{entry.extra}]'"
            )
        return entry


@contextmanager
def _errors_in_words(entry: RuntimeEntry) -> Iterator[None]:
    """Raise the errors of a runtime that answers by codes in words."""
    try:
        yield
    except CellFailed as error:
        if entry.format != Format.EXECUTORCH:
            raise
        raise _executorch_errors.in_words(error) from error


PLUGIN: Runner = HostRunner()
