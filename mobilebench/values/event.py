"""What happened to a device, or was decided on it, while it measured."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from mobilebench.values import require_range, value


class EventKind(StrEnum):
    """What can happen while a device measures."""

    WIDTH_SHIFT = "width shift"
    CLOCK_CAP = "clock cap"
    """The highest clock that the system allows changed; `readings` has the new one in MHz."""
    BACKGROUND = "background"
    FOREGROUND = "foreground"
    SCREEN_OFF = "screen off"
    SCREEN_ON = "screen on"
    CHARGER_CONNECTED = "charger connected"
    CHARGER_REMOVED = "charger removed"
    CALL = "call"
    MEMORY_WARNING = "memory warning"
    RESUMED = "resumed"
    """The measurement went on in another process, after the one before had ended too early."""


@value
class Event:
    """One thing that happened, on the clock of the samples."""

    t_ns: int
    kind: EventKind
    from_width: float | None = None
    """Of a width shift: the width before."""
    to_width: float | None = None
    readings: dict[str, float] = field(default_factory=dict)
    """Of a width shift, the numbers that it was decided by; of a clock cap, the clock. Units are in
    the names: `slack_ms`, `skin_c`, `cap_mhz`."""
    note: str | None = None

    def __post_init__(self) -> None:
        require_range(self, "t_ns")
        require_range(self, "from_width", "to_width", least=MIN_WIDTH, most=1)
        shifted = self.from_width is not None and self.to_width is not None
        if shifted != (self.kind is EventKind.WIDTH_SHIFT):
            raise ValueError("a width shift, and no other event, has the widths before and after")


MIN_WIDTH = 0.01
"""Smallest width of a network, as a share of its channels."""
