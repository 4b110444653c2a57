"""Compare what a device computes with what was expected, before it is timed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mobilebench.inputs.seeded import Array, Batch
from mobilebench.values.evidence import OutputParity, UnitParity
from mobilebench.values.job import ExpectedOutput
from mobilebench.values.unit import ComputeUnit


def compare(
    outputs: Sequence[ExpectedOutput],
    expected: Sequence[Batch],
    computed: Sequence[Batch],
    unit: ComputeUnit,
) -> UnitParity:
    """Return how far each output is off, in the worst of all batches.

    Raises `ValueError` for an output of another shape, and another number of outputs.
    """
    errors: list[list[float | None]] = [[] for _ in outputs]
    for should, got in zip(expected, computed, strict=True):
        if len(got) != len(outputs):
            raise ValueError(f"the model gives {len(got)} outputs, and {len(outputs)} are expected")
        for place, (one, other) in enumerate(zip(should, got, strict=True)):
            if one.shape != other.shape:
                raise ValueError(
                    f"the output {outputs[place].tensor.name} has the shape {other.shape}, and "
                    f"{one.shape} is expected"
                )
            errors[place].append(_relative_error(one, other))
    return UnitParity(
        unit=unit,
        outputs=tuple(
            OutputParity(
                name=output.tensor.name,
                max_relative_error=_worst(of_output),
                limit=output.limit_on(unit),
            )
            for output, of_output in zip(outputs, errors, strict=True)
        ),
    )


def _relative_error(expected: Array, computed: Array) -> float | None:
    """Return the largest difference over the largest expected value.

    The difference itself where zeros are expected; None where a number is not finite.
    """
    one, other = expected.astype(np.float64), computed.astype(np.float64)
    if not np.isfinite(other).all():
        return None
    largest = float(np.abs(one).max(initial=0.0))
    return float(np.abs(one - other).max(initial=0.0)) / (largest or 1.0)


def _worst(errors: Sequence[float | None]) -> float | None:
    known = [error for error in errors if error is not None]
    return max(known) if len(known) == len(errors) else None
