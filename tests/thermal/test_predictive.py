"""`predictive`: learn where the clock is capped, keep below, and give up where nothing helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilebench.thermal import controllers, phones
from mobilebench.thermal.observation import Controller, Observation, Reading, Reason
from mobilebench.thermal.score import score
from mobilebench.values.device import ThermalState
from mobilebench.values.phone import Governor
from mobilebench.values.policy import Aim, Policy, PolicyRule
from tests.thermal.driving import INTERVAL_NS, S, drawn, drive, use

UNCAPPED = Policy(rule=PolicyRule.PREDICTIVE, aim=Aim(uncapped=True))
DEADLINE = Policy(rule=PolicyRule.DEADLINE)
WIDTHS = phones.slimmable_widths(26).widths
NARROWEST = len(WIDTHS) - 1


def _caps(seconds: object) -> int:
    capped = seconds[:, 3] > 0  # type: ignore[index]
    return int((capped[1:] & ~capped[:-1]).sum())


def test_it_learns_where_the_clock_is_capped_and_stays_below() -> None:
    phone, used = phones.named("throttling"), use(minutes=30)
    alone, _ = drive(phone, used, DEADLINE)
    done, driver = drive(phone, used, UNCAPPED)
    assert _caps(alone.seconds) > 3
    assert _caps(done.seconds) == 1
    [capped_ns] = driver.times(Reason.CAPPED)
    assert capped_ns > 5 * 60 * S
    assert score(done, "predictive").capped_s < score(alone, "deadline").capped_s / 4


def test_it_gives_up_where_nothing_releases_the_cap_and_says_so() -> None:
    # The air is warmer than the first trip.
    phone = replace(
        phones.named("throttling"), governor=Governor(trips_c=(24, 60, 61), hysteresis_c=1)
    )
    done, driver = drive(phone, use(minutes=16), UNCAPPED)
    gave_up, again = driver.times(Reason.GAVE_UP), driver.times(Reason.TRIES_AGAIN)
    # Two minutes at the narrowest, and no more than two windows of cooling after them.
    assert 120 * S <= gave_up[0] <= 300 * S
    assert again[0] - gave_up[0] == pytest.approx(600 * S, abs=2 * S)
    rested = done.index[(done.start_ns > gave_up[0] + 30 * S) & (done.start_ns < again[0])]
    assert rested.max() < NARROWEST
    shown = [shift.reason for shift in done.shifts]
    assert Reason.GAVE_UP in shown and Reason.TRIES_AGAIN in shown


@pytest.mark.parametrize("phone", ["silent", "throttling"])
@pytest.mark.parametrize("aim", [Aim(uncapped=True), Aim(skin_c=30), Aim(headroom=0.5)])
def test_without_a_sensor_of_what_is_limited_it_is_the_deadline(phone: str, aim: Aim) -> None:
    blind = replace(phones.named(phone), skin=None, battery=None, headroom=False)
    used = use(minutes=18, full_ms=30)
    alone, _ = drive(blind, used, DEADLINE)
    done, _ = drive(blind, used, Policy(rule=PolicyRule.PREDICTIVE, aim=aim))
    assert done.index.tolist() == alone.index.tolist()
    assert len(alone.shifts) > 0
    assert score(done, "predictive").missed_fraction < 0.002


def test_without_a_limit_it_is_the_deadline() -> None:
    phone, used = drawn(8, minutes=20)
    alone, _ = drive(phone, used, DEADLINE)
    done, _ = drive(phone, used, Policy(rule=PolicyRule.PREDICTIVE))
    assert done.index.tolist() == alone.index.tolist()


@pytest.mark.parametrize("seen", ["headroom", "battery"])
def test_another_source_of_heat_serves_too(seen: str) -> None:
    phone = replace(phones.named("throttling"), skin=None, headroom=seen == "headroom")
    used = use(minutes=20)
    done, driver = drive(phone, used, UNCAPPED)
    alone, _ = drive(phone, used, DEADLINE)
    assert driver.times(Reason.CAPPED)
    assert score(done, "predictive").capped_s < score(alone, "deadline").capped_s


def _controller(aim: Aim, **parameters: float) -> Controller:
    policy = Policy(rule=PolicyRule.PREDICTIVE, aim=aim, parameters=parameters)
    return controllers.controller(policy, WIDTHS, INTERVAL_NS)


def _heat_up(controller: Controller, readings: list[Reading]) -> list[tuple[int, Reason]]:
    """Give a reading each second; return the widths and reasons."""
    decisions = []
    for second, reading in enumerate(readings):
        decision = controller.decide(Observation(second * S, 0, None, reading))
        decisions.append((decision.index, decision.reason))
    return decisions


def test_it_acts_before_the_limit_where_the_temperature_rises_fast() -> None:
    slow = [Reading(skin_c=30 + 0.01 * at) for at in range(1100)]
    fast = [Reading(skin_c=30 + 0.1 * at) for at in range(110)]
    reached = []
    for readings in (slow, fast):
        decisions = _heat_up(_controller(Aim(skin_c=40.0)), readings)
        first = next(at for at, (_, reason) in enumerate(decisions) if reason is Reason.HEAT)
        reached.append(readings[first].skin_c)
    assert reached[0] is not None and reached[1] is not None
    assert 39 < reached[0] < 40
    assert reached[1] < reached[0] - 1


def test_it_narrows_at_the_warmest_state_already_and_widens_below_it() -> None:
    warm, cool = Reading(state=ThermalState.FAIR), Reading(state=ThermalState.NOMINAL)
    decisions = _heat_up(
        _controller(Aim(warmest=ThermalState.FAIR)), [cool] * 5 + [warm] * 50 + [cool] * 100
    )
    assert decisions[4] == (0, Reason.HOLD)
    # A state has no slope, so it cannot be seen coming: one width in each dwell time.
    assert [index for index, reason in decisions if reason is Reason.HEAT] == [1, 2, 3]
    assert [index for index, reason in decisions if reason is Reason.COOLED] == [2, 1, 0]


def test_a_sensor_that_falls_silent_leaves_the_deadline_alone() -> None:
    hot, nothing = Reading(skin_c=45.0), Reading()
    decisions = _heat_up(_controller(Aim(skin_c=40.0)), [hot] * 50 + [nothing] * 40)
    assert decisions[49][0] > 0
    assert decisions[55][0] == decisions[49][0], "a gap of some seconds changes nothing"
    assert decisions[-1][0] == 0


def test_it_does_not_give_up_while_the_device_cools() -> None:
    def gives_up(c_per_s: float) -> int | None:
        readings = [Reading(skin_c=50.0)] * 65
        readings += [Reading(skin_c=max(50 - c_per_s * at, 41.0)) for at in range(600)]
        decisions = _heat_up(_controller(Aim(skin_c=40.0)), readings)
        reasons = [reason for _, reason in decisions]
        return reasons.index(Reason.GAVE_UP) if Reason.GAVE_UP in reasons else None

    still, cooling = gives_up(0.0), gives_up(0.02)
    assert still is not None and cooling is not None
    # It cools for 450 s.
    assert still < 220 and cooling > 450
