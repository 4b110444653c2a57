"""Measure artifacts on many devices at once: each device works off a queue of cells.

plan -> a `Queue` per device -> `run` -> `Measured | NotMeasured` as they come

A device that cools down, is away or fails holds up no other. Cells of this computer, and of
simulated phones, which compute on it, take turns: two at once would measure each other.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from threading import Condition, Event
from typing import Protocol, TypeVar

from mobilebench.errors import Cancelled, ClusterError, MissingToolkit, UserError
from mobilebench.interfaces import Ran
from mobilebench.measuring import bench, devices
from mobilebench.measuring.devices import Offer
from mobilebench.measuring.setting import Cell, Plan, Setting
from mobilebench.notation.quantities import duration
from mobilebench.observer import Observer, Progress, Silent
from mobilebench.values.device import Device, DeviceKind
from mobilebench.values.measurement import Failure
from mobilebench.values.record import Record

T = TypeVar("T")
_POLL_S = 0.1


@dataclass(frozen=True)
class Queue:
    """The cells of one device, in the order in which it measures them."""

    device: Device
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Batch:
    """What is to be measured on which devices, and what no device can run."""

    queues: tuple[Queue, ...]
    left_out: tuple[str, ...] = ()
    """A sentence for each artifact that a kind of device cannot run."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of all devices."""
        return tuple(cell for each in self.queues for cell in each.cells)


@dataclass(frozen=True)
class Measured:
    """A cell with its record, which may be one of a failure."""

    cell: Cell
    record: Record


@dataclass(frozen=True)
class NotMeasured:
    """A cell of which nothing is known, and why."""

    cell: Cell
    why: UserError

    def __str__(self) -> str:
        return f"{self.cell.name} on {self.cell.device.id}: {self.why}"


Outcome = Measured | NotMeasured


@dataclass(frozen=True)
class Patience:
    """How long a batch waits for one device, in seconds."""

    wait_s: float = 900.0
    """For a device that is away, hot, empty, locked or busy."""
    look_s: float = 10.0
    """Between two looks at such a device."""
    overhead_s: float = 1200.0
    """For a cell, besides its protocol: a runner has shorter limits, and this one is for a runner
    that hangs."""
    stop_s: float = 30.0
    """For a cell to end after it was told to."""


class Way(Protocol):
    """The way to the devices: from this computer, or from others of a cluster.

    Its methods may be called from several threads.
    """

    def offers(self, scheme: str | None = None) -> tuple[Offer, ...]:
        """Return the devices, as `devices.offers` does."""

    def run(self, cell: Cell, cancel: Event, progress: Progress) -> Ran:
        """Run a cell on its device; raises as `Runner.run` does."""

    def obstacles(self, device_id: str) -> tuple[str, ...]:
        """Say why nothing can be measured on a device now; empty where it can."""

    def takes_turns(self, device: Device) -> bool:
        """Return whether a device must not measure beside another one that takes turns."""


class Here:
    """The devices of this computer."""

    def offers(self, scheme: str | None = None) -> tuple[Offer, ...]:
        return devices.offers(scheme)

    def run(self, cell: Cell, cancel: Event, progress: Progress) -> Ran:
        return bench.run_here(cell, cancel, progress)

    def obstacles(self, device_id: str) -> tuple[str, ...]:
        return devices.obstacles(device_id)

    def takes_turns(self, device: Device) -> bool:
        # In simulated time too: real inferences are where a phone's latency comes from.
        return device.kind in (DeviceKind.HOST, DeviceKind.SIMULATED)


def plan_batch(
    chosen: Sequence[Device], setting: Setting, plan: Callable[[Setting, Device], Plan]
) -> Batch:
    """Plan every device by a setting, whose own device does not count.

    `plan` is `setting.plan` or `setting.plan_widths` with its artifacts. No artifact is first on
    every device, or always behind the same one. What a device cannot run is left out. Raises
    `UserError` where that leaves nothing.
    """
    queues: list[Queue] = []
    left_out: dict[str, None] = {}
    problems: list[UserError] = []
    for row, device in enumerate(sorted(chosen, key=lambda each: each.id)):
        try:
            planned = plan(replace(setting, device_id=device.id), device)
        except UserError as error:
            problems.append(error)
            left_out[f"{device.id}: {error}"] = None
        else:
            queues.append(Queue(device, in_turn(planned.cells, row)))
            left_out.update(dict.fromkeys(planned.left_out))
    if not queues:
        raise problems[0] if problems else UserError("There is no device to measure on.")
    return Batch(tuple(queues), tuple(left_out))


def in_turn(cells: Sequence[T], row: int) -> tuple[T, ...]:
    """Return the order of one row of a balanced Latin square; row 0 begins with the first cell.

    Over as many rows as there are cells (twice as many for an odd number), every cell has each
    place equally often, and follows each other one equally often: E. J. Williams, Experimental
    designs balanced for the estimation of residual effects of treatments, 1949.
    """
    count = len(cells)
    steps = [(place + 1) // 2 * (1 if place % 2 else -1) for place in range(count)]
    order = [cells[(row + step) % count] for step in steps]
    backwards = count % 2 and row % (2 * count) >= count
    return tuple(reversed(order) if backwards else order)


def without(batch: Batch, is_done: Callable[[Cell], bool]) -> Batch:
    """Return what is left of a batch; devices without a cell are not in it."""
    rest = (
        replace(each, cells=tuple(cell for cell in each.cells if not is_done(cell)))
        for each in batch.queues
    )
    return replace(batch, queues=tuple(each for each in rest if each.cells))


def run(
    batch: Batch,
    way: Way | None = None,
    observer: Observer | None = None,
    patience: Patience | None = None,
) -> Generator[Outcome, None, None]:
    """Measure every cell; yield what came of each as soon as it is known.

    A cell whose runtime fails is recorded as a `Failure`, one that cannot be measured is named, and
    the batch goes on. When the iterator is closed (`contextlib.closing`), also by Ctrl-C, all
    devices stop. Raises what is an error of the program, or of the whole cluster, after all devices
    have stopped.
    """
    running = _Run(way or Here(), observer or Silent(), patience or Patience())
    try:
        running.start(batch)
        yield from running.outcomes()
    finally:
        running.stop()


class _GivenUp(UserError):
    """A device that did not come back in time."""


class _Lane:
    """One device at work: the thread, and the cell that it is at."""

    def __init__(self, queue: Queue) -> None:
        self.left = deque(queue.cells)
        self.cancel = Event()
        self.until: float | None = None
        """When the present cell has to have ended, on the monotonic clock; None while it waits."""
        self.late = False
        self.abandoned = False


class _Run:
    """A batch in progress."""

    def __init__(self, way: Way, observer: Observer, patience: Patience) -> None:
        self._way = way
        self._observer = observer
        self._patience = patience
        self._stopping = Event()
        self._outcomes: queue.SimpleQueue[tuple[_Lane, Outcome | BaseException | None]] = (
            queue.SimpleQueue()
        )
        self._lanes: dict[_Lane, threading.Thread] = {}
        self._turns = Turns()

    def start(self, batch: Batch) -> None:
        """Start a thread for each device."""
        for each in batch.queues:
            lane = _Lane(each)
            # A runner that hangs must not keep this process alive.
            thread = threading.Thread(target=self._work, args=(lane,), daemon=True)
            self._lanes[lane] = thread
            thread.start()

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what the threads report, until none of them is left."""
        open_lanes = set(self._lanes)
        while open_lanes:
            try:
                lane, outcome = self._outcomes.get(timeout=_POLL_S)
            except queue.Empty:
                for lane in [each for each in open_lanes if self._hangs(each)]:
                    lane.abandoned = True
                    open_lanes.discard(lane)
                    yield from self._given_up(lane)
                continue
            if lane.abandoned:
                continue
            if isinstance(outcome, BaseException):
                raise outcome
            if outcome is None:
                open_lanes.discard(lane)
                for cell in lane.left:
                    yield NotMeasured(cell, UserError("its runner stopped without a word."))
            else:
                lane.left.popleft()
                yield outcome

    def stop(self) -> None:
        """Stop all devices, and wait until they have."""
        self._stopping.set()
        until = time.monotonic() + self._patience.stop_s
        for lane in self._lanes:
            lane.cancel.set()
        for thread in self._lanes.values():
            thread.join(timeout=max(0.0, until - time.monotonic()))

    def _hangs(self, lane: _Lane) -> bool:
        """Return whether a device neither ends its cell nor stops it; stop it where it is late."""
        until = lane.until
        if until is None or time.monotonic() < until:
            return False
        if lane.late:
            return True
        lane.late = True
        lane.until = time.monotonic() + self._patience.stop_s
        lane.cancel.set()
        return False

    def _given_up(self, lane: _Lane) -> Iterator[NotMeasured]:
        first, *rest = lane.left
        yield NotMeasured(first, self._too_late(first))
        for cell in rest:
            yield NotMeasured(
                cell, UserError("the cell before it hangs, and did not stop when it was told to.")
            )

    def _too_late(self, cell: Cell) -> UserError:
        limit_s = self._limit_s(cell)
        return UserError(
            f"it did not end within {duration(round(limit_s * 1e9))} and was stopped; look at the "
            f"device, and measure it again."
        )

    def _limit_s(self, cell: Cell) -> float:
        return self._patience.overhead_s + cell.job.protocol.longest_ns / 1e9

    # In the thread of one device.

    def _work(self, lane: _Lane) -> None:
        """Measure the cells of a device, one after another."""
        try:
            doubtful, lost = False, None
            for cell in list(lane.left):
                outcome = self._outcome(lane, cell, doubtful) if lost is None else None
                if lane.abandoned:
                    return
                if isinstance(outcome, NotMeasured) and isinstance(outcome.why, _GivenUp):
                    lost = outcome.why
                doubtful = outcome is not None and failed(outcome)
                if lost is not None:
                    self._observer.skipped(f"{cell.device.id}: {cell.name}", "not measured")
                    outcome = NotMeasured(cell, lost)
                self._outcomes.put((lane, outcome))
            self._outcomes.put((lane, None))
        except Cancelled:
            self._outcomes.put((lane, None))
        except BaseException as error:  # noqa: BLE001 - raised again where outcomes are taken
            self._outcomes.put((lane, error))

    def _outcome(self, lane: _Lane, cell: Cell, doubtful: bool) -> Outcome:
        """Measure a cell, as soon as its device can be used; look first where that is doubtful.

        Raises `Cancelled`.
        """
        until = time.monotonic() + self._patience.wait_s
        try:
            if doubtful:
                self._wait(cell, until)
            while True:
                try:
                    return Measured(cell, self._measured(lane, cell))
                except (ClusterError, MissingToolkit):
                    raise
                except UserError:
                    # The cell's own fault, unless something is the matter with the device.
                    if not self._wait(cell, until):
                        raise
                self._observer.expect(1)
        except Cancelled:
            if self._stopping.is_set() or not lane.late:
                raise
            return NotMeasured(cell, self._too_late(cell))
        except ClusterError:
            raise
        except UserError as error:
            return NotMeasured(cell, error)

    def _measured(self, lane: _Lane, cell: Cell) -> Record:
        lane.cancel = cancel = Event()
        lane.late = False
        with self._turn(cell.device):
            if self._stopping.is_set():
                raise Cancelled
            lane.until = time.monotonic() + self._limit_s(cell)
            try:
                with bench.measured(
                    cell, None, self._observer, cell.device.id, cancel=cancel, run=self._way.run
                ) as record:
                    return record
            finally:
                lane.until = None

    def _turn(self, device: Device) -> AbstractContextManager[None]:
        if self._way.takes_turns(device):
            return self._turns.taken(self._stopping)
        return nullcontext()

    def _wait(self, cell: Cell, until: float) -> bool:
        """Wait until a device can be used; return whether there was anything to wait for.

        Raises `_GivenUp` where it takes too long, `Cancelled` where the batch stops.
        """
        id_ = cell.device.id
        obstacles = self._way.obstacles(id_)
        if not obstacles:
            return False
        progress = self._observer.preparing(id_)
        outcome = "stopped"
        try:
            while obstacles:
                left_s = until - time.monotonic()
                if left_s <= 0:
                    outcome = "given up"
                    raise _GivenUp(
                        f"The device could not be used for "
                        f"{duration(round(self._patience.wait_s * 1e9))}: {' '.join(obstacles)}"
                    )
                progress.stage(f"waits: {' '.join(obstacles)}")
                if self._stopping.wait(min(self._patience.look_s, left_s)):
                    raise Cancelled
                obstacles = self._way.obstacles(id_)
            outcome = "can be used again"
        finally:
            progress.finished(outcome)
        return True


class Turns:
    """A lock that is given in the order of asking, and that a caller can give up waiting for."""

    def __init__(self) -> None:
        self._waiting: deque[object] = deque()
        self._changed = Condition()

    @contextmanager
    def taken(self, cancel: Event) -> Iterator[None]:
        """Hold the lock. Raises `Cancelled` when the event is set before it is free."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
        try:
            with self._changed:
                while self._waiting[0] is not ticket:
                    if cancel.is_set():
                        raise Cancelled
                    self._changed.wait(_POLL_S)
            yield
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()


def failed(outcome: Outcome) -> bool:
    """Return whether a cell has no measurement."""
    return isinstance(outcome, NotMeasured) or isinstance(outcome.record.outcome, Failure)
