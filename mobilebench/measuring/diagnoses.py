"""Diagnose what makes a measurement doubtful. The diagnoses stay with the measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from mobilebench.values.application import Application, Build
from mobilebench.values.device import Device, DeviceState, ThermalState
from mobilebench.values.event import EventKind
from mobilebench.values.measurement import Diagnosis, Measurement, Phase, Samples, Validity
from mobilebench.values.protocol import Protocol
from mobilebench.values.unit import UnitEvidence

Array = np.ndarray[Any, Any]


_REMARKS = frozenset({Diagnosis.SLOW_FIRST_RUN})
"""Diagnoses that leave the numbers valid but that a reader should know: warm-up samples do not
count."""

# A quiet 2-core machine showed p90/p50 of 1.01 to 1.12, at times up to 1.45, with the three
# runtimes here; a loaded one above 2.
_NOISY_P90_OVER_P50 = 1.5
# Share of all cores that was busy with other work just before the first load.
_BUSY_FRACTION = 0.25
# The step between neighbouring values of a coarse timer, as a share of the median.
_COARSE_STEP = 0.02
_ENOUGH = 20
"""Samples below which the shape of their distribution shows nothing."""
# Two clusters: their means this many of their deviations apart (Ashman, Bird and Zepf, 1994, take
# 2 for any two; cutting one normal distribution in half gives 2.7, a uniform one 3.5), and far
# enough apart to matter.
_MODES_APART = 4.0
_MODES_RATIO = 1.1
_SMALLER_MODE = 0.1
# The last quarter of a long run over its first.
_THROTTLED_RATIO = 1.15
_DRIFT_RATIO = 1.05
_DRIFT_CORRELATION = 0.7
_DRIFT_STATES = 10
# The second half of a burst over its first: an iPhone 13 was seen to go from 0.55 to 1.2 ms after
# tens of inferences (mlcommons/mobile_app_open, issue 472).
_BURST_RATIO = 1.2
_SLOW_FIRST_RATIO = 10.0


def diagnose(measurement: Measurement, protocol: Protocol, device: Device) -> Measurement:
    """Return the measurement with its validity and its diagnoses, the most serious first."""
    samples, states = _at_one_width(measurement.samples), measurement.states
    before, after = measurement.before, measurement.after
    latencies = np.asarray(samples.latencies_ns(), dtype=np.float64)
    applies = {
        Diagnosis.TOO_FEW_SAMPLES: len(latencies) < _least_samples(protocol),
        Diagnosis.TIMER_TOO_COARSE: _coarse(latencies),
        Diagnosis.OUTPUTS_DIFFER: _differs(measurement),
        Diagnosis.OTHER_UNIT: (
            measurement.runtime.compute_unit_evidence is UnitEvidence.NOT_SUPPORTED
        ),
        Diagnosis.DEBUG_BUILD: _debugged(measurement.application),
        Diagnosis.NOT_IN_FRONT: _left_front(measurement),
        Diagnosis.STOPPED_EARLY: measurement.stopped is not None,
        Diagnosis.CUT_OFF: measurement.cut_off,
        Diagnosis.NOT_GATED: any(not g.open and g.start is not None for g in measurement.gates),
        Diagnosis.THROTTLED: _throttled(samples, states, protocol),
        Diagnosis.CLOCK_CAPPED: _happened(measurement, EventKind.CLOCK_CAP),
        Diagnosis.DRIFT_WITH_TEMPERATURE: _drifts(samples, states),
        Diagnosis.BURST_NOT_SUSTAINED: _burst_only(samples, protocol),
        Diagnosis.NOT_CONVERGED: _not_converged(samples, protocol),
        Diagnosis.BACKGROUND_LOAD: _busy(before),
        Diagnosis.MORE_THREADS_THAN_CORES: _crowded(measurement, device),
        Diagnosis.LOW_POWER_MODE: bool(before.low_power_mode or after.low_power_mode),
        Diagnosis.MEMORY_SHORT: _happened(measurement, EventKind.MEMORY_WARNING),
        Diagnosis.CHARGER_CHANGED: _happened(
            measurement, EventKind.CHARGER_CONNECTED, EventKind.CHARGER_REMOVED
        ),
        Diagnosis.NOISY_SAMPLES: _noisy(latencies),
        Diagnosis.BIMODAL_LATENCY: _bimodal(latencies),
        Diagnosis.THERMAL_STATE_CHANGED: before.thermal != after.thermal,
        Diagnosis.SLOW_FIRST_RUN: _slow_first(samples, latencies),
    }
    if applies[Diagnosis.THROTTLED] or applies[Diagnosis.BURST_NOT_SUSTAINED]:
        applies[Diagnosis.BIMODAL_LATENCY] = False  # one level after the other, not alternating
    diagnoses = tuple(diagnosis for diagnosis in Diagnosis if applies[diagnosis])
    doubtful = not _REMARKS.issuperset(diagnoses)
    validity = Validity.SUSPECT if doubtful else Validity.VALID
    return replace(measurement, validity=validity, reasons=diagnoses)


def _least_samples(protocol: Protocol) -> int:
    """Return the samples a protocol asks for; of frames at a pace, half of those that fit."""
    if protocol.interval_ns is not None:
        return protocol.rounds * protocol.min_duration_ns // protocol.interval_ns // 2
    return protocol.rounds * protocol.inferences


def _happened(measurement: Measurement, *kinds: EventKind) -> bool:
    return any(event.kind in kinds for event in measurement.events)


def _at_one_width(samples: Samples) -> Samples:
    """Return samples as if one width had computed them all.

    A latency is scaled by the median of its width, so that what is left is the device's doing.
    """
    if len(set(samples.width)) < 2:
        return samples
    own, latency_ns = np.array(samples.width), np.array(samples.latency_ns, dtype=np.float64)
    widest_ns = np.median(latency_ns[own == own.max()])
    for width in np.unique(own):
        latency_ns[own == width] *= widest_ns / np.median(latency_ns[own == width])
    return replace(samples, latency_ns=tuple(max(1, round(ns)) for ns in latency_ns.tolist()))


def _differs(measurement: Measurement) -> bool:
    """Return whether the unit that was timed computes something else than it should."""
    unit = measurement.runtime.compute_unit_requested
    return any(parity.unit is unit and not parity.passed for parity in measurement.parity)


def _debugged(application: Application | None) -> bool:
    """Return whether the app, or the runtime inside it, was built for debugging."""
    if application is None:
        return False
    return Build.DEBUG in (application.build, application.runtime_build)


def _left_front(measurement: Measurement) -> bool:
    """Return whether the app was ever not the one in front of a screen that is on."""
    if _happened(measurement, EventKind.BACKGROUND, EventKind.SCREEN_OFF, EventKind.CALL):
        return True
    return any(
        each.foreground is False or each.screen_on is False for each in measurement.scheduling
    )


def _busy(state: DeviceState) -> bool:
    return state.busy_fraction is not None and state.busy_fraction > _BUSY_FRACTION


def _crowded(measurement: Measurement, device: Device) -> bool:
    """Return whether threads have to share cores; not where the cores are unknown."""
    return device.cores is not None and measurement.runtime.threads > device.cores


def _noisy(measured: Array) -> bool:
    if not measured.size:
        return False
    return bool(np.percentile(measured, 90) > _NOISY_P90_OVER_P50 * np.median(measured))


def _coarse(measured: Array) -> bool:
    """Return whether neighbouring values are far apart, or all values are equal."""
    if measured.size < _ENOUGH:
        return False
    values = np.unique(measured)
    if values.size == 1:
        return True
    return bool(np.diff(values).min() > _COARSE_STEP * np.median(measured))


def _bimodal(measured: Array) -> bool:
    """Return whether the best cut into two clusters leaves them far apart."""
    if measured.size < _ENOUGH:
        return False
    ordered = np.sort(measured)
    count = ordered.size
    smallest = max(2, round(_SMALLER_MODE * count))
    cuts = np.arange(smallest, count - smallest + 1)
    if not cuts.size:
        return False
    sums = np.concatenate(([0.0], np.cumsum(ordered)))
    low = sums[cuts] / cuts
    high = (sums[-1] - sums[cuts]) / (count - cuts)
    best = int(cuts[np.argmax(cuts * (count - cuts) * (high - low) ** 2)])
    left, right = ordered[:best], ordered[best:]
    spread = float(np.sqrt((left.var() + right.var()) / 2))
    gap = float(right.mean() - left.mean())
    return gap > _MODES_APART * spread and right.mean() > _MODES_RATIO * left.mean()


def _slow_first(samples: Samples, measured: Array) -> bool:
    first = samples.latency_ns[0] if samples.phase[:1] == (Phase.WARM_UP,) else None
    return bool(
        first is not None and measured.size and first > _SLOW_FIRST_RATIO * np.median(measured)
    )


def _throttled(samples: Samples, states: Sequence[DeviceState], protocol: Protocol) -> bool:
    """Return whether a long run ends slower than it began, or gets too hot.

    Only a run by window is long enough to heat the device. Too hot is a thermal state that the
    operating system calls serious.
    """
    if protocol.window_ns is None:
        return False
    hot = ThermalState.SERIOUS.level
    if any(state.thermal is not None and state.thermal.level >= hot for state in states):
        return True
    return _last_over_first(samples.latencies_ns(), 4) > _THROTTLED_RATIO


def _last_over_first(latencies_ns: Sequence[int], parts: int) -> float:
    """Return the median of the last part of a series over that of its first part.

    1 where the parts hold too few values.
    """
    length = len(latencies_ns) // parts
    if length < _ENOUGH // parts:
        return 1.0
    return float(np.median(latencies_ns[-length:]) / np.median(latencies_ns[:length]))


def _drifts(samples: Samples, states: Sequence[DeviceState]) -> bool:
    """Return whether latency rises along with a temperature.

    Both are compared by rank, from one reading to the next.
    """
    if len(states) < _DRIFT_STATES:
        return False
    if _last_over_first(samples.latencies_ns(), 4) <= _DRIFT_RATIO:
        return False
    measured = samples.select()
    starts, latencies = np.asarray(measured.t_ns), np.asarray(measured.latency_ns)
    spans = [
        (state, latencies[(starts >= state.t_ns) & (starts < following.t_ns)])
        for state, following in pairwise(states)
    ]
    spans = [(state, span) for state, span in spans if span.size]
    medians = np.asarray([np.median(span) for _, span in spans])
    for sensor in sorted({name for state, _ in spans for name in state.temperatures_c or {}}):
        read = [(state.temperatures_c or {}).get(sensor) for state, _ in spans]
        known = np.asarray([value is not None for value in read])
        if known.sum() < _DRIFT_STATES:
            continue
        degrees = np.asarray([value for value in read if value is not None])
        if _rank_correlation(degrees, medians[known]) > _DRIFT_CORRELATION:
            return True
    return False


def _rank_correlation(first: Array, second: Array) -> float:
    """Return Spearman's rank correlation, with ties in the order they come.

    0 where one side does not vary.
    """
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    one, other = (np.argsort(np.argsort(values, kind="stable")) for values in (first, second))
    return float(np.corrcoef(one, other)[0, 1])


def _burst_only(samples: Samples, protocol: Protocol) -> bool:
    """Return whether the device slows down within a round.

    A longer round would then have another result.
    """
    if protocol.window_ns is not None:
        return False
    slowed = [
        _last_over_first(samples.latencies_ns(round_=round_), 2) > _BURST_RATIO
        for round_ in range(protocol.rounds)
    ]
    return sum(slowed) * 2 > len(slowed)


def _not_converged(samples: Samples, protocol: Protocol) -> bool:
    """Return whether a round's warm-up ran into its limit instead of settling."""
    if protocol.warm_up.convergence is None:
        return False
    return any(
        _warm_up_ns(samples, round_) >= protocol.warm_up.max_duration_ns
        for round_ in range(protocol.rounds)
    )


def _warm_up_ns(samples: Samples, round_: int) -> int:
    """Return the time from the start of a round's first warm-up to the end of its last.

    The engine's limit counts in this way: the sum of the latencies alone leaves out the time
    between them.
    """
    warm_up = samples.select(Phase.WARM_UP, round_)
    if not warm_up.t_ns:
        return 0
    return warm_up.t_ns[-1] + warm_up.latency_ns[-1] - warm_up.t_ns[0]
