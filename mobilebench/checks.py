"""Named diagnoses: what makes a measurement doubtful, said with the measurement for ever."""

from __future__ import annotations

from collections.abc import Sequence

from mobilebench.device import DeviceState
from mobilebench.measurement import Phase, Samples, Validity
from mobilebench.protocol import Protocol
from mobilebench.stats import percentile

# A quiet 2-core machine showed p90/p50 of 1.01 to 1.12, now and then up to 1.45, with the three
# runtimes here; a loaded one above 2.
_NOISY_P90_OVER_P50 = 1.5
# Share of all cores that was busy with other work just before the first load.
_BUSY_FRACTION = 0.25


def diagnose(
    samples: Samples, before: DeviceState, after: DeviceState, protocol: Protocol
) -> tuple[Validity, tuple[str, ...]]:
    """Validity of a measurement and the names of the reasons, in order of weight."""
    measured = samples.latencies_ns()
    reasons = [
        name
        for name, found in (
            ("too few samples", len(measured) < protocol.rounds * protocol.inferences),
            ("not converged", _not_converged(samples, protocol)),
            ("background load", _busy(before)),
            ("noisy samples", _noisy(measured)),
            ("thermal state changed", before.thermal != after.thermal),
        )
        if found
    ]
    return (Validity.SUSPECT if reasons else Validity.VALID), tuple(reasons)


def _busy(state: DeviceState) -> bool:
    return state.busy_fraction is not None and state.busy_fraction > _BUSY_FRACTION


def _noisy(measured: Sequence[int]) -> bool:
    return bool(measured) and percentile(measured, 90) > _NOISY_P90_OVER_P50 * percentile(
        measured, 50
    )


def _not_converged(samples: Samples, protocol: Protocol) -> bool:
    """A round whose warm-up ran into its limit instead of settling."""
    if protocol.warm_up.convergence is None:
        return False
    return any(
        _warm_up_ns(samples, round_) >= protocol.warm_up.max_duration_ns
        for round_ in range(protocol.rounds)
    )


def _warm_up_ns(samples: Samples, round_: int) -> int:
    """From the start of a round's first warm-up to the end of its last, as the engine's limit
    counts: the sum of the latencies alone leaves out what passes between them."""
    spans = [
        (start, start + latency)
        for start, latency, phase, of_round in zip(
            samples.t_ns, samples.latency_ns, samples.phase, samples.round, strict=True
        )
        if of_round == round_ and phase == Phase.WARM_UP
    ]
    return spans[-1][1] - spans[0][0] if spans else 0
