"""The main path: a network is checked, exported, proven equal, measured and recorded.

load -> preflight -> export -> parity -> Artifact        (`export_matrix`, `export_module`)
Artifact -> Job -> Measurement | Failure -> Record       (`benchmark_cells`, `benchmark_pairs`)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mobilebench import checks, environment, plugins, signing
from mobilebench.artifact import Artifact
from mobilebench.device import Device
from mobilebench.errors import CellFailed, UserError
from mobilebench.interfaces import Runner
from mobilebench.job import Job
from mobilebench.matrix import Exported, Matrix, Terms, failure_of
from mobilebench.measurement import ComputeUnit, Failure, Measurement
from mobilebench.modelspec import ModelSpec
from mobilebench.observer import Observer, Silent
from mobilebench.protocol import Protocol
from mobilebench.recipe import ExportRecipe
from mobilebench.record import Record, Session
from mobilebench.request import Request
from mobilebench.workers import LocalWorkers, Workers

if TYPE_CHECKING:
    from mobilebench.zoo.loading import LoadedModel


def export_matrix(
    requests: Sequence[Request],
    recipes: Sequence[ExportRecipe],
    out_dir: Path,
    *,
    terms: Terms | None = None,
    workers: Workers | None = None,
    observer: Observer | None = None,
) -> list[Exported]:
    """Export networks by recipes; a failed cell is a `Failure` and the rest go on.

    What is in `out_dir` already, from the same network, weights, recipe and tools, is taken from
    there. Without `workers`, one process of this machine at a time does the work. Raises as
    `Matrix.run` does.
    """
    matrix = Matrix(
        requests,
        recipes,
        out_dir,
        terms or Terms(),
        workers or LocalWorkers(),
        observer or Silent(),
    )
    return matrix.run()


def export_module(
    loaded: LoadedModel,
    recipes: Sequence[ExportRecipe],
    out_dir: Path,
    *,
    terms: Terms | None = None,
    observer: Observer | None = None,
) -> list[Exported]:
    """Export a network that exists only in this process's memory, here, one recipe after another;
    otherwise as `export_matrix`."""
    # Needs torch; measuring and reading records do not.
    from mobilebench.making import InThisProcess

    request = Request(reference=f"memory:{loaded.spec.name}", inputs=loaded.spec.inputs)
    return export_matrix(
        [request],
        recipes,
        out_dir,
        terms=terms,
        workers=InThisProcess(loaded),
        observer=observer,
    )


def benchmark_cells(
    artifacts: Sequence[Artifact],
    *,
    device_id: str,
    runtimes: Sequence[str],
    threads: Sequence[int],
    protocol: Protocol,
    compute_unit: ComputeUnit = ComputeUnit.CPU,
    observer: Observer | None = None,
) -> Iterator[Record]:
    """Measure every artifact on every runtime that takes its format, at every thread count.

    Cells run one after another, and each record is yielded as soon as it exists. Without
    `runtimes` each artifact runs on the usual one of its format. Raises `UserError` before the
    first cell where the device, a runtime or an artifact's format cannot be had.
    """
    bench = _Bench(device_id, protocol, compute_unit, observer or Silent())
    for artifact, job in bench.jobs(artifacts, runtimes, threads):
        yield bench.measure(artifact, job)


def benchmark_pairs(
    first: Artifact,
    second: Artifact,
    *,
    pairs: int,
    device_id: str,
    runtime: str | None,
    threads: int,
    protocol: Protocol,
    compute_unit: ComputeUnit = ComputeUnit.CPU,
    observer: Observer | None = None,
) -> Iterator[Record]:
    """Measure two artifacts in turns, A B B A A B ..., as one session of that many pairs.

    Both runs of a pair meet the same state of the device, and turning them round takes out what
    changes steadily. Otherwise as `benchmark_cells`.
    """
    bench = _Bench(device_id, protocol, compute_unit, observer or Silent())
    asked = [runtime] if runtime else []
    [before] = bench.jobs([first], asked, [threads])
    [after] = bench.jobs([second], asked, [threads])
    session, position = uuid.uuid4().hex, 0
    sides: tuple[tuple[Literal["A", "B"], tuple[Artifact, Job]], ...]
    sides = (("A", before), ("B", after))
    for pair in range(pairs):
        for side, (artifact, job) in sides if pair % 2 == 0 else reversed(sides):
            place = Session(id=session, position=position, pair=pair, side=side)
            yield bench.measure(artifact, job, place)
            position += 1


class _Bench:
    """One device and one protocol, and what is measured with them."""

    def __init__(
        self, device_id: str, protocol: Protocol, compute_unit: ComputeUnit, watch: Observer
    ) -> None:
        self._runner = plugins.runner(device_id)
        self._device = _device(self._runner, device_id)
        self._protocol = protocol
        self._compute_unit = compute_unit
        self._watch = watch

    def jobs(
        self, artifacts: Sequence[Artifact], runtimes: Sequence[str], threads: Sequence[int]
    ) -> list[tuple[Artifact, Job]]:
        return [
            (artifact, _job(artifact, runtime, count, self._protocol, self._compute_unit))
            for artifact in artifacts
            for runtime in _runtimes(artifact, self._runner, runtimes)
            for count in threads
        ]

    def measure(self, artifact: Artifact, job: Job, session: Session | None = None) -> Record:
        name = f"{artifact.name}, {job.runtime}, {job.threads} thread{'s' * (job.threads > 1)}"
        if session is not None:
            name += f", {session.side}{session.pair + 1}"
        self._watch.started(name)
        self._watch.stage(name, job.protocol.id)
        outcome: Measurement | Failure
        try:
            measurement = self._runner.run(self._device.id, artifact, job)
            outcome = checks.diagnose(measurement, job.protocol)
            self._watch.finished(name, "measured")
        except CellFailed as error:
            outcome = failure_of(error, artifact.manifest.recipe)
            self._watch.finished(name, f"failed at {error.stage}")
        manifest = artifact.manifest
        record = _record(manifest.model, manifest.recipe, outcome, self._device, artifact, job)
        return signing.sign(replace(record, session=session))


def record_of_failed_export(exported: Exported) -> Record:
    """A failed export as a record, so that a table shows the gap and its reason."""
    if not isinstance(exported.outcome, Failure) or exported.model is None:
        raise ValueError("this export did not fail, or its network could not be loaded")
    record = _record(
        exported.model, exported.recipe, exported.outcome, environment.host_device(), None, None
    )
    return signing.sign(record)


def _record(
    model: ModelSpec,
    recipe: ExportRecipe,
    outcome: Measurement | Failure,
    device: Device,
    artifact: Artifact | None,
    job: Job | None,
) -> Record:
    return Record(
        record_id=uuid.uuid4().hex,
        created=environment.now(),
        model=model,
        recipe=recipe,
        artifact=artifact.manifest.facts if artifact else None,
        device=device,
        job=job,
        outcome=outcome,
        provenance=environment.provenance(transport="local process"),
    )


def _device(runner: Runner, device_id: str) -> Device:
    devices = {device.id: device for device in runner.devices()}
    if device_id not in devices:
        raise UserError(
            f"There is no device {device_id!r}; devices of that kind now: "
            f"{', '.join(devices) or 'none'}."
        )
    return devices[device_id]


def _runtimes(artifact: Artifact, runner: Runner, asked: Sequence[str]) -> Sequence[str]:
    """The asked runtimes that take an artifact's format; the usual one where none was asked."""
    recipe = artifact.manifest.recipe
    offered = runner.runtimes(recipe.format, recipe.delegate)
    chosen = [name for name in asked if name in offered] if asked else offered[:1]
    if not chosen:
        known = ", ".join(offered) or "none"
        raise UserError(
            f"{artifact.name} cannot be measured on {runner.scheme}"
            f"{' with ' + ', '.join(asked) if asked else ''}; runtimes for such files here: "
            f"{known}."
        )
    return chosen


def _job(
    artifact: Artifact, runtime: str, threads: int, protocol: Protocol, compute_unit: ComputeUnit
) -> Job:
    manifest = artifact.manifest
    return Job(
        model_file=manifest.model_file,
        model_sha256=manifest.facts.sha256,
        format=manifest.recipe.format,
        delegate=manifest.recipe.delegate,
        inputs=manifest.inputs,
        runtime=runtime,
        compute_unit=compute_unit,
        threads=threads,
        protocol=protocol,
    )
