"""Protocol: an immutable, versioned rule for taking a latency measurement.

Two records compare only when their protocol ids are equal, so a definition never changes: a
better rule gets a new id.
"""

from __future__ import annotations

from mobilebench.errors import UnknownName
from mobilebench.values import value

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
class Protocol:
    """Rounds of: load the artifact, warm up, then at least `inferences` and `min_duration_ns`."""

    id: str
    purpose: str
    rounds: int
    warm_up: WarmUp
    inferences: int
    min_duration_ns: int
    max_duration_ns: int
    """A round ends here even when it has fewer inferences than it should."""
    indicative: bool = False
    """True where the rule is too short for a result; such numbers are marked wherever shown."""

    @property
    def longest_ns(self) -> int:
        """The longest that the inferences of all rounds may take, loads not counted."""
        return self.rounds * (self.warm_up.max_duration_ns + self.max_duration_ns)


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
        warm_up=WarmUp(
            min_iterations=30,
            min_duration_ns=250 * _MS,
            max_duration_ns=8 * _S,
            convergence=Convergence(),
        ),
        inferences=50,
        min_duration_ns=0,
        max_duration_ns=60 * _S,
    ),
)


def protocols() -> tuple[Protocol, ...]:
    """Every protocol that this version can run."""
    return _PROTOCOLS


def protocol(protocol_id: str) -> Protocol:
    """The protocol of that id; raises `UnknownName` for any other."""
    for known in _PROTOCOLS:
        if known.id == protocol_id:
            return known
    raise UnknownName("protocol", protocol_id, (known.id for known in _PROTOCOLS))
