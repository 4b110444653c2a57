"""A simulated phone as the place of a job, in simulated time or with real inference.

In simulated time an inference costs nothing: the median of some real ones is the latency of the
phone's fastest clock, and the phone's clock and noise do the rest. With real inference the process
sleeps after each until the frame has taken as long as the phone's clock would make it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from mobilebench.measuring import engine, job_folder, performing
from mobilebench.thermal import phones, simulation
from mobilebench.values.device import Device, DeviceState, Unreadable
from mobilebench.values.phone import Phone
from mobilebench_device_runners._host_process import runtime_at
from mobilebench_device_runners.sim import AIR_C, device_of

_SETTLING, _TIMED = 3, 11
"""Real inferences before and for the median that simulated time is made from."""
_SECOND = 1_000_000_000


def perform(name: str, real: bool, runtime_place: str, folder: Path) -> Path:
    """Do the job in a folder on a simulated phone; otherwise as `performing.perform`."""
    job = job_folder.read(folder).job
    interval_ns = job.protocol.interval_ns
    place = RealInference(name, interval_ns) if real else SimulatedTime(name, interval_ns, job.seed)
    return performing.perform(folder, lambda: runtime_at(runtime_place), place)


class _Place:
    """What both ways share: the phone, and how its time goes on."""

    real = False

    def __init__(self, name: str, interval_ns: int | None) -> None:
        self._name = name
        self._phone: Phone = phones.named(name)
        self._interval_ns = interval_ns
        self._now = simulation.Simulation(self._phone, AIR_C)
        self._slow = [self._phone.slowdown(step) for step in range(len(self._phone.steps))]
        self._t_ns = self._tick_ns = self._busy_ns = self._busy_since_read_ns = 0
        self._read_ns = 0
        self._demand = 0.0

    def device(self) -> Device:
        return device_of(self._name, self.real)

    def state(self, clock: engine.Clock) -> DeviceState:
        return self._state(clock())

    def loaded(self, nanoseconds: int) -> None:
        """Take the time of a real load into account; the clock of real inference has it."""

    def _pass(self, nanoseconds: int, busy: bool) -> None:
        """Let time pass, with the unit busy or not."""
        self._t_ns += nanoseconds
        if busy:
            self._busy_ns += nanoseconds
            self._busy_since_read_ns += nanoseconds
            self._demand = nanoseconds / (self._interval_ns or nanoseconds or 1)
        while self._tick_ns + simulation.TICK_NS <= self._t_ns:
            self._tick_ns += simulation.TICK_NS
            share = min(self._busy_ns, simulation.TICK_NS)
            self._busy_ns -= share
            self._now.tick(self._tick_ns, share / simulation.TICK_NS, self._demand)

    def _slowdown(self) -> float:
        return self._slow[self._now.truth.step]

    def _state(self, t_ns: int) -> DeviceState:
        elapsed_ns = max(self._t_ns - self._read_ns, 1)
        reading = self._now.read(min(1.0, self._busy_since_read_ns / elapsed_ns))
        self._read_ns, self._busy_since_read_ns = self._t_ns, 0
        temperatures = {"skin": reading.skin_c, "battery": reading.battery_c}
        known = {name: round(c, 3) for name, c in temperatures.items() if c is not None}
        absent = [
            name
            for name, content in (("temperatures_c", known), ("headroom", reading.headroom))
            if content is None or content == {}
        ]
        return DeviceState(
            t_ns=t_ns,
            thermal=reading.state,
            temperatures_c=known or None,
            headroom=reading.headroom,
            busy_fraction=0.0,
            unreadable=dict.fromkeys(absent, Unreadable.ABSENT),
        )


class SimulatedTime(_Place):
    """A phone whose clock is not ours: half an hour passes in a second."""

    def __init__(self, name: str, interval_ns: int | None, seed: int) -> None:
        super().__init__(name, interval_ns)
        self._noise = self._factors(seed)

    def _factors(self, seed: int) -> Iterator[float]:
        while True:
            yield from simulation.noise(self._phone, 4096, seed)
            seed += 1

    @property
    def instruments(self) -> engine.Instruments:
        return engine.Instruments(
            lambda: self._t_ns,
            lambda nanoseconds: self._pass(nanoseconds, busy=False),
            lambda: self._state(self._t_ns),
        )

    def loaded(self, nanoseconds: int) -> None:
        self._pass(nanoseconds, busy=False)

    def inference(self, infer: engine.Infer) -> engine.Infer:
        cool_ns = _median_ns(infer)

        def compute() -> None:
            self._pass(int(cool_ns * self._slowdown() * next(self._noise)), busy=True)

        return compute


class RealInference(_Place):
    """A phone whose frames are computed here, and then take as long as its clock would make them.

    The heat is that of the simulated phone; the latency of the fastest clock, and the noise, are
    this machine's.
    """

    real = True

    def __init__(self, name: str, interval_ns: int | None) -> None:
        super().__init__(name, interval_ns)
        self._began_ns = time.perf_counter_ns()

    @property
    def instruments(self) -> engine.Instruments:
        return engine.Instruments(time.perf_counter_ns, _sleep, self._sense)

    def inference(self, infer: engine.Infer) -> engine.Infer:
        def compute() -> None:
            self._idle()
            began_ns = time.perf_counter_ns()
            infer()
            computed_ns = time.perf_counter_ns() - began_ns
            _sleep(int(computed_ns * (self._slowdown() - 1)))
            self._pass(time.perf_counter_ns() - began_ns, busy=True)

        return compute

    def _sense(self) -> DeviceState:
        self._idle()
        return self._state(time.perf_counter_ns())

    def _idle(self) -> None:
        """Let the time pass that went by since the last inference."""
        behind_ns = time.perf_counter_ns() - self._began_ns - self._t_ns
        self._pass(max(behind_ns, 0), busy=False)


def _median_ns(infer: engine.Infer) -> float:
    """Return the median latency of some real inferences."""
    latencies = []
    for _ in range(_SETTLING + _TIMED):
        began_ns = time.perf_counter_ns()
        infer()
        latencies.append(time.perf_counter_ns() - began_ns)
    return statistics.median(latencies[_SETTLING:])


def _sleep(nanoseconds: int) -> None:
    if nanoseconds > 0:
        time.sleep(nanoseconds / _SECOND)
