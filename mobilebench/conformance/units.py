"""Vectors of the rule that says whether the unit that was asked for did the work."""

from __future__ import annotations

from collections.abc import Iterator

from mobilebench.conformance.vector import Kind, Vector
from mobilebench.measuring import evidence
from mobilebench.values import wire
from mobilebench.values.evidence import PlacedOperation, UnitTiming
from mobilebench.values.unit import ComputeUnit

_CPU, _GPU, _NPU, _ALL = ComputeUnit.CPU, ComputeUnit.GPU, ComputeUnit.NPU, ComputeUnit.ALL
_P50_NS = 2_000_000.0


def vectors() -> Iterator[Vector]:
    """Yield one vector for each branch of the rule, and for the edges between them."""
    yield _vector("cpu", "The CPU needs no evidence.", _CPU, None)
    yield _vector("plan-and-time", "Plan and time agree.", _NPU, _plan(9, _NPU, 1), 1.1)
    yield _vector("faster-on-the-cpu", "Slower than the CPU is apart, too.", _NPU, _plan(9), 0.5)
    yield _vector("plan-alone", "There is a plan, and no time of the CPU.", _NPU, _plan(9))
    yield _vector("time-alone", "There is no plan, and the times are apart.", _GPU, None, 3.0)
    yield _vector("nothing", "There is neither plan nor time.", _GPU, None)
    yield _vector(
        "same-time", "The plan names the unit, but it is the CPU's time.", _NPU, _plan(9), 1.09
    )
    yield _vector("plan-without-the-unit", "The plan gives the unit nothing.", _GPU, _plan(9), 3.0)
    yield _vector(
        "plan-with-a-few", "The plan gives it less than half.", _NPU, _plan(4, _NPU, 6), 3.0
    )
    costly = (*_plan(1, _NPU, 0, cost=0.9), *_plan(0, _NPU, 9, cost=0.01))
    yield _vector(
        "plan-by-cost", "One costly operation outweighs nine cheap ones.", _NPU, costly, 3.0
    )
    silent = tuple(PlacedOperation(name=f"op{n}", kind="conv", unit=None) for n in range(3))
    yield _vector("plan-without-units", "A plan without units says nothing.", _NPU, silent, 3.0)
    yield _vector("all-with-a-plan", "`all` names no unit; a whole plan is likely.", _ALL, _plan(9))
    yield _vector("all-without-a-plan", "`all` without a plan is unknown.", _ALL, None, 3.0)


def _plan(
    on_unit: int, unit: ComputeUnit = _NPU, elsewhere: int = 0, cost: float | None = None
) -> tuple[PlacedOperation, ...]:
    units = [unit] * on_unit + [_CPU] * elsewhere
    return tuple(
        PlacedOperation(name=f"op{number}", kind="conv", unit=each, cost=cost)
        for number, each in enumerate(units)
    )


def _vector(
    name: str,
    about: str,
    unit: ComputeUnit,
    placement: tuple[PlacedOperation, ...] | None,
    on_cpu: float | None = None,
) -> Vector:
    """Return a vector; `on_cpu` is the CPU's median as a multiple of the unit's."""
    timings: tuple[UnitTiming, ...] = ()
    if on_cpu is not None:
        timings = (UnitTiming(unit=_CPU, p50_ns=_P50_NS * on_cpu, samples=50),)
    return Vector(
        kind=Kind.EVIDENCE,
        name=name,
        about=about,
        given={
            "unit": unit,
            "p50_ns": _P50_NS,
            "placement": None if placement is None else wire.to_sparse(placement),
            "timings": wire.to_sparse(timings),
        },
        expected={"evidence": evidence.judge(unit, _P50_NS, placement, timings)},
    )
