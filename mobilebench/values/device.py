"""The device that ran a measurement, and the condition it was in."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from mobilebench.values import require_range, value


class DeviceKind(StrEnum):
    """What kind of thing a device is; everything but a phone is labelled wherever it is shown."""

    PHONE = "phone"
    TABLET = "tablet"
    BOARD = "board"
    HOST = "host"
    SIMULATED = "simulated"


class ThermalState(StrEnum):
    """Thermal pressure in the words that iOS and Android can both be mapped to."""

    NOMINAL = "nominal"
    FAIR = "fair"
    SERIOUS = "serious"
    CRITICAL = "critical"

    @property
    def level(self) -> int:
        """0 for nominal, more for warmer."""
        return list(ThermalState).index(self)


@value
class Device:
    """One device, as it describes itself."""

    id: str
    kind: DeviceKind
    model: str
    soc: str | None = None
    os: str
    os_version: str
    os_build: str | None = None
    ram_bytes: int | None = None
    cores: int | None = None

    def __post_init__(self) -> None:
        require_range(self, "ram_bytes", "cores")


@value
class DeviceState:
    """The condition of a device at one moment; what cannot be read is None, never guessed."""

    t_ns: int
    thermal: ThermalState | None = None
    temperatures_c: dict[str, float] | None = None
    load_average: float | None = None
    """Runnable processes over the last minute, as the operating system counts them."""
    busy_fraction: float | None = None
    """Share of all cores that other work kept busy just before, 0 to 1."""
    cpu_mhz: float | None = None
    """Mean over the cores."""
    governor: str | None = None
    """Policy by which the operating system sets the clock of the first core."""
    low_power_mode: bool | None = None
    battery_fraction: float | None = None
    charging: bool | None = None
    unreadable: dict[str, str] = field(default_factory=dict)
    """Why a field is None: `absent` where the device does not have it, `denied` where it may not be
    read. Empty in documents written before this was recorded."""

    def __post_init__(self) -> None:
        require_range(self, "t_ns", "load_average", "cpu_mhz")
        require_range(self, "busy_fraction", "battery_fraction", most=1)
