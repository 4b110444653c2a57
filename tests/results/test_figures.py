"""Compute from samples what tables show, each figure beside a plain way to the same number."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mobilebench.results import Figures, figures
from mobilebench.results.heat import Onset, Sign
from mobilebench.results.spread import spread
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.event import Event, EventKind
from mobilebench.values.measurement import Measurement, Phase, Samples
from mobilebench.values.protocol import protocol
from mobilebench.values.record import Record
from tests.records import measured, sustained

S = 1_000_000_000
MS = 1_000_000
THIRTY = [10.0] * 5 + [11.0] * 5 + [14.0] * 20
"""Latency by minute of a phone that slows down after five minutes and after ten."""


def _figures(record: Record) -> Figures:
    assert isinstance(record.outcome, Measurement) and record.job is not None
    return figures(record.job, record.outcome)


def _reading(second: float, **content: object) -> DeviceState:
    return DeviceState(t_ns=round(second * S), **content)  # type: ignore[arg-type]


def test_percentiles_are_of_measured_samples_alone() -> None:
    latencies = [99 * MS, *(round(MS * (1 + place % 17)) for place in range(200))]
    shown = _figures(measured(latencies_ns=latencies))
    assert (shown.p50_ns, shown.p90_ns, shown.p99_ns) == tuple(
        np.percentile(latencies[1:], (50, 90, 99))
    )
    assert (shown.count, shown.min_ns, shown.mean_ns) == (200, MS, np.mean(latencies[1:]))
    assert shown.headline_ns == shown.p50_ns


@pytest.mark.parametrize(("id_", "words"), [("mlperf-ss-1", "90th"), ("modelbench-1", "trimmed")])
def test_the_headline_is_the_protocols(id_: str, words: str) -> None:
    latencies = [99 * MS, *(MS * (1 + place) for place in range(100))]
    shown = _figures(measured(latencies_ns=latencies, protocol_id=id_))
    expected = {"90th": np.percentile(latencies[1:], 90), "trimmed": np.mean(latencies[11:91])}
    assert shown.headline_ns == pytest.approx(expected[words])
    assert shown.remark(protocol(id_)) is not None


def test_rounds_give_an_interval_of_the_median() -> None:
    record = measured(protocol_id="burst-1")
    assert isinstance(record.outcome, Measurement)
    rounds = [number for number in range(5) for _ in range(3)]
    latencies = [MS * (10 + 2 * number + place) for number in range(5) for place in range(3)]
    samples = Samples(
        t_ns=tuple(range(15)),
        latency_ns=tuple(latencies),
        phase=(Phase.MEASURED,) * 15,
        round=tuple(rounds),
    )
    shown = _figures(
        dataclasses.replace(record, outcome=dataclasses.replace(record.outcome, samples=samples))
    )
    assert shown.spread is not None
    assert (shown.spread.low_ns, shown.spread.high_ns) == (11 * MS, 19 * MS)
    assert shown.spread.kind == "94% interval of the median round, from 5 rounds"
    assert shown.course is None and shown.first is None and shown.change is None


def test_a_long_run_compares_its_first_minute_with_its_last_ten() -> None:
    shown = _figures(sustained(THIRTY))
    assert shown.minute_1 is not None and shown.last_ten is not None
    assert (shown.minute_1.count, shown.minute_1.p50_ns) == (60, 10 * MS)
    assert shown.last_ten.p50_ns == 14 * MS and shown.last_ten.length_ns == 600 * S
    assert shown.last_ten.count == pytest.approx(600, abs=1)
    assert shown.change == pytest.approx(0.4)


@pytest.mark.parametrize("minutes", [2, 12, 70])
def test_the_spread_of_windows_is_the_same_by_itself(minutes: int) -> None:
    record = sustained([10.0 + minute % 3 for minute in range(minutes)])
    assert isinstance(record.outcome, Measurement) and record.job is not None
    expected = spread(record.job.protocol, record.outcome.samples)
    assert expected is not None and _figures(record).spread == expected


def test_a_run_of_ten_minutes_has_no_last_ten_to_compare() -> None:
    shown = _figures(sustained([10.0] * 10))
    assert shown.minute_1 is None and shown.last_ten is None and shown.change is None
    assert shown.first is not None and shown.last is not None
    assert _figures(sustained([10.0] * 11 + [12.0])).change == pytest.approx(0.0)


def test_the_course_has_a_window_for_each_minute_with_an_interval() -> None:
    shown = _figures(sustained(THIRTY))
    course = shown.course
    assert course is not None and len(course.start_ns) == 30
    assert [round(ns / MS) for ns in course.p50_ns] == [round(ms) for ms in THIRTY]
    third, thirtieth = course.minute(3), course.minute(30)
    assert third is not None and thirtieth is not None
    for window, ms in ((third, 10), (thirtieth, 14)):
        assert window.low_ns is not None and window.high_ns is not None
        assert 0.98 * ms * MS <= window.low_ns <= window.p50_ns <= window.high_ns <= 1.02 * ms * MS
    assert course.minute(31) is None


def test_a_very_long_run_has_at_most_sixty_windows() -> None:
    shown = _figures(sustained([10.0] * 130))
    assert shown.course is not None
    assert (shown.course.window_ns, len(shown.course.start_ns)) == (240 * S, 33)
    assert sum(shown.course.count) == 130 * 60
    assert shown.course.minute(1) is None


def test_windows_without_a_frame_are_absent() -> None:
    record = sustained([10.0] * 12)
    assert isinstance(record.outcome, Measurement)
    samples = record.outcome.samples
    positions = [at for at, t_ns in enumerate(samples.t_ns) if not 120 * S < t_ns < 240 * S]
    fewer = Samples(
        t_ns=tuple(samples.t_ns[at] for at in positions),
        latency_ns=tuple(samples.latency_ns[at] for at in positions),
        phase=tuple(samples.phase[at] for at in positions),
        round=(0,) * len(positions),
    )
    shown = _figures(
        dataclasses.replace(record, outcome=dataclasses.replace(record.outcome, samples=fewer))
    )
    assert shown.course is not None and len(shown.course.start_ns) == 10
    assert shown.course.minute(3) is None and shown.course.minute(5) is not None


def test_a_thermal_status_is_an_onset_with_its_time() -> None:
    states = [
        _reading(10, thermal=ThermalState.NOMINAL),
        _reading(61, thermal=ThermalState.FAIR),
        _reading(300.5, thermal=ThermalState.SERIOUS),
        _reading(400, thermal=ThermalState.CRITICAL),
    ]
    shown = _figures(sustained(THIRTY, states=states))
    assert shown.onset == Onset(after_ns=300 * S, sign=Sign.STATUS, state=ThermalState.SERIOUS), (
        "counted from the first measured sample"
    )
    assert shown.heat_known and shown.warmest is ThermalState.CRITICAL


def test_a_lower_clock_cap_is_an_onset_and_a_higher_one_is_not() -> None:
    events = [
        Event(t_ns=20 * S, kind=EventKind.CLOCK_CAP, readings={"cap_mhz": 2400.0}),
        Event(t_ns=30 * S, kind=EventKind.CLOCK_CAP, readings={"cap_mhz": 2380.0}),
        Event(t_ns=100 * S, kind=EventKind.CLOCK_CAP, readings={"cap_mhz": 1800.0}),
    ]
    shown = _figures(sustained(THIRTY, events=events))
    assert shown.onset is not None
    assert (shown.onset.sign, shown.onset.cap_mhz) == (Sign.CLOCK_CAP, 1800.0)
    assert shown.onset.after_ns == 100 * S - S // 2
    unnamed = _figures(sustained(THIRTY, events=[Event(t_ns=9 * S, kind=EventKind.CLOCK_CAP)]))
    assert unnamed.onset is not None and unnamed.onset.cap_mhz is None


def test_the_earliest_sign_counts_whatever_says_it() -> None:
    states = [_reading(50, cpu_cap_mhz=2000.0), _reading(70, cpu_cap_mhz=1000.0)]
    late = [*states, _reading(90, thermal=ThermalState.SERIOUS)]
    assert _figures(sustained(THIRTY, states=late)).onset == Onset(
        after_ns=69_500 * MS, sign=Sign.CLOCK_CAP, cap_mhz=1000.0
    )


def test_a_device_that_tells_nothing_has_no_onset_and_says_so() -> None:
    shown = _figures(sustained(THIRTY))
    assert shown.onset is None and not shown.heat_known and shown.warmest is None
    cool = [_reading(10, thermal=ThermalState.NOMINAL)]
    assert _figures(sustained(THIRTY, states=cool)).heat_known


def test_frames_have_deadlines_and_a_line_about_them() -> None:
    record = sustained([10.0] * 11 + [1500.0])
    shown = _figures(record)
    assert shown.deadlines is not None and shown.deadlines.frames == 720
    assert shown.deadlines.late == 60
    remark = shown.remark(protocol("paced-1fps-30min-1"))
    assert remark == "paced-1fps-30min-1: 8.3% of 720 frames missed (60 late, 0 dropped)"


def test_a_burst_says_all_by_its_median() -> None:
    assert _figures(measured()).remark(protocol("smoke-1")) is None
    assert _figures(measured(protocol_id="sustained-1")).remark(protocol("sustained-1")) == (
        "sustained-1: median 11.0 ms in the first 5.00 s, 11.0 ms in the last"
    )
