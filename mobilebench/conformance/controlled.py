"""Vectors of the controllers: what a policy decides at every moment of a scripted trace.

A scene says how slow the clock is and what the sensors say, over time. The controller is run in it
once, frame after frame, and what it saw becomes the trace of the vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from mobilebench.conformance.vector import Kind, Vector
from mobilebench.thermal.controllers import controller
from mobilebench.thermal.observation import Decision, Observation, Reading, Reason
from mobilebench.values import wire
from mobilebench.values.device import ThermalState
from mobilebench.values.policy import Aim, Policy, PolicyRule
from mobilebench.values.widths import WidthCost

_MS, _S = 1_000_000, 1_000_000_000
_INTERVAL_NS = 100 * _MS
"""Ten frames a second, and shorter waits than the defaults: the traces stay small."""
_QUICK: Mapping[PolicyRule, Mapping[str, float]] = {
    PolicyRule.FIXED: {},
    PolicyRule.DEADLINE: {
        "quiet_ns": 5 * _S, "longest_ns": 90 * _S, "trial_ns": 8 * _S, "probe_ns": 30 * _S,
    },
    PolicyRule.THRESHOLD: {"dwell_ns": 6 * _S},
    PolicyRule.HEADROOM: {"dwell_ns": 4 * _S, "quiet_ns": 10 * _S, "stale_ns": 8 * _S},
    PolicyRule.PREDICTIVE: {
        "horizon_ns": 10 * _S, "dwell_ns": 4 * _S, "quiet_ns": 6 * _S, "longest_ns": 30 * _S,
        "trial_ns": 15 * _S, "patience_ns": 12 * _S, "rest_ns": 25 * _S,
    },
}  # fmt: skip
_WIDTHS = tuple(
    WidthCost(width=width, cool_ms=cool_ms, top1=top1)
    for width, cool_ms, top1 in (
        (1.0, 80.0, 70.5), (0.75, 60.0, 68.9), (0.5, 30.0, 64.4), (0.35, 20.0, 59.7),
    )
)  # fmt: skip
Curve = Sequence[tuple[float, float]]
"""Seconds and values: a line between two points, constant before the first and after the last."""
_NOISE = (0.3, -0.9, 1.4, -0.2, 0.6, -1.3, 0.1, 0.9, -0.5, -0.1, 1.1, -0.7, 0.0, 0.4, -1.1)
"""Noise in turn, in shares of a scene's spread."""


@dataclass(frozen=True)
class _Scene:
    """What happens around a controller, and for how long."""

    name: str
    about: str
    rule: PolicyRule
    seconds: int = 60
    aim: Aim = field(default_factory=Aim)
    parameters: Mapping[str, float] = field(default_factory=dict)
    widths: tuple[WidthCost, ...] = _WIDTHS
    slow: Callable[[float, int], float] = lambda _, __: 1.0
    """Latency over the cool one, by the second and the index of the width."""
    spread: float = 0.01
    spikes: Callable[[int], float] = lambda _: 1.0
    """A further factor by the number of the frame."""
    skin_c: Curve = ()
    battery_c: Curve = ()
    headroom: Curve = ()
    cap: Curve = ()
    energy_mj: Curve = ()
    quantum_c: float = 0.1
    state: Callable[[float], ThermalState] | None = None
    silent: tuple[float, float] = (0, 0)
    """Seconds between which nothing is observed."""
    without_readings: tuple[float, float] = (0, 0)
    """Seconds between which the sensors say nothing."""
    apart: bool = False
    """True where readings come by themselves, between two frames."""

    def reading(self, second: float) -> Reading:
        """Return what the sensors say."""

        def at(curve: Curve, quantum: float = 0.0) -> float | None:
            number = _on(curve, second)
            if number is None or math.isnan(number) or not quantum:
                return number
            return round(round(number / quantum) * quantum, 6)

        low, high = self.without_readings
        if low <= second < high:
            return Reading()
        return Reading(
            state=None if self.state is None else self.state(second),
            headroom=at(self.headroom),
            skin_c=at(self.skin_c, self.quantum_c),
            battery_c=at(self.battery_c, self.quantum_c),
            cap=at(self.cap),
            energy_mj=at(self.energy_mj),
        )


def _on(curve: Curve, second: float) -> float | None:
    """Return the value of a curve; None for one without points."""
    if not curve:
        return None
    before = curve[0]
    for point in curve:
        if point[0] >= second:
            if point[0] == before[0] or math.isnan(point[1] + before[1]):
                return before[1]
            share = (second - before[0]) / (point[0] - before[0])
            return round(before[1] + share * (point[1] - before[1]), 6)
        before = point
    return before[1]


def _steps(*steps: tuple[float, float]) -> Callable[[float, int], float]:
    """Return a slowness that changes at once: pairs of the second from which, and the factor."""

    def slow(second: float, _: int) -> float:
        return [factor for since, factor in steps if since <= second][-1]

    return slow


def vectors() -> Iterator[Vector]:
    """Yield one vector for each scene."""
    for scene in _scenes():
        yield _vector(scene)


def _vector(scene: _Scene) -> Vector:
    policy = Policy(
        rule=scene.rule, aim=scene.aim, parameters={**_QUICK[scene.rule], **scene.parameters}
    )
    seen, decisions = _run(scene, policy)
    given = {
        "policy": wire.to_sparse(policy),
        "interval_ns": _INTERVAL_NS,
        "widths": [
            {"width": each.width, "cool_ns": each.cool_ns, "top1": each.top1}
            for each in scene.widths
        ],
        "t_ns": [each.t_ns for each in seen],
        "latency_ns": [each.latency_ns for each in seen],
        "index": _spans([each.index for each in seen]),
        "readings": [
            {"n": number, **_written(each.reading)}
            for number, each in enumerate(seen)
            if each.reading is not None
        ],
    }
    return Vector(
        kind=Kind.THERMAL,
        name=f"{scene.rule}-{scene.name}",
        about=scene.about,
        given=given,
        expected=answer_of(decisions),
    )


def answer_of(decisions: Sequence[Decision]) -> dict[str, Any]:
    """Return decisions as an answer: the index after every observation, and every other word."""
    return {
        "index": _spans([each.index for each in decisions]),
        "decisions": [
            {"n": number, "reason": str(each.reason), "inputs": dict(each.inputs)}
            for number, each in enumerate(decisions)
            if each.reason is not Reason.HOLD
        ],
    }


def answer(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what our own controllers decide in the trace of a vector."""
    widths = [
        WidthCost(width=each["width"], cool_ms=each["cool_ns"] / 1e6, top1=each["top1"])
        for each in given["widths"]
    ]
    policy = wire.from_plain(Policy, given["policy"], "the policy")
    machine = controller(policy, widths, given["interval_ns"])
    readings = {each["n"]: _read(each) for each in given["readings"]}
    index = [span["value"] for span in given["index"] for _ in range(span["count"])]
    columns = zip(given["t_ns"], index, given["latency_ns"], strict=True)
    return answer_of(
        [
            machine.decide(Observation(*row, readings.get(number)))
            for number, row in enumerate(columns)
        ]
    )


def _written(reading: Reading | None) -> dict[str, Any]:
    """Return a reading as JSON; the names of numbers that are NaN are in `nan`."""
    if reading is None:
        return {}
    numbers = {
        "headroom": reading.headroom,
        "skin_c": reading.skin_c,
        "battery_c": reading.battery_c,
        "cap": reading.cap,
        "energy_mj": reading.energy_mj,
    }
    known = {name: number for name, number in numbers.items() if number is not None}
    absent = [name for name, number in known.items() if math.isnan(number)]
    return {
        **({} if reading.state is None else {"state": str(reading.state)}),
        **{name: number for name, number in known.items() if name not in absent},
        **({"nan": absent} if absent else {}),
    }


def _read(written: Mapping[str, Any]) -> Reading:
    plain = {name: value for name, value in written.items() if name not in ("n", "nan", "state")}
    state = ThermalState(written["state"]) if "state" in written else None
    absent = dict.fromkeys(written.get("nan", ()), math.nan)
    return Reading(state=state, **plain, **absent)


def _spans(column: Sequence[int]) -> list[dict[str, int]]:
    return [{"count": len(list(run)), "value": value} for value, run in groupby(column)]


def _run(scene: _Scene, policy: Policy) -> tuple[list[Observation], list[Decision]]:
    """Run a controller in a scene."""
    machine = controller(policy, scene.widths, _INTERVAL_NS)
    seen: list[Observation] = []
    decisions: list[Decision] = []
    index = slot = frame = 0
    next_read_s = 1.0

    def observe(t_ns: int, latency_ns: int | None, reading: Reading | None) -> int:
        seen.append(Observation(t_ns, index, latency_ns, reading))
        decisions.append(machine.decide(seen[-1]))
        return decisions[-1].index

    while slot * _INTERVAL_NS < scene.seconds * _S:
        second = slot * _INTERVAL_NS / _S
        if scene.silent[0] <= second < scene.silent[1]:
            slot += 1
            continue
        reading = None
        if second >= next_read_s:
            reading, next_read_s = scene.reading(second), math.floor(second) + 1.0
        if reading is not None and scene.apart:
            index = observe(slot * _INTERVAL_NS, None, reading)
            reading = None
        noise = 1 + scene.spread * _NOISE[frame % len(_NOISE)]
        factor = scene.slow(second, index) * noise * scene.spikes(frame)
        latency_ns = round(scene.widths[index].cool_ns * factor)
        end_ns = slot * _INTERVAL_NS + latency_ns
        index = observe(end_ns, latency_ns, reading)
        frame += 1
        slot = max(slot + 1, -(-end_ns // _INTERVAL_NS))
    return seen, decisions


_HOT = ThermalState.CRITICAL
_UNCAPPED = Aim(uncapped=True)


def _scenes() -> Iterator[_Scene]:
    yield from _deadline_scenes()
    yield from _fixed_scenes()
    yield from _threshold_scenes()
    yield from _headroom_scenes()
    yield from _predictive_scenes()


def _deadline_scenes() -> Iterator[_Scene]:
    def scene(name: str, about: str, **kwargs: Any) -> _Scene:
        return _Scene(name, about, PolicyRule.DEADLINE, **kwargs)

    def follows(second: float, index: int) -> float:
        return 1.0 if index == 0 and not 10 <= second < 20 else 1.35

    capped = _steps((0, 1.0), (20, 1.4))
    yield scene("steady", "A cool clock holds the widest network.")
    yield scene("cap", "A lower clock is answered after three frames.", slow=capped)
    yield scene("cap-at-the-first-frame", "The clock was capped before.", slow=_steps((0, 1.4)))
    yield scene("two-widths-at-once", "A deep cap skips a width.", slow=_steps((0, 1), (20, 2.4)))
    yield scene(
        "cap-released",
        "The wider network comes back after the quiet time.",
        slow=_steps((0, 1.0), (15, 1.4), (30, 1.0)),
    )
    yield scene(
        "flapping",
        "The quiet time doubles for a width that failed soon after it was taken.",
        seconds=100,
        slow=lambda second, _: 1.4 if int(second) % 14 >= 7 else 1.0,
    )
    yield scene(
        "single-slow-frames",
        "A slow frame here and there is no cap.",
        spikes=lambda frame: 1.9 if frame % 50 == 25 else 1.0,
    )
    yield scene(
        "three-slow-frames",
        "Three slow frames in a row look like a cap, and pass.",
        spikes=lambda frame: 1.9 if 200 <= frame < 203 else 1.0,
    )
    yield scene("noise", "Noise of eight per cent leaves the width alone.", spread=0.08)
    yield scene(
        "noise-at-the-edge",
        "A width that is in time half of the time is worth less than the next.",
        spread=0.05,
        slow=_steps((0, 1.0), (10, 1.24)),
    )
    yield scene("faster-than-cool", "There is nothing wider to take.", slow=_steps((0, 0.8)))
    yield scene("one-width", "There is nothing to choose.", widths=_WIDTHS[:1], slow=capped)
    yield scene(
        "two-widths", "Two widths are enough.", widths=(_WIDTHS[0], _WIDTHS[3]), slow=capped
    )
    yield scene("nothing-in-time", "No width is in time any more.", slow=_steps((0, 1), (20, 6)))
    yield scene("gap", "Nothing is seen for half a minute.", slow=capped, silent=(22, 52))
    yield scene(
        "readings-apart",
        "Readings without a frame change nothing.",
        slow=capped,
        skin_c=((0, 30), (60, 44)),
        apart=True,
    )
    yield scene(
        "clock-follows-load",
        "A probe shows that the clock rises with the load.",
        seconds=120,
        slow=follows,
    )
    yield scene(
        "probes-fail",
        "A wider network is probed in vain, and each time later.",
        seconds=150,
        slow=_steps((0, 1.0), (5, 1.4)),
    )
    yield scene(
        "clock-jumps",
        "Clocks go down and up by steps.",
        seconds=90,
        slow=_steps((0, 1), (10, 1.2), (20, 1.5), (35, 1.2), (50, 1.8), (70, 1.0)),
    )
    yield scene(
        "wrong-baseline",
        "All is a tenth slower than the table says.",
        slow=_steps((0, 1.1), (20, 1.32)),
    )
    yield scene(
        "state-cries",
        "The state is critical throughout, and the frames are in time.",
        state=lambda _: _HOT,
        skin_c=((0, 45),),
    )
    yield scene(
        "state-never-moves",
        "The clock is capped while the state stays nominal.",
        state=lambda _: ThermalState.NOMINAL,
        slow=capped,
    )
    yield scene(
        "stated-deadline",
        "The aim has a shorter deadline than the interval.",
        aim=Aim(deadline_ns=70 * _MS),
    )
    yield scene(
        "equal-accuracies",
        "A wider network that is no more accurate is not taken back.",
        widths=tuple(replace(each, top1=60.0) for each in _WIDTHS),
        slow=_steps((0, 1.0), (15, 1.4), (30, 1.0)),
    )


def _fixed_scenes() -> Iterator[_Scene]:
    yield _Scene(
        "cap", "The widest network is kept, late or not.", PolicyRule.FIXED,
        slow=_steps((0, 1.0), (20, 2.0)), skin_c=((0, 30), (60, 50)),
    )  # fmt: skip


def _threshold_scenes() -> Iterator[_Scene]:
    def scene(name: str, about: str, **kwargs: Any) -> _Scene:
        return _Scene(name, about, PolicyRule.THRESHOLD, **kwargs)

    warm: Curve = ((0, 30), (40, 42), (60, 42), (90, 34))
    skin = Aim(skin_c=38)
    yield scene(
        "latency",
        "Without a limit on heat, slow frames narrow it one width at a time.",
        slow=_steps((0, 1.0), (15, 1.2), (40, 1.0)), apart=True, skin_c=((0, 30),),
    )  # fmt: skip
    yield scene(
        "skin", "Above the limit it narrows, well below it widens again.",
        seconds=100, aim=skin, skin_c=warm,
    )  # fmt: skip
    yield scene(
        "hysteresis", "Between the limit and the release nothing moves.",
        aim=skin, skin_c=((0, 37.5), (20, 38.6), (22, 37.2), (60, 36.4)),
    )  # fmt: skip
    yield scene(
        "guarded", "The deadline asks for a narrower width than the heat does.",
        aim=skin, skin_c=((0, 30),), slow=_steps((0, 1.0), (20, 1.4)),
    )  # fmt: skip
    yield scene(
        "unguarded", "Without the guard only the heat counts.", parameters={"guarded": 0},
        aim=skin, skin_c=((0, 30),), slow=_steps((0, 1.0), (20, 1.4)),
    )  # fmt: skip
    yield scene(
        "learns", "It acts where the clock was capped first.", seconds=90,
        aim=_UNCAPPED, parameters={"learns": 1}, skin_c=((0, 30), (30, 40), (50, 36), (90, 42)),
        slow=_steps((0, 1.0), (30, 1.15), (45, 1.0)),
    )  # fmt: skip
    yield scene(
        "status", "A state above the limit narrows.", aim=Aim(warmest=ThermalState.FAIR),
        state=lambda second: ThermalState.SERIOUS if 15 <= second < 35 else ThermalState.NOMINAL,
    )  # fmt: skip
    yield scene(
        "status-always", "A state that always cries narrows as far as it goes.",
        aim=Aim(warmest=ThermalState.FAIR), state=lambda _: _HOT,
    )  # fmt: skip
    yield scene(
        "readings-missing", "Without readings it stays where it is.", aim=skin, skin_c=warm,
        without_readings=(25, 50),
    )  # fmt: skip
    yield scene(
        "cap-by-clock", "The clock itself says that it is capped.", aim=_UNCAPPED,
        cap=((0, 1.0), (20, 1.0), (20.5, 0.8), (40, 0.8), (40.5, 1.0)),
    )  # fmt: skip


def _headroom_scenes() -> Iterator[_Scene]:
    def scene(name: str, about: str, **kwargs: Any) -> _Scene:
        return _Scene(name, about, PolicyRule.HEADROOM, **kwargs)

    yield scene(
        "rises-and-falls", "Above the limit it narrows, after a quiet time it widens.",
        seconds=90, headroom=((0, 0.5), (25, 1.0), (40, 0.6), (90, 0.5)),
    )  # fmt: skip
    yield scene("nan", "NaN is no forecast.", headroom=((0, math.nan),))
    yield scene(
        "nan-later", "Forecasts that end are forgotten after a while.",
        headroom=((0, 1.1), (20, 1.1), (20.5, math.nan), (60, math.nan)),
    )  # fmt: skip
    yield scene(
        "flapping", "A forecast around the limit does not widen.",
        headroom=tuple((second, 0.95 if second % 4 < 2 else 0.85) for second in range(60)),
    )  # fmt: skip
    yield scene(
        "stated", "The aim has another limit than the parameter.", aim=Aim(headroom=0.7),
        headroom=((0, 0.5), (30, 0.8), (60, 0.8)),
    )  # fmt: skip
    yield scene(
        "guarded", "The deadline counts without a forecast.", slow=_steps((0, 1.0), (20, 1.4))
    )  # fmt: skip


def _predictive_scenes() -> Iterator[_Scene]:
    def scene(name: str, about: str, **kwargs: Any) -> _Scene:
        return _Scene(name, about, PolicyRule.PREDICTIVE, **kwargs)

    skin = Aim(skin_c=38)
    rising: Curve = ((0, 30), (40, 38), (60, 37.5), (90, 35))
    capped = _steps((0, 1.0), (30, 1.15), (40, 1.0))
    yield scene(
        "forecast", "It narrows before the limit is reached.", seconds=90, aim=skin, skin_c=rising
    )  # fmt: skip
    yield scene(
        "coarse-sensor", "The slope of a coarse sensor says nothing.", seconds=90, aim=skin,
        skin_c=rising, quantum_c=1.0,
    )  # fmt: skip
    yield scene(
        "learns", "The temperature of the first cap becomes the limit.", seconds=120,
        aim=_UNCAPPED, skin_c=((0, 30), (30, 39), (50, 35), (120, 40)), slow=capped,
    )  # fmt: skip
    yield scene(
        "gives-up", "The narrowest width does not release the cap, so the deadline alone counts.",
        seconds=90, aim=_UNCAPPED, skin_c=((0, 38), (20, 41)), slow=_steps((0, 1.0), (20, 1.15)),
    )  # fmt: skip
    yield scene(
        "without-sensors", "Only latencies: the deadline alone counts, no limit.", seconds=90,
        aim=_UNCAPPED, slow=capped,
    )  # fmt: skip
    yield scene(
        "waits-longer", "A width that fails again waits for twice the time.", seconds=150,
        aim=skin, quantum_c=1.0,
        skin_c=tuple((second, 39 if second % 24 < 8 else 34) for second in range(150)),
    )  # fmt: skip
    yield scene(
        "state-cries", "A state that always cries is given up.", seconds=100,
        aim=Aim(warmest=ThermalState.FAIR), state=lambda _: _HOT,
    )  # fmt: skip
    yield scene(
        "battery", "The battery may be what is limited.", seconds=80, aim=Aim(battery_c=36),
        battery_c=((0, 30), (40, 37), (80, 34)),
    )  # fmt: skip
    yield scene(
        "energy", "A frame may cost no more energy than stated.", aim=Aim(energy_mj=50),
        energy_mj=((0, 30), (20, 70), (35, 70), (36, 20)),
    )  # fmt: skip
    yield scene(
        "cap-by-clock", "A clock that can be read tells of a cap at once.", seconds=80,
        aim=_UNCAPPED, skin_c=((0, 36), (80, 38)),
        cap=((0, 1.0), (20, 1.0), (20.5, 0.8), (30, 0.8), (30.5, 1.0)),
    )  # fmt: skip
    yield scene(
        "one-width", "There is nothing to choose.", widths=_WIDTHS[:1], aim=skin, skin_c=rising
    )  # fmt: skip
    yield scene(
        "nan", "NaN is not a temperature.", aim=skin, skin_c=((0, math.nan),),
        slow=_steps((0, 1.0), (20, 1.4)),
    )  # fmt: skip
    yield scene(
        "gap", "Nothing is seen while it becomes hot.", seconds=90, aim=skin, skin_c=rising,
        silent=(20, 50),
    )  # fmt: skip
    yield scene(
        "guarded", "The deadline asks for a narrower width than the heat does.", aim=skin,
        skin_c=((0, 30),), slow=_steps((0, 1.0), (20, 1.4)),
    )  # fmt: skip
