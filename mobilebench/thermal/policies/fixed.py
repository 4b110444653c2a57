"""`fixed`: the widest network throughout; what every other policy is shown beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mobilebench.thermal.observation import Decision, Observation, Reason
from mobilebench.thermal.parameters import Parameter
from mobilebench.values.policy import Aim
from mobilebench.values.widths import WidthCost

PARAMETERS: tuple[Parameter, ...] = ()


class Fixed:
    """The policy `fixed`; it has no state."""

    def __init__(
        self, widths: Sequence[WidthCost], aim: Aim, parameters: Mapping[str, float], index: int = 0
    ) -> None:
        self._decision = Decision(index, Reason.HOLD)

    def decide(self, seen: Observation) -> Decision:
        """Return the width, always the same."""
        return self._decision
