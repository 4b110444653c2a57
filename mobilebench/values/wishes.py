"""What a run asks of a device beside its job; all of it is off by default."""

from __future__ import annotations

from mobilebench.errors import UserError
from mobilebench.values import require_range, value

FIXED_PERFORMANCE = "fixed_performance"
THERMAL_STATUS = "thermal_status"
"""How the settings of a record name what was wished (`Seen.settings`)."""


@value
class Wishes:
    """What a computer sets on a device for a run, and puts back after it."""

    fixed_performance: bool = False
    """Clocks that the device can hold, where its system offers that; not what users have."""
    thermal_status: int | None = None
    """Android's thermal status, 0 to 6, that the device is made to report, hot or not: to rehearse
    what a policy does in heat."""

    def __post_init__(self) -> None:
        require_range(self, "thermal_status", most=6)

    def __bool__(self) -> bool:
        return self != Wishes()

    def refusal(self, scheme: str) -> UserError:
        """Return the error of a runner whose devices can do nothing of this."""
        options = ["--fixed-performance"] * self.fixed_performance
        options += ["--rehearse-status"] * (self.thermal_status is not None)
        return UserError(
            f"{' and '.join(options)} was given for a device of the kind {scheme}, and devices "
            f"of that kind have no such setting; leave it out, or name an Android device by "
            f"adb:SERIAL."
        )
