"""The oracle is what a policy is measured by, so no policy may be clearly better."""

from __future__ import annotations

import pytest

from mobilebench.thermal import phones
from mobilebench.thermal.oracle import Oracle, Prices, best_at_cap
from mobilebench.thermal.score import Score, score
from mobilebench.thermal.simulation import run
from mobilebench.values.policy import Policy, PolicyRule
from tests.thermal.driving import drawn, drive, use

THROTTLING = (3, 8, 9)
"""Seeds of phones whose clock falls by 1.3 x or more at full width."""
LUCK = 0.1
"""Points by which a policy may be better than a plan on a grid."""


@pytest.mark.parametrize("seed", THROTTLING)
def test_deadline_is_close_to_the_oracle_and_not_above_it(seed: int) -> None:
    phone, used = drawn(seed, minutes=30)
    policy = score(drive(phone, used, Policy(rule=PolicyRule.DEADLINE))[0], "deadline")
    oracle = max(
        score(run(phone, used, driver), "oracle").on_time_top1
        for driver in (Oracle(phone, used), best_at_cap(phone, used))
    )
    assert policy.capped_s > 0
    assert oracle - 1.0 < policy.on_time_top1 < oracle + LUCK


def _planned(prices: Prices) -> Score:
    phone, used = phones.named("throttling"), use(minutes=18)
    return score(run(phone, used, Oracle(phone, used, prices)), "oracle")


def test_a_price_of_caps_buys_a_cooler_plan() -> None:
    free, priced = _planned(Prices(shift=20)), _planned(Prices(shift=20, capped=20))
    assert free.capped_s > 30 and priced.capped_s < free.capped_s / 2
    assert priced.on_time_top1 <= free.on_time_top1


def test_a_price_of_shifts_buys_a_steadier_plan() -> None:
    phone, used = drawn(1, minutes=20)
    cheap, dear = (
        len(run(phone, used, Oracle(phone, used, Prices(shift=price, capped=20))).shifts)
        for price in (1, 100)
    )
    assert 0 < dear < cheap / 2


def test_the_oracle_without_a_plan_takes_a_narrower_width_at_a_lower_clock() -> None:
    phone, used = phones.named("throttling"), use(minutes=25, full_ms=30)
    done = run(phone, used, best_at_cap(phone, used))
    assert done.seconds[:, 3].max() >= 1
    assert {shift.to_index for shift in done.shifts} >= {1}
    assert score(done, "greedy").missed_fraction < 0.001
