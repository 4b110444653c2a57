"""One metric of one cell, compared before and after a change."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.values import value


class Verdict(StrEnum):
    """The outcome of a comparison."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    """The whole interval of the change lies within the tolerance."""
    INCONCLUSIVE = "inconclusive"
    """The runs are too few or too noisy to decide; it never counts as a pass."""


@value
class Comparison:
    """One metric of one cell, with its values on both sides and a verdict."""

    cell: str
    """Model, artifact, runtime and device, for people."""
    metric: str
    unit: str
    baseline: float | None
    """Median over the runs; None where it is not known."""
    candidate: float | None
    effect: float | None
    """Candidate over baseline, minus one: 0.05 is five percent more. None where a ratio has no
    meaning."""
    interval: tuple[float, float] | None
    """Interval of the effect; None for an exact metric, and for too few runs."""
    p_value: float | None
    """p-value against no change in that direction, adjusted for all cells of the check."""
    runs: tuple[int, int]
    paired: bool
    verdict: Verdict
    reason: str
    """The reason for the verdict, as a clause."""
