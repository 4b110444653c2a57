"""The main path: a network is checked, exported, proven equal, measured and recorded.

load -> preflight -> export -> parity -> Artifact        (`export_recipes`)
Artifact -> Job -> Measurement | Failure -> Record       (`benchmark_cells`)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from mobilebench import bundle, cell, environment, files, parity, plugins
from mobilebench.artifact import Artifact
from mobilebench.calibration import Samples
from mobilebench.device import Device
from mobilebench.errors import CellFailed, UserError
from mobilebench.interfaces import Runner
from mobilebench.job import Job
from mobilebench.measurement import ComputeUnit, Failure, Measurement
from mobilebench.modelspec import ModelSpec
from mobilebench.observer import Observer, Silent
from mobilebench.protocol import Protocol
from mobilebench.recipe import ExportRecipe, Precision
from mobilebench.record import Record

if TYPE_CHECKING:
    from mobilebench.zoo.loading import LoadedModel, Request


NOISE_SAMPLES = Samples()


@dataclass(frozen=True)
class Exported:
    """What came of one recipe."""

    recipe: ExportRecipe
    model: ModelSpec
    outcome: Artifact | Failure
    cached: bool = False

    @property
    def failed(self) -> bool:
        return isinstance(self.outcome, Failure)


def export_recipes(
    source: Request | LoadedModel,
    recipes: Sequence[ExportRecipe],
    out_dir: Path,
    *,
    samples: Samples = NOISE_SAMPLES,
    force: bool = False,
    jobs: int = 1,
    allow_parity_failure: bool = False,
    observer: Observer | None = None,
) -> list[Exported]:
    """Export one network by several recipes; a failed recipe is a `Failure` and the rest go on.

    A `Request` is loaded again in a fresh process for every recipe, up to `jobs` of them at a
    time; a `LoadedModel` is exported in this process, one recipe after another. What is in
    `out_dir` already, from the same network, weights, recipe and tools, is taken from there
    unless `force` is set. `samples` are what calibrated recipes were made for. Raises `UserError`
    for what the user can mend, before or during.
    """
    # The one part of this path that needs torch; measuring and reading records do not.
    from mobilebench import making
    from mobilebench.preflight import half_precision_error, judged, preflight
    from mobilebench.zoo import loading

    watch = observer or Silent()
    tools = {recipe: dict(plugins.exporter(recipe.format).tool_versions()) for recipe in recipes}
    loaded = loading.load(source) if isinstance(source, loading.Request) else source
    fingerprint = loading.fingerprint(loaded.module)

    def order(recipe: ExportRecipe) -> bundle.Order:
        return bundle.Order(loaded.spec, recipe, fingerprint, tools[recipe])

    found: dict[ExportRecipe, Exported] = {}
    for recipe in recipes:
        artifact = None if force else bundle.cached(order(recipe).place(out_dir))
        if artifact is not None:
            watch.finished(order(recipe).name, "cached")
            found[recipe] = Exported(recipe, artifact.manifest.model, artifact, cached=True)
    wanted = [recipe for recipe in recipes if recipe not in found]
    if not wanted:
        return [found[recipe] for recipe in recipes]

    passed, reference = preflight(loaded.module, loaded.spec, parity.INPUTS)
    # Half precision is slow on a CPU, and only a network with thresholds is judged by it.
    if passed.passed_over and any(recipe.precision is Precision.FP16 for recipe in wanted):
        error = half_precision_error(loaded.module, loaded.spec, reference)
        passed = replace(passed, half_precision_error=error)
    loaded = loading.with_macs(loaded)
    quantized = any(recipe.precision.quantized for recipe in wanted)
    evidence = bundle.Evidence(
        passed,
        reference.outputs,
        judged(loaded.module, loaded.spec, samples) if quantized else None,
    )
    make, parallel = (
        (making.in_cell(source, fingerprint, samples), jobs)
        if isinstance(source, loading.Request)
        else (making.in_this_process(loaded, samples), 1)
    )

    def build(recipe: ExportRecipe, cancel: Event) -> Exported:
        name = order(recipe).name
        watch.started(name)
        outcome: Artifact | Failure
        place = order(recipe).place(out_dir)
        try:
            with files.only_one(
                place, lambda: watch.stage(name, "made elsewhere, waiting"), cancel
            ):
                made_elsewhere = None if force else bundle.cached(place)
                outcome = made_elsewhere or bundle.build(
                    order(recipe),
                    evidence,
                    out_dir,
                    make,
                    watch,
                    cancel,
                    allow_parity_failure=allow_parity_failure,
                )
            watch.finished(
                name,
                "made by another process"
                if made_elsewhere
                else f"exported in {outcome.manifest.facts.export_seconds:.0f} s",
            )
        except CellFailed as error:
            outcome = failure(error)
            watch.finished(name, f"failed at {error.stage}")
        return Exported(recipe, loaded.spec, outcome)

    cancel = Event()
    with cell.sharing(parallel), ThreadPoolExecutor(max_workers=parallel) as pool:
        futures = {recipe: pool.submit(build, recipe, cancel) for recipe in wanted}
        try:
            ended, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
            for future in ended:
                future.result()
            found |= {recipe: future.result() for recipe, future in futures.items()}
        except BaseException:  # Ctrl-C, or what the user can mend: the other cells end too
            cancel.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [found[recipe] for recipe in recipes]


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
            outcome = failure(error)
            watch.finished(name, f"failed at {error.stage}")
        yield _record(
            artifact.manifest.model, artifact.manifest.recipe, outcome, device, artifact, job
        )


def record_of_failed_export(exported: Exported) -> Record:
    """A failed export as a record, so that a table shows the gap and its reason."""
    if not isinstance(exported.outcome, Failure):
        raise ValueError("this export did not fail")
    return _record(
        exported.model, exported.recipe, exported.outcome, environment.host_device(), None, None
    )


def failure(error: CellFailed) -> Failure:
    """A failed cell as the value that is recorded."""
    return Failure(
        stage=error.stage, error=error.error, message=error.message, log_tail=error.log_tail
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
    offered = runner.runtimes(artifact.manifest.recipe.format)
    chosen = [name for name in asked if name in offered] if asked else offered[:1]
    if not chosen:
        known = ", ".join(offered) or "none"
        raise UserError(
            f"{artifact.name} cannot be measured on {runner.scheme}"
            f"{' with ' + ', '.join(asked) if asked else ''}; runtimes for its format here: "
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
        inputs=manifest.model.inputs,
        runtime=runtime,
        compute_unit=compute_unit,
        threads=threads,
        protocol=protocol,
    )
