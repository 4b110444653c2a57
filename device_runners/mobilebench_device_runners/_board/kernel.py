"""Read a board's kernel and firmware from the board itself, quickly: it measures meanwhile."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from mobilebench.values.device import Unreadable
from mobilebench.values.facts import Cpu, PiFlag, Temperatures
from mobilebench_device_runners._reading import raspberry
from mobilebench_device_runners._reading.cores import CPU, cores_of
from mobilebench_device_runners._reading.temperatures import ZONES, zones_of

_FIRMWARE = "sys/devices/platform/soc*/soc*firmware/get_throttled"
_COOLING = "sys/class/thermal/cooling_device*"
_VCGENCMD_S = 2.0
_CLOCK_EVERY_S = 1.0
"""Asking the firmware for its clock starts a program, so it is not asked more often."""


class Kernel:
    """The files and the firmware of the board that this runs on.

    `root` is where its file system begins.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._zones = self._paths(f"{ZONES[1:]}/thermal_zone*", ("type", "temp"))
        self._policies = self._paths(
            f"{CPU[1:]}/cpufreq/policy*",
            (
                "related_cpus",
                "affected_cpus",
                "cpuinfo_max_freq",
                "scaling_max_freq",
                "scaling_cur_freq",
                "scaling_governor",
            ),
        )
        self._lists = [root / CPU[1:] / name for name in ("online", "possible", "present")]
        self._cooling = [
            path / "cur_state"
            for path in sorted(root.glob(_COOLING))
            if "cpufreq" in (_text(path / "type") or "")
        ]
        self._bits = next(iter(sorted(root.glob(_FIRMWARE))), None)
        self._program = shutil.which("vcgencmd")
        self._clock: tuple[float, float | None] = (-_CLOCK_EVERY_S, None)

    @property
    def model(self) -> str | None:
        """The name of the board, as its device tree has it."""
        return _text(self._root / "proc/device-tree/model") or None

    @property
    def soc(self) -> str | None:
        """The system on chip: the last name that the device tree is compatible with."""
        names = (_text(self._root / "proc/device-tree/compatible") or "").split("\0")
        return names[-1].rpartition(",")[2] or None

    @property
    def boot_age_ns(self) -> int | None:
        """How long ago the board started."""
        seconds = (_text(self._root / "proc/uptime") or "").split()
        return round(float(seconds[0]) * 1e9) if seconds else None

    def temperatures(self) -> Temperatures | Unreadable:
        """Read the thermal zones; or why there is nothing to read."""
        if not self._zones:
            return Unreadable.ABSENT
        return zones_of(self._read(self._zones))

    def cores(self) -> Cpu:
        """Read clocks, caps and governors."""
        return cores_of(self._read([*self._lists, *self._policies]))

    def cooling(self) -> bool | None:
        """Return whether the kernel holds the clock down for heat; None where it does not tell."""
        states = [text for path in self._cooling if (text := _text(path)) is not None]
        return any(text != "0" for text in states) if states else None

    def flags(self) -> tuple[frozenset[PiFlag], frozenset[PiFlag]] | None:
        """Read what the firmware reports now and since the start; None without such firmware."""
        text = _text(self._bits) if self._bits is not None else None
        throttled = raspberry.throttled_of(text, "sysfs") if text else None
        if throttled is None:
            throttled = raspberry.throttled_of(self._asked("get_throttled"))
        if throttled is None:
            return None
        return frozenset(throttled.now), frozenset(throttled.since_boot)

    def measured_mhz(self) -> float | None:
        """Read the clock that the firmware measured: the kernel's is a wish."""
        read_at, mhz = self._clock
        now = time.monotonic()
        if now - read_at >= _CLOCK_EVERY_S:
            match = re.fullmatch(r"frequency\(\d+\)=(\d+)", self._asked("measure_clock", "arm"))
            mhz = int(match[1]) / 1e6 if match and int(match[1]) else None
            self._clock = (now, mhz)
        return mhz

    def _asked(self, *words: str) -> str:
        if self._program is None:
            return ""
        try:
            answer = subprocess.run(
                [self._program, *words],
                capture_output=True,
                text=True,
                timeout=_VCGENCMD_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        if answer.returncode != 0:
            self._program = None  # this user may not ask it, and will not later
            return ""
        return answer.stdout.strip()

    def _paths(self, folders: str, names: Iterable[str]) -> list[Path]:
        return [
            path / name
            for path in sorted(self._root.glob(folders), key=_number)
            for name in names
            if (path / name).exists()
        ]

    def _read(self, paths: Iterable[Path]) -> dict[str, str | Unreadable]:
        return {f"/{path.relative_to(self._root).as_posix()}": _content(path) for path in paths}


def _number(path: Path) -> int:
    return int(re.sub(r"\D", "", path.name) or 0)


def _content(path: Path) -> str | Unreadable:
    try:
        return path.read_text(errors="replace").strip("\n\0")
    except PermissionError:
        return Unreadable.DENIED
    except FileNotFoundError:
        return Unreadable.ABSENT
    except OSError:
        return Unreadable.NOT_READY  # EAGAIN, EBUSY: the sensor is there and gives nothing


def _text(path: Path) -> str | None:
    content = _content(path)
    return None if isinstance(content, Unreadable) else content.strip("\n\0 ")
