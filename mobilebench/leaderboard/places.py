"""Give ranks inside a group: equal where intervals overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A rank, from 1; rows that share one are not told apart."""

    rank: int
    tied: bool

    @property
    def text(self) -> str:
        """The rank as tables show it: `1`, or `2=` where others have it too."""
        return f"{self.rank}{'=' * self.tied}"


def places(intervals: Sequence[tuple[float, float]]) -> list[Place]:
    """Return the place of each interval, the lowest first, in the order given.

    Two intervals that overlap have the same rank, and so have two that a chain of overlapping ones
    links. Hence two ranks differ only where all intervals of the one lie below all of the other,
    and ranks never contradict each other. The rank after a tie of n is n higher (1, 2=, 2=, 4).
    Intervals that touch overlap.
    """
    order = sorted(range(len(intervals)), key=lambda place: intervals[place])
    chains: list[list[int]] = []
    reach = float("-inf")
    for index in order:
        low, high = intervals[index]
        if not chains or low > reach:
            chains.append([])
        chains[-1].append(index)
        reach = max(reach, high)
    by_index: dict[int, Place] = {}
    rank = 1
    for chain in chains:
        for index in chain:
            by_index[index] = Place(rank=rank, tied=len(chain) > 1)
        rank += len(chain)
    return [by_index[index] for index in range(len(intervals))]
