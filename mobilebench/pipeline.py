"""The main path: a network is checked, exported, proven equal, measured and recorded.

load -> preflight -> export -> parity -> Artifact        (`export_matrix`, `export_module`)
Artifact -> Job -> Measurement | Failure -> Record       (`benchmark_cells`)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilebench import environment, plugins
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
from mobilebench.record import Record
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
    watch = observer or Silent()
    runner = plugins.runner(device_id)
    device = _device(runner, device_id)
    jobs = [
        (artifact, _job(artifact, runtime, count, protocol, compute_unit))
        for artifact in artifacts
        for runtime in _runtimes(artifact, runner, runtimes)
        for count in threads
    ]
    for artifact, job in jobs:
        name = f"{artifact.name}, {job.runtime}, {job.threads} thread{'s' * (job.threads > 1)}"
        watch.started(name)
        watch.stage(name, protocol.id)
        outcome: Measurement | Failure
        try:
            outcome = runner.run(device_id, artifact, job)
            watch.finished(name, "measured")
        except CellFailed as error:
            outcome = failure_of(error, artifact.manifest.recipe)
            watch.finished(name, f"failed at {error.stage}")
        yield _record(
            artifact.manifest.model, artifact.manifest.recipe, outcome, device, artifact, job
        )


def record_of_failed_export(exported: Exported) -> Record:
    """A failed export as a record, so that a table shows the gap and its reason."""
    if not isinstance(exported.outcome, Failure) or exported.model is None:
        raise ValueError("this export did not fail, or its network could not be loaded")
    return _record(
        exported.model, exported.recipe, exported.outcome, environment.host_device(), None, None
    )


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
