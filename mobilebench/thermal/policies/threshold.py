"""`threshold`: one width narrower above a limit, one wider well below it.

This is what people do by hand. It looks at what the aim limits; without a limit on heat, at the
latency against the cool one. Between two moves it waits for a dwell time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mobilebench.thermal import limits
from mobilebench.thermal.caps import CapWatch
from mobilebench.thermal.observation import Decision, Observation, Reading, Reason
from mobilebench.thermal.parameters import Parameter
from mobilebench.thermal.policies.deadline import Deadline, defaults
from mobilebench.values.policy import Aim
from mobilebench.values.widths import WidthCost

_S = 1_000_000_000
_HOUR = 3600 * _S
PARAMETERS = (
    Parameter("margin_c", 0.0, -20, 50, "degrees below the limit where it acts"),
    Parameter("release_c", 2.0, 0, 50, "degrees further below, where it widens again"),
    Parameter("at_c", 0.0, 0, 100, "temperature of the skin where it acts too; 0: none"),
    Parameter("slow", 1.12, 1, 100, "without a limit: latency over cool where it acts"),
    Parameter("fast", 1.04, 1, 100, "without a limit: latency over cool where it widens again"),
    Parameter("dwell_ns", 60 * _S, 0, _HOUR, "least time between two moves"),
    Parameter("guarded", 1, 0, 1, "1: never wider than the deadline allows"),
    Parameter("learns", 0, 0, 1, "1: acts where the clock was capped first"),
)


class Threshold:
    """The state of the policy `threshold`."""

    def __init__(
        self, widths: Sequence[WidthCost], aim: Aim, parameters: Mapping[str, float]
    ) -> None:
        self._aim = aim
        self._parameters = parameters
        self._narrowest = len(widths) - 1
        self._guard = Deadline(widths, aim, defaults())
        self._guarded = bool(parameters["guarded"])
        self._caps = CapWatch([cost.cool_ns for cost in widths])
        self._at_c: float | None = parameters["at_c"] or None
        self._reading = Reading()
        self._index = 0
        self._moved_ns: int | None = None

    def decide(self, seen: Observation) -> Decision:
        """Return the width to use from now on."""
        allowed = self._guard.decide(seen)
        begins = self._caps.see(seen, trust_latency=not self._guard.follows_load)
        reading = seen.reading
        if reading is not None:
            self._reading = reading
        if begins and self._parameters["learns"] and self._at_c is None:
            self._at_c = self._reading.known().get("skin_c")
        reason = self._step(seen.t_ns) if reading is not None or begins else None
        if self._guarded and allowed.index > self._index:
            return allowed
        if reason is None:
            return Decision(self._index, Reason.HOLD)
        return Decision(self._index, reason, self._reading.known())

    def _step(self, t_ns: int) -> Reason | None:
        """Move by one width where that is due."""
        excess, release = self._excess()
        if excess is None:
            return None
        if self._moved_ns is not None and t_ns - self._moved_ns < self._parameters["dwell_ns"]:
            return None
        if excess > 0 and self._index < self._narrowest:
            self._index, self._moved_ns = self._index + 1, t_ns
            return Reason.HEAT
        if excess < -release and self._index:
            self._index, self._moved_ns = self._index - 1, t_ns
            return Reason.COOLED
        return None

    def _excess(self) -> tuple[float | None, float]:
        """Return how far it is beyond where it acts, and how far below that it widens again."""
        parameters = self._parameters
        if not limits.has_limit(self._aim) and self._at_c is None:
            pace = self._guard.pace.value
            return pace - parameters["slow"], parameters["slow"] - parameters["fast"]
        excess = limits.excess(self._aim, self._reading, self._caps.capped)
        beyond = [] if excess is None else [excess + parameters["margin_c"]]
        skin_c = self._reading.known().get("skin_c")
        if self._at_c is not None and skin_c is not None:
            beyond.append(skin_c - self._at_c + parameters["margin_c"])
        return max(beyond, default=None), parameters["release_c"]
