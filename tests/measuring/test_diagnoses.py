"""Each diagnosis is provoked once, and absent from a good measurement."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pytest

from mobilebench.measuring import diagnoses
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.measurement import GateLog, Measurement, Phase, Samples, Validity
from mobilebench.values.protocol import Convergence, Protocol, protocol
from tests.records import PHONE, measured

SMOKE = protocol("smoke-1")
SUSTAINED = protocol("sustained-1")
QUIET = DeviceState(t_ns=0, busy_fraction=0.02, thermal=ThermalState.NOMINAL)
STEADY = [1000 + index % 7 for index in range(60)]
LONG = [1_000_000 + index % 70 for index in range(1200)]


def _samples(latencies: list[int], warm_up: int = 0) -> Samples:
    """Return samples one right after the other, the measured ones in two equal rounds."""
    count = len(latencies)
    half = (count - warm_up) // 2
    return Samples(
        t_ns=tuple(accumulate(latencies[:-1], initial=0)),
        latency_ns=tuple(latencies),
        phase=(Phase.WARM_UP,) * warm_up + (Phase.MEASURED,) * (count - warm_up),
        round=(0,) * (warm_up + half) + (1,) * (count - warm_up - half),
    )


def _measurement(
    samples: Samples,
    before: DeviceState = QUIET,
    after: DeviceState = QUIET,
    gates: Sequence[GateLog] = (),
    states: Sequence[DeviceState] = (),
) -> Measurement:
    outcome = measured().outcome
    assert isinstance(outcome, Measurement)
    return dataclasses.replace(
        outcome,
        samples=samples,
        before=before,
        after=after,
        gates=tuple(gates),
        states=tuple(states),
    )


def _diagnose(
    latencies: list[int],
    before: DeviceState = QUIET,
    after: DeviceState = QUIET,
    rule: Protocol = SMOKE,
    warm_up: int = 0,
    gates: Sequence[GateLog] = (),
    states: Sequence[DeviceState] = (),
) -> tuple[str, ...]:
    measurement = _measurement(_samples(latencies, warm_up), before, after, gates, states)
    diagnosed = diagnoses.diagnose(measurement, rule, PHONE)
    names = diagnosed.reasons
    assert (diagnosed.validity == Validity.SUSPECT) == bool(set(names) - {"slow first run"})
    return names


def _over_time(latencies: list[int], degrees: Sequence[float | None]) -> list[DeviceState]:
    """Return readings of one sensor, evenly spaced over the samples."""
    whole = sum(latencies)
    return [
        DeviceState(
            t_ns=whole * index // len(degrees),
            temperatures_c=None if value is None else {"cpu": value},
        )
        for index, value in enumerate(degrees)
    ]


def test_a_quiet_steady_run_is_valid() -> None:
    assert _diagnose(STEADY) == ()


def test_too_few_samples() -> None:
    assert _diagnose(STEADY[:59]) == ("too few samples",)


def test_noisy_samples() -> None:
    spread = [round(1000 * 1.02 ** (index * 37 % 60)) for index in range(60)]
    assert _diagnose(spread) == ("noisy samples",)


def test_background_load() -> None:
    busy = dataclasses.replace(QUIET, busy_fraction=0.6)
    assert _diagnose(STEADY, before=busy) == ("background load",)


def test_unknown_load_is_not_called_background_load() -> None:
    assert _diagnose(STEADY, before=dataclasses.replace(QUIET, busy_fraction=None)) == ()


def test_thermal_state_changed() -> None:
    warm = dataclasses.replace(QUIET, thermal=ThermalState.FAIR)
    assert _diagnose(STEADY, after=warm) == ("thermal state changed",)


def test_not_converged() -> None:
    warm_up = dataclasses.replace(SMOKE.warm_up, convergence=Convergence(), max_duration_ns=5_000)
    rule = dataclasses.replace(SMOKE, warm_up=warm_up)
    assert _diagnose([1000] * 5 + STEADY, rule=rule, warm_up=5) == ("not converged",)
    assert _diagnose([1000] * 4 + STEADY, rule=rule, warm_up=4) == ()


def test_time_between_warm_ups_counts_towards_their_limit() -> None:
    """The engine ends a warm-up by the clock, which also runs between inferences."""
    warm_up = dataclasses.replace(SMOKE.warm_up, convergence=Convergence(), max_duration_ns=5_000)
    rule = dataclasses.replace(SMOKE, warm_up=warm_up)
    samples = _samples([900] * 5 + STEADY, warm_up=5)
    spread = dataclasses.replace(
        samples, t_ns=tuple(start + 125 * index for index, start in enumerate(samples.t_ns))
    )
    assert diagnoses.diagnose(_measurement(samples), rule, PHONE).reasons == ()
    assert diagnoses.diagnose(_measurement(spread), rule, PHONE).reasons == ("not converged",)


def test_timer_too_coarse() -> None:
    assert _diagnose([1000, 1050, 1100] * 20) == ("timer too coarse",)
    assert _diagnose([1000] * 60) == ("timer too coarse",)
    assert _diagnose([1000, 1010, 1020] * 20) == ()


def test_bimodal_latency() -> None:
    assert _diagnose([900 + index % 5 for index in range(40)] + STEADY[:20]) == ("bimodal latency",)
    near = [970 + index % 5 for index in range(40)]
    assert _diagnose(near + STEADY[:20]) == (), "two modes 3 % apart matter to no one"


@pytest.mark.parametrize("shape", ["normal", "uniform", "exponential"])
def test_one_broad_mode_is_not_two(shape: str) -> None:
    draw = getattr(np.random.default_rng(3), shape)
    spread = {"normal": (1.0, 0.1), "uniform": (0.8, 1.2), "exponential": (0.1,)}[shape]
    shift = 1.0 if shape == "exponential" else 0.0
    latencies = [round(1e6 * (shift + value)) for value in draw(*spread, 400)]
    assert "bimodal latency" not in _diagnose(latencies)


def test_low_power_mode() -> None:
    saving = dataclasses.replace(QUIET, low_power_mode=True)
    assert _diagnose(STEADY, before=saving) == ("low power mode",)
    assert _diagnose(STEADY, before=dataclasses.replace(QUIET, low_power_mode=False)) == ()


def test_not_gated() -> None:
    warm = GateLog(waited_ns=10, start=ThermalState.FAIR, open=False)
    unknown = GateLog(waited_ns=0, start=None, open=False)
    cool = GateLog(waited_ns=10, start=ThermalState.NOMINAL, open=True)
    assert _diagnose(STEADY, gates=[cool, warm]) == ("not gated",)
    assert _diagnose(STEADY, gates=[cool, unknown]) == ()


def test_slow_first_run_is_a_remark_that_leaves_the_numbers_valid() -> None:
    assert _diagnose([20_000, 1001, *STEADY], warm_up=2) == ("slow first run",)
    assert _diagnose([5_000, 1001, *STEADY], warm_up=2) == ()


def test_burst_mistaken_for_sustained() -> None:
    slowing = [500 + index % 7 for index in range(15)] + [620 + index % 7 for index in range(15)]
    assert _diagnose(slowing * 2) == ("burst mistaken for sustained",)
    once = [500 + index % 7 for index in range(30)]
    assert _diagnose(slowing + once) == ("bimodal latency",), "one round of two is no majority"
    steady = [500 + index % 7 for index in range(15)] + [540 + index % 7 for index in range(15)]
    assert _diagnose(steady * 2) == ()


def test_throttled_by_its_latency() -> None:
    slower = [latency + latency // 5 for latency in LONG[900:]]
    assert _diagnose(LONG[:900] + slower, rule=SUSTAINED) == ("throttled",)
    assert _diagnose(LONG, rule=SUSTAINED) == ()


def test_throttled_by_what_the_system_says() -> None:
    serious = [DeviceState(t_ns=0, thermal=ThermalState.SERIOUS)]
    fair = [DeviceState(t_ns=0, thermal=ThermalState.FAIR)]
    assert _diagnose(LONG, rule=SUSTAINED, states=serious) == ("throttled",)
    assert _diagnose(LONG, rule=SUSTAINED, states=fair) == ()


def test_drift_with_temperature() -> None:
    rising = [latency + 100 * index for index, latency in enumerate(LONG)]
    warming = _over_time(rising, [40 + index for index in range(20)])
    cooling = _over_time(rising, [60 - index for index in range(20)])
    assert _diagnose(rising, rule=SUSTAINED, states=warming) == ("drift with temperature",)
    assert _diagnose(rising, rule=SUSTAINED, states=cooling) == ()
    assert _diagnose(rising, rule=SUSTAINED, states=_over_time(rising, [None] * 20)) == ()
    assert _diagnose(LONG, rule=SUSTAINED, states=_over_time(LONG, list(range(20)))) == ()


@pytest.mark.parametrize(
    ("threads", "cores", "expected"),
    [
        (8, 6, ("more threads than cores",)),
        (6, 6, ()),
        (8, None, ()),
    ],
)
def test_more_threads_than_cores(
    threads: int, cores: int | None, expected: tuple[str, ...]
) -> None:
    measurement = _measurement(_samples(STEADY))
    runtime = dataclasses.replace(measurement.runtime, threads=threads)
    diagnosed = diagnoses.diagnose(
        dataclasses.replace(measurement, runtime=runtime),
        SMOKE,
        dataclasses.replace(PHONE, cores=cores),
    )
    assert diagnosed.reasons == expected
    assert (diagnosed.validity is Validity.SUSPECT) == bool(expected)
