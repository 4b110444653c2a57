"""A device that follows a script, so that a measurement can be foreseen to the nanosecond.

Time passes only in loads, inferences, waits and readings. Reading the clock takes none, so an
implementation may read it as often as it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field, replace
from itertools import chain, repeat

from mobilebench.measuring.engine import Choose, Instruments, Several, Shift
from mobilebench.values import require_range, value
from mobilebench.values.device import DeviceState
from mobilebench.values.job import Limits
from mobilebench.values.protocol import Protocol

_ORIGIN_NS = 5_000_000
"""What the clock shows when the measurement begins; samples count from there."""


class InferenceFailed(Exception):
    """The scripted inference that fails."""


@value
class Span:
    """So many inferences, one after the other, that take the same time."""

    count: int
    latency_ns: int

    def __post_init__(self) -> None:
        require_range(self, "count", "latency_ns", least=1)


@value
class Script:
    """A protocol, and everything that happens on the device that runs it."""

    protocol: Protocol
    loads_ns: tuple[int, ...]
    """Time of each load; after the last, the last is repeated."""
    inferences: tuple[Span, ...]
    """Latencies in their order; after the last, the last is repeated."""
    states: tuple[DeviceState, ...]
    """What a reading that begins at `t_ns` or later shows, until the next; on the measurement's
    clock, the first at 0."""
    reading_ns: int = 0
    """Time that a reading of the state takes."""
    late_ns: int = 0
    """Every wait ends this much later than asked for."""
    failing_inference: int | None = None
    """The inference that fails, counted from 0; None where none does."""
    limits: Limits = field(default_factory=Limits)
    """Where the measurement ends early."""
    first_round: int = 0
    """The round that a resumed measurement begins with."""
    t_ns: int = 0
    """What its clock shows then."""
    widths: tuple[float, ...] = ()
    """Of the variants, the widest first; empty where there is one network."""
    choices: tuple[int, ...] = ()
    """The variant that is chosen after each measured inference; after the last, it is repeated."""


class ScriptedDevice:
    """The clock, the sensors and the model of a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._now_ns = _ORIGIN_NS
        self._loads = _lasting(iter(script.loads_ns))
        self._latencies = _lasting(
            chain.from_iterable(repeat(s.latency_ns, s.count) for s in script.inferences)
        )
        self._inferences = 0

    @property
    def instruments(self) -> Instruments:
        """The clock, the wait and the sensors, as an engine takes them."""
        return Instruments(lambda: self._now_ns, self._wait, self._sense)

    @property
    def several(self) -> Several | None:
        """What chooses the variants by the script; None where there is one network."""
        script = self._script
        if not script.widths:
            return None
        choices = _lasting(iter(script.choices))

        def chooser(cool_ns: tuple[int, ...]) -> Choose:
            readings = {f"cool_{at}_ns": float(ns) for at, ns in enumerate(cool_ns)}
            return lambda _: Shift(next(choices), "script", readings)

        return Several(script.widths, lambda _: None, chooser)

    def load(self) -> Callable[[], None]:
        """Load the model; return its inference call."""
        self._now_ns += next(self._loads)
        return self._infer

    def _infer(self) -> None:
        if self._inferences == self._script.failing_inference:
            raise InferenceFailed
        self._inferences += 1
        self._now_ns += next(self._latencies)

    def _wait(self, nanoseconds: int) -> None:
        self._now_ns += nanoseconds + self._script.late_ns

    def _sense(self) -> DeviceState:
        began = self._now_ns - _ORIGIN_NS + self._script.t_ns
        self._now_ns += self._script.reading_ns
        shown = [state for state in self._script.states if state.t_ns <= began][-1]
        return replace(shown, t_ns=self._now_ns)


def _lasting(values: Iterator[int]) -> Iterator[int]:
    last = next(values)
    yield last
    for last in values:
        yield last
    yield from repeat(last)
