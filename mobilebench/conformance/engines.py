"""Vectors of the engine: protocols on scripted devices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mobilebench.conformance.scripted import InferenceFailed, Script, ScriptedDevice, Span
from mobilebench.conformance.vector import Kind, Vector
from mobilebench.measuring import engine
from mobilebench.values import wire
from mobilebench.values.device import DeviceState, ThermalState, Unreadable
from mobilebench.values.job import Limits
from mobilebench.values.protocol import (
    Convergence,
    Gate,
    Protocol,
    WarmUp,
    half_hour,
    protocols,
)

_US, _MS, _S = 1_000, 1_000_000, 1_000_000_000
_COOL = (DeviceState(t_ns=0, thermal=ThermalState.NOMINAL),)
_SHORT = Protocol(
    id="short",
    purpose="vectors: a rule of a few samples",
    rounds=2,
    warm_up=WarmUp(min_iterations=3, min_duration_ns=0, max_duration_ns=_S),
    inferences=4,
    min_duration_ns=0,
    max_duration_ns=_S,
)
_CONVERGING = replace(
    _SHORT,
    rounds=1,
    warm_up=WarmUp(
        min_iterations=5, min_duration_ns=0, max_duration_ns=60 * _MS, convergence=Convergence()
    ),
)
_GATED = replace(_SHORT, gate=Gate(poll_ns=_MS, max_wait_ns=5 * _MS))
_PACED = replace(_SHORT, rounds=1, inferences=6, interval_ns=10 * _MS)


def vectors() -> Iterator[Vector]:
    """Yield every protocol on a steady device, then short rules on devices with a fault."""
    for rule in (*protocols(), half_hour(1)):
        # As slow as keeps the columns short, and fast enough for every frame.
        script = _script(rule, _span(30 * _MS + 123), loads_ns=(80 * _MS, 20 * _MS))
        yield _vector(rule.id, f"{rule.id} on a device that nothing disturbs.", script)
    yield from _warm_ups()
    yield from _gates()
    yield from _frames()
    yield from _ends()
    yield from _limits()
    yield from _widths()
    yield _vector(
        "resumed",
        "A measurement that goes on begins with a later round, and its clock goes on too.",
        replace(_script(_SHORT, _span(_MS)), first_round=1, t_ns=3 * _S),
    )


def _widths() -> Iterator[Vector]:
    # Slower and slower, so that the cool latency of each variant is another.
    rising = [Span(count=1, latency_ns=(20 + step) * _US) for step in range(60)]
    paced = replace(_PACED, rounds=2, interval_ns=_MS, inferences=8)
    choosing = replace(_script(paced, *rising), widths=(1.0, 0.75, 0.5))
    yield _vector(
        "widths",
        "Variants are measured cool, the narrowest first; then each choice is in force for the "
        "next inference.",
        replace(choosing, choices=(0, 0, 2, 2, 1, 0, 0, 2, 1, 1)),
    )
    yield _vector(
        "widths-that-stay",
        "A choice of the variant in force is no event.",
        replace(choosing, choices=(0,)),
    )


def _warm_ups() -> Iterator[Vector]:
    falling = [Span(count=2, latency_ns=5 * _MS - step * 80 * _US) for step in range(50)]
    yield _vector(
        "warm-up-converges-late",
        "The averages meet only after the latency has stopped falling.",
        _script(replace(_CONVERGING, warm_up=_of_at_most(_S)), *falling, _span(_MS)),
    )
    alternating = [Span(count=1, latency_ns=(_MS, 3 * _MS)[turn % 2]) for turn in range(200)]
    yield _vector(
        "warm-up-never-converges",
        "Latencies alternate, so the warm-up ends at its limit, whose time counts gaps too.",
        _script(_CONVERGING, *alternating),
    )
    yield _vector(
        "warm-up-has-a-shortest-time",
        "The iterations are done at once, but the shortest time is not over.",
        _script(replace(_SHORT, warm_up=replace(_SHORT.warm_up, min_duration_ns=20 * _MS)),
                _span(3 * _MS)),
    )  # fmt: skip


def _of_at_most(nanoseconds: int) -> WarmUp:
    return replace(_CONVERGING.warm_up, max_duration_ns=nanoseconds)


def _gates() -> Iterator[Vector]:
    cooling = (
        DeviceState(t_ns=0, thermal=ThermalState.SERIOUS, temperatures_c={"skin": 44.5}),
        DeviceState(t_ns=2 * _MS + 1, thermal=ThermalState.FAIR, temperatures_c={"skin": 40.25}),
        DeviceState(t_ns=3 * _MS + 1, thermal=ThermalState.NOMINAL, temperatures_c={"skin": 36.0}),
    )
    yield _vector(
        "gate-opens-after-waiting",
        "The device cools while the first round waits, and the second does not wait.",
        _script(_GATED, _span(_MS), states=cooling),
    )
    warm = (DeviceState(t_ns=0, thermal=ThermalState.FAIR),)
    yield _vector(
        "gate-never-opens",
        "The device stays warm: each round starts after the longest wait, and says so.",
        _script(_GATED, _span(_MS), states=warm),
    )
    silent = (DeviceState(t_ns=0, unreadable={"thermal": Unreadable.ABSENT}),)
    yield _vector(
        "gate-of-a-device-that-tells-nothing",
        "Without a thermal state nothing is waited for, and the gate does not count as open.",
        _script(_GATED, _span(_MS), states=silent),
    )
    yield _vector(
        "gate-with-late-waits-and-slow-readings",
        "Waits end late and readings take time; both count as waiting.",
        _script(_GATED, _span(_MS), states=cooling, late_ns=70 * _US, reading_ns=130 * _US),
    )
    yield _vector(
        "rest-before-every-round",
        "A fixed rest comes before every round, and before the reading of its state.",
        _script(replace(_SHORT, cool_down_ns=7 * _MS), _span(_MS)),
    )
    warming = (
        DeviceState(t_ns=0, thermal=ThermalState.NOMINAL, temperatures_c={"cpu": 41.5}),
        DeviceState(t_ns=25 * _MS, thermal=ThermalState.FAIR, temperatures_c={"cpu": 52.75}),
    )
    yield _vector(
        "readings-beside-a-long-round",
        "The state is read between inferences, no more often than the rule says.",
        _script(replace(_SHORT, rounds=1, inferences=12, sense_ns=10 * _MS), _span(4 * _MS),
                states=warming, reading_ns=500 * _US),
    )  # fmt: skip


def _frames() -> Iterator[Vector]:
    yield _vector(
        "frames-on-a-grid",
        "Frames begin at multiples of the interval, and late waits do not add up.",
        _script(_PACED, Span(count=4, latency_ns=_MS), _span(9 * _MS), late_ns=40 * _US),
    )
    slow = (Span(count=4, latency_ns=_MS), Span(count=1, latency_ns=25 * _MS), _span(2 * _MS))
    yield _vector(
        "deadline-missed",
        "An inference that takes two and a half intervals drops the frames that came meanwhile.",
        _script(_PACED, *slow),
    )
    exact = (Span(count=3, latency_ns=_MS), _span(10 * _MS))
    yield _vector(
        "deadline-just-met",
        "An inference that takes the interval to the nanosecond is not waited for.",
        _script(_PACED, *exact, late_ns=40 * _US),
    )


def _ends() -> Iterator[Vector]:
    yield _vector(
        "round-has-a-shortest-time",
        "The inferences are done, but the round is not long enough.",
        _script(replace(_SHORT, min_duration_ns=30 * _MS), _span(4 * _MS)),
    )
    yield _vector(
        "round-ends-at-its-limit",
        "A model that is too slow ends its round with fewer inferences than it should have.",
        _script(replace(_SHORT, max_duration_ns=5 * _MS), _span(2 * _MS)),
    )
    suspended = (Span(count=5, latency_ns=_MS), Span(count=1, latency_ns=600 * _S), _span(_MS))
    yield _vector(
        "clock-jumps",
        "The device slept within an inference: the sample is kept, and ends its round.",
        _script(_SHORT, *suspended),
    )
    yield _vector(
        "inference-fails",
        "An inference fails in the second round: the measurement is a failure at that inference.",
        replace(_script(_SHORT, _span(_MS)), failing_inference=9),
    )


def _limits() -> Iterator[Vector]:
    long = replace(_SHORT, inferences=100)
    yield _vector(
        "stop-by-time-within-a-round",
        "The limit is looked at after each inference, whose sample is kept.",
        _limited_script(long, Limits(time_ns=30 * _MS)),
    )
    settling = replace(_CONVERGING, warm_up=_of_at_most(_S))
    alternating = [Span(count=1, latency_ns=(_MS, 3 * _MS)[turn % 2]) for turn in range(100)]
    yield _vector(
        "stop-by-time-within-a-warm-up",
        "The limit ends a warm-up too, and then nothing is measured.",
        replace(_script(settling, *alternating), limits=Limits(time_ns=50 * _MS)),
    )
    hot = (DeviceState(t_ns=0, thermal=ThermalState.CRITICAL, temperatures_c={"skin": 47.5}),)
    yield _vector(
        "stop-by-time-before-a-gate",
        "Waiting counts, and a reading that comes too late ends the measurement.",
        replace(_script(replace(_GATED, gate=Gate(poll_ns=_MS, max_wait_ns=_S)), _span(_MS),
                        states=hot), limits=Limits(time_ns=5 * _MS)),
    )  # fmt: skip
    warming = (
        DeviceState(t_ns=0, thermal=ThermalState.FAIR, temperatures_c={"cpu": 59.5, "skin": 40.0}),
        DeviceState(t_ns=40 * _MS, thermal=ThermalState.FAIR, temperatures_c={"cpu": 60.0}),
        DeviceState(t_ns=60 * _MS, thermal=ThermalState.SERIOUS, temperatures_c={"cpu": 60.5}),
    )
    sensing = replace(long, sense_ns=10 * _MS)
    for name, about, limits in (
        ("thermal-state", "In a warmer state than the limit.", Limits(warmest=ThermalState.FAIR)),
        ("temperature", "A temperature is above the limit.", Limits(hottest_c=60.0)),
    ):
        yield _vector(f"stop-by-{name}", about, _limited_script(sensing, limits, states=warming))
    draining = (
        DeviceState(t_ns=0, charging=True, battery_fraction=0.1),
        DeviceState(t_ns=35 * _MS, charging=False, battery_fraction=0.15),
        DeviceState(t_ns=55 * _MS, charging=False, battery_fraction=0.14),
    )
    yield _vector(
        "stop-by-battery",
        "The charge is below the limit, and no charger is connected.",
        _limited_script(sensing, Limits(least_battery=0.15), states=draining),
    )
    yield _vector(
        "limits-that-are-not-reached",
        "A device that tells neither temperatures nor a charge reaches no limit of them.",
        _limited_script(
            replace(long, sense_ns=10 * _MS),
            Limits(warmest=ThermalState.NOMINAL, hottest_c=20.0, least_battery=0.9),
            states=(DeviceState(t_ns=0, unreadable={"thermal": Unreadable.ABSENT}),),
        ),
    )


def _limited_script(
    rule: Protocol, limits: Limits, states: tuple[DeviceState, ...] = _COOL
) -> Script:
    return replace(_script(rule, _span(_MS), states=states), limits=limits)


def _span(latency_ns: int) -> Span:
    return Span(count=1, latency_ns=latency_ns)


def _script(
    rule: Protocol,
    *inferences: Span,
    loads_ns: tuple[int, ...] = (10 * _MS, 2 * _MS),
    states: tuple[DeviceState, ...] = _COOL,
    late_ns: int = 0,
    reading_ns: int = 0,
) -> Script:
    return Script(
        protocol=rule,
        loads_ns=loads_ns,
        inferences=inferences,
        states=states,
        late_ns=late_ns,
        reading_ns=reading_ns,
    )


def _vector(name: str, about: str, script: Script) -> Vector:
    device = ScriptedDevice(script)
    try:
        course = engine.Course(
            limits=script.limits,
            first_round=script.first_round,
            t_ns=script.t_ns,
            several=device.several,
        )
        taken = engine.run(script.protocol, device.load, device.instruments, course)
        expected = {
            "samples": wire.to_sparse(taken.samples),
            "loads_ns": list(taken.load_ns),
            "gates": wire.to_sparse(taken.gates),
            "states": wire.to_sparse(taken.states),
            "stopped": taken.stopped,
            **({"events": wire.to_sparse(taken.events)} if script.widths else {}),
        }
    except InferenceFailed:
        expected = {"failing_inference": script.failing_inference}
    return Vector(
        kind=Kind.ENGINE, name=name, about=about, given=wire.to_sparse(script), expected=expected
    )
