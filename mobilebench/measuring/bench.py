"""Run planned cells on their devices and make a record of each."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event

from mobilebench import plugins
from mobilebench.errors import CellFailed, MissingToolkit
from mobilebench.failures import failure_of, shared
from mobilebench.interfaces import Ran
from mobilebench.machine import host
from mobilebench.measuring import diagnoses
from mobilebench.measuring.setting import Cell
from mobilebench.notation.quantities import duration
from mobilebench.observer import Observer, Progress, Silent
from mobilebench.stats.summary import summarise
from mobilebench.store import signing
from mobilebench.values.device import Device, names_in, published, without_names
from mobilebench.values.measurement import Failure, Measurement, Validity
from mobilebench.values.record import Record, Session


def measure(
    cells: Iterable[Cell],
    observer: Observer | None = None,
    missing: Callable[[MissingToolkit], object] | None = None,
) -> Iterator[Record]:
    """Measure one cell after another; yield each record as soon as it exists.

    An observer hears that a cell is finished when the next record is asked for: whoever stores
    records has stored this one by then.

    A cell whose runtime fails is recorded as a `Failure`. One whose runtime is not installed is
    given to `missing`, where that is given, and has no record: nothing is known of it. Raises
    `UserError` where a device does not take a job.
    """
    for cell in cells:
        try:
            with measured(cell, None, observer) as record:
                yield record
        except MissingToolkit as error:
            if missing is None:
                raise
            missing(error)


def measure_pair(
    cells: tuple[Cell, Cell], pairs: int, observer: Observer | None = None
) -> Iterator[Record]:
    """Measure two cells interleaved, as one session of `pairs` pairs.

    Both runs of a pair meet the same state of the device. Which side of a pair runs first is drawn
    by the session's id: no pattern in time, however regular, then favours a side, and exchanging
    the sides of a pair is just what the sign-flip test assumes. Otherwise as `measure`.
    """
    session = uuid.uuid4().hex
    second_first = random.Random(session)
    for position in range(2 * pairs):
        pair = position // 2
        if position % 2 == 0:
            turned = second_first.random() < 0.5
        side = (position + turned) % 2
        place = Session(id=session, position=position, pair=pair, side="AB"[side])  # type: ignore[arg-type]
        title = f"pair {pair + 1} of {pairs}, side {place.side}"
        with measured(cells[side], place, observer, title) as record:
            yield record


def run_here(cell: Cell, cancel: Event, progress: Progress) -> Ran:
    """Run a cell on its device from this computer; raises as `Runner.run` does."""
    runner = plugins.wishing(plugins.runner(cell.device.id), cell.wishes)
    return runner.run(cell.device.id, cell.artifact, cell.job, cancel, progress, cell.variants)


@contextmanager
def measured(
    cell: Cell,
    session: Session | None,
    observer: Observer | None,
    title: str = "",
    *,
    cancel: Event | None = None,
    run: Callable[[Cell, Event, Progress], Ran] = run_here,
) -> Iterator[Record]:
    """Measure one cell; a failure of its runtime becomes the record's outcome.

    The observer hears that the cell is finished when the context is left. `title` tells it which
    run of several it is. `run` is the way to the device.
    """
    name = f"{title}: {cell.name}" if title else cell.name
    progress = (observer or Silent()).started(name)
    progress.stage(cell.job.protocol.id)
    end = "stopped"
    try:
        record, figure = _record(cell, session, progress, cancel or Event(), run)
        yield record
        end = figure
    except MissingToolkit:
        end = "runtime not installed"
        raise
    finally:
        progress.finished(end)


def _record(
    cell: Cell,
    session: Session | None,
    progress: Progress,
    cancel: Event,
    run: Callable[[Cell, Event, Progress], Ran],
) -> tuple[Record, str]:
    """Measure one cell; return its record, and its figure in words."""
    manifest = cell.artifact.manifest
    outcome: Measurement | Failure
    device, seen = published(cell.device), None
    try:
        ran = run(cell, cancel, progress)
        device, seen = ran.device, ran.seen
        outcome = diagnoses.diagnose(ran.measurement, cell.job.protocol, device)
        figure = _figure(outcome)
    except CellFailed as error:
        outcome = shared(failure_of(_nameless(error, cell.device), manifest.recipe))
        figure = f"failed at {error.stage}"
    provenance = host.provenance(plugins.runner(cell.device.id).transport)
    if cell.commit is not None:
        provenance = replace(provenance, source_commit=cell.commit, source_dirty=False)
    record = Record(
        record_id=uuid.uuid4().hex,
        created=host.now(),
        model=manifest.model,
        recipe=manifest.recipe,
        artifact=manifest.facts,
        device=device,
        job=cell.job,
        outcome=outcome,
        provenance=provenance,
        session=session,
        seen=seen,
    )
    return signing.sign(record), figure


def _nameless(error: CellFailed, device: Device) -> CellFailed:
    """Return a failure without the serial number or the host in the id of its device."""
    names = names_in(device.id)
    if not names:
        return error
    message, log_tail = (without_names(text, names) for text in (error.message, error.log_tail))
    return CellFailed(error.stage, error.error, message, log_tail)


def _figure(measurement: Measurement) -> str:
    """Return the median, with how far it may be trusted, for the line about a finished cell."""
    median = duration(summarise(measurement.samples.latencies_ns()).p50_ns)
    validity = measurement.validity
    return median if validity is Validity.VALID else f"{median} ({validity})"
