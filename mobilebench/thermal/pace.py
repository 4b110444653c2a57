"""How much slower than cool the clock is now, and how likely a width is to be in time.

ratio    = latency / cool latency of the width that computed it
pace     = median of the last five ratios: a lower clock moves it after three frames, and a
           single slow frame does not
residual = the middle ratio of five / their pace: what remains is noise, not a step of the clock
chance   = share of the last residuals with which a width would be in time at this pace
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Sequence

WINDOW = 5
RESIDUALS = 64
_PRIOR = 0.05
"""Noise that is assumed before any is seen: residuals from 1 less this to 1 and this."""


class Pace:
    """Follows the ratio of latencies to the cool ones."""

    def __init__(self, cool_ns: Sequence[int]) -> None:
        self._cool_ns = tuple(cool_ns)
        self._ratios = deque([1.0] * WINDOW, WINDOW)
        spread = [1 + _PRIOR * (2 * at / (RESIDUALS - 1) - 1) for at in range(RESIDUALS)]
        self._sorted = spread
        # From both ends by turns, so that the assumption fades from its edges.
        half = RESIDUALS // 2
        ends = zip(spread[:half], reversed(spread[half:]), strict=True)
        self._in_turn = deque(residual for pair in ends for residual in pair)
        self.value = 1.0
        """1 at the cool clock, 1.25 where everything takes a quarter longer."""

    def add(self, index: int, latency_ns: int) -> None:
        """Take in the latency of a frame that the width at `index` computed."""
        ratios = self._ratios
        ratios.append(latency_ns / self._cool_ns[index])
        self.value = sorted(ratios)[WINDOW // 2]
        residual = ratios[WINDOW // 2] / self.value
        oldest = self._in_turn.popleft()
        del self._sorted[bisect_right(self._sorted, oldest) - 1]
        self._in_turn.append(residual)
        insort(self._sorted, residual)

    def latency_ns(self, index: int) -> float:
        """Return the latency that a width would have at this pace."""
        return self._cool_ns[index] * self.value

    def chance(self, index: int, deadline_ns: int) -> float:
        """Return how likely a width is to be in time, 0 to 1."""
        return bisect_right(self._sorted, deadline_ns / self.latency_ns(index)) / RESIDUALS
