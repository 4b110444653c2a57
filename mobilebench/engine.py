"""The engine: takes a measurement by a protocol, whatever loads and whatever tells the time.

Clock and load are arguments, so the same loop is proven to the nanosecond on scripted latencies
and run for real on every runtime.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mobilebench.measurement import Loads, Phase, Samples
from mobilebench.protocol import Convergence, Protocol, WarmUp

Infer = Callable[[], object]
Clock = Callable[[], int]
"""Monotonic time in integer nanoseconds."""


@dataclass
class _Columns:
    """Samples while they are taken; plain lists, so that appending costs the loop little."""

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


def run(protocol: Protocol, load: Callable[[], Infer], clock: Clock) -> tuple[Samples, Loads]:
    """Run every round of `protocol`; `load` makes a session and returns its inference call."""
    columns, load_ns = _Columns(), []
    origin = clock()
    for round_ in range(protocol.rounds):
        started = clock()
        infer = load()
        load_ns.append(clock() - started)
        _warm_up(protocol.warm_up, infer, clock, origin, columns, round_)
        _measure(protocol, infer, clock, origin, columns, round_)
    return columns.freeze(), Loads(first_ns=load_ns[0], warm_ns=tuple(load_ns[1:]))


def _sample(
    infer: Infer, clock: Clock, origin: int, columns: _Columns, phase: Phase, round_: int
) -> int:
    """One inference; returns its latency."""
    started = clock()
    infer()
    latency = clock() - started
    columns.add(started - origin, latency, phase, round_)
    return latency


def _warm_up(
    rule: WarmUp, infer: Infer, clock: Clock, origin: int, columns: _Columns, round_: int
) -> None:
    settled = Settling(rule.convergence) if rule.convergence else None
    started, iterations = clock(), 0
    while True:
        latency = _sample(infer, clock, origin, columns, Phase.WARM_UP, round_)
        iterations += 1
        elapsed = clock() - started
        if elapsed >= rule.max_duration_ns:
            return
        converged = settled is None or settled.add(latency)
        if converged and iterations >= rule.min_iterations and elapsed >= rule.min_duration_ns:
            return


def _measure(
    protocol: Protocol, infer: Infer, clock: Clock, origin: int, columns: _Columns, round_: int
) -> None:
    started, inferences = clock(), 0
    while True:
        _sample(infer, clock, origin, columns, Phase.MEASURED, round_)
        inferences += 1
        elapsed = clock() - started
        if elapsed >= protocol.max_duration_ns:
            return
        if inferences >= protocol.inferences and elapsed >= protocol.min_duration_ns:
            return


class Settling:
    """Watches latencies until a fast and a slow moving average agree (see `Convergence`)."""

    def __init__(self, rule: Convergence) -> None:
        self._rule = rule
        self._fast = self._slow = 0.0
        self._agreed = self._seen = 0

    def add(self, latency_ns: int) -> bool:
        """Take one more latency; True once it has settled."""
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
