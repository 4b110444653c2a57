"""Simulated phones: heat, clock, frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mobilebench.errors import UnknownName
from mobilebench.thermal import heat, phones, simulation, trial
from mobilebench.thermal.observation import Decision, Observation, Reading, Reason
from mobilebench.thermal.score import score
from mobilebench.thermal.simulation import TICK_NS, Run, Truth, Use
from mobilebench.values import wire
from mobilebench.values.phone import Leakage, Node, Phone
from mobilebench.values.policy import Policy, PolicyRule

S = 1_000_000_000
WIDTHS = phones.slimmable_widths(28.0).widths


def _use(minutes: float = 5, seed: int = 0, fps: int = 30) -> Use:
    return Use(
        widths=WIDTHS,
        interval_ns=S // fps,
        deadline_ns=S // fps,
        duration_ns=round(minutes * 60 * S),
        air_c=25.0,
        seed=seed,
    )


def _fixed(phone: Phone, use: Use, index: int) -> Run:
    return simulation.run(phone, use, trial.Constant(index), first=index)


def test_a_phone_that_idles_stays_at_rest() -> None:
    phone = phones.named("throttling")
    now = simulation.Simulation(phone, air_c=25.0)
    before = list(now.truth.temperatures_c)
    for tick in range(6000):
        now.tick(tick * TICK_NS, busy=0.0, demand=0.0)
    assert now.truth.temperatures_c == pytest.approx(before, abs=1e-6)


def test_heat_is_kept() -> None:
    """What flows in, less what is stored, has gone to the air."""
    paths = phones.named("steady").heat
    keep, add = heat.advance(paths, 0.1)
    temperatures = np.full(3, 25.0)
    capacity = np.array([paths.die_j_per_c, paths.skin_j_per_c, paths.battery_j_per_c])
    lost = 0.0
    for _ in range(20_000):
        after = keep @ temperatures + add @ np.array([2.0, 0.5, 25.0])
        middle = (temperatures + after) / 2 - 25
        assert paths.skin_air_c_per_w is not None
        lost += 0.1 * (middle[2] / paths.battery_air_c_per_w + middle[1] / paths.skin_air_c_per_w)
        temperatures = after
    stored = float(capacity @ (temperatures - 25))
    assert stored + lost == pytest.approx(2.5 * 2000, rel=1e-4)


def test_a_small_step_and_a_large_one_agree() -> None:
    paths = phones.named("steady").heat
    inputs = np.array([3.0, 0.5, 25.0])
    keep, add = heat.advance(paths, 60.0)
    large = keep @ np.full(3, 25.0) + add @ inputs
    keep, add = heat.advance(paths, 0.1)
    small = np.full(3, 25.0)
    for _ in range(600):
        small = keep @ small + add @ inputs
    assert small == pytest.approx(large, abs=1e-9)


def test_leakage_warms_a_phone_at_rest() -> None:
    phone = phones.named("steady")
    cool = heat.resting(phone.heat, 0.5, Leakage(), 25.0)
    leaking = heat.resting(phone.heat, 0.5, Leakage(at_25_w=0.3), 25.0)
    assert all(leaking > cool)


def test_the_same_seed_gives_the_same_run_and_another_does_not() -> None:
    phone = phones.named("throttling")
    first, again, other = (_fixed(phone, _use(1, seed), 0) for seed in (1, 1, 2))
    assert np.array_equal(first.latency_ns, again.latency_ns)
    assert not np.array_equal(first.latency_ns, other.latency_ns)


def test_two_widths_meet_the_same_noise() -> None:
    phone = phones.named("steady")
    wide, narrow = (_fixed(phone, _use(1), index) for index in (0, 2))
    ratio = wide.latency_ns / narrow.latency_ns
    assert ratio == pytest.approx(np.full(len(ratio), ratio[0]), rel=1e-5)


def test_a_narrow_network_is_cooler_at_a_frame_rate() -> None:
    phone = phones.named("steady")
    wide, narrow = (_fixed(phone, _use(20), index) for index in (0, 2))
    skin = Node.SKIN.position
    assert narrow.seconds[-1, skin] < wide.seconds[-1, skin] - 3


def test_back_to_back_a_narrow_network_is_as_hot_as_a_wide_one() -> None:
    """The unit is busy all the time either way, as a real phone has shown."""
    phone = phones.named("steady")
    hot = []
    for index in (0, 2):
        use = replace(_use(20), interval_ns=WIDTHS[index].cool_ns)
        hot.append(_fixed(phone, use, index).seconds[-1, Node.SKIN.position])
    assert hot[0] == pytest.approx(hot[1], abs=0.5)


def test_the_governor_steps_down_above_its_trip_and_latency_follows() -> None:
    phone = phones.named("throttling")
    run = _fixed(phone, _use(25), 0)
    cap, skin = run.seconds[:, 3], run.seconds[:, 1]
    first = int(np.argmax(cap > 0))
    assert cap[-1] > 0 or cap.max() > 0
    assert skin[first] >= phone.governor.trips_c[0] > skin[first - 20]
    at_cap = np.searchsorted(run.start_ns, (first + 5) * TICK_NS)
    ratio = np.median(run.latency_ns[at_cap : at_cap + 60]) / WIDTHS[0].cool_ns
    assert ratio == pytest.approx(phone.slowdown(1), rel=0.02)


def test_moves_of_the_governor_are_apart_by_its_least_time() -> None:
    phone = phones.named("throttling")
    moves = np.flatnonzero(np.diff(_fixed(phone, _use(30), 0).seconds[:, 3]))
    assert len(moves) > 3
    assert np.diff(moves).min() * TICK_NS >= phone.governor.least_ns


def test_a_late_frame_drops_those_that_come_meanwhile() -> None:
    phone = phones.named("steady")
    use = replace(_use(1), interval_ns=S // 60, deadline_ns=S // 60)
    run = _fixed(phone, use, 0)  # 28 ms, and a frame every 16.7 ms
    assert len(run.start_ns) == pytest.approx(use.frames_due / 2, abs=1)
    assert score(run, "x").missed_fraction == 1.0
    assert score(run, "x").on_time_top1 == 0.0


class _Watch:
    def __init__(self) -> None:
        self.readings: list[Reading] = []

    def decide(self, seen: Observation, truth: Truth) -> Decision:
        if seen.reading is not None:
            self.readings.append(seen.reading)
        return Decision(0, Reason.HOLD)


@pytest.mark.parametrize("name", phones.names())
def test_sensors_show_what_the_phone_lets_programs_read(name: str) -> None:
    phone, watch = phones.named(name), _Watch()
    simulation.run(phone, _use(1), watch)
    assert 58 <= len(watch.readings) <= 60
    last = watch.readings[-1]
    assert (last.skin_c is None) == (phone.skin is None)
    assert (last.headroom is None) == (not phone.headroom)
    assert last.busy == pytest.approx(0.84, abs=0.03)
    if phone.skin:
        for reading in watch.readings:
            assert reading.skin_c is not None
            steps = reading.skin_c / phone.skin.quantum_c
            assert steps == pytest.approx(round(steps), abs=1e-6)


def test_a_phone_that_was_written_is_read_again() -> None:
    for seed in range(5):
        for weather in phones.Weather:
            phone, _, widths = phones.draw(seed, weather)
            assert wire.loads(Phone, wire.dumps(phone)) == phone
            assert wire.loads(type(widths), wire.dumps(widths)) == widths


def test_unknown_phones_are_refused() -> None:
    with pytest.raises(UnknownName, match="phone called 'steadi'; did you mean steady"):
        phones.named("steadi")


def test_scores_count_what_happened() -> None:
    phone = phones.named("steady")
    run = _fixed(phone, _use(1), 1)
    result = score(run, "fixed")
    in_time = run.latency_ns <= run.use.deadline_ns
    assert result.on_time_top1 == pytest.approx(68.9 * in_time.sum() / 1800)
    assert result.top1 == pytest.approx(68.9)
    assert result.kind == "simulated" and result.first_capped_s is None
    assert result.shifts_per_minute == 0 and result.capped_s == 0
    # The unit at 3 W for its share of the time, the rest of the phone, and what leaks.
    busy_s = run.latency_ns.sum() / 1e9
    assert result.energy_j == pytest.approx(busy_s * 3.0 + 60 * 0.5, rel=0.12)


def test_the_longest_run_of_missed_frames_is_counted_with_those_not_served() -> None:
    phone = phones.named("throttling")
    run = _fixed(phone, _use(20), 0)
    missed = np.ones(run.use.frames_due, bool)
    missed[(run.start_ns // run.use.interval_ns)[run.latency_ns <= run.use.deadline_ns]] = False
    longest = max(len(part) for part in "".join("x" if m else " " for m in missed).split())
    result = score(run, "x")
    assert result.longest_miss_run == longest > 1
    assert result.missed_fraction == pytest.approx(missed.mean())


def test_the_deadline_policy_beats_every_fixed_width_on_a_phone_that_throttles() -> None:
    phone, use = phones.named("throttling"), _use(30)
    fixed = trial.try_fixed(phone, use)
    ours = trial.try_policy(phone, use, Policy(rule=PolicyRule.DEADLINE), "deadline")
    assert ours.score.on_time_top1 > fixed.best.score.on_time_top1 + 0.5
    assert fixed.full.score.on_time_top1 < fixed.best.score.on_time_top1 - 5
