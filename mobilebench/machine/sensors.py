"""Sensors: the state of the machine that runs this, as far as it can be read.

A reading that cannot be had is None, and `unreadable` says why: the machine has no such thing
(`absent`), or does not let it be read (`denied`). Nothing is guessed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from mobilebench.values.device import DeviceState

T = TypeVar("T")
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_PROFILE = Path("/sys/firmware/acpi/platform_profile")


def host_state(clock: Callable[[], int] = time.monotonic_ns, look_s: float = 0.0) -> DeviceState:
    """The state of this machine now.

    With `look_s` its cores are watched for that many seconds, to see what other work keeps them
    busy; without it this takes about half a millisecond.
    """
    unreadable = {"thermal": "absent"}  # neither Linux nor macOS tells one to every program

    def have(name: str, read: Callable[[], T | None]) -> T | None:
        try:
            found = read()
        except PermissionError:
            unreadable[name] = "denied"
            return None
        if found is None:
            unreadable[name] = "absent"
        return found

    busy = psutil.cpu_percent(interval=look_s) / 100 if look_s else None
    return DeviceState(
        t_ns=clock(),
        temperatures_c=have("temperatures_c", _temperatures),
        load_average=have("load_average", _load_average),
        busy_fraction=busy,
        cpu_mhz=have("cpu_mhz", _mhz),
        governor=have("governor", lambda: _text(_GOVERNOR)),
        low_power_mode=have("low_power_mode", _low_power_mode),
        battery_fraction=have("battery_fraction", _battery_fraction),
        charging=have("charging", _charging),
        unreadable=unreadable,
    )


def _temperatures() -> dict[str, float] | None:
    if not hasattr(psutil, "sensors_temperatures"):
        return None
    readings = {
        f"{chip}/{reading.label or index}": reading.current
        for chip, sensors in psutil.sensors_temperatures().items()
        for index, reading in enumerate(sensors)
    }
    return readings or None


def _load_average() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _mhz() -> float | None:
    found = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    return found.current if found and found.current else None


def _low_power_mode() -> bool | None:
    """Linux's platform profile, where the firmware has one."""
    profile = _text(_PROFILE)
    return None if profile is None else profile == "low-power"


def _battery_fraction() -> float | None:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return battery.percent / 100 if battery else None


def _charging() -> bool | None:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return battery.power_plugged if battery else None


def _text(path: Path) -> str | None:
    """The content of a file of the kernel's; None where there is none. Raises `PermissionError`."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
