"""`predictive`: keep a limit on heat by where the temperature goes.

The deadline is a guard: no width is wider than it allows.

    limit     what the aim states, or the temperature at which the clock was capped first (learnt)
    forecast  the temperature now and its slope for a while; without it where a sensor is coarse
    give up   where the narrowest network does not release a cap, the deadline alone counts for long

The temperature is that of the skin; without it Android's headroom, then the battery. A trip that is
learnt from a late, coarse sensor is too low, so it creeps up. A cap in spite of it shows that it is
too high, so it falls. Without any sensor of what is limited the deadline alone counts: latencies
tell of a cap only by having one, so no limit can be kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

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
    Parameter("margin_c", 0.5, 0, 20, "degrees below the limit where it acts"),
    Parameter("release_c", 1.0, 0, 20, "degrees further below, where it widens again"),
    Parameter("horizon_ns", 30 * _S, 0, _HOUR, "how far it forecasts"),
    Parameter("dwell_ns", 20 * _S, 0, _HOUR, "least time between two steps to narrower widths"),
    Parameter("quiet_ns", 30 * _S, 0, _HOUR, "time that it has to be cool, to widen"),
    Parameter("longest_ns", 640 * _S, 0, _HOUR, "the longest that this becomes by doubling"),
    Parameter("trial_ns", 120 * _S, 0, _HOUR, "a width that is left within this time has failed"),
    Parameter("creep_c", 0.02, 0, 1, "degrees a minute by which a learnt trip rises"),
    Parameter("patience_ns", 120 * _S, 0, _HOUR, "time at the narrowest width until it gives up"),
    Parameter("rest_ns", 600 * _S, 0, _HOUR, "time for which it has given up"),
    Parameter("stale_ns", 30 * _S, 0, _HOUR, "age at which a reading counts no longer"),
)
_SAID = (Reason.GAVE_UP, Reason.TRIES_AGAIN)
"""Reasons that are given even where the deadline keeps the width as it is."""
_FINE_C = 0.25
"""Steps of a sensor up to which its slope says something."""
_FALLS_C = 0.2
"""Fall within half of the patience that is worth more of it: two steps of a fine sensor."""
_SLOPE_S = 15.0
"""Time constant of the slope."""


class Predictive:
    """The state of the policy `predictive`."""

    def __init__(
        self, widths: Sequence[WidthCost], aim: Aim, parameters: Mapping[str, float]
    ) -> None:
        self._aim = aim
        self._others = replace(aim, uncapped=False)
        self._parameters = parameters
        self._narrowest = len(widths) - 1
        self._guard = Deadline(widths, aim, defaults())
        self._caps = CapWatch([cost.cool_ns for cost in widths])
        self._slope = _Slope()
        self._reading = Reading()
        self._source: str | None = None
        self._warmth_c: float | None = None
        self._sensed_ns: int | None = None
        self._trip_c: float | None = None
        self._crept_ns = 0
        self._index = 0
        self._moved_ns: int | None = None
        self._cool_since_ns: int | None = None
        self._wait_ns = [parameters["quiet_ns"]] * len(widths)
        self._on_trial = False
        self._stuck_since_ns: int | None = None
        self._looked_ns = 0
        self._looked_c: float | None = None
        self._gave_up_ns: int | None = None

    def decide(self, seen: Observation) -> Decision:
        """Return the width to use from now on."""
        allowed = self._guard.decide(seen)
        begins = self._caps.see(seen, trust_latency=not self._guard.follows_load)
        if seen.reading is not None:
            self._sense(seen.reading, seen.t_ns)
        reason = None
        if self._is_stale(seen.t_ns):
            self._index, self._moved_ns = 0, None
            self._cool_since_ns = self._stuck_since_ns = self._gave_up_ns = None
        elif begins and self._aim.uncapped:
            reason = self._learn(seen.t_ns)
        elif self._sensed_ns == seen.t_ns:
            reason = self._look(seen.t_ns)
        if allowed.index > self._index and reason not in _SAID:
            return allowed
        index = max(allowed.index, self._index)
        if reason is None:
            return Decision(index, Reason.HOLD)
        shown = self._reading.known() | {"slope_c_per_s": self._slope.c_per_s}
        if self._trip_c is not None:
            shown["trip_c"] = self._trip_c
        return Decision(index, reason, shown)

    def _sense(self, reading: Reading, t_ns: int) -> None:
        """Take in a reading."""
        self._reading = reading
        warmth = limits.warmth(reading)
        self._warmth_c = None
        if warmth is not None:
            source, self._warmth_c = warmth
            if source != self._source:
                self._source, self._trip_c, self._slope = source, None, _Slope()
            self._slope.add(t_ns, self._warmth_c)
        tells_of_caps = self._aim.uncapped and (warmth is not None or "cap" in reading.known())
        if tells_of_caps or limits.excess(self._others, reading, False) is not None:
            self._sensed_ns = t_ns

    def _is_stale(self, t_ns: int) -> bool:
        """Return whether what is limited has not been read for long, or never."""
        sensed_ns = self._sensed_ns
        return sensed_ns is None or t_ns - sensed_ns > self._parameters["stale_ns"]

    def _learn(self, t_ns: int) -> Reason | None:
        """Take the temperature at which the clock was capped for the limit."""
        warmth_c = self._warmth_c
        if warmth_c is not None:
            if self._trip_c is None:
                self._trip_c = warmth_c
            elif self._gave_up_ns is None:  # what was learnt before has not kept the clock free
                self._trip_c = min(self._trip_c, warmth_c) - self._parameters["margin_c"]
            self._crept_ns = t_ns
        if self._gave_up_ns is not None or self._index == self._narrowest:
            return None
        self._fail(t_ns)
        self._move(self._narrowest, t_ns)
        return Reason.CAPPED

    def _look(self, t_ns: int) -> Reason | None:
        """Decide by a new reading."""
        parameters = self._parameters
        self._creep(t_ns)
        if self._gave_up_ns is not None:
            if t_ns - self._gave_up_ns < parameters["rest_ns"]:
                return None
            self._gave_up_ns = None
            self._move(self._narrowest, t_ns)
            return Reason.TRIES_AGAIN
        excess = self._excess()
        if self._gives_up(excess, t_ns):
            self._gave_up_ns = t_ns
            self._move(0, t_ns)
            return Reason.GAVE_UP
        if excess is None:
            return None
        if excess >= -parameters["release_c"] or self._caps.capped:
            self._cool_since_ns = None
        elif self._cool_since_ns is None:
            self._cool_since_ns = t_ns
        waited = self._moved_ns is None or t_ns - self._moved_ns >= parameters["dwell_ns"]
        if excess > 0 and waited and self._index < self._narrowest:
            self._fail(t_ns)
            self._move(self._index + 1, t_ns)
            return Reason.HEAT
        if self._cool_since_ns is None or not self._index:
            return None
        if t_ns - self._cool_since_ns >= self._wait_ns[self._index - 1]:
            self._move(self._index - 1, t_ns, on_trial=True)
            return Reason.COOLED
        return None

    def _excess(self) -> float | None:
        """Return by how much the forecast is beyond where it acts."""
        parameters = self._parameters
        ahead_c = self._slope.c_per_s * parameters["horizon_ns"] / _S
        beyond = []
        stated = limits.excess(self._aim, self._reading, self._caps.capped)
        if stated is not None:
            beyond.append(stated + ahead_c)
        if self._trip_c is not None and self._warmth_c is not None:
            beyond.append(self._warmth_c + ahead_c - self._trip_c)
        return max(beyond) + parameters["margin_c"] if beyond else None

    def _gives_up(self, excess: float | None, t_ns: int) -> bool:
        """Return whether the narrowest width has not kept the limit, and will not soon."""
        margin_c = self._parameters["margin_c"]
        broken = self._caps.capped or (excess is not None and excess > margin_c)
        if self._index < self._narrowest or not broken:
            self._stuck_since_ns = None
            return False
        if self._stuck_since_ns is None:
            self._stuck_since_ns, self._looked_ns, self._looked_c = t_ns, t_ns, None
        if t_ns - self._looked_ns < self._parameters["patience_ns"] / 2:
            return False
        warmth_c, before_c = self._warmth_c, self._looked_c
        self._looked_ns, self._looked_c = t_ns, warmth_c
        falls = warmth_c is not None and before_c is not None and before_c - warmth_c > _FALLS_C
        return t_ns - self._stuck_since_ns >= self._parameters["patience_ns"] and not falls

    def _creep(self, t_ns: int) -> None:
        """Let the learnt trip rise."""
        if self._trip_c is not None and not self._caps.capped:
            minutes = (t_ns - self._crept_ns) / (60 * _S)
            self._trip_c += self._parameters["creep_c"] * minutes
        self._crept_ns = t_ns

    def _fail(self, t_ns: int) -> None:
        """Let a width that was left soon after it was tried wait for longer the next time."""
        if not self._on_trial or self._moved_ns is None:
            return
        if t_ns - self._moved_ns < self._parameters["trial_ns"]:
            doubled = 2 * self._wait_ns[self._index]
            self._wait_ns[self._index] = min(self._parameters["longest_ns"], doubled)
        else:
            self._wait_ns[self._index] = self._parameters["quiet_ns"]

    def _move(self, index: int, t_ns: int, on_trial: bool = False) -> None:
        self._index, self._moved_ns, self._on_trial = index, t_ns, on_trial
        self._cool_since_ns = self._stuck_since_ns = None


class _Slope:
    """How fast a temperature rises; 0 for a sensor of coarse steps."""

    def __init__(self) -> None:
        self.c_per_s = 0.0
        self._smallest_c = float("inf")
        self._t_ns: int | None = None
        self._before_c = 0.0

    def add(self, t_ns: int, degrees: float) -> None:
        if self._t_ns is not None and t_ns > self._t_ns:
            change_c, seconds = degrees - self._before_c, (t_ns - self._t_ns) / _S
            if abs(change_c) > 1e-6:
                self._smallest_c = min(self._smallest_c, abs(change_c))
            share = min(1.0, seconds / _SLOPE_S)
            self.c_per_s += share * (change_c / seconds - self.c_per_s)
            if self._smallest_c > _FINE_C:
                self.c_per_s = 0.0
        self._t_ns, self._before_c = t_ns, degrees
