"""Make the controller that a policy describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mobilebench.errors import UserError
from mobilebench.thermal import parameters
from mobilebench.thermal.observation import Controller
from mobilebench.thermal.parameters import Parameter
from mobilebench.thermal.policies import deadline, fixed, headroom, predictive, threshold
from mobilebench.values.policy import Policy, PolicyRule
from mobilebench.values.widths import WidthCost

_Make = Callable[[Sequence[WidthCost], Any, Mapping[str, float]], Controller]
RULES: Mapping[PolicyRule, tuple[Sequence[Parameter], _Make]] = {
    PolicyRule.FIXED: (fixed.PARAMETERS, fixed.Fixed),
    PolicyRule.DEADLINE: (deadline.PARAMETERS, deadline.Deadline),
    PolicyRule.THRESHOLD: (threshold.PARAMETERS, threshold.Threshold),
    PolicyRule.HEADROOM: (headroom.PARAMETERS, headroom.Headroom),
    PolicyRule.PREDICTIVE: (predictive.PARAMETERS, predictive.Predictive),
}
"""The parameters of every rule, and what makes its state machine."""

PURSUES_HEAT = frozenset({PolicyRule.THRESHOLD, PolicyRule.HEADROOM, PolicyRule.PREDICTIVE})
"""Rules that look at limits on heat."""


def controller(policy: Policy, widths: Sequence[WidthCost], interval_ns: int | None) -> Controller:
    """Return the controller of a policy, at the widest width, that has seen nothing yet.

    Raises `UserError` for parameters that the rule does not have, and where neither the aim nor the
    protocol gives a deadline.
    """
    known, make = RULES[policy.rule]
    values = parameters.read(policy, known)
    deadline_ns = policy.aim.deadline_ns or interval_ns
    if deadline_ns is None and policy.rule is not PolicyRule.FIXED:
        raise UserError(
            f"The policy {policy.rule} needs a deadline, and frames follow each other directly; "
            f"choose a protocol with a frame rate, or state a deadline in the aim."
        )
    return make(widths, replace(policy.aim, deadline_ns=deadline_ns), values)
