"""The numbers that a policy is tuned by: names, defaults and ranges."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mobilebench.errors import UserError
from mobilebench.values.policy import Policy


@dataclass(frozen=True)
class Parameter:
    """One number; its unit is in its name."""

    name: str
    default: float
    least: float
    most: float
    about: str


def read(policy: Policy, known: Sequence[Parameter]) -> Mapping[str, float]:
    """Return every parameter of a rule, from the policy or by default.

    Raises `UserError` for a name that the rule does not know, and for a number out of its range.
    """
    names = [parameter.name for parameter in known]
    for name in policy.parameters:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names) or 'none'}."
            raise UserError(f"The policy {policy.rule} has no parameter {name!r}; {hint}")
    values = {}
    for parameter in known:
        number = policy.parameters.get(parameter.name, parameter.default)
        if math.isnan(number) or not parameter.least <= number <= parameter.most:
            raise UserError(
                f"The parameter {parameter.name} of the policy {policy.rule} is {number:g}; it has "
                f"to be from {parameter.least:g} to {parameter.most:g}."
            )
        values[parameter.name] = number
    return values
