"""Comparison: one metric of one cell, before and after."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.values import value


class Verdict(StrEnum):
    """What a comparison says."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    """The change lies within the tolerance, interval and all."""
    INCONCLUSIVE = "inconclusive"
    """The runs at hand cannot tell; never a pass."""


@value
class Comparison:
    """One metric of one cell."""

    cell: str
    """Model, artifact, runtime and device, for people."""
    metric: str
    unit: str
    baseline: float | None
    """Median over the runs; None where it is not known."""
    candidate: float | None
    effect: float | None
    """Candidate over baseline, less one: 0.05 is five percent more. None where that makes no
    sense."""
    interval: tuple[float, float] | None
    """Of the effect; None for what is known exactly, and for too few runs."""
    p_value: float | None
    """Of there being no change in that direction, adjusted for all cells of the check."""
    runs: tuple[int, int]
    paired: bool
    verdict: Verdict
    reason: str
    """Why, as a clause."""
