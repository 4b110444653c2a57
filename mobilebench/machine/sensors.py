"""Read the state of the machine that runs this.

A reading that is not available is None, and `unreadable` records why: the machine does not have it
(`absent`), or does not allow reading it (`denied`). Nothing is guessed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from mobilebench.values.device import DeviceState, Unreadable

T = TypeVar("T")
_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_PROFILE = Path("/sys/firmware/acpi/platform_profile")


def host_state(clock: Callable[[], int] = time.monotonic_ns, look_s: float = 0.0) -> DeviceState:
    """Read the state of this machine now.

    With `look_s` the load of its cores is measured for that many seconds, to see how busy other
    work keeps them. Without it the call takes about half a millisecond.
    """
    # Neither Linux nor macOS reports a thermal state to every program.
    unreadable = {"thermal": Unreadable.ABSENT}

    def try_read(name: str, read: Callable[[], T | None]) -> T | None:
        try:
            reading = read()
        except PermissionError:
            unreadable[name] = Unreadable.DENIED
            return None
        if reading is None:
            unreadable[name] = Unreadable.ABSENT
        return reading

    busy = psutil.cpu_percent(interval=look_s) / 100 if look_s else None
    return DeviceState(
        t_ns=clock(),
        temperatures_c=try_read("temperatures_c", _temperatures),
        load_average=try_read("load_average", _load_average),
        busy_fraction=busy,
        cpu_mhz=try_read("cpu_mhz", _mhz),
        governor=try_read("governor", lambda: _text(_GOVERNOR)),
        low_power_mode=try_read("low_power_mode", _low_power_mode),
        battery_fraction=try_read("battery_fraction", _battery_fraction),
        charging=try_read("charging", _charging),
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
    frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    return frequency.current if frequency and frequency.current else None


def _low_power_mode() -> bool | None:
    """Return whether Linux's platform profile is low-power; None without a profile."""
    profile = _text(_PROFILE)
    return None if profile is None else profile == "low-power"


def _battery_fraction() -> float | None:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return battery.percent / 100 if battery else None


def _charging() -> bool | None:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return battery.power_plugged if battery else None


def _text(path: Path) -> str | None:
    """Read a file of the kernel; None where it does not exist.

    Raises `PermissionError`.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
