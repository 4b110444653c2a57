"""Run a measurement protocol. Clock, sleep and sensors are arguments.

The same loop can therefore be tested to the nanosecond on scripted latencies and temperatures, and
measure for real on every runtime.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mobilebench.values.device import DeviceState
from mobilebench.values.measurement import GateLog, Loads, Phase, Samples
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
    begin: Callable[[int], None] = lambda round_: None
    """Called with the number of a round before it, so that somebody may follow; never between
    inferences."""


@dataclass(frozen=True)
class Taken:
    """The result of running a protocol."""

    samples: Samples
    loads: Loads
    gates: tuple[GateLog, ...]
    """One for each round of a protocol with a gate."""
    states: tuple[DeviceState, ...]
    """The device's states in order, on the clock of the samples."""


def run(protocol: Protocol, load: Callable[[], Infer], instruments: Instruments) -> Taken:
    """Run every round of `protocol`.

    `load` loads the model and returns its inference call.
    """
    return _Run(protocol, load, instruments).run()


@dataclass
class _Columns:
    """Samples in plain lists, so that appending costs the measuring loop little."""

    t_ns: list[int] = field(default_factory=list)
    latency_ns: list[int] = field(default_factory=list)
    phase: list[Phase] = field(default_factory=list)
    round: list[int] = field(default_factory=list)

    def add(self, t_ns: int, latency_ns: int, phase: Phase, round_: int) -> None:
        self.t_ns.append(t_ns)
        self.latency_ns.append(latency_ns)
        self.phase.append(phase)
        self.round.append(round_)

    def freeze(self) -> Samples:
        return Samples(
            t_ns=tuple(self.t_ns),
            latency_ns=tuple(self.latency_ns),
            phase=tuple(self.phase),
            round=tuple(self.round),
        )


class _Run:
    """One run of a protocol, with the samples and states recorded so far."""

    def __init__(
        self, protocol: Protocol, load: Callable[[], Infer], instruments: Instruments
    ) -> None:
        self._protocol = protocol
        self._load = load
        self._clock = instruments.clock
        self._wait = instruments.wait
        self._sense = instruments.sense
        self._begin = instruments.begin
        self._origin = self._clock()
        self._columns = _Columns()
        self._gates: list[GateLog] = []
        self._states: list[DeviceState] = []

    def run(self) -> Taken:
        load_ns = []
        for round_ in range(self._protocol.rounds):
            self._begin(round_)
            self._rest()
            started = self._clock()
            infer = self._load()
            load_ns.append(self._clock() - started)
            self._warm_up(self._protocol.warm_up, infer, round_)
            self._measure(infer, round_)
        return Taken(
            samples=self._columns.freeze(),
            loads=Loads(first_ns=load_ns[0], warm_ns=tuple(load_ns[1:])),
            gates=tuple(self._gates),
            states=tuple(self._states),
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
        return state

    def _sample(self, infer: Infer, phase: Phase, round_: int) -> int:
        """Run one inference, record it, and return its latency."""
        started = self._clock()
        infer()
        latency = self._clock() - started
        self._columns.add(started - self._origin, latency, phase, round_)
        return latency

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

    def _measure(self, infer: Infer, round_: int) -> None:
        protocol = self._protocol
        started, inferences = self._clock(), 0
        sense_at = started
        while True:
            self._sample(infer, Phase.MEASURED, round_)
            inferences += 1
            elapsed = self._clock() - started
            if elapsed >= protocol.max_duration_ns:
                return
            if inferences >= protocol.inferences and elapsed >= protocol.min_duration_ns:
                return
            if protocol.sense_ns is not None and self._clock() >= sense_at:
                self._read()
                sense_at += protocol.sense_ns
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
