"""The way of a job to a device that is not this machine, and of its record back.

claim -> usable? -> prepare -> put -> start -> follow the journal -> fetch -> check -> clean

A device does the whole job by itself. The computer only reads the journal as it grows, so a cable
may be pulled in the middle: what was measured goes on, and what had died is resumed from the
journal. What adb, devicectl and ssh do differently is a `Link`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Protocol

from mobilebench.errors import BundleError, Cancelled, CellFailed, SchemaError, UserError
from mobilebench.interfaces import Ran
from mobilebench.machine import places
from mobilebench.measuring import job_folder, journal, performing, rounds
from mobilebench.measuring.job_folder import (
    DEVICE_RECORD_FILE,
    NO_RECORD_FILE,
    RECORD_FILE,
    JobFolder,
)
from mobilebench.observer import Progress, SilentProgress
from mobilebench.values.artifact import Artifact
from mobilebench.values.attached import Attached
from mobilebench.values.device import DeviceState
from mobilebench.values.job import Job
from mobilebench.values.measurement import Failure, Measurement, Stage
from mobilebench.values.record import Record
from mobilebench.values.seen import Interruption, Seen
from mobilebench_device_runners import _claims
from mobilebench_device_runners._outside import Outside
from mobilebench_device_runners._tools import LinkLost, ToolFailed

PASSING = "run-"
"""How the names of folders begin that belong to one run."""
_END_BYTES = 64_000
"""Of a journal, from its back, that hold the line of its end."""


class Link(Protocol):
    """One device at the end of a cable or a network, while a job is done on it.

    `name` is that of the job's folder on the device. Every method has a time limit. Raises
    `LinkLost` where the device does not answer, `ToolFailed` where it refuses.
    """

    @property
    def transport(self) -> str:
        """Return how it is reached, such as `adb`, for the record."""

    @property
    def tool(self) -> str:
        """Return the tool that talks to it, with its version."""

    def attached(self) -> Attached:
        """Read what its tools show of the device now."""

    def reading(self) -> DeviceState | None:
        """Read heat, charge and clocks, in as few commands as can be.

        `t_ns` is the time since the device started. None where the device does not tell it.
        """

    def prepare(self, job: Job, progress: Progress) -> None:
        """Bring what does the job onto the device: an app, or an environment.

        Nothing is done where it is there already. Raises `UserError` where the device cannot do
        the job at all, naming what stands in the way and what to do.
        """

    def put(self, given: JobFolder, name: str) -> None:
        """Copy the folder, without files that the device has; the job's file comes last."""

    def start(self, name: str) -> None:
        """Begin the job, or go on with it."""

    @property
    def settings(self) -> Mapping[str, str]:
        """Return what was set on the device for the job, and put back after it."""

    def alive(self, name: str) -> bool | None:
        """Return whether the process that measures runs; None where nobody can tell."""

    def read(self, name: str, file: str, offset: int = 0) -> bytes | None:
        """Return a file of the folder from a byte on; None where there is no such file."""

    def death(self, name: str) -> str | None:
        """Say why the process ended, where the system knows."""

    def boot(self) -> str | None:
        """Return what changes when the device restarts; None where nothing tells."""

    def stop(self, name: str) -> None:
        """End the job on the device, and its process."""

    def remove(self, name: str) -> None:
        """Remove the folder, and leave the device as it was found."""


@dataclass(frozen=True)
class Patience:
    """How long a computer waits for a device, in seconds."""

    start_s: float = 60.0
    """For the first line of the journal."""
    look_s: float = 2.0
    """Between two looks at the journal: each takes a little time from what is measured."""
    outside_s: float = 10.0
    """Between two readings from outside."""
    lost_s: float = 180.0
    """For a device that is gone: a restart takes a minute or two."""
    record_s: float = 20.0
    """For the record after the last line of the journal."""
    overhead_s: float = 300.0
    """For a whole job, besides its protocol: loads of large models take minutes."""
    restarts: int = 2
    """How often a job whose process died goes on."""
    losses: int = 20
    """How often a connection may break: a loose cable does so without end."""


@dataclass
class _Course:
    """What has happened to a job so far."""

    given: JobFolder
    name: str
    progress: Progress
    cancel: Event
    watch: rounds.Watch
    interruptions: list[Interruption] = field(default_factory=list)
    restarts: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.began

    def interrupted(self, what: str) -> None:
        """Note for the record that something came between."""
        self.interruptions.append(Interruption(elapsed_ns=round(self.elapsed_s * 1e9), what=what))
        self.progress.stage(what)

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `Cancelled` where the caller gives up."""
        if self.cancel.wait(seconds):
            raise Cancelled


def perform(
    link: Link,
    folder: Path,
    *,
    patience: Patience | None = None,
    cancel: Event | None = None,
    progress: Progress | None = None,
    passing: bool = False,
) -> Record:
    """Do the job in a folder on a device; return the record, which comes into the folder.

    Journal, record and the record that the device signed come too. Another call goes on with a job
    that was cut off. Raises `CellFailed` where nothing was measured, `UserError` where the device
    cannot be used, does not take the job or is in use. With `passing`, nobody will go on with the
    folder: nothing of it stays on the device, however it ends.
    """
    given = job_folder.read(folder)
    given.require_files()
    _require_open(given)
    patience = patience or Patience()
    course = _Course(
        given,
        name=_name(given, passing=passing),
        progress=progress or SilentProgress(),
        cancel=cancel or Event(),
        watch=rounds.Watch(given.journal_path, given.job.protocol, progress or SilentProgress()),
    )
    with _recorded():
        before = link.attached()
    # By its own name: one device can be reached by several addresses.
    with _claims.claimed(before.claim, given.job.title):
        require_usable(before)
        with _without_names(before), _recorded():
            link.prepare(given.job, course.progress)
        with _left_clean(link, course, passing=passing), _without_names(before):
            failed, outside = _measure(link, course, patience)
            _fetch_record(link, course, patience)
            after = _after(link)
            seen = Seen(
                by=link.tool,
                before=before.anonymous(),
                after=after,
                readings=outside.placed(given.journal_path, given.content),
                clock_uncertainty_ns=outside.uncertainty_ns,
                settings=dict(link.settings),
                interruptions=tuple(
                    replace(each, what=_shared(before, each.what)) for each in course.interruptions
                ),
            )
            if failed is not None:
                failed = _nameless(before, failed)
            return _record(given, link.transport, seen, failed)


def run(
    link: Link,
    artifact: Artifact,
    job: Job,
    *,
    variants: Sequence[Artifact] = (),
    patience: Patience | None = None,
    cancel: Event | None = None,
    progress: Progress | None = None,
) -> Ran:
    """Measure an artifact on a device, by a folder that is removed; raises as `perform` does."""
    with job_folder.temporary(artifact, job, variants, checked=True) as folder:
        record = perform(
            link, folder, patience=patience, cancel=cancel, progress=progress, passing=True
        )
        return Ran(performing.require_measured(record.outcome), record.device, record.seen)


def require_usable(attached: Attached) -> None:
    """Raise `UserError`, with what to do, for a device that cannot be measured on now."""
    if attached.why_not:
        reasons = " ".join((*(each.sentence for each in attached.why_not), *attached.mends))
        raise UserError(f"The device {attached.id} cannot be used now. {reasons}")


def _require_open(given: JobFolder) -> None:
    if given.record_path.exists():
        raise UserError(
            f"The job in {given.path} is done, and its record is {RECORD_FILE}; write a new folder "
            f"to measure again."
        )


@contextmanager
def _recorded() -> Iterator[None]:
    """Raise what a tool says before anything is measured as the failure of the cell."""
    try:
        yield
    except ToolFailed as error:
        raise CellFailed(Stage.RUN, type(error).__name__, str(error)) from error


@contextmanager
def _without_names(device: Attached) -> Iterator[None]:
    """Raise the failure of a cell as a record may state it."""
    try:
        yield
    except CellFailed as error:
        raise _nameless(device, error) from error


def _nameless(device: Attached, error: CellFailed) -> CellFailed:
    return CellFailed(
        error.stage, error.error, _shared(device, error.message), _shared(device, error.log_tail)
    )


def _shared(device: Attached, text: str) -> str:
    """Return a text without the names of the device, and without places of this computer."""
    return places.without(device.without_names(text))


def _name(given: JobFolder, *, passing: bool) -> str:
    """Return the name of the job's folder on the device.

    The same folder goes on where it was cut off. Another folder with the same job is measured
    anew, and so is one that is written for one run.
    """
    if passing:
        return f"{PASSING}{uuid.uuid4().hex[:12]}"
    place = f"\0{given.path.resolve()}".encode()
    return journal.job_sha256(given.content + place)[:16]


@contextmanager
def _left_clean(link: Link, course: _Course, *, passing: bool) -> Iterator[None]:
    """Stop the job when the context ends, however it ends; remove what nobody goes on with."""
    try:
        yield
    except BaseException:
        with suppress(ToolFailed):
            link.stop(course.name)
            if passing or not _has_journal(link, course):
                link.remove(course.name)
        raise
    with suppress(ToolFailed):
        link.stop(course.name)
        link.remove(course.name)


def _has_journal(link: Link, course: _Course) -> bool:
    """Whether either side has a journal, with which another call can go on."""
    given = course.given
    if given.journal_path.exists():
        return True
    return bool(link.read(course.name, given.job.reporting.journal_file))


def _measure(link: Link, course: _Course, patience: Patience) -> tuple[CellFailed | None, Outside]:
    """Bring the job to its end, through what can go wrong; return what could not be mended."""
    outside = Outside(link.reading, patience.outside_s)
    failed: CellFailed | None = None
    boot: str | None = None
    started = False
    losses = 0
    while failed is None and not (started and _ended(course.given)):
        try:
            if not started:
                boot = link.boot()
                _take_up(link, course)
                link.start(course.name)
                started = True
            _follow(link, course, patience, outside)
            if not _ended(course.given) and link.alive(course.name) is not True:
                _go_on(link, course, patience)
        except LinkLost as error:
            losses += 1
            course.interrupted(f"connection lost: {error.why}")
            try:
                if losses > patience.losses:
                    raise CellFailed(
                        Stage.RUN, "ConnectionLost", f"the connection broke {losses} times"
                    )
                _wait_back(link, course, patience)
                boot = _note_restart(link, course, boot)
            except CellFailed as given_up:
                failed = given_up
        except CellFailed as error:
            failed = error
        except ToolFailed as error:
            failed = CellFailed(Stage.RUN, type(error).__name__, str(error))
    return failed, outside


def _take_up(link: Link, course: _Course) -> None:
    """Put the folder there. A journal that one side has already goes on."""
    given, name = course.given, course.name
    there = link.read(name, given.job.reporting.journal_file)
    here = given.journal_path.read_bytes() if given.journal_path.exists() else b""
    if there and len(there) > len(here):
        given.journal_path.parent.mkdir(parents=True, exist_ok=True)
        given.journal_path.write_bytes(there)
    course.progress.stage("copy the job")
    link.put(given, name)


def _follow(link: Link, course: _Course, patience: Patience, outside: Outside) -> None:
    """Copy the journal as it grows, until it ends or the process does."""
    limit_s = patience.overhead_s + course.given.job.protocol.longest_ns / 1e9
    started = time.monotonic()
    while not _ended(course.given):
        course.sleep(patience.look_s)
        grew = _copy_journal(link, course)
        course.watch.look()
        if course.elapsed_s > limit_s:
            raise CellFailed(
                Stage.RUN, "Timeout", f"the job did not end within {limit_s:.0f} s", ""
            )
        if not grew:
            _require_started(link, course, started, patience)
            if link.alive(course.name) is False:
                _copy_journal(link, course)  # what came between the two looks
                return
        outside.look()


def _copy_journal(link: Link, course: _Course) -> bool:
    """Append what the device wrote since the last look; return whether there was anything."""
    path = course.given.journal_path
    size = path.stat().st_size if path.exists() else 0
    new = link.read(course.name, course.given.job.reporting.journal_file, size)
    if not new:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(new)
    return True


def _require_started(link: Link, course: _Course, started: float, patience: Patience) -> None:
    """Tell a job that was refused, or never began, from one that takes its time."""
    if course.given.journal_path.exists():
        return
    word, sentence = _no_record(link, course.name)
    if word == "refused":
        raise UserError(f"The device does not take the job: {sentence}")
    if time.monotonic() - started > patience.start_s:
        raise CellFailed(
            Stage.RUN,
            "NeverStarted",
            f"no line of the journal came within {patience.start_s:.0f} s: the app or the program "
            f"was started and did not begin to measure; unlock the device, and look at its screen",
            link.death(course.name) or "",
        )


def _no_record(link: Link, name: str) -> tuple[str, str]:
    """Return the word and the sentence in which the device says why there is no record."""
    return job_folder.why_no_record(link.read(name, NO_RECORD_FILE) or b"")


def _wait_back(link: Link, course: _Course, patience: Patience) -> None:
    """Wait for a device that is gone. Raises `CellFailed` where it does not come back."""
    until = time.monotonic() + patience.lost_s
    while time.monotonic() < until:
        course.sleep(patience.look_s)
        with suppress(ToolFailed):
            link.boot()
            course.interrupted("connection is back")
            return
    raise CellFailed(
        Stage.RUN, "ConnectionLost", f"the device did not come back within {patience.lost_s:.0f} s"
    )


def _note_restart(link: Link, course: _Course, boot: str | None) -> str | None:
    try:
        now = link.boot()
    except LinkLost:
        return boot  # gone again, which the next command tells
    if boot is not None and now != boot:
        course.interrupted("the device has restarted")
    return now


def _go_on(link: Link, course: _Course, patience: Patience) -> None:
    """Start a job again whose process died. Raises `CellFailed` where that happened too often."""
    word, sentence = _no_record(link, course.name)
    if word == "refused":
        raise UserError(f"The device does not take the job: {sentence}")
    if word == "stopped":
        raise CellFailed(Stage.RUN, "Stopped", f"the device says: {sentence or word}")
    why = sentence or link.death(course.name) or "its process ended, and nothing says why"
    if link.read(course.name, RECORD_FILE):
        # The device has judged it by itself: a crash would come again.
        raise CellFailed(Stage.RUN, "ProcessDied", f"the process that measures ended: {why}")
    if course.restarts == patience.restarts:
        raise CellFailed(
            Stage.RUN,
            "ProcessDied",
            f"the process that measures ended {course.restarts + 1} times before its end, the last "
            f"time because {why}",
        )
    course.restarts += 1
    course.interrupted(f"started again: {why}")
    link.start(course.name)


def _ended(given: JobFolder) -> bool:
    """Whether the journal has its end. Raises `SchemaError` for one of another version.

    It is read at each look, and has many samples: as a whole only where it seems to have ended.
    """
    path = given.journal_path
    if not path.exists():
        return False
    with path.open("rb") as file:
        first = file.readline()
        file.seek(max(0, path.stat().st_size - _END_BYTES))
        rest = file.read()
    if b'"end":' in rest:
        return given.journal().ended
    if first.endswith(b"\n"):
        journal.parse(first, journal.job_sha256(given.content), str(path))
    return False


def _fetch_record(link: Link, course: _Course, patience: Patience) -> None:
    """Bring the record that the device signed, and compare it with the journal.

    A record that comes back cut off is fetched again; the journal tells all that it holds.
    """
    if not _ended(course.given):
        return
    until = time.monotonic() + patience.record_s
    place = course.given.path / DEVICE_RECORD_FILE
    problem = "it did not come"
    while time.monotonic() < until:
        with suppress(ToolFailed):
            content = link.read(course.name, RECORD_FILE)
            if content:
                place.write_bytes(content)
                try:
                    _require_same(course.given)
                except (SchemaError, BundleError) as error:
                    problem = str(error)
                else:
                    return
        course.sleep(patience.look_s)
    course.interrupted(f"the record of the device is left out: {problem}")


def _require_same(given: JobFolder) -> None:
    """Require that a device's record says what its journal says. Raises `SchemaError`."""
    theirs = given.document(DEVICE_RECORD_FILE).record.outcome
    ours = journal.outcome(given.journal(), given.job)
    if theirs.kind != ours.kind or (
        isinstance(theirs, Measurement)
        and isinstance(ours, Measurement)
        and theirs.samples != ours.samples
    ):
        raise SchemaError("it says another thing than the journal beside it")


def _after(link: Link) -> Attached | None:
    try:
        return link.attached().anonymous()
    except ToolFailed:
        return None


def _record(given: JobFolder, transport: str, seen: Seen, failed: CellFailed | None) -> Record:
    """Write the record; what was measured before a failure is kept, as cut off."""
    if not given.journal_path.exists():
        raise failed or CellFailed(Stage.RUN, "NothingMeasured", "no journal came back")
    if failed is not None and isinstance(journal.outcome(given.journal(), given.job), Failure):
        raise failed
    record = performing.write_record(given, transport, failed, seen)
    performing.require_measured(record.outcome)
    return record
