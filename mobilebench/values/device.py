"""The device that ran a measurement, and the condition it was in."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import field, replace
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


ANDROID_STATUSES = {
    "none": ThermalState.NOMINAL,
    "light": ThermalState.FAIR,
    "moderate": ThermalState.FAIR,
    "severe": ThermalState.SERIOUS,
    "critical": ThermalState.CRITICAL,
    "emergency": ThermalState.CRITICAL,
    "shutdown": ThermalState.CRITICAL,
}
"""Android's thermal statuses 0 to 6 by what they mean, from source.android.com/docs/core/power/
thermal-mitigation. Without throttling that a user notices, a device is fair."""


class Unreadable(StrEnum):
    """Why a reading is missing."""

    ABSENT = "absent"
    """The device does not have it."""
    DENIED = "denied"
    NOT_READY = "not ready"
    """The device has it, and gives no value yet, or not so often."""


@value
class Cores:
    """Cores of one kind."""

    count: int
    max_mhz: float | None = None

    def __post_init__(self) -> None:
        require_range(self, "count", least=1)
        require_range(self, "max_mhz", most=_MOST_MHZ)


_ADDRESS = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)(?::\d+)?|(?<=connect to host )\S+"
)
_PORT = re.compile(r":\d+$")
_MOST_MHZ = 20_000
_CELSIUS = (-40, 150)
_MOST_HEADROOM = 10


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
    clusters: tuple[Cores, ...] | None = None
    """Cores by kind, the slowest first; None where that is not known."""
    boot_age_ns: int | None = None
    """Time since the device started."""

    def __post_init__(self) -> None:
        require_range(self, "ram_bytes", "cores", "boot_age_ns")


_DIGEST = re.compile("[0-9a-f]{12}")


def published(device: Device) -> Device:
    """Return a device under an id that may be published.

    A serial number or the name of a board becomes a digest, the same one for the same device.
    """
    scheme, colon, _ = device.id.partition(":")
    if not colon or device.kind in (DeviceKind.HOST, DeviceKind.SIMULATED):
        return device
    digest = hashlib.sha256(f"mobilebench {device.id}".encode()).hexdigest()
    return replace(device, id=f"{scheme}:{digest[:12]}")


def may_hold_serial(device: Device) -> bool:
    """Return whether an id is one that `published` would change, and has not changed already."""
    _, _, name = device.id.partition(":")
    return published(device) != device and _DIGEST.fullmatch(name) is None


def without_names(text: str, names: Iterable[str]) -> str:
    """Return a text for a record: names and addresses of a device become placeholders."""
    for name in sorted({name for name in names if name}, key=len, reverse=True):
        word = rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])"
        text = re.sub(word, "<device>", text)
    return _ADDRESS.sub("<address>", text)


def names_in(device_id: str) -> tuple[str, ...]:
    """Return what an id tells of a device: the id, and the serial number or the host in it."""
    scheme, _, rest = device_id.partition(":")
    if scheme in (DeviceKind.HOST, "sim"):
        return ()
    host = rest.rpartition("@")[2]
    return tuple(filter(None, (device_id, rest, host, _PORT.sub("", host))))


@value
class DeviceState:
    """The condition of a device at one moment; what cannot be read is None, never guessed."""

    t_ns: int
    thermal: ThermalState | None = None
    temperatures_c: dict[str, float] | None = None
    """By the device's own name of each sensor."""
    headroom: float | None = None
    """Android's thermal headroom: 0 is cool, at 1 the system throttles severely."""
    headroom_age_ns: int | None = None
    """How old the headroom was when it was read."""
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
    cpu_cap_mhz: float | None = None
    """Highest clock that the system allows the fastest cores now."""
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    """Why a field is None. Empty in documents written before this was recorded."""

    def __post_init__(self) -> None:
        require_range(self, "t_ns", "load_average", "headroom_age_ns")
        require_range(self, "cpu_mhz", "cpu_cap_mhz", most=_MOST_MHZ)
        require_range(self, "headroom", most=_MOST_HEADROOM)
        require_range(self, "busy_fraction", "battery_fraction", most=1)
        low, high = _CELSIUS
        for sensor, celsius in (self.temperatures_c or {}).items():
            # JSON has no other numbers; `require_finite` names these.
            if math.isfinite(celsius) and not low <= celsius <= high:
                raise ValueError(
                    f"the sensor {sensor} reads {celsius} degrees; a temperature is from {low} to "
                    f"{high} degrees Celsius"
                )
