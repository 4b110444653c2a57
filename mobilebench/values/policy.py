"""How a device chooses the width of a network while it measures."""

from __future__ import annotations

import re
from dataclasses import field
from enum import StrEnum

from mobilebench.values import require_range, value
from mobilebench.values.device import ThermalState

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CELSIUS = (0, 100)


class PolicyRule(StrEnum):
    """What a policy decides by."""

    FIXED = "fixed"
    """The first variant throughout."""
    DEADLINE = "deadline"
    """The widest variant that is in time at the clock seen now."""
    THRESHOLD = "threshold"
    """Narrower above a limit, wider again well below it."""
    HEADROOM = "headroom"
    """By Android's forecast of the thermal headroom."""
    PREDICTIVE = "predictive"
    """By where the temperature goes."""


@value
class Aim:
    """What a policy has to keep. A limit that is None is not an aim."""

    deadline_ns: int | None = None
    """Time for a frame. None: the interval of the protocol."""
    warmest: ThermalState | None = None
    headroom: float | None = None
    """Largest thermal headroom of Android; at 1 the system throttles severely."""
    skin_c: float | None = None
    battery_c: float | None = None
    uncapped: bool = False
    """True where the clock must not be capped."""
    energy_mj: float | None = None
    """Energy of a frame, in millijoules."""

    def __post_init__(self) -> None:
        require_range(self, "deadline_ns", least=1)
        require_range(self, "headroom", most=10)
        require_range(self, "skin_c", "battery_c", least=_CELSIUS[0], most=_CELSIUS[1])
        require_range(self, "energy_mj")


@value
class Policy:
    """A rule, its aim, and the numbers that it is tuned by."""

    rule: PolicyRule = PolicyRule.FIXED
    aim: Aim = field(default_factory=Aim)
    parameters: dict[str, float] = field(default_factory=dict)
    """Units are in the names: `quiet_ns`, `margin`. A device refuses a name that it does not
    know."""

    def __post_init__(self) -> None:
        for name in self.parameters:
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"the parameter {name!r} is not small letters, digits and underscores"
                )
        if self.rule is PolicyRule.FIXED and self.parameters:
            raise ValueError(f"the policy {self.rule} has no parameters")
