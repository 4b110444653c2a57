"""The rule that says whether a unit did the work; its branches are golden vectors."""

from __future__ import annotations

from mobilebench.measuring import evidence
from mobilebench.values.evidence import PlacedOperation, UnitTiming
from mobilebench.values.unit import ComputeUnit, UnitEvidence

NPU = PlacedOperation(name="conv", kind="conv", unit=ComputeUnit.NPU)
CPU = PlacedOperation(name="topk", kind="topk", unit=ComputeUnit.CPU)
SLOW_CPU = UnitTiming(unit=ComputeUnit.CPU, p50_ns=30.0, samples=50)


def test_a_fallback_that_nobody_told_of_is_not_supported() -> None:
    """The runtime took the request, and its plan runs everything on the CPU."""
    verdict = evidence.judge(ComputeUnit.NPU, 10.0, [CPU, CPU], [SLOW_CPU])
    assert verdict is UnitEvidence.NOT_SUPPORTED


def test_half_of_the_operations_is_enough_for_a_plan() -> None:
    verdict = evidence.judge(ComputeUnit.NPU, 10.0, [NPU, CPU], [SLOW_CPU])
    assert verdict is UnitEvidence.CONFIRMED


def test_the_newest_time_of_the_cpu_counts() -> None:
    same = UnitTiming(unit=ComputeUnit.CPU, p50_ns=10.0, samples=50)
    verdict = evidence.judge(ComputeUnit.NPU, 10.0, [NPU], [SLOW_CPU, same])
    assert verdict is UnitEvidence.UNKNOWN
    of_another = UnitTiming(unit=ComputeUnit.GPU, p50_ns=30.0, samples=50)
    assert evidence.judge(ComputeUnit.NPU, 10.0, [NPU], [of_another]) is UnitEvidence.LIKELY
