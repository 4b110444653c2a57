"""The main path: check, export, verify, measure and record a network.

load -> preflight -> export -> parity -> Artifact          (`export_matrix`, `export_module`)
Artifact -> plan -> Job -> Measurement | Failure -> Record  (`benchmark_cells`, `benchmark_pairs`)
Artifacts -> a queue of jobs for each device -> Records      (`benchmark_batch`)
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mobilebench import failures
from mobilebench.errors import MobilebenchWarning
from mobilebench.exporting.matrix import Exported, Matrix
from mobilebench.exporting.order import Terms
from mobilebench.exporting.workers import LocalWorkers, Workers
from mobilebench.machine import host
from mobilebench.measuring import batch, bench
from mobilebench.measuring.batch import Here, NotMeasured, Patience, Way, plan_batch
from mobilebench.measuring.batch_folder import BatchFolder
from mobilebench.measuring.devices import choose
from mobilebench.measuring.setting import Setting, plan, plan_pairs
from mobilebench.observer import Observer, Silent
from mobilebench.store import signing
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Failure
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.record import Record
from mobilebench.values.request import Request

if TYPE_CHECKING:
    from mobilebench.conversion.loading import LoadedModel


def export_matrix(
    requests: Sequence[Request],
    recipes: Sequence[ExportRecipe],
    out_dir: Path,
    *,
    terms: Terms | None = None,
    workers: Workers | None = None,
    observer: Observer | None = None,
) -> list[Exported]:
    """Export networks by recipes; a failed cell becomes a `Failure` and the rest go on.

    Bundles that `out_dir` already holds, from the same network, weights, recipe and tools, are
    reused. Without `workers`, one process of this machine at a time does the work. Raises as
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
    narrower: Sequence[LoadedModel] = (),
) -> list[Exported]:
    """Export a network that exists only in this process's memory, one recipe after another.

    `narrower` are the other widths that recipes of several hold in one file. Otherwise as
    `export_matrix`.
    """
    # Needs torch; measuring and reading records do not.
    from mobilebench.conversion import remarks
    from mobilebench.conversion.memory import InThisProcess

    request = Request(reference=f"memory:{loaded.spec.name}", inputs=loaded.spec.inputs)
    with remarks.left_out():
        return export_matrix(
            [request],
            recipes,
            out_dir,
            terms=terms,
            workers=InThisProcess(loaded, tuple(narrower)),
            observer=observer,
        )


def benchmark_cells(
    artifacts: Sequence[Artifact], setting: Setting, observer: Observer | None = None
) -> Iterator[Record]:
    """Measure every artifact by a setting; yield each record as soon as it exists.

    Warns of artifacts that the device cannot run. Raises as `plan` does before the first cell, and
    as `bench.measure` does.
    """
    planned = plan(artifacts, setting)
    for sentence in planned.left_out:
        warnings.warn(f"left out: {sentence}", MobilebenchWarning, stacklevel=2)
    yield from bench.measure(planned.cells, observer)


def benchmark_pairs(
    first: Artifact,
    second: Artifact,
    setting: Setting,
    pairs: int,
    observer: Observer | None = None,
) -> Iterator[Record]:
    """Measure two artifacts interleaved, in one session of `pairs` pairs per runtime.

    Every runtime that both artifacts share has a session. Raises as `plan_pairs` does before the
    first run, and as `bench.measure_pair` does.
    """
    for cells in plan_pairs([first], [second], setting).cells:
        yield from bench.measure_pair(cells, pairs, observer)


def benchmark_batch(
    artifacts: Sequence[Artifact],
    devices: str,
    setting: Setting,
    *,
    way: Way | None = None,
    folder: BatchFolder | None = None,
    observer: Observer | None = None,
    patience: Patience | None = None,
) -> Generator[Record, None, None]:
    """Measure artifacts on many devices at once; yield each record as soon as it exists.

    `devices` is as in `devices.choose`; the setting's own device does not count. With a folder,
    what it holds of the batch comes first, and only the rest is measured. Warns of devices and
    artifacts that are left out, and of cells that were not measured. Raises as `choose` and
    `plan_batch` do before the first cell, `UserError` where no cell could be measured, and as
    `batch.run` does. Close the iterator (`contextlib.closing`) to stop the devices early.
    """
    way = way or Here()
    choice = choose(devices, way.offers)
    planned = plan_batch(choice.devices, setting, partial(plan, artifacts))
    for sentence in (*choice.left_out, *planned.left_out):
        warnings.warn(f"left out: {sentence}", MobilebenchWarning, stacklevel=2)
    measured = 0
    if folder is not None:
        earlier, planned = folder.split(planned)
        measured += len(earlier)
        yield from earlier
    missed: list[NotMeasured] = []
    with closing(batch.run(planned, way, observer, patience)) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome, NotMeasured):
                missed.append(outcome)
                continue
            measured += 1
            if folder is not None:
                folder.keep(outcome.cell, outcome.record)
            yield outcome.record
    if missed and not measured:
        raise missed[0].why
    for each in missed:
        warnings.warn(f"not measured: {each}", MobilebenchWarning, stacklevel=2)


def record_of_failed_export(exported: Exported) -> Record:
    """Return a failed export as a record, so that a table shows the gap and its reason."""
    if not isinstance(exported.outcome, Failure) or exported.model is None:
        raise ValueError("this export did not fail, or its network could not be loaded")
    return signing.sign(
        Record(
            record_id=uuid.uuid4().hex,
            created=host.now(),
            model=exported.model,
            recipe=exported.recipe,
            artifact=None,
            device=host.host_device(),
            job=None,
            outcome=failures.shared(exported.outcome),
            provenance=host.provenance(transport="local process"),
        )
    )
