"""The thresholds by which a difference counts as a change."""

from __future__ import annotations

from dataclasses import replace
from math import floor, log2

from mobilebench.errors import UserError
from mobilebench.values import value

MIN_PAIRS = 8


@value
class Rule:
    """A change counts when it is unlikely to be chance and large enough to matter."""

    tolerance: float = 0.03
    """Smallest change that matters, as a share."""
    alpha: float = 0.01
    """Largest false-positive rate: the share of unchanged comparisons called a regression."""
    confidence: float = 0.95
    """Confidence of the intervals."""

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < 1:
            raise UserError(
                f"A tolerance of {self.tolerance:g} is not a share; give one such as 0.03 or 3%."
            )
        if not 0 < self.alpha < 1:
            raise UserError(
                f"An alpha of {self.alpha:g} is not a probability; give one such as 0.01."
            )

    def with_tolerance(self, tolerance: float) -> Rule:
        return replace(self, tolerance=tolerance)

    def pairs_needed(self, comparisons: int) -> int:
        """Return the fewest pairs that can show a change in one of `comparisons` comparisons.

        With n pairs no p-value is below 1 / 2^n, and the smallest of many is compared with alpha /
        many. With fewer pairs no change could be called one, however large.
        """
        return max(MIN_PAIRS, floor(log2(max(comparisons, 1) / self.alpha)) + 1)
