"""Measure what a controller costs a frame, and how long a simulated half hour takes.

    python benchmarks/thermal_speed.py --table docs/thermal-speed.md

The observations of a simulated run are given to each controller again, without the phone. All
controllers take turns, so that a machine that becomes slower is so for all of them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tables
from thermal_runs import INTERVAL_NS, MINUTES

from mobilebench import files
from mobilebench.thermal import phones
from mobilebench.thermal.controllers import controller
from mobilebench.thermal.observation import Decision, Observation, Reason
from mobilebench.thermal.simulation import Truth, Use, run
from mobilebench.thermal.trial import Controlled
from mobilebench.values.policy import Aim, Policy, PolicyRule

TITLE = "# What a controller costs"
EXPLAINED = """\
Written by `benchmarks/thermal_speed.py` on {machine}: {rounds} rounds in which every policy takes
its turn. A *step* is one observation that a controller decides by, of {observations} from a
simulated half hour, a reading of the sensors among every 30 of them. The *ratio* is to a step of
`deadline` in the same round. The targets are at most {step_us} microseconds for a step, and
{half_hour_s} seconds for a simulated half hour with `deadline`, which is {frames} frames. In
parentheses: the least and the most of the rounds."""
HEAD = ("policy", "step, microseconds", "ratio to `deadline`", "half an hour, simulated")
ROUNDS = 7
_STEP_US, _HALF_HOUR_S = 20, 2
_LIMITS = (PolicyRule.THRESHOLD, PolicyRule.HEADROOM, PolicyRule.PREDICTIVE)


@dataclass
class _Recorder:
    """Keeps what a policy saw."""

    seen: list[Observation] = field(default_factory=list)

    def decide(self, seen: Observation, truth: Truth) -> Decision:
        self.seen.append(seen)
        return Decision(0, Reason.HOLD)


def _policy(rule: PolicyRule) -> Policy:
    return Policy(rule=rule, aim=Aim(uncapped=rule in _LIMITS))


def _step_us(policy: Policy, use: Use, seen: Sequence[Observation]) -> float:
    """Return the microseconds of a step, as a mean over the observations."""
    decide = controller(policy, use.widths, use.interval_ns).decide
    started = time.perf_counter_ns()
    for observation in seen:
        decide(observation)
    return (time.perf_counter_ns() - started) / 1e3 / len(seen)


def _half_hour_s(policy: Policy, use: Use) -> float:
    driver = Controlled(controller(policy, use.widths, use.interval_ns))
    started = time.perf_counter_ns()
    run(phones.named("throttling"), use, driver)
    return (time.perf_counter_ns() - started) / 1e9


def _spread(numbers: Sequence[float], digits: int) -> str:
    low, middle, high = min(numbers), statistics.median(numbers), max(numbers)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    widths = phones.slimmable_widths(26).widths
    use = Use(widths, INTERVAL_NS, INTERVAL_NS, MINUTES * 60 * 10**9, air_c=25, seed=1)
    recorder = _Recorder()
    run(phones.named("throttling"), use, recorder)
    policies = {rule: _policy(rule) for rule in PolicyRule}
    steps: dict[PolicyRule, list[float]] = {rule: [] for rule in policies}
    halves: dict[PolicyRule, list[float]] = {rule: [] for rule in policies}
    for _ in range(ROUNDS):
        for rule, policy in policies.items():
            steps[rule].append(_step_us(policy, use, recorder.seen))
            halves[rule].append(_half_hour_s(policy, use))
    lines = []
    for rule, own in steps.items():
        pairs = zip(own, steps[PolicyRule.DEADLINE], strict=True)
        ratios = [step / other for step, other in pairs]
        half_hour = f"{_spread(halves[rule], 2)} s"
        lines.append([f"`{rule}`", _spread(own, 2), _spread(ratios, 2), half_hour])
        print(" | ".join(lines[-1]), flush=True)
    explained = EXPLAINED.format(
        machine=tables.machine(), rounds=ROUNDS, observations=len(recorder.seen), step_us=_STEP_US,
        half_hour_s=_HALF_HOUR_S, frames=use.frames_due,
    )  # fmt: skip
    if options.table:
        files.write_text(options.table, tables.page(TITLE, explained, tables.markdown(HEAD, lines)))


if __name__ == "__main__":
    main()
