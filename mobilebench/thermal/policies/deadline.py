"""`deadline`: as many accurate frames in time as the clock allows, from latency alone.

    value of a width = its accuracy x the chance that it is in time at the pace seen now

A narrower width of greater value is taken at once. A wider one has to be of greater value for a
quiet time without a break; the time doubles for a width that failed soon after it was taken.

A governor that follows the load hides how fast the clock could be: at a narrow width everything
looks slow. So a wider width is probed now and then, often only where probing has helped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mobilebench.thermal.observation import Decision, Observation, Reason
from mobilebench.thermal.pace import Pace
from mobilebench.thermal.parameters import Parameter
from mobilebench.values.policy import Aim
from mobilebench.values.widths import WidthCost

_S = 1_000_000_000
_HOUR = 3600 * _S
PARAMETERS = (
    Parameter("quiet_ns", 10 * _S, 0, _HOUR, "time that a wider width has to be in reach"),
    Parameter("longest_ns", 640 * _S, 0, _HOUR, "the longest that waiting becomes by doubling"),
    Parameter("trial_ns", 60 * _S, 0, _HOUR, "a width that is left within this time has failed"),
    Parameter("probe_ns", 240 * _S, _S, _HOUR, "time before the next wider width is probed"),
    Parameter("gain", 0.02, 0, 1, "share by which another width has to be better"),
)
_FASTER = 0.97
"""A pace below this share of the one before a probe shows that the clock follows the load."""
_SETTLE_NS = _S // 4
"""Time that a governor has to answer a probe."""


class Deadline:
    """The state of the policy `deadline`."""

    def __init__(
        self, widths: Sequence[WidthCost], aim: Aim, parameters: Mapping[str, float]
    ) -> None:
        if aim.deadline_ns is None:
            raise ValueError("the policy deadline needs a deadline")
        self._deadline_ns = aim.deadline_ns
        self._top1 = [cost.top1 for cost in widths]
        self._longest_ns = parameters["longest_ns"]
        self._trial_ns = parameters["trial_ns"]
        self._gain = 1 + parameters["gain"]
        self._first_ns = {Reason.ROOM: parameters["quiet_ns"], Reason.PROBE: parameters["probe_ns"]}
        self._wait_ns = {reason: [ns] * len(widths) for reason, ns in self._first_ns.items()}
        """For each way to a wider width, how long it takes to be tried."""
        self._since_ns: list[int | None] = [None] * len(widths)
        """For each width, when it came into reach; None where it is not."""
        self._hold = [Decision(index, Reason.HOLD) for index in range(len(widths))]
        self._moved_ns = 0
        self._trial: Reason | None = None
        """How the width was reached; None where it was reached from a wider one."""
        self._before_probe: float | None = None
        self.pace = Pace([cost.cool_ns for cost in widths])
        self.follows_load = False
        """Whether a probe has shown that the clock follows the load."""
        self.index = 0
        """Of the width that is wanted."""

    def decide(self, seen: Observation) -> Decision:
        """Return the width to use from now on."""
        if seen.latency_ns is None:
            return self._hold[self.index]
        index, t_ns = self.index, seen.t_ns
        self.pace.add(seen.index, seen.latency_ns)
        if self._before_probe is not None:
            if t_ns - self._moved_ns < _SETTLE_NS:
                return self._hold[index]
            self._judge_probe(self._before_probe)
        values = [
            top1 * self.pace.chance(at, self._deadline_ns) for at, top1 in enumerate(self._top1)
        ]
        enough = values[index] * self._gain
        best = max(range(len(values)), key=values.__getitem__)
        if values[best] == 0:  # nothing is in time, and the narrowest network is the least late
            best, enough = len(values) - 1, -1.0
        if best > index and values[best] > enough:
            return self._narrower(best, t_ns)
        return self._room(values, enough, t_ns) or self._probe(t_ns) or self._hold[index]

    def _room(self, values: Sequence[float], enough: float, t_ns: int) -> Decision | None:
        """Take a wider width that has been better for its quiet time."""
        for wider in range(self.index):
            if values[wider] <= max(enough, 0):
                self._since_ns[wider] = None
                continue
            since_ns = self._since_ns[wider]
            if since_ns is None:
                self._since_ns[wider] = since_ns = t_ns
            if t_ns - since_ns >= self._wait_ns[Reason.ROOM][wider]:
                return self._wider(wider, Reason.ROOM, t_ns)
        return None

    def _probe(self, t_ns: int) -> Decision | None:
        """Try the next wider width where that is due, and would be of use."""
        wider = self.index - 1
        if wider < 0 or t_ns - self._moved_ns < self._wait_ns[Reason.PROBE][wider]:
            return None
        if self._top1[wider] <= self._top1[self.index] * self._gain:
            return None
        self._before_probe = self.pace.value
        return self._wider(wider, Reason.PROBE, t_ns)

    def _narrower(self, best: int, t_ns: int) -> Decision:
        if self._trial is not None:
            failed = t_ns - self._moved_ns < self._trial_ns
            waits = self._wait_ns[self._trial]
            waits[self.index] = (
                min(self._longest_ns, 2 * waits[self.index])
                if failed
                else self._first_ns[self._trial]
            )
        self._trial = None
        return self._move(best, Reason.LATE, t_ns)

    def _wider(self, index: int, reason: Reason, t_ns: int) -> Decision:
        self._trial = reason
        return self._move(index, reason, t_ns)

    def _move(self, index: int, reason: Reason, t_ns: int) -> Decision:
        inputs = {"pace": self.pace.value, "waited_s": (t_ns - self._moved_ns) / _S}
        self.index, self._moved_ns = index, t_ns
        self._since_ns = [None] * len(self._since_ns)
        return Decision(index, reason, inputs)

    def _judge_probe(self, pace_before: float) -> None:
        """See whether the clock rose with the load of a probe."""
        if self.pace.value < _FASTER * pace_before and not self.follows_load:
            self.follows_load = True
            self._first_ns[Reason.PROBE] = self._first_ns[Reason.ROOM]
            self._wait_ns[Reason.PROBE] = list(self._wait_ns[Reason.ROOM])
        self._before_probe = None


def defaults() -> dict[str, float]:
    """Return the parameters of a deadline that guards another policy."""
    return {parameter.name: parameter.default for parameter in PARAMETERS}
