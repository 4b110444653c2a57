"""Compare the exact tests with scipy's and with counting by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats as scipy_stats

from mobilebench.stats.permutation import (
    adjusted,
    joint_permutation,
    joint_sign_flip,
    least_permutation,
    least_sign_flip,
    permutation,
    share_rise,
    sign_flip,
)


def test_sign_flips_are_counted_as_by_hand() -> None:
    differences = [3.0, -1.0, 2.0, 4.0]
    observed = sum(differences)
    sums = [
        sum(s * abs(d) for s, d in zip(signs, differences, strict=True))
        for signs in product((-1, 1), repeat=4)
    ]
    assert sign_flip(differences) == sum(total >= observed for total in sums) / 16 == 2 / 16


@pytest.mark.parametrize("pairs", [1, 6, 8, 12])
def test_the_least_p_value_is_reached_when_all_point_one_way(pairs: int) -> None:
    assert sign_flip([0.5 + index for index in range(pairs)]) == least_sign_flip(pairs)
    assert sign_flip([-0.5 - index for index in range(pairs)]) == 1.0


def test_of_many_pairs_a_fixed_sample_is_looked_at() -> None:
    differences = np.random.default_rng(0).normal(0.2, 1.0, 40).tolist()
    p_value = sign_flip(differences)
    assert p_value == sign_flip(differences)
    by_t = scipy_stats.ttest_1samp(differences, 0, alternative="greater").pvalue
    assert p_value == pytest.approx(by_t, abs=0.02)


def test_groups_are_compared_as_scipy_does() -> None:
    first, second = [1.0, 2.0, 4.0, 3.5, 2.2], [2.5, 4.5, 5.0, 3.0, 6.0]
    theirs = scipy_stats.permutation_test(
        (second, first), lambda a, b: np.mean(a) - np.mean(b), alternative="greater"
    )
    assert permutation(first, second) == pytest.approx(theirs.pvalue)
    assert permutation([1.0, 2.0], [3.0, 4.0]) == least_permutation(2, 2) == 1 / 6
    assert permutation([1.0], [3.0, 4.0]) == least_permutation(1, 2) == 1 / 3
    assert permutation([3.0, 4.0], [1.0]) == 1.0


def test_without_a_change_p_is_below_alpha_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(1)
    p_values = [sign_flip(rng.normal(0, 1, 8).tolist()) for _ in range(1000)]
    assert np.mean(np.asarray(p_values) < 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)
    assert np.mean(np.asarray(p_values) < 0.05) > 0.02


def test_adjusted_p_values_are_those_of_the_paper() -> None:
    """Four of the fifteen are significant at 0.05 (Benjamini and Hochberg, 1995, section 3.2)."""
    paper = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
    ]  # fmt: skip
    p_adjusted = adjusted(paper)
    assert sum(p_value <= 0.05 for p_value in p_adjusted) == 4
    assert p_adjusted[3] == pytest.approx(0.0095 * 15 / 4)
    assert adjusted([]) == ()


@pytest.mark.parametrize("values", [[], [float("nan"), 1.0], [float("inf")]])
def test_what_is_no_number_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        sign_flip(values)
    with pytest.raises(ValueError, match="finite numbers"):
        permutation(values, [1.0])


def _correlated(rng: np.random.Generator, runs: int, trials: int = 2000) -> np.ndarray:
    """Return two numbers of each run that share half of their variance: (trials, 2, runs)."""
    shared = rng.normal(0, 1, (trials, 1, runs))
    return shared + rng.normal(0, 1, (trials, 2, runs))


def test_two_numbers_of_the_same_runs_have_one_false_alarm_rate() -> None:
    rng = np.random.default_rng(4)
    for p_values in (
        joint_sign_flip(_correlated(rng, 8)),
        joint_permutation(_correlated(rng, 6), _correlated(rng, 6)),
    ):
        assert p_values.shape == (2000, 2)
        for level in (0.01, 0.05):
            share = (p_values <= level).any(axis=1).mean()
            assert share <= level + 3 * np.sqrt(level / 2000)
            assert share > level / 3


def test_numbers_that_say_the_same_cost_nothing() -> None:
    differences = np.random.default_rng(5).normal(0.5, 1.0, 8)
    both = joint_sign_flip(np.stack([differences, differences * 3]))
    assert both.tolist() == pytest.approx([sign_flip(differences.tolist())] * 2)
    first, second = differences[:5], differences[3:] + 1
    joint = joint_permutation(np.stack([first, first]), np.stack([second, second]))
    assert joint.tolist() == pytest.approx([permutation(first.tolist(), second.tolist())] * 2)


def test_a_joint_p_value_is_counted_as_by_hand() -> None:
    numbers = np.array([[3.0, -1.0, 2.0, 4.0], [1.0, 1.0, -2.0, 0.5]])
    scaled = numbers / np.sqrt((numbers**2).mean(axis=1, keepdims=True))
    signs = np.array(list(product((-1, 1), repeat=4)))
    sums = scaled @ signs.T
    observed = scaled.sum(axis=1)
    larger = (sums.max(axis=0) >= observed[0] - 1e-9).mean()
    smaller = max(larger, (sums[1] >= observed[1] - 1e-9).mean())
    assert joint_sign_flip(numbers).tolist() == pytest.approx([larger, smaller])


def test_equal_numbers_are_no_rise() -> None:
    assert sign_flip([0.0] * 8) == 1.0
    assert permutation([0.1 + 0.2] * 8, [0.3 + 1e-17] * 7) == 1.0


def test_a_share_rises_by_fishers_test() -> None:
    theirs = scipy_stats.fisher_exact([[7, 1], [1, 7]], alternative="greater").pvalue
    assert share_rise((1, 8), (7, 8)) == pytest.approx(theirs)
    assert share_rise((1, 8), (0, 8)) == pytest.approx(1.0)
