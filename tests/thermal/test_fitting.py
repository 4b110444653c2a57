"""Fits: as close as they have to be, the same as the phone they are written as, and no closer."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr

from mobilebench.errors import UserError
from mobilebench.thermal import fitting, heat, levels
from mobilebench.thermal.equals import Equals, Walk, equally_good
from mobilebench.thermal.fitted import phone_of
from mobilebench.thermal.fitting import Fit, Search
from mobilebench.thermal.ladders import Parameters, ladder, modes, ranges
from mobilebench.thermal.recorded import Candidates, Recorded
from mobilebench.thermal.report import Effort, report
from mobilebench.thermal.series import Minute, Series, read_series
from mobilebench.values import wire
from mobilebench.values.phone import ClockStep, Governor, HeatPaths, Node, Origin, Phone

DATA = Path(__file__).parent.parent / "data" / "thermal"
COLD, WARM = "pixel8pro-tensor-g3-1280", "pixel8pro-tensor-g3-1280-warm-start"
NAMES = ("galaxym53-dimensity900-1280", "galaxyzfold-sm8850-1280", COLD, WARM)
MOST = 0.035
SHORT = Effort(
    Search(runs=1, more=0, size=10, generations=30), Walk(members=30, pushing=6, rounds=30)
)
SEARCH = Search(runs=1)
S = 1_000_000_000


@cache
def _series(name: str) -> Series:
    return read_series(DATA / f"{name}.csv")


@cache
def _chosen(name: str) -> Fit:
    return fitting.choose(fitting.fits([_series(name)], search=SEARCH))


def _simulated(phone: Phone, start_c: float, air_c: float, minutes: int) -> list[list[float]]:
    """Simulate a phone back to back by the heat equations; return shares of time by step."""
    poll_s = phone.governor.poll_ns / S
    keep, add = heat.advance(phone.heat, poll_s)
    temperatures = np.full(3, start_c)
    trips = phone.governor.trips_c
    step, free_at, now, shares = 0, 0.0, 0.0, []
    for _ in range(minutes):
        time = [0.0] * len(phone.steps)
        for _ in range(round(60 / poll_s)):
            time[step] += poll_s / 60
            inputs = np.array([phone.steps[step].active_w, phone.idle_w, air_c])
            temperatures = keep @ temperatures + add @ inputs
            seen = temperatures[Node(phone.governor.reads).position]
            before = step
            if now >= free_at and step < len(trips) and seen > trips[step]:
                step += 1
            elif now >= free_at and step and seen < trips[step - 1] - phone.governor.hysteresis_c:
                step -= 1
            if step != before:
                free_at = now + phone.governor.least_ns / S
            now += poll_s
        shares.append(time)
    return shares


def _median_ms(time: list[float], phone: Phone, cool_ms: float) -> float:
    """Return the median of the frames of a minute that was spent at some steps."""
    latencies = [cool_ms * phone.slowdown(step) for step in range(len(phone.steps))]
    frames = np.array([share / latency for share, latency in zip(time, latencies, strict=True)])
    frames /= frames.sum()

    def below(latency: float) -> float:
        distances = np.log(latency / np.array(latencies)) / phone.noise.spread
        return float((frames * ndtr(distances)).sum() - 0.5)

    return float(brentq(below, latencies[0] / 2, latencies[-1] * 2, xtol=1e-9))


@pytest.mark.parametrize("name", NAMES)
def test_each_real_series_is_fitted_with_some_number_of_steps(name: str) -> None:
    chosen = _chosen(name)
    assert chosen.error <= MOST
    recorded = np.array(chosen.recorded.series[0].medians_ms)
    assert chosen.error == pytest.approx(np.mean(np.abs(chosen.predicted[:, 0] / recorded - 1)))


def test_two_runs_of_a_phone_share_all_but_their_start() -> None:
    both = fitting.fit([_series(COLD), _series(WARM)], 3, search=SEARCH)
    assert both.error <= MOST and both.best.vectors.shape == (1, len(ranges(3, 2)))
    cold, warm = Parameters.of(both.best.vectors, 3).starts[0]
    assert warm > cold
    counts = [len(series.minutes) for series in both.recorded.series]
    assert both.error == pytest.approx(np.average(both.errors, weights=counts))


@pytest.mark.parametrize("name", [NAMES[0], NAMES[1], COLD])
def test_the_written_phone_simulates_to_the_minutes_of_the_fit(name: str, tmp_path: Path) -> None:
    result = equally_good(_chosen(name), SHORT.walk)
    wire.write(tmp_path / "phone.json", phone_of(result, name))
    phone = wire.read(Phone, tmp_path / "phone.json")
    assert phone.origin is Origin.FITTED and "30 reported minutes" in phone.source
    start, air = result.numbers.starts_c[0, 0], result.numbers.air_c[0, 0]
    shares = _simulated(phone, float(start), float(air), 30)
    assert sum(max(time) < 1 for time in shares) >= 1, "no minute has two steps"
    cool = float(result.numbers.levels_ms[0, 0])
    again = [_median_ms(time, phone, cool) for time in shares]
    # The fit seeks the median of a minute by halving the range of the levels 14 times.
    assert again == pytest.approx(result.fit.predicted[:, 0].tolist(), rel=2e-4)
    times = heat.time_constants_s(phone.heat)
    assert times[1:] == pytest.approx(result.numbers.time_constants_s[0], rel=1e-6)


def _phone() -> Phone:
    return Phone(
        name="a phone of the model",
        origin=Origin.NAMED,
        source="written for this test",
        heat=HeatPaths(
            die_j_per_c=0.5,
            skin_j_per_c=25,
            battery_j_per_c=90,
            die_skin_c_per_w=2,
            skin_battery_c_per_w=4,
            battery_air_c_per_w=3,
        ),
        steps=(
            ClockStep(speed=1, active_w=4),
            ClockStep(speed=0.8, active_w=2.6),
            ClockStep(speed=0.6, active_w=1.5),
        ),
        governor=Governor(
            trips_c=(38, 41), hysteresis_c=2.5, poll_ns=5 * S, least_ns=30 * S, reads=Node.SKIN
        ),
    )


@cache
def _drawn(seed: int, noise: float = 0.006, gap: tuple[int, ...] = ()) -> Series:
    """Return a series of a phone of the model, without temperatures."""
    shares = _simulated(_phone(), 25.0, 25.0, 30)
    factors = np.exp(np.random.default_rng(seed).normal(0, noise, len(shares)))
    minutes = tuple(
        Minute(index, _median_ms(time, _phone(), 20.0) * float(factor))
        for index, (time, factor) in enumerate(zip(shares, factors, strict=True))
        if index not in gap
    )
    return Series("drawn", minutes, gap)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_levels_of_a_phone_of_the_model_are_met_within_a_hundredth(seed: int) -> None:
    chosen = fitting.choose(fitting.fits([_drawn(seed)], search=SEARCH))
    assert chosen.best.levels[0].tolist() == pytest.approx([20, 25, 20 / 0.6], rel=0.01)
    assert chosen.error < 0.01


def test_intervals_hold_the_best_fit_and_are_as_good_as_they_say() -> None:
    series = _drawn(1)
    fit = fitting.fit([series], 3, search=SEARCH)
    result = equally_good(fit)
    assert result.fit.error <= fit.error
    assert result.most_error == pytest.approx(
        # chi-squared of 12 numbers at 95 %, from a table
        max(result.fit.error, 1e-3) * np.exp(21.026 / 60),
        rel=1e-4,
    )
    for value, (least, most) in (
        *zip(result.numbers.time_constants_s[0], result.time_constants_s, strict=True),
        *zip(result.numbers.trips_c[0], result.trips_c, strict=True),
        *zip(result.numbers.levels_ms[0], result.levels_ms, strict=True),
    ):
        assert least <= value <= most
    fast, slow = result.time_constants_s
    truth = heat.time_constants_s(_phone().heat)
    assert fast[0] <= truth[1] <= fast[1] and slow[0] <= truth[2] <= slow[1]
    assert fast[1] > 2 * fast[0] and "fast time constant" in result.not_identified
    for level, (least, most) in zip((20, 25, 20 / 0.6), result.levels_ms, strict=True):
        assert least <= level <= most


def test_the_ladder_has_the_time_constants_and_the_rise_of_the_parallel_states() -> None:
    least, most = np.array(ranges(2, 1)).T
    vectors = np.random.default_rng(3).uniform(least, most, (50, len(least)))
    phones = Parameters.of(vectors, 2)
    parts = ladder(phones)
    for each in ("die_j", "skin_j", "battery_j", "die_skin", "skin_battery", "battery_air"):
        assert (getattr(parts, each) > 0).all(), each
    assert parts.skin_battery + parts.battery_air == pytest.approx(np.full(50, 1 / 4.5))
    times = modes(parts).time_constants_s
    # The die adds 2 % to the capacity of the skin.
    assert times[:, 1] == pytest.approx(phones.fast_s, rel=0.06)
    assert times[:, 2] == pytest.approx(phones.slow_s, rel=0.06)
    paths = HeatPaths(
        die_j_per_c=float(parts.die_j[7]),
        skin_j_per_c=float(parts.skin_j[7]),
        battery_j_per_c=float(parts.battery_j[7]),
        die_skin_c_per_w=float(parts.die_skin[7]),
        skin_battery_c_per_w=float(parts.skin_battery[7]),
        battery_air_c_per_w=float(parts.battery_air[7]),
    )
    assert heat.time_constants_s(paths) == pytest.approx(times[7], rel=1e-6)


def test_missing_minutes_are_simulated_and_not_compared() -> None:
    gap = (3, 4, 17)
    with_gap, whole = Recorded.of([_drawn(1, gap=gap)]), Recorded.of([_drawn(1)])
    assert (whole.count, with_gap.count) == (30, 27)
    least, most = np.array(ranges(3, 1)).T
    vectors = np.random.default_rng(0).uniform(least, most, (8, len(least)))
    phones = Candidates(vectors, np.broadcast_to([20.0, 25.0, 33.0], (8, 3)))
    predicted = phones.predicted(whole)
    assert (phones.predicted(with_gap) == predicted).all()
    others = [minute for minute in range(30) if minute not in gap]
    shares = np.abs(predicted[:, :, 0] / whole.medians - 1)[others]
    assert with_gap.error(predicted) == pytest.approx(shares.mean(axis=0))
    text = report([_drawn(1, gap=gap)], 3, effort=SHORT)
    assert text.files[0].missing_minutes == gap and "minutes 3, 4 and 17" in text.remarks[0]


def test_groups_of_alike_values_are_the_best_ones() -> None:
    values = [30.0, 10.0, 10.2, 20.0, 10.1, 20.4, 30.3, 20.2]
    assert levels.clusters(values, 3) == pytest.approx([10.1, 20.2, np.sqrt(30.0 * 30.3)])
    assert levels.clusters(values, 1) == pytest.approx([np.sqrt(20.0 * 20.2)])
    with pytest.raises(ValueError, match="fewer than 3"):
        levels.clusters([1.0, 2.0, 2.0], 3)


def test_a_fit_depends_on_its_seed_alone() -> None:
    one, two, other = (
        fitting.fit([_series(WARM)], 3, seed, SHORT.search).best.vectors for seed in (5, 5, 6)
    )
    assert (one == two).all() and (one != other).any()


def test_a_search_goes_on_from_other_beginnings() -> None:
    fit = fitting.fit([_series(WARM)], 3, 5, SHORT.search)
    further = fitting.searched_on(fit, replace(SHORT.search, more=2))
    assert further.error <= fit.error and further.seed == fit.seed
    assert len(further.others.vectors) > len(fit.others.vectors)
    assert fitting.searched_on(fit, SHORT.search) is fit


def test_the_shuffled_minutes_are_the_same_minutes() -> None:
    fit = fitting.fit([_series(NAMES[0])], 2, search=SHORT.search)
    [moved] = fitting.shuffled(fit, SHORT.search).recorded.series
    [series] = fit.recorded.series
    assert sorted(moved.medians_ms) == sorted(series.medians_ms)
    assert moved.medians_ms != series.medians_ms
    assert [minute.index for minute in moved.minutes] == list(range(30))


def test_the_choice_of_steps_counts_the_numbers_and_wants_steps_apart() -> None:
    fits = fitting.fits([_drawn(2)], search=SHORT.search)
    assert [fit.steps for fit in fits] == [2, 3, 4]
    assert [fit.parameters for fit in fits] == [10, 12, 14]
    expected = 60 * np.log(max(fits[1].error, fitting.LEAST_ERROR)) + 12 * np.log(30)
    assert fits[1].criterion == pytest.approx(expected)
    near = replace(fits[2], best=replace(fits[2].best, levels=np.array([[20, 20.5, 25, 33.0]])))
    chosen = fitting.choose([near, fits[0]])
    assert chosen is fits[0] and min(b / a for a, b in pairwise(near.best.levels[0])) < 1.03


def test_a_phone_that_is_not_capped_cannot_be_fitted() -> None:
    flat = Series("flat", tuple(Minute(index, 20 + 0.05 * (index % 3)) for index in range(20)), ())
    with pytest.raises(UserError, match="within 0.5% of each other, so no clock step is seen"):
        fitting.fits([flat])
    with pytest.raises(UserError, match="4 clock steps cannot be fitted to 3 different"):
        fitting.fit([flat], 4)


def test_the_report_says_what_was_assumed_and_what_a_fit_is_worth() -> None:
    without = report([_drawn(1)], 3, effort=SHORT)
    assert without.label == "fitted to 30 reported minutes; a fit is not a forecast"
    said = " ".join(without.phone.assumptions)
    for part in ("4 W", "0.5 W", "paced use", "no temperatures", "Frames vary by 2%"):
        assert part in said
    assert without.phone.skin is None and without.files[0].air_c == 25
    few = report([_series(WARM)], 3, effort=SHORT)
    assert any("12 numbers were fitted to 7 minutes" in remark for remark in few.remarks)
    assert "least squares through the battery" in " ".join(few.phone.assumptions)
    [file] = few.files
    shares = [abs(a / b - 1) for a, b in zip(file.fitted_ms, file.recorded_ms, strict=True)]
    assert file.mean_absolute_error == pytest.approx(np.mean(shares))
    assert [each.pieces for each in file.pieces] == [4]


def test_a_run_is_named_once() -> None:
    with pytest.raises(UserError, match="hold the same minutes; name each run once"):
        report([_series(WARM), _series(WARM)], 2, effort=SHORT)


def test_an_equal_of_nothing_but_the_best_has_its_numbers() -> None:
    result: Equals = equally_good(
        fitting.fit([_series(WARM)], 2, search=SHORT.search), Walk(members=5, pushing=1, rounds=0)
    )
    assert result.count >= 1 and result.numbers.levels_ms.shape == (1, 2)
