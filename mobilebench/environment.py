"""What the machine that runs this says of itself: the host as a device, its state, the harness.

What cannot be read is None. Nothing is guessed.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil

from mobilebench.device import Device, DeviceKind, DeviceState
from mobilebench.record import Provenance


def version() -> str:
    """The version of mobilebench that runs."""
    return metadata.version("mobilebench")


def now() -> str:
    """The time of day in UTC, RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def host_device() -> Device:
    """This machine, as the device `host`."""
    cpu = _cpu_name()
    return Device(
        id="host",
        kind=DeviceKind.HOST,
        model=cpu or platform.machine(),
        soc=cpu,
        os=platform.system(),
        os_version=platform.release(),
        os_build=platform.version(),
        ram_bytes=psutil.virtual_memory().total,
        cores=os.cpu_count(),
    )


def _cpu_name() -> str | None:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or None


def host_state(clock: Callable[[], int] = time.monotonic_ns, look_s: float = 0.2) -> DeviceState:
    """The condition of this machine now; watches the cores for `look_s` seconds."""
    busy = psutil.cpu_percent(interval=look_s) / 100
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    return DeviceState(
        t_ns=clock(),
        temperatures_c=_temperatures(),
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        busy_fraction=busy,
        cpu_mhz=frequency.current if frequency else None,
        battery_fraction=battery.percent / 100 if battery else None,
        charging=battery.power_plugged if battery else None,
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


def provenance(transport: str) -> Provenance:
    """Version and, where the harness runs from a git checkout, its commit."""
    root = Path(__file__).resolve().parent.parent
    commit = dirty = None
    if (root / ".git").exists():
        commit = _git(root, "rev-parse", "HEAD")
        status = _git(root, "status", "--porcelain", "--untracked-files=no")
        dirty = None if status is None else bool(status)
    return Provenance(
        harness_version=version(), git_commit=commit, dirty=dirty, transport=transport
    )


def _git(root: Path, *args: str) -> str | None:
    """Output of a git command, or None where git is absent or does not own this folder."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *args], capture_output=True, text=True, timeout=10, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def peak_memory_bytes() -> int:
    """Largest resident size that this process has had, its own only.

    `getrusage` is not used on Linux: its figure survives exec, so a child would report the size
    of the parent that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def resident_memory_bytes() -> int:
    """Resident size of this process now."""
    return int(psutil.Process().memory_info().rss)
