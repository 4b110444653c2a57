"""The policy `deadline`: the most accuracy in time, from latency alone."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from mobilebench.thermal.controllers import controller
from mobilebench.thermal.observation import Controller, Observation, Reason
from mobilebench.thermal.pace import Pace
from mobilebench.values.policy import Policy, PolicyRule
from mobilebench.values.widths import WidthCost
from tests.thermal.scenes import INTERVAL_NS, WIDTHS, S, play


@pytest.fixture
def deadline() -> Controller:
    return controller(Policy(rule=PolicyRule.DEADLINE), WIDTHS, INTERVAL_NS)


def _shifts(
    machine: Controller, seconds: float, slow: Callable[[float, int], float]
) -> list[tuple[float, int, Reason]]:
    return [
        (second, decision.index, decision.reason)
        for second, decision in play(machine, seconds, slow)
        if decision.reason is not Reason.HOLD
    ]


def test_a_lower_clock_is_answered_within_three_frames(deadline: Controller) -> None:
    [(second, index, reason)] = _shifts(
        deadline, 60, lambda second, _: 1.3 if second >= 20 else 1.0
    )
    assert 20 <= second < 20.1 and index == 1 and reason is Reason.LATE


def test_one_slow_frame_is_no_cap(deadline: Controller) -> None:
    assert _shifts(deadline, 60, lambda second, _: 2.5 if int(second * 30) % 40 == 0 else 1) == []


def test_the_widest_width_comes_back_after_the_quiet_time(deadline: Controller) -> None:
    moves = _shifts(deadline, 60, lambda second, _: 1.3 if 20 <= second < 30 else 1.0)
    assert [(index, reason) for _, index, reason in moves] == [(1, Reason.LATE), (0, Reason.ROOM)]
    assert moves[1][0] == pytest.approx(40.1, abs=0.2)


def test_a_width_that_fails_waits_for_twice_the_time(deadline: Controller) -> None:
    """The clock is free for ten seconds at a time: just enough to be tempted."""
    moves = _shifts(deadline, 400, lambda second, _: 1.0 if int(second) % 20 < 12 else 1.3)
    up = [second for second, _, reason in moves if reason is Reason.ROOM]
    assert len(up) == 1, "the second try needs twenty quiet seconds, and there are twelve"


def test_a_probe_finds_a_clock_that_follows_the_load(deadline: Controller) -> None:
    """A narrow network looks slow, since it gets no more clock than it needs."""

    def slow(second: float, index: int) -> float:
        return 1.3 if index or 20 <= second < 40 else 1.0

    moves = _shifts(deadline, 320, slow)
    assert [reason for _, _, reason in moves] == [Reason.LATE, Reason.PROBE]
    assert moves[1][0] == pytest.approx(260, abs=1)


def test_without_any_width_in_time_it_takes_the_narrowest(deadline: Controller) -> None:
    moves = _shifts(deadline, 30, lambda second, _: 9.0 if second >= 10 else 1.0)
    assert moves[-1][1] == len(WIDTHS) - 1


def test_half_the_frames_in_time_are_worth_less_than_the_next_width(deadline: Controller) -> None:
    noise = random.Random(1)
    moves = _shifts(deadline, 60, lambda _, __: 1.19 * noise.gauss(1, 0.05))
    assert moves[0][1] == 1 and moves[0][0] < 5


def test_a_reading_without_a_frame_changes_nothing(deadline: Controller) -> None:
    for second in range(100):
        assert deadline.decide(Observation(second * S, 0)).reason is Reason.HOLD


def test_pace_is_the_clock_and_not_the_width() -> None:
    pace = Pace([cost.cool_ns for cost in WIDTHS])
    for index in (0, 1, 2, 3, 2, 1, 0, 1):
        pace.add(index, round(WIDTHS[index].cool_ns * 1.25))
    assert pace.value == pytest.approx(1.25)
    assert pace.latency_ns(3) == pytest.approx(1.25 * WIDTHS[3].cool_ns)


def test_chances_are_those_of_the_noise_that_was_seen() -> None:
    draw = random.Random(2)
    pace = Pace([30_000_000])
    for _ in range(500):
        pace.add(0, round(30_000_000 * draw.gauss(1, 0.04)))
    # Of a normal distribution, 84 % lie below one standard deviation. 64 samples vary by 0.05, and
    # the pace itself by 2 %, which is half a standard deviation.
    assert 0.6 < pace.chance(0, round(30_000_000 * 1.04)) <= 1
    assert pace.chance(0, round(30_000_000 * 1.5)) == 1
    assert pace.chance(0, round(30_000_000 * 0.7)) == 0


def test_a_step_of_the_clock_is_not_taken_for_noise() -> None:
    pace = Pace([30_000_000])
    for frame in range(300):
        pace.add(0, round(30_000_000 * (1.0 if frame < 200 else 1.4)))
    assert pace.chance(0, round(30_000_000 * 1.41)) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_any_number_of_widths_will_do(count: int) -> None:
    widths: tuple[WidthCost, ...] = WIDTHS[:count]
    machine = controller(Policy(rule=PolicyRule.DEADLINE), widths, INTERVAL_NS)
    for frame in range(100):
        decision = machine.decide(Observation(frame * INTERVAL_NS, 0, 60_000_000))
    assert decision.index == count - 1
