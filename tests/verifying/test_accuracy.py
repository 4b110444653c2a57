"""Count ranks, shares and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from mobilebench.stats import wilson_interval
from mobilebench.values.accuracy import Share
from mobilebench.verifying.ranking import rank


def test_the_rank_is_how_many_classes_come_before_the_right_one() -> None:
    scores = np.array([0.1, 0.7, 0.5, 0.9])
    assert [rank(scores, label) for label in range(4)] == [3, 1, 2, 0]


def test_among_equal_scores_the_lower_index_comes_first_as_argmax_has_it() -> None:
    scores = np.array([1, 3, 3, 2, 3], np.int8)
    ranks = [rank(scores, label) for label in range(5)]
    assert ranks == [4, 0, 1, 3, 2]
    assert ranks.index(0) == scores.argmax()


def test_ranks_are_the_places_of_a_stable_sort() -> None:
    drawn = np.random.default_rng(0).integers(-4, 4, (50, 10))  # full of ties
    for scores in drawn:
        order = list(np.argsort(-scores, kind="stable"))
        assert [rank(scores, label) for label in range(10)] == [order.index(i) for i in range(10)]


def test_the_interval_is_the_published_one() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3: four pairs.
    for hits, count, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson_interval(hits, count) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("count", [1, 7, 599, 50_000])
def test_the_interval_is_scipy_s(count: int) -> None:
    for hits in {0, 1, count // 3, count - 1, count}:
        theirs = binomtest(hits, count).proportion_ci(0.95, "wilson")
        assert wilson_interval(hits, count) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(("hits", "count"), [(0, 0), (2, 1), (-1, 3)])
def test_no_interval_of_what_is_no_share(hits: int, count: int) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        wilson_interval(hits, count)


def test_nothing_counted_has_no_share() -> None:
    nothing = Share(hits=0, count=0)
    assert nothing.value is None and nothing.interval is None
