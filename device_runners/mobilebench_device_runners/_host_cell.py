"""What happens in the fresh process of one host cell: load, run, report."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mobilebench.errors import CellFailed, UserError
from mobilebench.inputs import seeded
from mobilebench.machine import host, sensors
from mobilebench.measuring import engine
from mobilebench.values import wire
from mobilebench.values.job import Job
from mobilebench.values.measurement import ComputeUnit, Measurement, Memory, RuntimeInfo
from mobilebench_device_runners._runtimes import Runtime

_LOOK_S = 0.2
"""How long the cores are watched for other work before and after."""


def _wait(nanoseconds: int) -> None:
    time.sleep(nanoseconds / 1e9)


_INSTRUMENTS = engine.Instruments(time.perf_counter_ns, _wait, sensors.host_state)


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Cell: run a job. Takes `runtime` (`module:Class`), `model` and `job`; returns the
    measurement in its JSON form."""
    job = wire.from_plain(Job, request["job"], "the job")
    runtime = _runtime(request["runtime"])
    model = Path(request["model"])
    batch = seeded.sample(job.inputs, job.seed)
    before_load = host.resident_memory_bytes()
    before = sensors.host_state(look_s=_LOOK_S)

    def load() -> engine.Infer:
        with _stage("load"):
            session = runtime.load(model, job.threads)
        return partial(session.run, session.encode(batch))

    with _stage("run"):
        taken = engine.run(job.protocol, load, _INSTRUMENTS)
    peak = host.peak_memory_bytes()
    after = sensors.host_state(look_s=_LOOK_S)
    measurement = Measurement(
        runtime=RuntimeInfo(
            name=job.runtime,
            version=runtime.version(),
            compute_unit_requested=ComputeUnit.CPU,
            compute_unit_evidence=runtime.evidence,
            delegate=job.delegate,
            threads=job.threads,
        ),
        samples=taken.samples,
        loads=taken.loads,
        memory=Memory(peak_bytes=peak, before_load_bytes=before_load),
        before=before,
        after=after,
        gates=taken.gates,
        states=taken.states,
    )
    return {"measurement": wire.to_plain(measurement)}


def predict(request: dict[str, Any]) -> dict[str, Any]:
    """Cell: outputs for batches of inputs. Takes `runtime`, `threads`, `model`, `inputs` and
    `outputs` (two .npz files, the second to be written); returns `evaluated_by`."""
    runtime = _runtime(request["runtime"])
    with _stage("load"):
        session = runtime.load(Path(request["model"]), request["threads"])
    with _stage("run"):
        # Copied: some runtimes hand out their own buffer and overwrite it in the next run.
        outputs = [
            [array.copy() for array in session.decode(session.run(session.encode(batch)))]
            for batch in seeded.load_batches(Path(request["inputs"]))
        ]
    seeded.save_batches(Path(request["outputs"]), outputs)
    return {"evaluated_by": f"{request['name']} {runtime.version()}"}


def _runtime(place: str) -> Runtime:
    module, _, name = place.partition(":")
    runtime: Runtime = getattr(importlib.import_module(module), name)()
    return runtime


@contextmanager
def _stage(name: str) -> Iterator[None]:
    """Say at which stage a runtime's error came, unless a stage within has said it."""
    try:
        yield
    except (CellFailed, UserError):
        raise
    except Exception as error:
        raise CellFailed(name, type(error).__name__, str(error)) from error
