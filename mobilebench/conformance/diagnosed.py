"""Vectors of the diagnoses: each one present, and each one just absent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from mobilebench.conformance.vector import Kind, Vector
from mobilebench.measuring import diagnoses
from mobilebench.values import wire
from mobilebench.values.application import Application, Build, Scheduling
from mobilebench.values.device import Device, DeviceKind, DeviceState, ThermalState
from mobilebench.values.event import Event, EventKind
from mobilebench.values.evidence import OutputParity, UnitParity
from mobilebench.values.measurement import (
    Diagnosis,
    GateLog,
    Loads,
    Measurement,
    Memory,
    Phase,
    RuntimeInfo,
    Samples,
    Stop,
)
from mobilebench.values.protocol import Convergence, Protocol, protocol
from mobilebench.values.unit import ComputeUnit, UnitEvidence

_SMOKE, _SUSTAINED = protocol("smoke-1"), protocol("sustained-1")
_QUIET = DeviceState(t_ns=0, busy_fraction=0.02, thermal=ThermalState.NOMINAL)
_STEADY = [1000 + index % 7 for index in range(60)]
_LONG = [1_000_000 + index % 70 for index in range(1200)]
_DEVICE = Device(
    id="sim:vectors", kind=DeviceKind.SIMULATED, model="Scripted device", os="none",
    os_version="0", cores=6,
)  # fmt: skip
_SETTLING = replace(
    _SMOKE,
    id="settling",
    warm_up=replace(_SMOKE.warm_up, convergence=Convergence(), max_duration_ns=5_000),
)


@dataclass(frozen=True)
class _Case:
    """A measurement that differs from a good one in one point."""

    latencies: Sequence[int]
    warm_up: int = 0
    rule: Protocol = _SMOKE
    before: DeviceState = _QUIET
    after: DeviceState = _QUIET
    gates: tuple[GateLog, ...] = ()
    states: tuple[DeviceState, ...] = ()
    threads: int = 1
    evidence: UnitEvidence = UnitEvidence.CONFIRMED
    events: tuple[Event, ...] = ()
    scheduling: tuple[Scheduling, ...] = ()
    application: Application | None = None
    parity: tuple[UnitParity, ...] = ()
    stopped: Stop | None = None
    cut_off: bool = False


def vectors() -> Iterator[Vector]:
    """Yield a good measurement, then every diagnosis present and absent."""
    yield _vector("none", "A quiet, steady run is valid.", _Case(_STEADY))
    for diagnosis in Diagnosis:
        present, absent = _PAIRS[diagnosis]
        name = diagnosis.replace(" ", "-")
        yield _vector(f"{name}-present", f"The measurement shows: {diagnosis}.", present)
        yield _vector(f"{name}-absent", f"The measurement just does not show: {diagnosis}.", absent)


def _gate(thermal: ThermalState | None, *, is_open: bool) -> GateLog:
    return GateLog(waited_ns=10, start=thermal, open=is_open)


def _warming(latencies: Sequence[int], step: int) -> tuple[DeviceState, ...]:
    """Return twenty readings of one sensor, evenly spaced over the samples."""
    whole = sum(latencies)
    return tuple(
        DeviceState(t_ns=whole * index // 20, temperatures_c={"cpu": 50.0 + step * index})
        for index in range(20)
    )


def _halves(first: int, second: int) -> list[int]:
    """Return two rounds, the second half of each at another level."""
    one = [first + index % 7 for index in range(15)] + [second + index % 7 for index in range(15)]
    return one * 2


def _event(kind: EventKind) -> tuple[Event, ...]:
    return (Event(t_ns=5, kind=kind),)


def _app(build: Build, runtime_build: Build | None = None) -> Application:
    return Application(name="harness", version="1", build=build, runtime_build=runtime_build)


def _parity(unit: ComputeUnit, error: float) -> tuple[UnitParity, ...]:
    output = OutputParity(name="scores", max_relative_error=error, limit=0.01)
    return (UnitParity(unit=unit, outputs=(output,)),)


_IN_FRONT = Scheduling(t_ns=0, foreground=True, screen_on=True)
_RISING = [latency + 100 * index for index, latency in enumerate(_LONG)]
_PAIRS: dict[Diagnosis, tuple[_Case, _Case]] = {
    Diagnosis.TOO_FEW_SAMPLES: (_Case(_STEADY[:59]), _Case(_STEADY)),
    Diagnosis.TIMER_TOO_COARSE: (_Case([1000, 1050, 1100] * 20), _Case([1000, 1010, 1020] * 20)),
    Diagnosis.OUTPUTS_DIFFER: (
        _Case(_STEADY, parity=_parity(ComputeUnit.CPU, 0.011)),
        _Case(_STEADY, parity=_parity(ComputeUnit.CPU, 0.01) + _parity(ComputeUnit.NPU, 0.5)),
    ),
    Diagnosis.OTHER_UNIT: (
        _Case(_STEADY, evidence=UnitEvidence.NOT_SUPPORTED),
        _Case(_STEADY, evidence=UnitEvidence.UNKNOWN),
    ),
    Diagnosis.DEBUG_BUILD: (
        _Case(_STEADY, application=_app(Build.RELEASE, Build.DEBUG)),
        _Case(_STEADY, application=_app(Build.RELEASE)),
    ),
    Diagnosis.NOT_IN_FRONT: (
        _Case(_STEADY, scheduling=(_IN_FRONT, replace(_IN_FRONT, t_ns=9, screen_on=False))),
        _Case(_STEADY, scheduling=(_IN_FRONT, Scheduling(t_ns=9))),
    ),
    Diagnosis.STOPPED_EARLY: (_Case(_STEADY, stopped=Stop.HEAT), _Case(_STEADY)),
    Diagnosis.CUT_OFF: (_Case(_STEADY, cut_off=True), _Case(_STEADY)),
    Diagnosis.NOT_GATED: (
        _Case(_STEADY, gates=(_gate(ThermalState.FAIR, is_open=False),)),
        _Case(_STEADY, gates=(_gate(None, is_open=False),)),
    ),
    Diagnosis.THROTTLED: (
        _Case(_LONG[:900] + [latency + latency // 5 for latency in _LONG[900:]], rule=_SUSTAINED),
        _Case(_LONG[:900] + [latency + latency // 9 for latency in _LONG[900:]], rule=_SUSTAINED),
    ),
    Diagnosis.CLOCK_CAPPED: (
        _Case(_STEADY, events=_event(EventKind.CLOCK_CAP)),
        _Case(_STEADY, events=_event(EventKind.SCREEN_ON)),
    ),
    Diagnosis.DRIFT_WITH_TEMPERATURE: (
        _Case(_RISING, rule=_SUSTAINED, states=_warming(_RISING, 1)),
        _Case(_RISING, rule=_SUSTAINED, states=_warming(_RISING, -1)),
    ),
    Diagnosis.BURST_NOT_SUSTAINED: (_Case(_halves(500, 620)), _Case(_halves(500, 540))),
    Diagnosis.NOT_CONVERGED: (
        _Case([1000] * 5 + _STEADY, warm_up=5, rule=_SETTLING),
        _Case([1000] * 4 + _STEADY, warm_up=4, rule=_SETTLING),
    ),
    Diagnosis.BACKGROUND_LOAD: (
        _Case(_STEADY, before=replace(_QUIET, busy_fraction=0.26)),
        _Case(_STEADY, before=replace(_QUIET, busy_fraction=0.25)),
    ),
    Diagnosis.MORE_THREADS_THAN_CORES: (_Case(_STEADY, threads=7), _Case(_STEADY, threads=6)),
    Diagnosis.LOW_POWER_MODE: (
        _Case(_STEADY, before=replace(_QUIET, low_power_mode=True)),
        _Case(_STEADY, before=replace(_QUIET, low_power_mode=False)),
    ),
    Diagnosis.MEMORY_SHORT: (
        _Case(_STEADY, events=_event(EventKind.MEMORY_WARNING)),
        _Case(_STEADY, events=_event(EventKind.FOREGROUND)),
    ),
    Diagnosis.CHARGER_CHANGED: (
        _Case(_STEADY, events=_event(EventKind.CHARGER_REMOVED)),
        _Case(_STEADY, before=replace(_QUIET, charging=True)),
    ),
    Diagnosis.NOISY_SAMPLES: (
        _Case([round(1000 * 1.02 ** (index * 37 % 60)) for index in range(60)]),
        _Case([round(1000 * 1.01 ** (index * 37 % 60)) for index in range(60)]),
    ),
    Diagnosis.BIMODAL_LATENCY: (
        _Case([900 + index % 5 for index in range(40)] + _STEADY[:20]),
        _Case([970 + index % 5 for index in range(40)] + _STEADY[:20]),
    ),
    Diagnosis.THERMAL_STATE_CHANGED: (
        _Case(_STEADY, after=replace(_QUIET, thermal=ThermalState.FAIR)),
        _Case(_STEADY, after=replace(_QUIET, thermal=ThermalState.NOMINAL)),
    ),
    Diagnosis.SLOW_FIRST_RUN: (
        _Case([20_000, 1001, *_STEADY], warm_up=2),
        _Case([5_000, 1001, *_STEADY], warm_up=2),
    ),
}


def _vector(name: str, about: str, case: _Case) -> Vector:
    measurement = _measurement(case)
    judged = diagnoses.diagnose(measurement, case.rule, _DEVICE)
    return Vector(
        kind=Kind.DIAGNOSES,
        name=name,
        about=about,
        given={
            "protocol": wire.to_sparse(case.rule),
            "device": wire.to_sparse(_DEVICE),
            "measurement": wire.to_sparse(measurement),
        },
        expected={"validity": judged.validity, "reasons": list(judged.reasons)},
    )


def _measurement(case: _Case) -> Measurement:
    """Return samples one right after the other, the measured ones in two equal rounds."""
    latencies = list(case.latencies)
    measured = len(latencies) - case.warm_up
    half = measured // 2
    return Measurement(
        runtime=RuntimeInfo(
            name="scripted", version="1", compute_unit_requested=ComputeUnit.CPU,
            compute_unit_evidence=case.evidence, delegate=None, threads=case.threads,
        ),
        samples=Samples(
            t_ns=tuple(accumulate(latencies[:-1], initial=0)),
            latency_ns=tuple(latencies),
            phase=(Phase.WARM_UP,) * case.warm_up + (Phase.MEASURED,) * measured,
            round=(0,) * (case.warm_up + half) + (1,) * (measured - half),
        ),
        loads=Loads(first_ns=50_000_000),
        memory=Memory(peak_bytes=200_000_000, before_load_bytes=60_000_000),
        before=case.before,
        after=case.after,
        gates=case.gates,
        states=case.states,
        events=case.events,
        scheduling=case.scheduling,
        application=case.application,
        parity=case.parity,
        stopped=case.stopped,
        cut_off=case.cut_off,
    )  # fmt: skip
