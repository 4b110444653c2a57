"""Run a measurement protocol. Clock, sleep and sensors are arguments.

The same loop can therefore be tested to the nanosecond on scripted latencies and temperatures, and
measure for real on every runtime.

What is measured leaves the loop in parts while it runs, so that a process that is killed has told
all but the last of it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mobilebench.values.device import DeviceState
from mobilebench.values.event import Event, EventKind
from mobilebench.values.job import Limits
from mobilebench.values.measurement import GateLog, Phase, Samples, Stop
from mobilebench.values.protocol import Convergence, Gate, Protocol, WarmUp

Infer = Callable[[], object]
Clock = Callable[[], int]
"""Monotonic time in integer nanoseconds."""


@dataclass(frozen=True)
class Instruments:
    """The clock, the wait and the sensors that a measurement uses."""

    clock: Clock
    wait: Callable[[int], None]
    """Returns after the given number of nanoseconds, or a little later."""
    sense: Callable[[], DeviceState]
    """Reads the device's state now; must be quick, for it is called between inferences."""
    events: Callable[[], Sequence[Event]] = tuple
    """Returns what happened to the device since the last call, at times that count for nothing."""


@dataclass(frozen=True)
class Moment:
    """The end of an inference, as a chooser of widths sees it."""

    t_ns: int
    """On the measurement's clock."""
    index: int
    """Of the width that computed it."""
    latency_ns: int
    state: DeviceState | None
    """The device's state, where it was read after this inference."""


@dataclass(frozen=True)
class Shift:
    """The decision to compute the next inferences at another width."""

    index: int
    reason: str
    readings: Mapping[str, float]
    """The numbers that it was decided by."""


Choose = Callable[[Moment], Shift | None]
"""Decides after an inference; None leaves the width as it is."""


@dataclass(frozen=True)
class Several:
    """Networks of several widths, and what chooses between them."""

    widths: tuple[float, ...]
    """As shares of the channels of the full network, the widest first."""
    select: Callable[[int], object]
    """Puts the width at an index in force, for the inferences from now on."""
    chooser: Callable[[tuple[int, ...]], Choose]
    """Takes the cool latency of each width in nanoseconds; returns what chooses."""


@dataclass(frozen=True)
class Part:
    """What came since the part before."""

    samples: Samples
    load_ns: tuple[int, ...]
    gates: tuple[GateLog, ...]
    states: tuple[DeviceState, ...]
    events: tuple[Event, ...] = ()
    round_ended: int | None = None


@dataclass(frozen=True)
class Taken:
    """The result of running a protocol."""

    samples: Samples
    load_ns: tuple[int, ...]
    """One for each round that began."""
    gates: tuple[GateLog, ...]
    """One for each round of a protocol with a gate."""
    states: tuple[DeviceState, ...]
    """The device's states in order, on the clock of the samples."""
    events: tuple[Event, ...] = ()
    """Every shift of the width, and what happened to the device."""
    stopped: Stop | None = None
    """The limit that ended it; None where it ran to its end."""


@dataclass(frozen=True)
class Course:
    """How a run begins, where it ends early, and to whom it gives its parts."""

    limits: Limits = field(default_factory=Limits)
    keep: Callable[[Part], None] | None = None
    """Takes a part between two inferences, when `every_ns` have passed, and after each round."""
    every_ns: int = 1_000_000_000
    first_round: int = 0
    t_ns: int = 0
    """What the measurement's clock shows at the beginning."""
    several: Several | None = None
    """None where there is one network."""


BASELINE_INFERENCES = 12
_SETTLING = 2
"""Of these, those that do not count for the cool latency of a width."""


def run(
    protocol: Protocol,
    load: Callable[[], Infer],
    instruments: Instruments,
    course: Course | None = None,
) -> Taken:
    """Run the rounds of `protocol`.

    `load` loads the model and returns its inference call.
    """
    return _Run(protocol, load, instruments, course or Course()).run()


class _LimitReached(Exception):
    def __init__(self, stop: Stop) -> None:
        super().__init__(stop)
        self.stop = stop


@dataclass
class _Columns:
    """Samples in plain lists, so that appending costs the measuring loop little."""

    t_ns: list[int] = field(default_factory=list)
    latency_ns: list[int] = field(default_factory=list)
    phase: list[Phase] = field(default_factory=list)
    round: list[int] = field(default_factory=list)
    width: list[float] = field(default_factory=list)
    """Empty where there is one network."""

    def add(
        self, t_ns: int, latency_ns: int, phase: Phase, round_: int, width: float | None
    ) -> None:
        self.t_ns.append(t_ns)
        self.latency_ns.append(latency_ns)
        self.phase.append(phase)
        self.round.append(round_)
        if width is not None:
            self.width.append(width)

    def freeze(self, begin: int = 0) -> Samples:
        return Samples(
            t_ns=tuple(self.t_ns[begin:]),
            latency_ns=tuple(self.latency_ns[begin:]),
            phase=tuple(self.phase[begin:]),
            round=tuple(self.round[begin:]),
            width=tuple(self.width[begin:]),
        )


@dataclass(frozen=True)
class _Kept:
    """How much of each list has been given away, and when."""

    at_ns: int
    samples: int = 0
    loads: int = 0
    gates: int = 0
    states: int = 0
    events: int = 0


class _Run:
    """One run of a protocol, with the samples and states recorded so far."""

    def __init__(
        self,
        protocol: Protocol,
        load: Callable[[], Infer],
        instruments: Instruments,
        course: Course,
    ) -> None:
        self._protocol = protocol
        self._load = load
        self._clock = instruments.clock
        self._wait = instruments.wait
        self._sense = instruments.sense
        self._happened = instruments.events
        self._course = course
        self._origin = self._clock() - course.t_ns
        time_ns = course.limits.time_ns
        self._ends_at = math.inf if time_ns is None else self._origin + time_ns
        self._columns = _Columns()
        self._load_ns: list[int] = []
        self._gates: list[GateLog] = []
        self._states: list[DeviceState] = []
        self._events: list[Event] = []
        self._several = course.several
        self._index = 0
        self._width = course.several.widths[0] if course.several else None
        self._kept = _Kept(at_ns=self._clock())

    def run(self) -> Taken:
        stopped = None
        try:
            for round_ in range(self._course.first_round, self._protocol.rounds):
                self._rest()
                started = self._clock()
                infer = self._load()
                self._load_ns.append(self._clock() - started)
                self._select(0)
                self._warm_up(self._protocol.warm_up, infer, round_)
                self._measure(infer, round_, self._chooser(infer, round_))
                self._keep(round_)
        except _LimitReached as limit:
            stopped = limit.stop
            self._keep()
        except Exception:
            self._keep()
            raise
        return Taken(
            samples=self._columns.freeze(),
            load_ns=tuple(self._load_ns),
            gates=tuple(self._gates),
            states=tuple(self._states),
            events=tuple(self._events),
            stopped=stopped,
        )

    def _between(self, now: int) -> None:
        """Do what is due between two inferences: give away a part, end at the limit of time."""
        if now - self._kept.at_ns >= self._course.every_ns:
            self._keep()
        if now >= self._ends_at:
            raise _LimitReached(Stop.TIME)

    def _keep(self, round_ended: int | None = None) -> None:
        """Give away what came since the last time."""
        if self._course.keep is None:
            return
        last = self._kept
        part = Part(
            samples=self._columns.freeze(last.samples),
            load_ns=tuple(self._load_ns[last.loads :]),
            gates=tuple(self._gates[last.gates :]),
            states=tuple(self._states[last.states :]),
            events=tuple(self._events[last.events :]),
            round_ended=round_ended,
        )
        self._course.keep(part)
        self._kept = _Kept(
            at_ns=self._clock(),
            samples=len(self._columns.t_ns),
            loads=len(self._load_ns),
            gates=len(self._gates),
            states=len(self._states),
            events=len(self._events),
        )

    def _rest(self) -> None:
        """Prepare a round: rest for the fixed time, read the device's state, pass the gate."""
        if self._protocol.cool_down_ns:
            self._wait(self._protocol.cool_down_ns)
        state = self._read()
        if self._protocol.gate is not None:
            self._gates.append(self._pass(self._protocol.gate, state))

    def _pass(self, gate: Gate, state: DeviceState) -> GateLog:
        started = self._clock()
        while state.thermal is not None and state.thermal.level > gate.warmest.level:
            waited = self._clock() - started
            if waited >= gate.max_wait_ns:
                return GateLog(waited_ns=waited, start=state.thermal, open=False)
            self._wait(gate.poll_ns)
            state = self._read()
        waited = self._clock() - started
        return GateLog(waited_ns=waited, start=state.thermal, open=state.thermal is not None)

    def _read(self) -> DeviceState:
        state = replace(self._sense(), t_ns=self._clock() - self._origin)
        self._states.append(state)
        self._events += [replace(event, t_ns=state.t_ns) for event in self._happened()]
        if (stop := self._course.limits.passed_by(state)) is not None:
            raise _LimitReached(stop)
        self._between(self._clock())
        return state

    def _sample(self, infer: Infer, phase: Phase, round_: int) -> int:
        """Run one inference, record it, and return its latency."""
        started = self._clock()
        infer()
        latency = self._clock() - started
        self._columns.add(started - self._origin, latency, phase, round_, self._width)
        return latency

    def _select(self, index: int) -> None:
        """Put a width in force."""
        if self._several is not None:
            self._several.select(index)
            self._index, self._width = index, self._several.widths[index]

    def _chooser(self, infer: Infer, round_: int) -> Choose | None:
        """Measure the cool latency of each width, the narrowest first; return what chooses."""
        several = self._several
        if several is None:
            return None
        cool_ns: dict[int, int] = {}
        for index in reversed(range(len(several.widths))):
            self._select(index)
            latencies = [
                self._sample(infer, Phase.WARM_UP, round_) for _ in range(BASELINE_INFERENCES)
            ]
            cool_ns[index] = int(statistics.median(latencies[_SETTLING:]))
            self._between(self._clock())
        return several.chooser(tuple(cool_ns[index] for index in sorted(cool_ns)))

    def _choose(self, choose: Choose, latency_ns: int, state: DeviceState | None) -> None:
        """Let the chooser look at the inference that just ended, and shift where it says so."""
        now = self._clock() - self._origin
        shift = choose(Moment(now, self._index, latency_ns, state))
        if shift is None or shift.index == self._index:
            return
        before = self._width
        self._select(shift.index)
        self._events.append(
            Event(
                t_ns=now,
                kind=EventKind.WIDTH_SHIFT,
                from_width=before,
                to_width=self._width,
                readings=dict(shift.readings),
                note=shift.reason,
            )
        )

    def _warm_up(self, rule: WarmUp, infer: Infer, round_: int) -> None:
        settling = Settling(rule.convergence) if rule.convergence else None
        started, iterations = self._clock(), 0
        while True:
            latency = self._sample(infer, Phase.WARM_UP, round_)
            iterations += 1
            elapsed = self._clock() - started
            if elapsed >= rule.max_duration_ns:
                return
            converged = settling is None or settling.add(latency)
            if converged and iterations >= rule.min_iterations and elapsed >= rule.min_duration_ns:
                return
            self._between(started + elapsed)

    def _measure(self, infer: Infer, round_: int, choose: Choose | None) -> None:
        protocol = self._protocol
        started, inferences = self._clock(), 0
        sense_at = started
        while True:
            latency = self._sample(infer, Phase.MEASURED, round_)
            inferences += 1
            elapsed = self._clock() - started
            if elapsed >= protocol.max_duration_ns:
                return
            if inferences >= protocol.inferences and elapsed >= protocol.min_duration_ns:
                return
            state = None
            if protocol.sense_ns is not None and self._clock() >= sense_at:
                state = self._read()
                sense_at += protocol.sense_ns
            else:
                self._between(started + elapsed)
            if choose is not None:
                self._choose(choose, latency, state)
            if protocol.interval_ns is not None:
                self._wait_for_frame(protocol.interval_ns, started)

    def _wait_for_frame(self, interval_ns: int, started: int) -> None:
        """Wait until the next multiple of the interval since the round's first inference.

        No drift adds up, and frames that came while an inference ran are dropped.
        """
        now = self._clock()
        frame = -(-(now - started) // interval_ns)
        due = started + frame * interval_ns
        if due > now:
            self._wait(due - now)


class Settling:
    """Detects when a fast and a slow moving average of the latency agree.

    See `Convergence`.
    """

    def __init__(self, rule: Convergence) -> None:
        self._rule = rule
        self._fast = self._slow = 0.0
        self._agreed = self._seen = 0

    def add(self, latency_ns: int) -> bool:
        """Add one latency; return True once latencies have converged."""
        rule = self._rule
        if self._seen == 0:
            self._fast = self._slow = float(latency_ns)
        else:
            self._fast += rule.fast * (latency_ns - self._fast)
            self._slow += rule.slow * (latency_ns - self._slow)
        self._seen += 1
        near = abs(self._fast / self._slow - 1.0) <= rule.tolerance
        self._agreed = self._agreed + 1 if near else 0
        return self._agreed > rule.consecutive
