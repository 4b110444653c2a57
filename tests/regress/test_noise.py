"""Measure what a device can distinguish, from runs with known noise."""

from __future__ import annotations

import numpy as np
import pytest

from mobilebench.regress.noise import Noise, measure
from mobilebench.regress.rule import Rule
from tests.records import runs


def _noise(own: float, shared: float, pairs: int = 16, rule: Rule | None = None) -> Noise:
    """Measure runs whose levels have a separate part and one that neighbours share."""
    rng = np.random.default_rng(5)
    common = rng.normal(0, shared, pairs)
    sides = [10 * np.exp(common + rng.normal(0, own, pairs)) for _ in range(2)]
    return measure(runs(sides[0], "A"), runs(sides[1], "B"), rule or Rule())


def test_spreads_are_those_that_were_put_in() -> None:
    found = _noise(own=0.01, shared=0.05, pairs=60)
    assert found.within == pytest.approx(0.02, rel=0.2)
    assert found.between == pytest.approx(np.hypot(0.01, 0.05), rel=0.2)
    assert found.between_neighbours == pytest.approx(0.01, rel=0.25)


def test_a_quiet_device_needs_few_pairs_and_a_noisy_one_many() -> None:
    quiet, noisy = dict(_noise(0.004, 0.05).needed), dict(_noise(0.08, 0.05).needed)
    assert quiet[0.05] == 8 and quiet[0.1] == 8
    assert noisy[0.1] is not None and noisy[0.1] > 8
    assert noisy[0.05] is None or noisy[0.05] > noisy[0.1]
    assert quiet[0.03] is None, "half of such slowdowns lie below the tolerance"
    strict = _noise(0.004, 0.05, rule=Rule(tolerance=0.01))
    assert dict(strict.needed)[0.03] == 8


def test_more_pairs_find_smaller_slowdowns() -> None:
    effects = [effect for _, effect in _noise(0.02, 0.05).detectable]
    assert effects == sorted(effects, reverse=True)
    assert 0.03 < effects[-1] < effects[0] < 0.3


def test_false_alarms_are_as_rare_as_the_rule_says() -> None:
    assert _noise(0.1, 0.0).false_alarms <= 0.01
    assert _noise(0.004, 0.05).false_alarms == 0.0


def test_a_difference_that_all_pairs_share_is_noise_and_no_alarm() -> None:
    """Make the second of two equal runs slower every time, as when a device warms up."""
    levels = np.full(16, 10.0)
    found = measure(runs(levels, "A"), runs(levels * 1.05, "B"), Rule())
    assert found.false_alarms <= 0.01
    assert found.between_neighbours == pytest.approx(np.log(1.05) / np.sqrt(2), rel=0.1)


def test_three_pairs_tell_nothing() -> None:
    with pytest.raises(ValueError, match="four pairs"):
        _noise(0.01, 0.01, pairs=3)
