"""What a run asks of a device beside its job; all of it is off by default."""

from __future__ import annotations

from mobilebench.values import require_range, value


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
