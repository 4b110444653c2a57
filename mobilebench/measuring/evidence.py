"""Judge whether the unit that was asked for did the work. No system says so itself.

The evidence is the device's own plan, and the time that the same model takes on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence

from mobilebench.values.evidence import PlacedOperation, UnitTiming
from mobilebench.values.unit import ComputeUnit, UnitEvidence

_MOST = 0.5
"""Share of the operations from which on a unit does the work."""
_APART = 1.1
"""Ratio of medians at which two units are told apart: phones vary by less from run to run."""


def judge(
    unit: ComputeUnit,
    p50_ns: float,
    placement: Sequence[PlacedOperation] | None,
    timings: Sequence[UnitTiming],
) -> UnitEvidence:
    """Return how well it is known that `unit` did the work. `p50_ns` is its median latency.

    The CPU runs whatever is asked of it, which is confirmed. Of another unit, a plan that gives it
    nothing means that it is not supported. A plan that gives it most operations, and a time that
    is not the CPU's, confirm it. One of the two makes it likely. Without either, or where they
    contradict each other, nothing is known. Of `all`, which names no unit, a whole plan is all that
    can be known.
    """
    if unit is ComputeUnit.CPU:
        return UnitEvidence.CONFIRMED
    if unit is ComputeUnit.ALL:
        whole = bool(placement) and all(each.unit for each in placement or ())
        return UnitEvidence.LIKELY if whole else UnitEvidence.UNKNOWN
    planned = _share(unit, placement)
    if planned == 0:
        return UnitEvidence.NOT_SUPPORTED
    apart = _apart(p50_ns, timings)
    if planned is not None and planned < _MOST:
        return UnitEvidence.UNKNOWN
    if planned is None:
        return UnitEvidence.LIKELY if apart else UnitEvidence.UNKNOWN
    if apart is None:
        return UnitEvidence.LIKELY
    return UnitEvidence.CONFIRMED if apart else UnitEvidence.UNKNOWN


def _share(unit: ComputeUnit, placement: Sequence[PlacedOperation] | None) -> float | None:
    """Return the share of the operations on a unit, by their cost where the plan states it.

    None where there is no plan, or it names no unit at all.
    """
    named = [each for each in placement or () if each.unit is not None]
    if not named:
        return None
    weighed = all(each.cost is not None for each in named)
    weights = [(each.cost or 0.0) if weighed else 1.0 for each in named]
    whole = sum(weights)
    if not whole:
        return None
    on_unit = sum(w for w, each in zip(weights, named, strict=True) if each.unit is unit)
    return on_unit / whole


def _apart(p50_ns: float, timings: Sequence[UnitTiming]) -> bool | None:
    """Return whether the CPU's time is another; None where it was not measured."""
    on_cpu = [timing.p50_ns for timing in timings if timing.unit is ComputeUnit.CPU]
    if not on_cpu:
        return None
    ratio = on_cpu[-1] / p50_ns
    return max(ratio, 1 / ratio) >= _APART
