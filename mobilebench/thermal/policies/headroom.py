"""`headroom`: by Android's own forecast of the thermal headroom.

One width narrower where the forecast passes a limit, one wider where it has stayed well below it
for a time. A device that gives no forecast is left to the deadline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mobilebench.thermal.observation import Decision, Observation, Reason
from mobilebench.thermal.parameters import Parameter
from mobilebench.thermal.policies.deadline import Deadline, defaults
from mobilebench.values.policy import Aim
from mobilebench.values.widths import WidthCost

_S = 1_000_000_000
_HOUR = 3600 * _S
PARAMETERS = (
    Parameter("limit", 0.9, 0, 10, "headroom above which it narrows, unless the aim has one"),
    Parameter("release", 0.1, 0, 10, "how far below it has to stay to widen again"),
    Parameter("dwell_ns", 20 * _S, 0, _HOUR, "least time between two steps to narrower widths"),
    Parameter("quiet_ns", 60 * _S, 0, _HOUR, "time that it has to stay below, to widen"),
    Parameter("stale_ns", 30 * _S, 0, _HOUR, "age at which a forecast counts no longer"),
)


class Headroom:
    """The state of the policy `headroom`."""

    def __init__(
        self, widths: Sequence[WidthCost], aim: Aim, parameters: Mapping[str, float]
    ) -> None:
        self._limit = parameters["limit"] if aim.headroom is None else aim.headroom
        self._parameters = parameters
        self._narrowest = len(widths) - 1
        self._guard = Deadline(widths, aim, defaults())
        self._index = 0
        self._moved_ns: int | None = None
        self._low_since_ns: int | None = None
        self._read_ns: int | None = None

    def decide(self, seen: Observation) -> Decision:
        """Return the width to use from now on."""
        allowed = self._guard.decide(seen)
        known = {} if seen.reading is None else seen.reading.known()
        reason = None
        if "headroom" in known:
            self._read_ns = seen.t_ns
            reason = self._step(seen.t_ns, known["headroom"])
        elif self._read_ns is None or seen.t_ns - self._read_ns > self._parameters["stale_ns"]:
            self._index, self._low_since_ns = 0, None
        if allowed.index > self._index:
            return allowed
        if reason is None:
            return Decision(self._index, Reason.HOLD)
        return Decision(self._index, reason, known)

    def _step(self, t_ns: int, headroom: float) -> Reason | None:
        parameters = self._parameters
        if headroom >= self._limit - parameters["release"]:
            self._low_since_ns = None
        elif self._low_since_ns is None:
            self._low_since_ns = t_ns
        waited = self._moved_ns is None or t_ns - self._moved_ns >= parameters["dwell_ns"]
        if headroom > self._limit and waited and self._index < self._narrowest:
            self._index, self._moved_ns = self._index + 1, t_ns
            return Reason.HEAT
        if self._low_since_ns is None or not self._index:
            return None
        if t_ns - self._low_since_ns >= parameters["quiet_ns"]:
            self._index, self._moved_ns, self._low_since_ns = self._index - 1, t_ns, None
            return Reason.COOLED
        return None
