"""Which readings are temperatures: sensors of the thermal service, and the kernel's zones.

A driver without a sensor writes NaN, 0, -40, -127, -273 or the like. A name that says level,
current or percentage is no temperature, whatever its type; a name beats a type number where they
disagree.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from mobilebench.values import value
from mobilebench.values.device import Unreadable
from mobilebench.values.facts import (
    Reading,
    Rejected,
    Rejection,
    SensorKind,
    Temperatures,
    ZoneUnit,
)
from mobilebench_device_runners._reading.asking import (
    Ask,
    Files,
    decimal,
    held,
    names_in,
    read_files,
)

ZONES = "/sys/class/thermal"
TYPES = (
    "CPU",
    "GPU",
    "BATTERY",
    "SKIN",
    "USB_PORT",
    "POWER_AMPLIFIER",
    "BCL_VOLTAGE",
    "BCL_CURRENT",
    "BCL_PERCENTAGE",
    "NPU",
    "TPU",
    "DISPLAY",
    "MODEM",
    "SOC",
    "WIFI",
    "CAMERA",
    "FLASHLIGHT",
    "SPEAKER",
    "AMBIENT",
    "POGO",
)
"""Android's types of sensors by number (TemperatureType of android.hardware.thermal)."""
_KINDS = {
    "CPU": SensorKind.CPU,
    "GPU": SensorKind.GPU,
    "BATTERY": SensorKind.BATTERY,
    "SKIN": SensorKind.SKIN,
    "NPU": SensorKind.NPU,
    "TPU": SensorKind.NPU,
    "SOC": SensorKind.SOC,
}
_NAMES = (
    ("NPU", r"npu|tpu|nsp|apu"),
    ("GPU", r"gpu|g3d|mali"),
    ("CPU", r"cpu|cluster|^(?:big|mid|little)\d*$"),
    ("SKIN", r"skin|shell"),
    ("BATTERY", r"batt|(?:^|[-_]|sub)bat(?:$|[-_0-9])"),
    ("USB_PORT", r"usb"),
    ("POWER_AMPLIFIER", r"power_amplifier"),
    ("MODEM", r"modem"),
    ("SOC", r"^soc(?:$|[-_0-9])"),
)
_NO_TEMPERATURE = re.compile(
    r"level|lvl|percent|pct|current|(?:^|[-_])curr|ibat|vbat|vdroop|oilo|uvlo|ocp|volt|bcl|too-low"
    r"|capacity|(?:^|[-_])(?:bms|batt?|battery)[-_]soc(?:$|[-_])",
    re.IGNORECASE,
)
_ELECTRIC = ("BCL_VOLTAGE", "BCL_CURRENT", "BCL_PERCENTAGE")
_COLDEST_C = -30.0
_HOTTEST_C = 150.0
_REALLY_COLD_C = 10.0
_POLLS_OF_A_CONSTANT = 3
_MOVE_C = 1.0


@value
class Sensor:
    """A sensor as it is written, before anything is decided."""

    name: str
    raw: str
    type: int | str | None = None
    """Number or word."""
    unit: ZoneUnit | None = None
    failure: Rejection | None = None


def named(name: str) -> str | None:
    """Return the type that a sensor's name says; None where it says none or several."""
    plain = name.lower().removeprefix("type_")
    types = [word for word, pattern in _NAMES if re.search(pattern, plain)]
    return types[0] if len(types) == 1 else None


def kind_of_zone(name: str) -> SensorKind | None:
    """Return the kind that a zone's name says."""
    return _KINDS.get(named(name) or "")


def _numbered(kind: int | str | None, shift: int = 0) -> str | None:
    if isinstance(kind, str):
        return kind if kind in TYPES else None
    if kind is None or not 0 <= kind - shift < len(TYPES):
        return None
    return TYPES[kind - shift]


def shift_of(sensors: Sequence[Sensor]) -> int:
    """Return by how much a device's type numbers are too high, going by the names: 0 or 1."""
    pairs = [
        (each.type, TYPES.index(word))
        for each in sensors
        if isinstance(each.type, int) and each.type >= 0 and (word := named(each.name))
    ]
    off = [number - right for number, right in pairs]
    return 1 if len(off) > 1 and off.count(1) == len(off) else 0


def mismatches(sensors: Sequence[Sensor]) -> bool:
    """Return whether a sensor's type number contradicts its name."""
    for each in sensors:
        by_name, by_number = named(each.name), _numbered(each.type)
        if by_name is None or by_number is None or by_name == by_number:
            continue
        if by_number in _ELECTRIC and by_name == "SOC":
            continue  # the state of charge
        if {by_name, by_number} <= {"NPU", "TPU"}:
            continue
        return True
    return False


def word_of(sensor: Sensor, shift: int = 0) -> str | None:
    """Return the type of a sensor: by name, or else by number."""
    by_name, by_number = named(sensor.name), _numbered(sensor.type, shift)
    if by_name == "SOC" and by_number in _ELECTRIC:
        return by_number
    if by_number is None and re.match(r"virtual-skin-", sensor.name, re.IGNORECASE):
        return None
    return by_name or by_number


def kind_of(sensor: Sensor, shift: int = 0) -> SensorKind | None:
    """Return what a sensor measures the heat of; None for other places."""
    return _KINDS.get(word_of(sensor, shift) or "")


def judge(sensors: Sequence[Sensor]) -> Temperatures:
    """Sort readings into temperatures and others, each of these with the reason."""
    shift = shift_of(sensors)
    judged = [(each, *_judged(each, shift)) for each in sensors]
    others = [celsius for _, celsius, why in judged if why is None and celsius]
    cold = bool(others) and all(abs(celsius) < _REALLY_COLD_C for celsius in others)
    readings: list[Reading] = []
    rejected: list[Rejected] = []
    seen: Counter[str] = Counter()
    for sensor, celsius, why in judged:
        seen[sensor.name] += 1
        if why is None and not celsius and not cold:
            why = Rejection.PLACEHOLDER
        if why is None:
            readings.append(
                Reading(
                    name=sensor.name,
                    celsius=celsius + 0.0,
                    kind=kind_of(sensor, shift),
                    unit=sensor.unit,
                )
            )
        else:
            count = seen[sensor.name]
            name = sensor.name if count == 1 else f"{sensor.name}#{count}"
            rejected.append(Rejected(name=name, why=why))
    return Temperatures(readings=tuple(readings), rejected=tuple(rejected))


def _judged(sensor: Sensor, shift: int) -> tuple[float, Rejection | None]:
    if sensor.failure is not None:
        return 0.0, sensor.failure
    celsius = decimal(sensor.raw)
    if celsius is None:
        return 0.0, Rejection.UNREADABLE
    if math.isnan(celsius):
        return 0.0, Rejection.NAN
    if _NO_TEMPERATURE.search(sensor.name) or word_of(sensor, shift) in _ELECTRIC:
        return 0.0, Rejection.NOT_A_TEMPERATURE
    if not _COLDEST_C < celsius <= _HOTTEST_C:
        return 0.0, Rejection.PLACEHOLDER
    if re.search(r"pmic", sensor.name, re.IGNORECASE) and celsius == 100.0:
        return 0.0, Rejection.CONSTANT
    return celsius, None


def read_zones(ask: Ask) -> Temperatures | None:
    """Read the kernel's thermal zones; None where the device shows none at all."""
    zones = [name for name in names_in(ask, ZONES) if re.fullmatch(r"thermal_zone[0-9]+", name)]
    if not zones:
        return None
    files = read_files(
        ask, [f"{ZONES}/{zone}/{part}" for zone in zones for part in ("type", "temp")]
    )
    result = zones_of(files)
    return result if result.readings or result.rejected else None


def zones_of(files: Files) -> Temperatures:
    """Judge thermal zones by the text of their files; the unit is decided zone by zone."""
    sensors: list[Sensor] = []
    for path, raw in files.items():
        folder, _, part = path.rpartition("/")
        name = held(files, f"{folder}/type")
        if part != "temp" or not name:
            continue
        name = name.strip()
        sensors.append(
            Sensor(name=name, raw="", failure=Rejection.UNREADABLE)
            if isinstance(raw, Unreadable)
            else _zone(name, raw)
        )
    return judge(sensors)


def _zone(name: str, raw: str) -> Sensor:
    written = decimal(raw)
    if written is None or not math.isfinite(written) or _NO_TEMPERATURE.search(name):
        return Sensor(name=name, raw=raw)
    # Between 1500 and 5000 a number is neither tenths of a phone nor thousandths of one.
    if abs(written) <= _HOTTEST_C or written < 0:
        return Sensor(name=name, raw=raw, unit=ZoneUnit.DEGREES)
    if written <= 1500:
        return Sensor(name=name, raw=repr(written / 10), unit=ZoneUnit.TENTHS)
    if written < 5000:
        return Sensor(name=name, raw=raw, failure=Rejection.NOT_A_TEMPERATURE)
    return Sensor(name=name, raw=repr(written / 1000), unit=ZoneUnit.THOUSANDTHS)


def constants(polls: Sequence[Temperatures]) -> frozenset[str]:
    """Return the names of sensors that gave the same number every time while others moved.

    A battery's gauge is slow and is not among them. Fewer than three polls show nothing.
    """
    if len(polls) < _POLLS_OF_A_CONSTANT:
        return frozenset()
    series = {
        name: [poll.by_name[name] for poll in polls]
        for name in polls[0].by_name
        if all(name in poll.by_name for poll in polls)
    }
    if not any(max(each) - min(each) >= _MOVE_C for each in series.values()):
        return frozenset()
    batteries = {each.name for each in polls[0].readings if each.kind is SensorKind.BATTERY}
    return frozenset(
        name for name, each in series.items() if len(set(each)) == 1 and name not in batteries
    )


def without(poll: Temperatures, names: frozenset[str]) -> Temperatures:
    """Return readings without those of some sensors, which are rejected as constants."""
    by_name = dict(zip(poll.by_name, poll.readings, strict=True))
    return replace(
        poll,
        readings=tuple(each for name, each in by_name.items() if name not in names),
        rejected=(
            *poll.rejected,
            *(Rejected(name=name, why=Rejection.CONSTANT) for name in by_name if name in names),
        ),
    )
