"""Export and measure the rows of a plan again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mobilebench import plugins
from mobilebench.errors import CellFailed, OutputError, UserError
from mobilebench.exporting.matrix import Matrix
from mobilebench.exporting.workers import Workers
from mobilebench.failures import failure_of, shared
from mobilebench.inspecting import given
from mobilebench.measuring import bench, setting
from mobilebench.measuring.setting import Cell, Setting
from mobilebench.observer import Observer
from mobilebench.reproducing.plan import Plan, Task
from mobilebench.reproducing.row import (
    Likeness,
    Row,
    compare_failures,
    compare_files,
    compare_given,
)
from mobilebench.values.artifact import Artifact
from mobilebench.values.device import Device, published
from mobilebench.values.job import Job
from mobilebench.values.measurement import Failure
from mobilebench.values.record import Record
from mobilebench.values.wishes import FIXED_PERFORMANCE, THERMAL_STATUS, Wishes


def reproduce(
    plan: Plan,
    out_dir: Path,
    workers: Workers,
    observer: Observer,
    *,
    device_id: str | None = None,
    measured: bool = True,
    runs: int = 1,
) -> Iterator[Row]:
    """Export every row again, compare its file, and measure it by its own job.

    `device_id` is the device to measure on, by default the one of each row, and `runs` how often.
    Without `measured`, files alone are compared. Raises `OutputError` where `out_dir` cannot be
    written.
    """
    for left in plan.not_tried:
        yield Row(left.record, Likeness.NOT_TRIED, left.reason)
    for task in plan.tasks:
        for row, artifact in _exported(task, out_dir, workers, observer):
            if artifact is None or row.record.job is None:
                yield row
            elif not measured:
                yield replace(row, not_measured="measuring was left out")
            else:
                yield _measured(row, artifact, row.record.job, device_id, runs, observer)


def _exported(
    task: Task, out_dir: Path, workers: Workers, observer: Observer
) -> Iterator[tuple[Row, Artifact | None]]:
    """Yield each row of a task with its file; with None where there is none."""
    if task.request is None:
        assert task.file is not None, "a task is about a network or a file"
        [artifact] = given.open_artifacts([task.file])
        for record in task.records:
            yield compare_given(record, artifact.manifest.facts), artifact
        return
    recipes = tuple(dict.fromkeys(record.recipe for record in task.records))
    matrix = Matrix([task.request], recipes, out_dir, task.terms, workers, observer)
    try:
        exported = dict(zip(recipes, matrix.run(), strict=True))
    except OutputError:
        raise
    except (CellFailed, UserError) as error:  # of this network: the others go on
        for record in task.records:
            yield compare_failures(record, shared(failure_of(error, record.recipe))), None
        return
    for record in task.records:
        outcome = exported[record.recipe].outcome
        if isinstance(outcome, Failure):
            yield compare_failures(record, shared(outcome)), None
        else:
            yield compare_files(record, outcome.manifest), outcome


def _measured(
    row: Row,
    artifact: Artifact,
    job: Job,
    device_id: str | None,
    runs: int,
    observer: Observer,
) -> Row:
    """Return the row with new measurements, or with the reason why there is none."""
    if job.choice is not None:
        why = f"its widths were chosen by {job.choice}, and one width alone would be another run"
        return replace(row, not_measured=why)
    try:
        device_id = device_id or _at_hand(row.record.device)
        by = Setting(
            device_id=device_id,
            protocol=job.protocol,
            runtimes=(job.runtime,),
            threads=(job.threads,),
            compute_unit=job.compute_unit,
            wishes=_wishes(row.record),
        )
        runner, device = setting.find_device(device_id)
        recipe = artifact.manifest.recipe
        if job.runtime not in runner.runtimes(recipe.format, recipe.delegate):
            return replace(row, not_measured=f"{job.runtime} is not available on {device_id}")
        new_job = setting.job_for(artifact, job.runtime, job.threads, by)
        cell = Cell(device, artifact, new_job, wishes=by.wishes)
        again = list(bench.measure([cell] * runs, observer))
    except UserError as error:
        return replace(row, not_measured=str(error))
    failures = [run for run in again if isinstance(run.outcome, Failure)]
    if failures:
        assert isinstance(failures[0].outcome, Failure)
        compared = compare_failures(row.record, failures[0].outcome)
        return replace(
            compared, again=failures[0], more=tuple(r for r in again if r != failures[0])
        )
    return replace(row, again=again[0], more=tuple(again[1:]))


def _at_hand(device: Device) -> str:
    """Return the id here of the device of a record, which may name it by a digest.

    Raises `UserError` for one that an app has named: no computer can tell which device that is.
    """
    scheme, colon, _ = device.id.partition(":")
    if scheme not in plugins.runner_names():
        raise UserError(
            f"{device.model} measured it and is known by its app's name {device.id} alone; name "
            f"such a device here with --device, such as adb:SERIAL."
        )
    if colon and scheme != "sim":
        for here in plugins.runner(device.id).devices():
            if published(here).id == device.id:
                return here.id
    return device.id


def _wishes(record: Record) -> Wishes:
    """Return what was set on the device for a run. Raises `UserError` for what is not known."""
    wished = record.seen.wished if record.seen else {}
    status = wished.get(THERMAL_STATUS)
    if status is not None and not status.isdecimal():
        raise UserError(f"it was rehearsed with the thermal status {status}, which is set by hand.")
    return Wishes(
        fixed_performance=FIXED_PERFORMANCE in wished,
        thermal_status=None if status is None else int(status),
    )
