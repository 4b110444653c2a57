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
    NOT_COMPARABLE = "not comparable"
    """A side lacks the number, or it is zero. No pass where only one side lacks it."""


@value
class Comparison:
    """One metric of one cell, with its values on both sides and a verdict."""

    cell: str
    """Model, artifact, runtime and device, for people."""
    metric: str
    unit: str
    baseline: float | None
    """Median over the runs; None where it is not known, or zero where only a ratio has a
    meaning."""
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
    dropped: tuple[int, int] = (0, 0)
    """Measured runs of both sides that were left out: without a partner, or without the number."""
    anchor: str | None = None
    """The reference that both sides were divided by."""
    seconds: float | None = None
    """Time that the runs of both sides took; None for a metric that needs no run."""

    def __repr__(self) -> str:
        effect = "" if self.effect is None else f" {self.effect:+.1%}"
        return f"<Comparison {self.cell}: {self.metric}{effect}, {self.words}>"

    @property
    def interleaved(self) -> bool | None:
        """Whether both sides met the same conditions; None for what does not depend on them."""
        return None if self.p_value is None else self.paired

    @property
    def words(self) -> str:
        """Return the verdict, with the remark that the runs were not interleaved."""
        if self.interleaved is not False:
            return str(self.verdict)
        if self.anchor is not None:
            return f"{self.verdict}, by an anchor"
        return f"{self.verdict}, not interleaved"

    @property
    def undecided(self) -> bool:
        """Whether it keeps a report from passing, without being a regression."""
        one_sided = (self.baseline is None) != (self.candidate is None)
        return self.verdict is Verdict.INCONCLUSIVE or (
            self.verdict is Verdict.NOT_COMPARABLE and one_sided
        )
