"""Evidence of where a model ran, and whether it computed there what it should."""

from __future__ import annotations

from mobilebench.values import require_range, value
from mobilebench.values.unit import ComputeUnit


@value
class PlacedOperation:
    """Where one operation of the model is to run, as the device's own plan says."""

    name: str
    kind: str
    unit: ComputeUnit | None
    """None where the plan does not say."""
    possible: tuple[ComputeUnit, ...] = ()
    """Units that could run it."""
    cost: float | None = None
    """Its share of the whole, 0 to 1, as the plan estimates it."""

    def __post_init__(self) -> None:
        require_range(self, "cost", most=1)


@value
class UnitTiming:
    """The median latency with another unit asked for, in the same process."""

    unit: ComputeUnit
    p50_ns: float
    samples: int

    def __post_init__(self) -> None:
        require_range(self, "samples", least=1)
        if not self.p50_ns > 0:
            raise ValueError(f"p50_ns is {self.p50_ns}; a latency is larger than 0")


@value
class OutputParity:
    """How far one output is from the one that was expected."""

    name: str
    max_relative_error: float | None
    """Largest difference over the largest expected value; None where an output is not finite."""
    limit: float

    def __post_init__(self) -> None:
        require_range(self, "max_relative_error", "limit")

    @property
    def passed(self) -> bool:
        """Whether the error is within its limit."""
        return self.max_relative_error is not None and self.max_relative_error <= self.limit


@value
class UnitParity:
    """What the device computed on one unit before it was timed."""

    unit: ComputeUnit
    outputs: tuple[OutputParity, ...]

    @property
    def passed(self) -> bool:
        """Whether every output is within its limit."""
        return all(output.passed for output in self.outputs)
