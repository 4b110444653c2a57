"""Take jobs from a server for the devices of this computer, do them, and send the records.

Each phone and board works by itself. This computer and simulated phones, which compute on it, share
one worker: two at once would measure each other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filelock import FileLock, Timeout

from mobilebench import plugins
from mobilebench.errors import (
    Cancelled,
    CellFailed,
    OutputError,
    ServerAway,
    ServerRefused,
    UserError,
)
from mobilebench.files import writing
from mobilebench.machine import places
from mobilebench.measuring import devices
from mobilebench.measuring.devices import Offer
from mobilebench.measuring.job_folder import JobFolder
from mobilebench.notation.quantities import duration
from mobilebench.observer import Progress
from mobilebench.stats.summary import summarise
from mobilebench.store.documents import Document
from mobilebench.submitting import errand, membership
from mobilebench.submitting.address import Address
from mobilebench.submitting.alias import alias
from mobilebench.submitting.answers import Lease
from mobilebench.submitting.cache import Cache
from mobilebench.submitting.client import Server
from mobilebench.submitting.errand import Errand
from mobilebench.submitting.heartbeat import Heartbeat
from mobilebench.submitting.patience import Patience
from mobilebench.submitting.spool import Sent, Spool
from mobilebench.values.device import Device, DeviceKind, names_in, without_names
from mobilebench.values.measurement import Failure
from mobilebench.values.record import Record

HERE = (DeviceKind.HOST, DeviceKind.SIMULATED)


@dataclass(frozen=True)
class Waits:
    """How long an agent waits, in seconds."""

    poll_s: int = 25
    """For a job, with one request."""
    look_s: float = 10.0
    """Between two looks at a device that cannot be used."""
    list_s: float = 60.0
    """Between two looks for devices that were plugged in, while nothing is measured."""
    away_s: float = 60.0
    """Longest time between two tries where the server is away."""
    pause_s: float = 10.0
    """After a job that was given back; doubled for each that follows, up to `away_s`."""
    stop_s: float = 30.0
    """For a measurement to end after it was told to."""


class Account(Protocol):
    """Whoever shows what an agent does; called from several threads."""

    def say(self, device: str, sentence: str) -> None:
        """Show what happens with a device, by its alias, or with the agent where that is empty."""

    def progress(self, device: str) -> Progress:
        """Return what shows the stages of a job on a device."""


@dataclass(frozen=True)
class Served:
    """A device that an agent serves, under its alias."""

    alias: str
    device: Device


@dataclass(frozen=True)
class _Ground:
    """What all workers of an agent share."""

    address: Address
    token: str = field(repr=False)
    account: Account
    waits: Waits
    cache: Cache
    errands: Path
    spool: Spool
    stop: Event

    def server(self, patience: Patience | None = None, cancel: Event | None = None) -> Server:
        return Server(self.address, self.token, patience, cancel)


class Agent:
    """Serves devices until it is stopped."""

    def __init__(
        self,
        address: Address,
        find: Callable[[], Sequence[Offer]],
        key: Ed25519PrivateKey,
        account: Account,
        *,
        waits: Waits | None = None,
        cache: Cache | None = None,
    ) -> None:
        """Serve the devices that `find` returns, now and later; `key` signs their records.

        Raises `UserError` where this computer is not enrolled at the server.
        """
        member = membership.require(address)
        if member.device is None:
            raise UserError(
                f"The token of {address} is no device's; ask its administrator for a code, and "
                f"enrol this computer with `mobilebench enrol CODE --server {address}`."
            )
        self._own_alias = member.device
        self._find = find
        self._key = key
        folder = membership.folder(address)
        self._ground = _Ground(
            address=address,
            token=member.token,
            account=account,
            waits=waits or Waits(),
            cache=cache or Cache(),
            errands=folder / "jobs",
            spool=Spool(folder / "spool"),
            stop=Event(),
        )
        self._workers: list[_Worker] = []
        self._locks: list[FileLock] = []
        self._known: set[str] = set()

    def run(self) -> None:
        """Serve the devices until Ctrl-C, or until the server takes nothing from this computer.

        However it ends, measurements in progress are stopped and their jobs are given back. Raises
        `UserError` for what no waiting mends.
        """
        try:
            self._ground.cache.sweep()
            self._take_up(self._find())
            if not self._workers:
                raise UserError("There is no device to take jobs for.")
            listed = time.monotonic()
            while any(worker.is_alive() for worker in self._workers):
                self._ground.stop.wait(0.2)
                if time.monotonic() - listed > self._ground.waits.list_s and not self._at_work():
                    with suppress(UserError):
                        self._take_up(self._find())
                    listed = time.monotonic()
        finally:
            self.stop()
        for worker in self._workers:
            if worker.error is not None:
                raise worker.error

    def stop(self) -> None:
        """Stop every measurement, and wait until their jobs are given back."""
        self._ground.stop.set()
        until = time.monotonic() + self._ground.waits.stop_s
        for worker in self._workers:
            worker.cut()
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))
        for lock in self._locks:
            lock.release()

    def _at_work(self) -> bool:
        return any(worker.is_at_work for worker in self._workers)

    def _take_up(self, offers: Sequence[Offer]) -> None:
        """Begin to serve the devices that are new."""
        new = [offer for offer in offers if offer.device.id not in self._known]
        served: list[Served] = []
        try:
            for offer in new:
                each = self._served(offer)
                served += [each] if each is not None else []
        finally:
            # Those before one for which the server was away.
            here = [each for each in served if each.device.kind in HERE]
            others = [[each] for each in served if each.device.kind not in HERE]
            for group in filter(None, [here, *others]):
                worker = _Worker(self._ground, group)
                self._workers.append(worker)
                worker.start()

    def _served(self, offer: Offer) -> Served | None:
        """Make a device known to the server; None where it cannot be served, which is told."""
        device, say = offer.device, self._ground.account.say
        name = self._own_alias
        if device.kind is not DeviceKind.HOST:
            name = alias(device.model, offer.claim or device.id, self._key)
        lock = self._lock(name)
        self._known.add(device.id)
        if lock is None:
            say(name, "is served by another agent of this computer")
            return None
        try:
            if device.kind is not DeviceKind.HOST:
                with self._ground.server() as server:
                    server.register(name, device)
        except BaseException as error:
            lock.release()
            if isinstance(error, ServerRefused) and error.code in ("alias_taken", "invalid"):
                say(name, f"is not served: {error}")
                return None
            self._known.discard(device.id)
            raise
        self._locks.append(lock)
        say(name, f"is served: {device.model} ({device.id.partition(':')[0]})")
        return Served(name, device)

    def _lock(self, name: str) -> FileLock | None:
        """Hold a device against other agents; None where one has it."""
        place = self._ground.errands / f".{name}.lock"
        with writing(place):
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(place, timeout=0)
            try:
                lock.acquire()
            except Timeout:
                return None
        return lock


class _Worker(threading.Thread):
    """Does the jobs of one device, or of all that compute on this computer, one after another."""

    def __init__(self, ground: _Ground, served: Sequence[Served]) -> None:
        # A runner that hangs must not keep this process alive.
        super().__init__(daemon=True)
        self._ground = ground
        self._served: Mapping[str, Served] = {each.alias: each for each in served}
        self._why_not: dict[str, str] = {}
        self._polling = ground.server(Patience(total_s=0.0), ground.stop)
        self._working = ground.server(cancel=ground.stop)
        self._away = False
        self._pause_s = 0.0
        self._swept: set[str] = set()
        self.is_at_work = False
        self.error: BaseException | None = None

    def cut(self) -> None:
        """End the request that waits for an answer."""
        self._polling.cut()
        self._working.cut()

    def run(self) -> None:
        try:
            while not self._ground.stop.is_set():
                self._turn()
        except Cancelled:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where the agent ends
            self.error = error
            names = ", ".join(self._served)
            self._ground.account.say(names, f"is not served any more: {error}")
        finally:
            self._polling.close()
            self._working.close()

    def _turn(self) -> None:
        """Wait for one job, and do it."""
        usable = self._usable()
        if not usable:
            self._sleep(self._ground.waits.look_s)
            return
        try:
            for sent in self._ground.spool.send(self._polling):
                for sentence in sent.refused:
                    self._say_all(f"the server refuses a record, set apart: {sentence}")
            lease = self._polling.next_job(usable, self._ground.waits.poll_s)
        except ServerAway as error:
            if self._ground.stop.is_set():
                return
            if not self._away:
                self._say_all(f"{error} It is tried again.")
            self._away = True
            self._pause()
            return
        if self._away:
            self._say_all("the server is there again")
        self._away = False
        for name in usable:
            self._sweep(name, lease)
        if lease is None:
            self._pause_s = 0.0
            return
        served = self._served.get(lease.device)
        if served is None:
            raise ServerRefused(
                f"The server {self._ground.address} gave out a job for {lease.device}, which this "
                f"agent does not serve."
            )
        self.is_at_work = True
        try:
            _Doing(self._ground, served, lease, self._working).do()
            self._pause_s = 0.0
        except _GivenBack:
            self._pause()
        finally:
            self.is_at_work = False

    def _usable(self) -> list[str]:
        """Return the devices that can measure now; say why another one cannot."""
        usable = []
        for name, served in self._served.items():
            why = " ".join(devices.obstacles(served.device.id))
            before = self._why_not.get(name, "")
            if why and why != before:
                self._ground.account.say(name, f"cannot be used now: {why}")
            elif before and not why:
                self._ground.account.say(name, "can be used again")
            self._why_not[name] = why
            if not why:
                usable.append(name)
        return usable

    def _sweep(self, name: str, lease: Lease | None) -> None:
        """Remove jobs that an earlier agent left, and that the server has given to others."""
        if name in self._swept:
            return
        self._swept.add(name)
        keep = None
        if lease is not None and lease.device == name:
            keep = Errand.of(lease, self._ground.errands)
        elif lease is not None:
            # It may have a job, too, which the next answer shows.
            self._swept.discard(name)
            return
        for folder in errand.sweep(self._ground.errands, name, keep):
            self._ground.account.say(name, f"gives up {folder.name}: its lease is over")

    def _pause(self) -> None:
        waits = self._ground.waits
        self._pause_s = min(max(waits.pause_s, 2 * self._pause_s), waits.away_s)
        self._sleep(self._pause_s)

    def _sleep(self, seconds: float) -> None:
        if self._ground.stop.wait(seconds):
            raise Cancelled

    def _say_all(self, sentence: str) -> None:
        self._ground.account.say(", ".join(self._served), sentence)


class _GivenBack(Exception):
    """A job went back to the server."""


@dataclass(frozen=True)
class _Doing:
    """One job on one device."""

    ground: _Ground
    served: Served
    lease: Lease
    server: Server

    def do(self) -> None:
        """Do the job, and send its record; raises `_GivenBack` where it was given back."""
        job = Errand.of(self.lease, self.ground.errands)
        self.say(f"goes on with job {self.lease.job}" if job.is_begun else f"job {self.lease.job}")
        progress = self.ground.account.progress(self.served.alias)
        try:
            with self._alive():
                given = job.fill(self.server, self.ground.cache, progress.stage, self.ground.stop)
                document = self._measured(job, given, progress)
            self._hand_in(job, document)
        except Cancelled:
            progress.finished("stopped")
            self._give_back(job, "stopped", "The agent was stopped.")
            raise
        except _GivenBack:
            progress.finished("its record is refused")
            raise
        except ServerAway as error:
            # While its files were on the way: the same lease comes again, or another device's.
            progress.finished("waits for the server")
            self.say(str(error))
            raise _GivenBack from error
        except CellFailed as error:
            progress.finished("failed")
            self._give_back(job, "failed", self._nameless(str(error)))
        except UserError as error:
            if isinstance(error, ServerRefused) and error.status in (401, 403):
                raise
            progress.finished("given back")
            # A full disk passes, too.
            passes = isinstance(error, OutputError) or devices.obstacles(self.served.device.id)
            self._give_back(job, "unusable" if passes else "cannot", self._nameless(str(error)))
        except BaseException:
            progress.finished("stopped")
            self._give_back(job, "stopped", "The agent has ended by an error of its program.")
            raise
        else:
            progress.finished(_figure(document.record))
            return
        raise _GivenBack

    def say(self, sentence: str) -> None:
        self.ground.account.say(self.served.alias, sentence)

    def _measured(self, job: Errand, given: JobFolder, progress: Progress) -> Document:
        if not job.has_record:
            self.say(f"measures {given.subject.model.name}, {given.job.title}")
            runner = plugins.runner(self.served.device.id)
            try:
                runner.perform(self.served.device.id, job.folder, self.ground.stop, progress)
            except CellFailed:
                # A failure that a record tells is a result.
                if not job.has_record:
                    raise
        return given.document()

    def _hand_in(self, job: Errand, document: Document) -> None:
        """Send the record; where the server is away, the spool keeps it, and the next turn sends.

        Raises `OutputError` where the spool has no room and the server is away, `_GivenBack` where
        the server refuses the record.
        """
        spool, lease = self.ground.spool, self.lease.id
        refused: tuple[str, ...] = ()
        figure = _figure(document.record)
        # Once: the next turn tries again, and again after that.
        with self.ground.server(Patience(total_s=0.0, answer_s=30.0)) as server:
            try:
                name = spool.add(document.text, lease)
            except OutputError:
                # The disk is full: the server has room.
                [taken] = server.submit([document.text], lease)
                refused = (taken.why,) if taken.why else ()
            else:
                job.remove()
                try:
                    refused = sum(spool.send(server, [name]), Sent()).refused
                except (ServerAway, ServerRefused) as error:
                    self.say(f"{figure}; the record is kept until the server takes it: {error}")
                    if isinstance(error, ServerRefused) and error.status == 401:
                        raise
                    return
        if refused:
            # Else the same job would come again.
            self._give_back(job, "record_refused", self._nameless(refused[0]), keep=True)
            raise _GivenBack
        self.say(f"{figure}; the server has the record {document.record.record_id}")
        job.remove()

    def _give_back(self, job: Errand, word: str, sentence: str, *, keep: bool = False) -> None:
        self.say(f"gives job {self.lease.job} back: {sentence}")
        with (
            suppress(ServerAway, ServerRefused),
            self.ground.server(Patience(total_s=5.0, answer_s=5.0)) as server,
        ):
            server.give_back(self.lease.id, word, sentence)
        if not keep:
            job.remove()

    @contextmanager
    def _alive(self) -> Iterator[None]:
        every_s = self.lease.heartbeat_s
        server = self.ground.server(Patience(total_s=every_s / 2, answer_s=every_s), Event())
        with Heartbeat(server, self.lease.id, every_s, self.say):
            yield

    def _nameless(self, sentence: str) -> str:
        """Return a sentence for the server, without serial numbers and places of this computer."""
        return places.without(without_names(sentence, names_in(self.served.device.id)))


def _figure(record: Record) -> str:
    """Say what was measured, in a few words."""
    outcome = record.outcome
    if isinstance(outcome, Failure):
        return f"failed at {outcome.stage}"
    return duration(summarise(outcome.samples.latencies_ns()).p50_ns)
