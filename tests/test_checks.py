"""Each diagnosis is provoked once, and absent from a good measurement."""

from __future__ import annotations

import dataclasses
from itertools import accumulate

import pytest

from mobilebench import checks, stats
from mobilebench.device import DeviceState, ThermalState
from mobilebench.measurement import Phase, Samples, Validity
from mobilebench.protocol import Convergence, Protocol, protocol

SMOKE = protocol("smoke-1")
QUIET = DeviceState(t_ns=0, busy_fraction=0.02, thermal=ThermalState.NOMINAL)
STEADY = [1000 + index % 7 for index in range(60)]


def _samples(latencies: list[int], warm_up: int = 0) -> Samples:
    count = len(latencies)
    return Samples(
        t_ns=tuple(accumulate(latencies[:-1], initial=0)),
        latency_ns=tuple(latencies),
        phase=(Phase.WARM_UP,) * warm_up + (Phase.MEASURED,) * (count - warm_up),
        round=(0,) * count,
    )


def _diagnose(
    latencies: list[int],
    before: DeviceState = QUIET,
    after: DeviceState = QUIET,
    rule: Protocol = SMOKE,
    warm_up: int = 0,
) -> tuple[str, ...]:
    validity, reasons = checks.diagnose(_samples(latencies, warm_up), before, after, rule)
    assert (validity == Validity.SUSPECT) == bool(reasons)
    return reasons


def test_a_quiet_steady_run_is_valid() -> None:
    assert _diagnose(STEADY) == ()


def test_too_few_samples() -> None:
    assert _diagnose(STEADY[:59]) == ("too few samples",)


def test_noisy_samples() -> None:
    assert _diagnose(STEADY[:50] + [3000] * 10) == ("noisy samples",)


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
    assert checks.diagnose(samples, QUIET, QUIET, rule)[1] == ()
    assert checks.diagnose(spread, QUIET, QUIET, rule)[1] == ("not converged",)


def test_summary_is_computed_from_samples() -> None:
    summary = stats.summarise([4, 1, 3, 2, 10])
    assert (summary.count, summary.min_ns, summary.p50_ns, summary.mean_ns) == (5, 1, 3.0, 4.0)
    assert summary.p90_ns == pytest.approx(7.6)


def test_nothing_has_no_summary() -> None:
    with pytest.raises(ValueError, match="no samples"):
        stats.summarise([])
