"""Try policies on one phone, each from the same start, beside every fixed width."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mobilebench.errors import UserError
from mobilebench.thermal import simulation
from mobilebench.thermal.controllers import controller
from mobilebench.thermal.observation import Controller, Decision, Observation, Reason
from mobilebench.thermal.oracle import Oracle, best_at_cap
from mobilebench.thermal.score import Score, score
from mobilebench.thermal.simulation import Driver, Run, Truth, Use
from mobilebench.values.phone import Phone
from mobilebench.values.policy import Policy, PolicyRule

ORACLE = "oracle"
"""The name of what knows the phone; no policy of a job."""


@dataclass(frozen=True)
class Trial:
    """One policy on one phone."""

    run: Run
    score: Score


@dataclass(frozen=True)
class Fixed:
    """The fixed widths that every policy is shown beside."""

    full: Trial
    smallest: Trial
    best: Trial
    """That of the greatest on-time top-1, in hindsight."""


@dataclass(frozen=True)
class Controlled:
    """Drives a simulation by a controller, which does not see the truth."""

    controller: Controller

    def decide(self, seen: Observation, truth: Truth) -> Decision:
        """Return the controller's decision."""
        return self.controller.decide(seen)


@dataclass(frozen=True)
class Constant:
    """Drives a simulation at one width."""

    index: int

    def decide(self, seen: Observation, truth: Truth) -> Decision:
        """Return the width."""
        return Decision(self.index, Reason.HOLD)


def try_fixed(phone: Phone, use: Use) -> Fixed:
    """Run every width by itself."""
    trials = [
        _trial(phone, use, Constant(index), f"fixed {cost.width:g}", index)
        for index, cost in enumerate(use.widths)
    ]
    best = max(trials, key=lambda trial: trial.score.on_time_top1)
    return Fixed(full=trials[0], smallest=trials[-1], best=best)


def try_policy(phone: Phone, use: Use, policy: Policy, name: str) -> Trial:
    """Run a policy. Raises `UserError` for parameters that its rule does not have."""
    if len(use.widths) == 1 and policy.rule is not PolicyRule.FIXED:
        raise UserError(
            f"The policy {policy.rule} has one width, {use.widths[0].width:g}, and nothing to "
            f"choose; give a table of two widths or more."
        )
    aim = replace(policy.aim, deadline_ns=use.deadline_ns)
    driver = Controlled(controller(replace(policy, aim=aim), use.widths, use.interval_ns))
    return _trial(phone, use, driver, name)


def try_oracle(phone: Phone, use: Use) -> Trial:
    """Run what knows the phone: the better of a plan, and of the best width at each cap."""
    trials = [
        _trial(phone, use, Oracle(phone, use), ORACLE),
        _trial(phone, use, best_at_cap(phone, use), ORACLE),
    ]
    return max(trials, key=lambda trial: trial.score.on_time_top1)


def _trial(phone: Phone, use: Use, driver: Driver, name: str, first: int = 0) -> Trial:
    run = simulation.run(phone, use, driver, first=first)
    return Trial(run, score(run, name))
