"""Give equal ranks where intervals overlap, without a contradiction."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mobilebench.leaderboard.places import places


@pytest.mark.parametrize(
    ("intervals", "texts"),
    [
        ([], []),
        ([(1, 2)], ["1"]),
        ([(1, 2), (3, 4), (3.5, 5), (6, 7)], ["1", "2=", "2=", "4"]),
        ([(6, 7), (1, 2), (3.5, 5), (3, 4)], ["4", "1", "2=", "2="]),
        ([(1, 2), (2, 3)], ["1=", "1="]),
        ([(1, 2), (1, 2), (5, 5)], ["1=", "1=", "3"]),
        ([(1, 3), (2, 5), (4, 6), (7, 8)], ["1=", "1=", "1=", "4"]),
        ([(1, 10), (2, 3), (4, 5)], ["1=", "1=", "1="]),
    ],
)
def test_ranks(intervals: list[tuple[float, float]], texts: list[str]) -> None:
    assert [place.text for place in places(intervals)] == texts


def test_a_different_rank_is_always_shown_and_an_overlap_is_always_a_tie() -> None:
    rng = np.random.default_rng(23)
    for _ in range(200):
        count = int(rng.integers(1, 12))
        low, width = rng.uniform(0, 20, count), rng.exponential(1, count)
        intervals = list(zip(low.tolist(), (low + width).tolist(), strict=True))
        ranks = [place.rank for place in places(intervals)]
        for one, other in itertools.permutations(range(count), 2):
            if ranks[one] < ranks[other]:
                assert intervals[one][1] < intervals[other][0]
        assert min(ranks) == 1
        for index, rank in enumerate(ranks):
            better = sum(each < rank for each in ranks)
            assert rank == 1 + better, "competition ranking"
            assert places(intervals)[index].tied == (ranks.count(rank) > 1)
