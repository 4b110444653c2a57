"""Run the measuring loop on a scripted device, exact to the nanosecond."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest

from mobilebench.errors import UnknownName
from mobilebench.measuring import engine
from mobilebench.results import headline
from mobilebench.results.headline import Deadlines
from mobilebench.values.device import ThermalState
from mobilebench.values.measurement import GateLog, Phase
from mobilebench.values.protocol import (
    Convergence,
    Gate,
    Protocol,
    WarmUp,
    half_hour,
    protocol,
    protocols,
)
from tests.doubles import ScriptedDevice

MS = 1_000_000
PLAIN = Protocol(
    id="test",
    purpose="tests",
    rounds=2,
    warm_up=WarmUp(min_iterations=3, min_duration_ns=0, max_duration_ns=10**12),
    inferences=4,
    min_duration_ns=0,
    max_duration_ns=10**12,
)


def test_every_round_loads_warms_up_and_measures() -> None:
    device = ScriptedDevice([10, 20, 30, 40, 50, 60, 70, 80], load_ns=1000)
    run = engine.run(PLAIN, device.load, device.instruments)
    samples, load_ns = run.samples, run.load_ns
    assert load_ns == (1000, 1000)
    assert samples.latency_ns == (10, 20, 30, 40, 50, 60, 70, 80, 80, 80, 80, 80, 80, 80)
    assert samples.phase[:7] == (Phase.WARM_UP,) * 3 + (Phase.MEASURED,) * 4
    assert samples.round == (0,) * 7 + (1,) * 7
    assert samples.latencies_ns()[:4] == (40, 50, 60, 70)


def test_samples_are_placed_on_a_clock_that_starts_at_zero() -> None:
    device = ScriptedDevice([10], load_ns=1000)
    samples = engine.run(PLAIN, device.load, device.instruments).samples
    assert samples.t_ns[:3] == (1000, 1010, 1020)
    assert samples.t_ns[7] == 1000 + 7 * 10 + 1000


def test_a_round_lasts_as_long_as_it_must_and_no_longer() -> None:
    rule = dataclasses.replace(PLAIN, rounds=1, min_duration_ns=10 * MS)
    device = ScriptedDevice([MS])
    samples = engine.run(rule, device.load, device.instruments).samples
    assert len(samples.latencies_ns()) == 10


def test_a_slow_model_ends_its_round_at_the_limit() -> None:
    rule = dataclasses.replace(PLAIN, rounds=1, max_duration_ns=2 * MS)
    device = ScriptedDevice([MS])
    samples = engine.run(rule, device.load, device.instruments).samples
    assert len(samples.latencies_ns()) == 2


CONVERGING = dataclasses.replace(
    PLAIN,
    rounds=1,
    warm_up=WarmUp(
        min_iterations=5, min_duration_ns=0, max_duration_ns=10**12, convergence=Convergence()
    ),
)


def test_steady_latency_converges_after_just_over_forty_iterations() -> None:
    device = ScriptedDevice([MS])
    samples = engine.run(CONVERGING, device.load, device.instruments).samples
    assert len(samples.latencies_ns(Phase.WARM_UP)) == 41


def test_a_falling_latency_warms_up_for_longer() -> None:
    falling = [5 * MS - index * 40_000 for index in range(100)]
    device = ScriptedDevice([*falling, MS])
    samples = engine.run(CONVERGING, device.load, device.instruments).samples
    warm_up = samples.latencies_ns(Phase.WARM_UP)
    assert len(warm_up) > 100
    assert set(samples.latencies_ns()) == {MS}


def test_warm_up_that_never_settles_ends_at_its_limit() -> None:
    rule = dataclasses.replace(
        CONVERGING, warm_up=dataclasses.replace(CONVERGING.warm_up, max_duration_ns=300 * MS)
    )
    growing = [MS + index * 100_000 for index in range(1000)]
    device = ScriptedDevice(growing)
    samples = engine.run(rule, device.load, device.instruments).samples
    warm_up = samples.latencies_ns(Phase.WARM_UP)
    assert sum(warm_up[:-1]) < 300 * MS <= sum(warm_up)


def test_warm_up_ends_when_its_limit_is_just_reached() -> None:
    limited = dataclasses.replace(CONVERGING.warm_up, max_duration_ns=7 * MS)
    rule = dataclasses.replace(CONVERGING, warm_up=limited)
    device = ScriptedDevice([MS])
    samples = engine.run(rule, device.load, device.instruments).samples
    assert len(samples.latencies_ns(Phase.WARM_UP)) == 7


GATED = dataclasses.replace(
    PLAIN, gate=Gate(warmest=ThermalState.NOMINAL, poll_ns=1000, max_wait_ns=5000)
)
NOMINAL, FAIR, SERIOUS = ThermalState.NOMINAL, ThermalState.FAIR, ThermalState.SERIOUS


def test_a_round_waits_until_the_device_has_cooled() -> None:
    device = ScriptedDevice([10], thermal=[SERIOUS, FAIR, FAIR, NOMINAL, NOMINAL])
    run = engine.run(GATED, device.load, device.instruments)
    assert run.gates == (
        GateLog(waited_ns=3000, start=NOMINAL, open=True),
        GateLog(waited_ns=0, start=NOMINAL, open=True),
    )
    assert [state.t_ns for state in run.states[:4]] == [0, 1000, 2000, 3000]
    assert [state.thermal for state in run.states[:4]] == [SERIOUS, FAIR, FAIR, NOMINAL]
    assert run.samples.t_ns[0] == 3000 + 1000, "the load comes after the wait"


def test_a_device_that_stays_warm_is_measured_after_the_longest_wait() -> None:
    device = ScriptedDevice([10], thermal=[FAIR])
    run = engine.run(GATED, device.load, device.instruments)
    assert run.gates == (GateLog(waited_ns=5000, start=FAIR, open=False),) * 2
    assert len(run.samples.latencies_ns()) == 8


def test_a_device_that_tells_nothing_does_not_wait() -> None:
    device = ScriptedDevice([10], thermal=[None])
    run = engine.run(GATED, device.load, device.instruments)
    assert run.gates == (GateLog(waited_ns=0, start=None, open=False),) * 2
    assert device.waits == []


def test_a_fixed_rest_comes_before_every_round() -> None:
    device = ScriptedDevice([10])
    engine.run(dataclasses.replace(PLAIN, cool_down_ns=700), device.load, device.instruments)
    assert device.waits == [700, 700]


PACED = dataclasses.replace(
    PLAIN,
    rounds=1,
    inferences=6,
    interval_ns=100,
    warm_up=dataclasses.replace(PLAIN.warm_up, min_iterations=1),
)


def test_frames_begin_on_a_grid_and_no_drift_adds_up() -> None:
    device = ScriptedDevice([10, 30, 99, 7, 100, 1])
    samples = engine.run(PACED, device.load, device.instruments).samples.select()
    first = samples.t_ns[0]
    assert [start - first for start in samples.t_ns] == [0, 100, 200, 300, 400, 500]
    assert headline.deadlines(PACED, samples) == Deadlines(frames=6, on_time=6, late=0, dropped=0)


def test_a_slow_inference_is_late_and_drops_the_frames_that_came_meanwhile() -> None:
    device = ScriptedDevice([10, 30, 250, 7, 101, 20])
    samples = engine.run(PACED, device.load, device.instruments).samples.select()
    first = samples.t_ns[0]
    assert [start - first for start in samples.t_ns] == [0, 100, 400, 500, 700, 800]
    deadlines = headline.deadlines(PACED, samples)
    assert deadlines == Deadlines(frames=9, on_time=4, late=2, dropped=3)
    assert deadlines.miss_rate == 5 / 9


def test_the_state_of_the_device_is_read_beside_a_long_run() -> None:
    rule = dataclasses.replace(PLAIN, rounds=1, inferences=10, sense_ns=30)
    device = ScriptedDevice([10], thermal=[NOMINAL, NOMINAL, FAIR, FAIR])
    run = engine.run(rule, device.load, device.instruments)
    began = run.samples.select().t_ns[0]
    assert [state.t_ns - began for state in run.states[1:]] == [10, 30, 60, 90]
    assert [state.thermal for state in run.states[1:]] == [NOMINAL, FAIR, FAIR, FAIR]


def test_modelbench_takes_the_middle_thirty_of_every_round() -> None:
    """20 rounds of 50 after one warm-up, each without its 10 lowest and highest; mean of means."""
    rule = protocol("modelbench-1")
    rounds = [[999] + [1] * 10 + [100 + round_] * 30 + [5000] * 10 for round_ in range(20)]
    device = ScriptedDevice([latency for each in rounds for latency in each])
    samples = engine.run(rule, device.load, device.instruments).samples
    assert len(samples.latencies_ns()) == 1000
    assert headline.headline_ns(rule, samples) == pytest.approx(100 + 9.5, abs=1e-9)


def test_mlperf_single_stream_is_a_minute_and_1024_queries_after_five_minutes_of_rest() -> None:
    rule = protocol("mlperf-ss-1")
    device = ScriptedDevice([100 * MS])
    run = engine.run(rule, device.load, device.instruments)
    assert device.waits == [300_000 * MS]
    assert len(run.samples.latencies_ns()) == 1024
    quick = ScriptedDevice([MS])
    samples = engine.run(rule, quick.load, quick.instruments).samples
    assert len(samples.latencies_ns()) == 60_000
    assert headline.headline_ns(rule, samples) == MS


def test_a_sustained_run_shows_its_windows() -> None:
    rule = protocol("sustained-1")
    device = ScriptedDevice([40 * MS] * 1000 + [60 * MS], thermal=[NOMINAL] * 30 + [SERIOUS])
    run = engine.run(rule, device.load, device.instruments)
    spans = headline.windows(run.samples, 5_000 * MS)
    assert [span.count for span in spans[:2]] == [125, 125]
    assert (spans[0].p50_ns, spans[-1].p50_ns) == (40 * MS, 60 * MS)
    assert sum(span.count for span in spans) == len(run.samples.latencies_ns()) >= 1024
    assert SERIOUS in [state.thermal for state in run.states]


def test_every_protocol_runs_on_a_scripted_device() -> None:
    for rule in (*protocols(), half_hour(1)):
        device = ScriptedDevice([5 * MS], thermal=[NOMINAL])
        run = engine.run(rule, device.load, device.instruments)
        measured = run.samples.latencies_ns()
        assert set(measured) == {5 * MS}
        assert headline.headline_ns(rule, run.samples) == 5 * MS
        assert device.now_ns - 5_000_000 <= rule.longest_ns + rule.rounds * 1000


def test_known_protocols() -> None:
    assert {known.id for known in protocols()} == set(DEFINITIONS) - {"paced-24fps-30min-1"}
    assert [known.id for known in protocols() if known.indicative] == ["smoke-1"]
    with pytest.raises(UnknownName, match="burst-1"):
        protocol("burst-2")


@pytest.mark.parametrize(
    "name", ["paced-0fps-30min-1", "paced-030fps-30min-1", "paced-241fps-30min-1"]
)
def test_half_an_hour_has_a_frame_rate_that_cameras_have(name: str) -> None:
    with pytest.raises(UnknownName, match="paced-NNfps-30min-1"):
        protocol(name)


def test_half_an_hour_serves_every_frame_of_its_rate() -> None:
    rule = protocol("paced-10fps-30min-1")
    device = ScriptedDevice([5 * MS], thermal=[NOMINAL])
    run = engine.run(rule, device.load, device.instruments)
    assert len(run.samples.latencies_ns()) in (18_000, 18_001) and len(run.states) >= 1799


DEFINITIONS = {
    "smoke-1": "9b6001b52c631e31",
    "burst-1": "47ce14830c491895",
    "sustained-1": "2a823b182b0ab455",
    "paced-30fps-1": "546343bf6c8f0013",
    "modelbench-1": "25bd9216cc37b374",
    "mlperf-ss-1": "4517a1769192f9e2",
    "ci-ab-1": "9bba80b4ff2dca86",
    "paced-24fps-30min-1": "cb15e9fc718496dd",
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_definition_of_a_protocol_never_changes(name: str) -> None:
    """A record names its rule by its id alone; a better rule gets a new id."""
    known = protocol(name)
    defined = {
        field.name: repr(getattr(known, field.name))
        for field in dataclasses.fields(known)
        if field.name != "purpose" and getattr(known, field.name) != field.default
    }
    text = json.dumps(defined, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == DEFINITIONS[name], text


class _Chooser:
    """Shifts to a width at given inferences; keeps what it saw."""

    def __init__(self, shifts: dict[int, int]) -> None:
        self.shifts = shifts
        self.seen: list[engine.Moment] = []
        self.cool_ns: tuple[int, ...] = ()

    def start(self, cool_ns: tuple[int, ...]) -> engine.Choose:
        self.cool_ns = cool_ns
        return self.choose

    def choose(self, moment: engine.Moment) -> engine.Shift | None:
        self.seen.append(moment)
        index = self.shifts.get(len(self.seen))
        return None if index is None else engine.Shift(index, "because", {"pace": 1.5})


class _Slimmable(ScriptedDevice):
    """A device whose width in force decides how long an inference takes."""

    def __init__(self) -> None:
        super().__init__([MS])
        self.index = 0

    def select(self, index: int) -> None:
        self.index = index

    def infer(self) -> None:
        self.now_ns += (8 * MS, 5 * MS, 2 * MS)[self.index]


def test_widths_change_between_inferences_and_are_recorded() -> None:
    device, chooser = _Slimmable(), _Chooser({3: 2, 5: 2, 6: 0})
    several = engine.Several((1.0, 0.75, 0.5), device.select, chooser.start)
    rule = dataclasses.replace(PACED, rounds=1, inferences=8)
    run = engine.run(rule, device.load, device.instruments, engine.Course(several=several))
    assert chooser.cool_ns == (8 * MS, 5 * MS, 2 * MS)
    measured = run.samples.select()
    assert measured.width[:8] == (1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 1.0, 1.0)
    assert measured.latency_ns[:7] == (8 * MS,) * 3 + (2 * MS,) * 3 + (8 * MS,)
    assert [(e.from_width, e.to_width, e.note) for e in run.events] == [
        (1.0, 0.5, "because"),
        (0.5, 1.0, "because"),
    ]
    assert run.events[0].readings == {"pace": 1.5}
    assert run.events[0].t_ns == measured.t_ns[2] + 8 * MS
    assert [moment.index for moment in chooser.seen[:7]] == [0, 0, 0, 2, 2, 2, 0]
    assert len(run.samples.select(Phase.WARM_UP).width) >= 3 * engine.BASELINE_INFERENCES


def test_a_chooser_sees_the_states_that_are_read() -> None:
    device, chooser = _Slimmable(), _Chooser({})
    several = engine.Several((1.0, 0.75, 0.5), device.select, chooser.start)
    rule = dataclasses.replace(PACED, rounds=1, inferences=8, sense_ns=20 * MS)
    run = engine.run(rule, device.load, device.instruments, engine.Course(several=several))
    states = [moment.state for moment in chooser.seen if moment.state is not None]
    assert states == list(run.states[1:]) and states


def test_one_network_has_no_widths() -> None:
    device = ScriptedDevice([MS])
    run = engine.run(PACED, device.load, device.instruments)
    assert run.samples.width == () and run.events == ()
