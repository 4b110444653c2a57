"""What a computer saw of a device from outside, while the device measured by itself."""

from __future__ import annotations

from dataclasses import field

from mobilebench.values import require_range, value
from mobilebench.values.attached import Attached
from mobilebench.values.device import DeviceState
from mobilebench.values.wishes import FIXED_PERFORMANCE, THERMAL_STATUS


@value
class Interruption:
    """Something that came between a device and its job, as the computer noticed it."""

    elapsed_ns: int
    """On the computer's clock, since the job was given to the device."""
    what: str

    def __post_init__(self) -> None:
        require_range(self, "elapsed_ns")


@value
class Seen:
    """What a computer saw of a device; its record holds what the device itself read."""

    by: str
    """The tool that talked to the device, with its version."""
    before: Attached
    after: Attached | None = None
    """None where the device could not be read any more."""
    readings: tuple[DeviceState, ...] = ()
    """On the measurement's clock; empty where the device does not say how long it has been up."""
    clock_uncertainty_ns: int | None = None
    """How far the time of a reading may be off, either way."""
    settings: dict[str, str] = field(default_factory=dict)
    """What the computer set on the device for the run and put back after it, by its own names."""
    interruptions: tuple[Interruption, ...] = ()

    def __post_init__(self) -> None:
        require_range(self, "clock_uncertainty_ns")

    @property
    def wished(self) -> dict[str, str]:
        """Settings without which another thing would have been measured."""
        return {
            name: content
            for name, content in self.settings.items()
            if name in (FIXED_PERFORMANCE, THERMAL_STATUS)
        }
