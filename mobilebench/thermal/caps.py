"""Tell from latencies, or from the clock where it can be read, that the clock is capped."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence

from mobilebench.thermal.observation import Observation

_FRAMES = 31
_CAPPED, _FREE = 1.06, 1.03
"""Median ratio to the cool latency from which the clock counts as capped, and as free again."""
_FULL = 0.98


class CapWatch:
    """Follows whether the clock is capped."""

    def __init__(self, cool_ns: Sequence[int]) -> None:
        self._cool_ns = tuple(cool_ns)
        self._ratios: deque[float] = deque()
        self._sorted: list[float] = []
        self._cap: float | None = None
        self.capped = False

    def see(self, seen: Observation, trust_latency: bool) -> bool:
        """Take in an observation; return whether a cap has just begun.

        Without `trust_latency` only a clock that can be read counts, since the governor makes
        frames slow for other reasons.
        """
        if seen.reading is not None:
            self._cap = seen.reading.known().get("cap", self._cap)
        if seen.latency_ns is not None:
            self._add(seen.latency_ns / self._cool_ns[seen.index])
        before = self.capped
        if self._cap is not None:
            self.capped = self._cap < _FULL
        elif trust_latency and len(self._sorted) == _FRAMES:
            self.capped = self._sorted[_FRAMES // 2] > (_FREE if before else _CAPPED)
        elif not trust_latency:
            self.capped = False
        return self.capped and not before

    def _add(self, ratio: float) -> None:
        self._ratios.append(ratio)
        insort(self._sorted, ratio)
        if len(self._ratios) > _FRAMES:
            del self._sorted[bisect_left(self._sorted, self._ratios.popleft())]
