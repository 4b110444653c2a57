"""Do one job as a device does: from its folder to the journal and the record in it.

This machine is the reference: a phone's app does the same in the same order. Another machine with a
runtime needs no more than `Runtime` and a way to bring the folder there and back.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from mobilebench.errors import CellFailed, UserError
from mobilebench.files import write_text, writing
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Array, Batch
from mobilebench.machine import host
from mobilebench.measuring import diagnoses, engine, job_folder, journal, widths
from mobilebench.measuring.job_folder import JobFolder
from mobilebench.measuring.journal import Journal, JournalWriter
from mobilebench.measuring.outputs import compare
from mobilebench.measuring.place import Host, Place
from mobilebench.values import wire
from mobilebench.values.evidence import UnitParity
from mobilebench.values.job import ParityCheck
from mobilebench.values.journal import End, Line, Load, LoadKind, Start
from mobilebench.values.measurement import Failure, Measurement, RuntimeInfo, UnitEvidence
from mobilebench.values.record import Record
from mobilebench.values.seen import Seen


class RuntimeModel(Protocol):
    """A model loaded in a runtime."""

    def encode(self, inputs: Sequence[Array]) -> list[Array]:
        """Convert the network's inputs to those of the file: unchanged, or in 8 bits."""

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Compute the outputs for encoded inputs, in the model's order."""

    def decode(self, outputs: Sequence[Array]) -> list[Array]:
        """Convert outputs to those of the network; the reverse of `encode`."""


class Runtime(Protocol):
    """One inference library; constructing it imports the library."""

    evidence: UnitEvidence
    """How certain it is that a loaded model computes on the CPU."""

    def version(self) -> str: ...

    def load(self, model_path: Path, threads: int, entry: str | None = None) -> RuntimeModel:
        """Load a file, or an entry of a file of several widths; see `Variant.entry`."""


_LOCK_FILE = ".lock"


def perform(folder: Path, runtime: Callable[[], Runtime], place: Place | None = None) -> Path:
    """Measure by the job in a folder; return the journal in it. `runtime` imports the library.

    The place is this machine, unless another is given. A job whose process was killed goes on with
    the round that had not ended. Raises `CellFailed` for a failure, which is in the journal too,
    `UserError` for a job that is done.
    """
    given = job_folder.read(folder)
    given.require_files()
    with _alone(given):
        writer, earlier = _opened(given)
        if earlier is None or not earlier.ended:
            failure = _measure(runtime(), given, writer, earlier, place or Host())
            if failure is not None:
                require_measured(failure)
    return given.journal_path


@contextmanager
def _alone(given: JobFolder) -> Iterator[None]:
    """Keep other processes from the journal. Raises `UserError` where one has it."""
    with writing(given.path):
        lock = FileLock(given.path / _LOCK_FILE, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise UserError(
                f"Another process does the job in {given.path} now; wait for its end."
            ) from error
    try:
        yield
    finally:
        lock.release()


def require_measured(outcome: Measurement | Failure) -> Measurement:
    """Return a measurement. Raises `CellFailed` for a failure."""
    if isinstance(outcome, Failure):
        raise CellFailed(outcome.stage, outcome.error, outcome.message, outcome.log_tail)
    return outcome


def write_record(
    given: JobFolder, transport: str, error: CellFailed | None = None, seen: Seen | None = None
) -> Record:
    """Write the record of a job beside its journal; return it.

    `error` is what is known outside the process of the failure in the journal, `seen` what a
    computer saw of another device.
    """
    record = record_of(given, given.journal(), uuid.uuid4().hex, transport, error, seen)
    write_text(given.record_path, wire.dumps(record) + "\n")
    return record


def _opened(given: JobFolder) -> tuple[JournalWriter, Journal | None]:
    """Open the journal, behind its last whole line; return what it holds, None where it is new."""
    path = given.journal_path
    if not path.exists() or b"\n" not in path.read_bytes():
        path.unlink(missing_ok=True)
        return JournalWriter(path), None
    earlier = given.journal()
    if earlier.ended and given.record_path.exists():
        raise UserError(
            f"The job in {given.path} is done, and its record is {given.record_path.name}; store "
            f"that with `mobilebench job read`, or write a new folder to measure again."
        )
    if earlier.remark is not None:
        shutil.copyfile(path, path.with_name(f"{path.name}.damaged"))
        os.truncate(path, earlier.size)
    return JournalWriter(path, len(earlier.lines)), earlier


def _measure(
    runtime: Runtime,
    given: JobFolder,
    writer: JournalWriter,
    earlier: Journal | None,
    place: Place,
) -> Failure | None:
    """Check the outputs and run the protocol, or what is left of it; return what failed."""
    job = given.job
    networks = _Networks()
    several = widths.several(job, networks.select)
    kinds = chain([LoadKind.FIRST if earlier is None else LoadKind.COLD], repeat(LoadKind.WARM))
    batch = seeded.sample(job.inputs, job.seed)
    start = _start(runtime, given, earlier, place)
    began_ns = place.instruments.clock() - start.t_ns
    writer.add(Line(n=0, start=start))

    def load(path: Path = given.model_path, entry: str | None = None) -> RuntimeModel:
        began = time.perf_counter_ns()
        with stage("load"):
            loaded = runtime.load(path, job.threads, entry)
        place.loaded(time.perf_counter_ns() - began)
        return loaded

    def load_to_time() -> engine.Infer:
        loaded = (
            [load(given.path / each.model_file, each.entry) for each in job.variants]
            if several
            else [load()]
        )
        networks.loaded = [
            place.inference(partial(each.run, each.encode(batch))) for each in loaded
        ]
        # One network is called without a detour, which would be timed.
        return networks.infer if several else networks.loaded[0]

    def keep(part: engine.Part) -> None:
        loads = tuple(Load(kind=next(kinds), ns=ns) for ns in part.load_ns)
        writer.add(journal.line_of(part, loads, host.peak_memory_bytes()))

    stopped, failure = None, None
    try:
        with stage("run"):
            if job.parity is not None:
                parity, load_ns = _check(load, given, job.parity)
                first = Load(kind=next(kinds), ns=load_ns)
                writer.add(Line(n=0, parity=(parity,), loads=(first,)))
            course = engine.Course(
                limits=job.limits,
                keep=keep,
                every_ns=job.reporting.every_ns,
                first_round=start.round,
                t_ns=start.t_ns,
                several=several,
            )
            stopped = engine.run(job.protocol, load_to_time, place.instruments, course).stopped
    except CellFailed as error:
        failure = _failure(error, given)
    after = place.state(lambda: place.instruments.clock() - began_ns)
    late = tuple(replace(event, t_ns=after.t_ns) for event in place.instruments.events())
    if late:
        writer.add(Line(n=0, events=late))
    writer.add(Line(n=0, end=End(after=after, stopped=stopped, failure=failure)))
    return failure


def _failure(error: CellFailed, given: JobFolder) -> Failure:
    # On use: it imports what knows the exporters.
    from mobilebench.failures import failure_of

    return failure_of(error, given.subject.recipe)


class _Networks:
    """The loaded variants of a job, one of which is in force."""

    def __init__(self) -> None:
        self.loaded: list[engine.Infer] = []
        self._chosen = 0

    def select(self, index: int) -> None:
        self._chosen = index

    def infer(self) -> object:
        return self.loaded[self._chosen]()


def _start(runtime: Runtime, given: JobFolder, earlier: Journal | None, place: Place) -> Start:
    job, created = given.job, host.now()
    t_ns = 0 if earlier is None else earlier.resumed_at_ns(created)
    # The first line builds what writes all of them; that memory is not the model's.
    wire.dumps(Line(n=0))
    return Start(
        job_sha256=journal.job_sha256(given.content),
        created=created,
        t_ns=t_ns,
        round=0 if earlier is None else earlier.next_round,
        device=place.device(),
        runtime=RuntimeInfo(
            name=job.runtime,
            version=runtime.version(),
            compute_unit_requested=job.compute_unit,
            compute_unit_evidence=runtime.evidence,
            delegate=job.delegate,
            threads=job.threads,
        ),
        before_load_bytes=host.resident_memory_bytes(),
        before=place.state(lambda: t_ns),
    )


def _check(
    load: Callable[[], RuntimeModel], given: JobFolder, check: ParityCheck
) -> tuple[UnitParity, int]:
    """Compute the expected outputs by a separate load; return the comparison and the load time."""
    inputs, expected = given.parity_batches()
    began = time.perf_counter_ns()
    loaded = load()
    load_ns = time.perf_counter_ns() - began
    computed = [outputs(loaded, batch) for batch in inputs]
    return compare(check.outputs, expected, computed, given.job.compute_unit), load_ns


def outputs(loaded: RuntimeModel, batch: Batch) -> Batch:
    """Return the network's outputs for its inputs."""
    # Copied: some runtimes hand out their own buffer and overwrite it in the next run.
    return [array.copy() for array in loaded.decode(loaded.run(loaded.encode(batch)))]


def record_of(
    given: JobFolder,
    written: Journal,
    record_id: str,
    transport: str,
    error: CellFailed | None = None,
    seen: Seen | None = None,
) -> Record:
    """Make the record of a job from its journal, and sign it.

    A journal without an end gives a measurement that is cut off. Raises `SchemaError` where lines
    contradict each other.
    """
    # On use: a process that measures does not load cryptography before it has measured.
    from mobilebench.store import signing

    start = written.starts[-1]
    outcome = journal.outcome(written, given.job)
    if isinstance(outcome, Measurement):
        outcome = diagnoses.diagnose(outcome, given.job.protocol, start.device)
    elif error is not None:
        outcome = _failure(error, given)
    return signing.sign(
        Record(
            record_id=record_id,
            created=start.created,
            model=given.subject.model,
            recipe=given.subject.recipe,
            artifact=given.subject.artifact,
            device=start.device,
            job=given.job,
            outcome=outcome,
            provenance=host.provenance(transport),
            seen=seen,
        )
    )


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Raise a runtime's error as `CellFailed` at a stage, unless an inner stage has."""
    try:
        yield
    except (CellFailed, UserError):
        raise
    except Exception as error:
        raise CellFailed(name, type(error).__name__, str(error)) from error
