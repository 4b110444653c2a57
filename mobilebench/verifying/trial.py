"""Try a file without a reference: does it run, and are its outputs finite and repeatable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mobilebench.inputs.seeded import Batch
from mobilebench.values import value


@value
class Trial:
    """What running a file twice on the same inputs shows; nothing about a network."""

    evaluated_by: str
    """The runtime that computed the outputs, with its version."""
    inputs: int
    finite: bool
    repeatable: bool
    """Both runs gave the same bits."""

    @property
    def passed(self) -> bool:
        """Whether the outputs can be used at all."""
        return self.finite and self.repeatable

    @property
    def description(self) -> str:
        """The trial in one line, for people."""
        verdict = "runs" if self.passed else "FAILS"
        finite = "finite" if self.finite else "not all finite"
        repeatable = "the same twice" if self.repeatable else "not the same twice"
        return (
            f"{verdict} on {self.evaluated_by}: outputs for {self.inputs} inputs of seeded noise "
            f"are {finite} and {repeatable}"
        )


def judge(first: Sequence[Batch], second: Sequence[Batch], evaluated_by: str) -> Trial:
    """Judge the outputs of two runs on the same inputs."""
    pairs = [
        (one, other)
        for batches in zip(first, second, strict=True)
        for one, other in zip(*batches, strict=True)
    ]
    return Trial(
        evaluated_by=evaluated_by,
        inputs=len(first),
        finite=all(np.isfinite(one).all() for one, _ in pairs),
        repeatable=all(
            one.shape == other.shape and one.tobytes() == other.tobytes() for one, other in pairs
        ),
    )
