"""The measuring loop on a scripted device, to the nanosecond."""

from __future__ import annotations

import dataclasses

import pytest

from mobilebench import engine
from mobilebench.errors import UnknownName
from mobilebench.measurement import Phase
from mobilebench.protocol import Convergence, Protocol, WarmUp, protocol, protocols
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
    samples, loads = engine.run(PLAIN, device.load, device.clock)
    assert loads.first_ns == 1000 and loads.warm_ns == (1000,)
    assert samples.latency_ns == (10, 20, 30, 40, 50, 60, 70, 80, 80, 80, 80, 80, 80, 80)
    assert samples.phase[:7] == (Phase.WARM_UP,) * 3 + (Phase.MEASURED,) * 4
    assert samples.round == (0,) * 7 + (1,) * 7
    assert samples.latencies_ns()[:4] == (40, 50, 60, 70)


def test_samples_are_placed_on_a_clock_that_starts_at_zero() -> None:
    device = ScriptedDevice([10], load_ns=1000)
    samples, _ = engine.run(PLAIN, device.load, device.clock)
    assert samples.t_ns[:3] == (1000, 1010, 1020)
    assert samples.t_ns[7] == 1000 + 7 * 10 + 1000


def test_a_round_lasts_as_long_as_it_must_and_no_longer() -> None:
    rule = dataclasses.replace(PLAIN, rounds=1, min_duration_ns=10 * MS)
    device = ScriptedDevice([MS])
    samples, _ = engine.run(rule, device.load, device.clock)
    assert len(samples.latencies_ns()) == 10


def test_a_slow_model_ends_its_round_at_the_limit() -> None:
    rule = dataclasses.replace(PLAIN, rounds=1, max_duration_ns=2 * MS)
    device = ScriptedDevice([MS])
    samples, _ = engine.run(rule, device.load, device.clock)
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
    samples, _ = engine.run(CONVERGING, device.load, device.clock)
    assert len(samples.latencies_ns(Phase.WARM_UP)) == 41


def test_a_falling_latency_warms_up_for_longer() -> None:
    falling = [5 * MS - index * 40_000 for index in range(100)]
    device = ScriptedDevice([*falling, MS])
    samples, _ = engine.run(CONVERGING, device.load, device.clock)
    warm_up = samples.latencies_ns(Phase.WARM_UP)
    assert len(warm_up) > 100
    assert set(samples.latencies_ns()) == {MS}


def test_warm_up_that_never_settles_ends_at_its_limit() -> None:
    rule = dataclasses.replace(
        CONVERGING, warm_up=dataclasses.replace(CONVERGING.warm_up, max_duration_ns=300 * MS)
    )
    growing = [MS + index * 100_000 for index in range(1000)]
    device = ScriptedDevice(growing)
    samples, _ = engine.run(rule, device.load, device.clock)
    warm_up = samples.latencies_ns(Phase.WARM_UP)
    assert sum(warm_up[:-1]) < 300 * MS <= sum(warm_up)


def test_known_protocols() -> None:
    assert {known.id for known in protocols()} == {"smoke-1", "burst-1"}
    assert protocol("smoke-1").indicative
    assert not protocol("burst-1").indicative
    with pytest.raises(UnknownName, match="burst-1"):
        protocol("burst-2")


def test_definitions_of_published_protocols_never_change() -> None:
    """A record names its rule by id alone; a better rule gets a new id."""
    burst = protocol("burst-1")
    assert (burst.rounds, burst.inferences, burst.min_duration_ns) == (5, 50, 0)
    assert burst.warm_up == WarmUp(
        min_iterations=30,
        min_duration_ns=250 * MS,
        max_duration_ns=8000 * MS,
        convergence=Convergence(fast=0.1, slow=0.005, tolerance=0.04, consecutive=40),
    )
    smoke = protocol("smoke-1")
    assert (smoke.rounds, smoke.inferences, smoke.min_duration_ns) == (2, 30, 500 * MS)
