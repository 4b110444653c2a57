"""Immutable, versioned rules for measuring latency.

Two records are compared only when their protocol ids are equal, so a definition never changes: a
better rule gets a new id.
"""

from __future__ import annotations

import re
from enum import StrEnum

from mobilebench.errors import UnknownName
from mobilebench.values import require_range, value
from mobilebench.values.device import ThermalState

_MS = 1_000_000
_S = 1_000_000_000


@value
class Convergence:
    """Warm-up is over when a fast and a slow moving average of the latency agree.

    The rule of AndroidX Microbenchmark (its WarmupManager): both are exponential moving averages
    with the weights `fast` and `slow`, and they must stay within `tolerance` of each other for
    more than `consecutive` iterations in a row.
    """

    fast: float = 0.1
    slow: float = 0.005
    tolerance: float = 0.04
    consecutive: int = 40


@value
class WarmUp:
    """How long to run before samples count; every warm-up sample is kept and marked."""

    min_iterations: int
    min_duration_ns: int
    max_duration_ns: int
    convergence: Convergence | None = None


@value
class Gate:
    """Starts a round only on a rested device: its thermal state is `warmest` or cooler.

    Where the device stays warmer for `max_wait_ns`, the round starts anyway, and the measurement
    records that it was not gated.
    """

    warmest: ThermalState = ThermalState.NOMINAL
    poll_ns: int = _S
    max_wait_ns: int = 300 * _S


class Headline(StrEnum):
    """The one number that a protocol makes of its samples."""

    MEDIAN = "median"
    """Median of all measured samples."""
    P90 = "p90"
    """90th percentile of all measured samples."""
    TRIMMED_MEAN = "trimmed mean"
    """Mean over the rounds of each round's mean without its `trim` lowest and highest samples."""


@value
class Protocol:
    """Rounds of: wait for the gate, load the artifact, warm up, then measure.

    A round measures at least `inferences` inferences, for at least `min_duration_ns`.
    """

    id: str
    purpose: str
    rounds: int
    warm_up: WarmUp
    inferences: int
    min_duration_ns: int
    max_duration_ns: int
    """A round ends here, even with fewer inferences than it should have."""
    interval_ns: int | None = None
    """Time from the start of one inference to that of the next, as camera frames come. An inference
    that takes longer drops the frames that come meanwhile. None: each inference follows the one
    before directly."""
    cool_down_ns: int = 0
    """Fixed rest before every round."""
    gate: Gate | None = None
    sense_ns: int | None = None
    """How often the device's state is read between measured inferences. None: between rounds only,
    where a reading would disturb a short burst."""
    window_ns: int | None = None
    """Length of the windows that percentiles are shown for; None without windows."""
    headline: Headline = Headline.MEDIAN
    trim: int = 0
    indicative: bool = False
    """True where the rule is too short for a result; such numbers are always marked."""

    def __post_init__(self) -> None:
        require_range(self, "rounds", "inferences", "interval_ns", "sense_ns", "window_ns", least=1)
        require_range(self, "min_duration_ns", "max_duration_ns", "cool_down_ns", "trim")

    @property
    def longest_ns(self) -> int:
        """The longest time that all rounds may take, without loading."""
        gate_ns = self.gate.max_wait_ns + self.gate.poll_ns if self.gate else 0
        rest_ns = self.cool_down_ns + gate_ns
        return self.rounds * (rest_ns + self.warm_up.max_duration_ns + self.max_duration_ns)


_SETTLED = WarmUp(
    min_iterations=30,
    min_duration_ns=250 * _MS,
    max_duration_ns=8 * _S,
    convergence=Convergence(),
)
_ONCE = WarmUp(min_iterations=1, min_duration_ns=0, max_duration_ns=60 * _S)

_PROTOCOLS = (
    Protocol(
        id="smoke-1",
        purpose="demos and tests: seconds, never a result",
        rounds=2,
        warm_up=WarmUp(min_iterations=5, min_duration_ns=200 * _MS, max_duration_ns=2 * _S),
        inferences=30,
        min_duration_ns=500 * _MS,
        max_duration_ns=10 * _S,
        indicative=True,
    ),
    Protocol(
        id="burst-1",
        purpose="interactive latency: short bursts after convergence, from a rested device",
        rounds=5,
        warm_up=_SETTLED,
        inferences=50,
        min_duration_ns=0,
        max_duration_ns=60 * _S,
        gate=Gate(),
    ),
    Protocol(
        id="sustained-1",
        purpose="streaming: a minute and more without a pause, beside the thermal state",
        rounds=1,
        warm_up=_SETTLED,
        inferences=1024,
        min_duration_ns=60 * _S,
        max_duration_ns=600 * _S,
        gate=Gate(),
        sense_ns=_S,
        window_ns=5 * _S,
    ),
    Protocol(
        id="paced-30fps-1",
        purpose="camera: 30 frames a second for a minute, and how many miss their deadline",
        rounds=1,
        warm_up=_SETTLED,
        inferences=1,
        min_duration_ns=60 * _S,
        max_duration_ns=60 * _S,
        interval_ns=_S // 30,
        gate=Gate(),
        sense_ns=_S,
        window_ns=5 * _S,
    ),
    Protocol(
        id="modelbench-1",
        purpose="continuity with tables made by ModelBench: its rounds, its trimming",
        rounds=20,
        warm_up=_ONCE,
        inferences=50,
        min_duration_ns=0,
        max_duration_ns=300 * _S,
        headline=Headline.TRIMMED_MEAN,
        trim=10,
    ),
    Protocol(
        id="mlperf-ss-1",
        purpose="comparison with MLPerf single stream: 1024 queries and a minute, 90th percentile",
        rounds=1,
        warm_up=_ONCE,
        inferences=1024,
        min_duration_ns=60 * _S,
        max_duration_ns=600 * _S,
        cool_down_ns=300 * _S,
        sense_ns=_S,
        headline=Headline.P90,
    ),
    Protocol(
        id="ci-ab-1",
        purpose="regression gate: one short run of an interleaved pair, in a process of its own",
        rounds=1,
        warm_up=_SETTLED,
        inferences=100,
        min_duration_ns=250 * _MS,
        max_duration_ns=30 * _S,
        gate=Gate(),
    ),
)


_HALF_HOUR = re.compile(r"paced-(\d{1,3})fps-30min-1")
MOST_FPS = 240


def half_hour(fps: int) -> Protocol:
    """Return the protocol of half an hour at a frame rate, of 1 to `MOST_FPS` frames a second."""
    return Protocol(
        id=f"paced-{fps}fps-30min-1",
        purpose=f"heat: {fps} frames a second for half an hour, and how many miss their deadline",
        rounds=1,
        warm_up=_SETTLED,
        inferences=1,
        min_duration_ns=1800 * _S,
        max_duration_ns=1800 * _S,
        interval_ns=_S // fps,
        gate=Gate(),
        sense_ns=_S,
        window_ns=60 * _S,
    )


PROTOCOL_NAMES = (*(known.id for known in _PROTOCOLS), "paced-NNfps-30min-1")
"""What people choose from; NN is any frame rate that `half_hour` takes."""


def protocols() -> tuple[Protocol, ...]:
    """Return every protocol that this version can run, but those of `half_hour`."""
    return _PROTOCOLS


def protocol(protocol_id: str) -> Protocol:
    """Return the protocol with that id; raises `UnknownName` for any other."""
    for known in _PROTOCOLS:
        if known.id == protocol_id:
            return known
    rate = _HALF_HOUR.fullmatch(protocol_id)
    if rate is not None and 1 <= int(rate[1]) <= MOST_FPS and rate[1] == str(int(rate[1])):
        return half_hour(int(rate[1]))
    raise UnknownName.among("protocol", protocol_id, PROTOCOL_NAMES)
