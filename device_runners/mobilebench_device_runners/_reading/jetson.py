"""What only a Jetson has: its power mode, and what tegrastats shows."""

from __future__ import annotations

import re

from mobilebench.values import value
from mobilebench.values.facts import PowerMode, Rail, Temperatures
from mobilebench_device_runners._reading.asking import Ask, number, text_of
from mobilebench_device_runners._reading.temperatures import Sensor, judge

RELEASE = "/etc/nv_tegra_release"
STATISTICS = ("tegrastats", "--interval", "1000", "|", "head", "-n", "1")
"""One line: tegrastats itself writes until it is ended."""


@value
class Tegra:
    """What a Jetson shows; empty for other boards."""

    release: str | None = None
    power_mode: PowerMode | None = None
    temperatures: Temperatures = Temperatures()
    gpu_busy_percent: int | None = None
    gpu_mhz: int | None = None
    rails: tuple[Rail, ...] = ()


def read(ask: Ask) -> Tegra:
    """Ask a board; one without NVIDIA's Linux is asked once."""
    answer = ask(["cat", RELEASE])
    release = text_of(answer).first if answer.rc == 0 else ""
    match = re.match(r"# R(\d+) \(release\), REVISION: ([\d.]+)", release)
    if match is None:
        return Tegra()
    line = text_of(ask(STATISTICS)).lines
    return statistics_of(
        line[0] if line else "",
        Tegra(
            release=f"{match[1]}.{match[2]}",
            power_mode=power_mode_of(text_of(ask(["nvpmodel", "-q"])).lines),
        ),
    )


def power_mode_of(lines: list[str]) -> PowerMode | None:
    """Return the power mode; lines with errors stand before it on some releases."""
    for index, line in enumerate(lines):
        if match := re.match(r"NV Power Mode: *(\S.*?)\s*$", line):
            after = number(lines[index + 1]) if index + 1 < len(lines) else None
            return PowerMode(name=match[1], id=after)
    return None


def statistics_of(line: str, tegra: Tegra | None = None) -> Tegra:
    """Return what one line of tegrastats shows; its fields differ by release."""
    tegra = tegra or Tegra()
    sensors = [
        Sensor(name=name, raw=celsius)
        for name, celsius in re.findall(r"(?:^|\s)([\w.-]+)@(-?\d+(?:\.\d+)?)C(?=\s|$)", line)
    ]
    gpu = re.search(r"\bGR3D_FREQ (\d{1,3})%(?:@\[?(\d{1,5})[\],]?)?", line)
    rails = re.findall(r"(?:^|\s)([A-Z][A-Z0-9_]*) (\d{1,7})(?:mW)?/(\d{1,7})(?:mW)?(?=\s|$)", line)
    return Tegra(
        release=tegra.release,
        power_mode=tegra.power_mode,
        temperatures=judge(sensors),
        gpu_busy_percent=int(gpu[1]) if gpu and int(gpu[1]) <= 100 else None,
        gpu_mhz=int(gpu[2]) if gpu and gpu[2] else None,
        rails=tuple(
            Rail(name=name, watts=int(now) / 1000, mean_watts=int(mean) / 1000)
            for name, now, mean in rails
        ),
    )
