"""Load a file, run it and report, in the child process of one host cell."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from mobilebench.errors import CellFailed, UserError
from mobilebench.inputs import seeded
from mobilebench.machine import host, sensors
from mobilebench.measuring import engine, rounds
from mobilebench.values.job import Job
from mobilebench.values.measurement import ComputeUnit, Measurement, Memory, RuntimeInfo
from mobilebench_device_runners._runtimes import Runtime

_LOOK_S = 0.2
"""How long the cores are observed for other work, before and after."""


def _wait(nanoseconds: int) -> None:
    time.sleep(nanoseconds / 1e9)


def measure(runtime_place: str, model: Path, job: Job, rounds_file: Path) -> Measurement:
    """Run a job on the runtime at `module:Class`.

    The number of each round is written into a file before the round begins.
    """
    runtime = _runtime(runtime_place)
    batch = seeded.sample(job.inputs, job.seed)
    before_load = host.resident_memory_bytes()
    before = sensors.host_state(look_s=_LOOK_S)

    def load() -> engine.Infer:
        with _stage("load"):
            loaded = runtime.load(model, job.threads)
        return partial(loaded.run, loaded.encode(batch))

    instruments = engine.Instruments(
        time.perf_counter_ns, _wait, sensors.host_state, rounds.begin_in(rounds_file)
    )
    with _stage("run"):
        run = engine.run(job.protocol, load, instruments)
    peak = host.peak_memory_bytes()
    after = sensors.host_state(look_s=_LOOK_S)
    return Measurement(
        runtime=RuntimeInfo(
            name=job.runtime,
            version=runtime.version(),
            compute_unit_requested=ComputeUnit.CPU,
            compute_unit_evidence=runtime.evidence,
            delegate=job.delegate,
            threads=job.threads,
        ),
        samples=run.samples,
        loads=run.loads,
        memory=Memory(peak_bytes=peak, before_load_bytes=before_load),
        before=before,
        after=after,
        gates=run.gates,
        states=run.states,
    )


def predict(
    name: str, runtime_place: str, threads: int, model: Path, inputs: Path, outputs: Path
) -> str:
    """Compute outputs for batches of inputs, from one .npz to another.

    Return the name and version of the runtime.
    """
    runtime = _runtime(runtime_place)
    with _stage("load"):
        loaded = runtime.load(model, threads)
    with _stage("run"):
        # Copied: some runtimes hand out their own buffer and overwrite it in the next run.
        batches = [
            [array.copy() for array in loaded.decode(loaded.run(loaded.encode(batch)))]
            for batch in seeded.load_batches(inputs)
        ]
    seeded.save_batches(outputs, batches)
    return f"{name} {runtime.version()}"


def _runtime(place: str) -> Runtime:
    module, _, name = place.partition(":")
    runtime: Runtime = getattr(importlib.import_module(module), name)()
    return runtime


@contextmanager
def _stage(name: str) -> Iterator[None]:
    """Raise a runtime's error as `CellFailed` at a stage, unless an inner stage has."""
    try:
        yield
    except (CellFailed, UserError):
        raise
    except Exception as error:
        raise CellFailed(name, type(error).__name__, str(error)) from error
