"""The battery of an Android device: `dumpsys battery`, and the current from the kernel.

Only the first block is read, whole keys at the start of a line: some phones add old values below,
and Android 16 speaks of a voltage in other lines. Whether it charges is decided by the status, not
by the plug.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mobilebench.values.device import Unreadable
from mobilebench.values.facts import (
    Battery,
    BatteryStatus,
    Current,
    CurrentSign,
    CurrentUnit,
    Plug,
    ServiceState,
)
from mobilebench_device_runners._reading.asking import Answer, number, service_state, text_of

CURRENT_NOW = "/sys/class/power_supply/battery/current_now"
_STATUSES = {
    1: BatteryStatus.UNKNOWN,
    2: BatteryStatus.CHARGING,
    3: BatteryStatus.DISCHARGING,
    4: BatteryStatus.NOT_CHARGING,
    5: BatteryStatus.FULL,
}
_LONG_LIFE = 4
"""Android holds the battery at a limit (LONG_LIFE of BatteryChargingState and of the policy)."""
_MICROAMPERES_FROM = 10_000
_SMALLEST_UAH = 300_000
_LARGEST_UAH = 40_000_000
_LARGEST_MA = 20_000
_WARMEST_C = 150


def battery_of(answer: Answer, current_now: str | Unreadable = Unreadable.ABSENT) -> Battery:
    """Return what the dump shows; `current_now` is the text of the kernel's file."""
    text = text_of(answer)
    state = service_state(text.whole)
    if state is not ServiceState.OK:
        return Battery(state=state)
    fields, overridden, started = _fields(text.lines)
    if not started:
        return Battery(state=ServiceState.TRUNCATED if text.lost else ServiceState.ABSENT)
    present = {"true": True, "false": False}.get(fields.get("present", ""))
    plugged = _plugged(fields)
    cut = text.cut or "temperature" not in fields or "level" not in fields
    if present is False:
        return Battery(
            present=False,
            status=BatteryStatus.NONE,
            plugged=plugged,
            charging=False,
            charge_counter_trusted=False,
            charge_counter_why="no battery",
            overridden=overridden,
            state=ServiceState.TRUNCATED if cut else ServiceState.OK,
        )
    status = _STATUSES.get(number(fields.get("status", "")) or 0, BatteryStatus.UNKNOWN)
    level = _level(fields)
    counter, trusted, why = _counter(number(fields.get("Charge counter", "")), level)
    current, current_state = _current(fields, current_now, status)
    millivolts = number(fields.get("voltage", ""))
    tenths = number(fields.get("temperature", ""))
    return Battery(
        present=present,
        level_percent=level,
        celsius=_celsius(tenths),
        volts=millivolts / 1000 if millivolts else None,
        status=status,
        plugged=plugged,
        charging=None if status is BatteryStatus.UNKNOWN else status is BatteryStatus.CHARGING,
        charge_counter_uah=counter,
        charge_counter_trusted=trusted,
        charge_counter_why=why,
        current=current,
        current_state=current_state,
        limit_percent=_limit(fields, status, plugged, level),
        overridden=overridden,
        state=ServiceState.TRUNCATED if cut else ServiceState.OK,
    )


def _fields(lines: list[str]) -> tuple[dict[str, str], bool, bool]:
    """Return the pairs of the first block, whether set by hand, and whether there is a block."""
    fields: dict[str, str] = {}
    overridden = started = False
    for line in lines:
        if line.startswith("["):
            break
        if line.startswith("Current Battery Service state"):
            started = True
        elif "(UPDATES STOPPED" in line:
            overridden = True
        elif match := re.fullmatch(r" {2}([A-Za-z][\w ]*?): *(.*?) *", line):
            fields.setdefault(match[1], match[2])
    return fields, overridden, started or bool({"level", "status"} <= set(fields))


def _plugged(fields: Mapping[str, str]) -> tuple[Plug, ...] | None:
    names = {"AC": Plug.AC, "USB": Plug.USB, "Wireless": Plug.WIRELESS, "Dock": Plug.DOCK}
    words = {plug: fields.get(f"{name} powered") for name, plug in names.items()}
    sources = tuple(plug for plug, word in words.items() if word == "true")
    # Of a dump that was cut among these lines the last ones are not known.
    known = any(not name.endswith(" powered") for name in fields)
    return sources if sources or known else None


def _level(fields: Mapping[str, str]) -> int | None:
    level, scale = number(fields.get("level", "")), number(fields.get("scale", ""))
    if level is None or level < 0:
        return None
    percent = round(level * 100 / scale) if scale else level
    return percent if percent <= 100 else None


def _celsius(tenths: int | None) -> float | None:
    if tenths is None or not -300 < tenths <= _WARMEST_C * 10 or not tenths:
        return None
    return tenths / 10


def _counter(uah: int | None, level: int | None) -> tuple[int | None, bool | None, str | None]:
    if uah is None:
        return None, None, None
    if level is None:
        return uah if uah > 0 else None, None, None
    if uah == 0:
        return None, False, f"zero at {level} %"
    if uah < 0:
        return None, False, "negative"
    if uah == level:
        return None, False, "equals the level"
    if level and not _SMALLEST_UAH <= uah * 100 / level <= _LARGEST_UAH:
        return uah, False, f"{uah / 1000:g} mAh at {level} %"
    return uah, True, None


def _current(
    fields: Mapping[str, str], current_now: str | Unreadable, status: BatteryStatus
) -> tuple[Current | None, ServiceState]:
    known = number(fields.get("current now", ""))
    if known is not None and abs(known) <= _LARGEST_MA:
        # Samsung's line: milliamperes.
        unit = CurrentUnit.MILLIAMPERE
        return Current(raw=known, unit=unit, sign=_sign(known, unit, status)), ServiceState.OK
    if isinstance(current_now, Unreadable):
        denied = current_now is Unreadable.DENIED
        return None, ServiceState.DENIED if denied else ServiceState.ABSENT
    raw = number(current_now)
    if raw is None:
        return None, ServiceState.ABSENT
    unit = _unit(raw, status)
    return Current(raw=raw, unit=unit, sign=_sign(raw, unit, status)), ServiceState.OK


def _unit(raw: int, status: BatteryStatus) -> CurrentUnit:
    if abs(raw) >= _MICROAMPERES_FROM:
        return CurrentUnit.MICROAMPERE
    if raw and status in (BatteryStatus.CHARGING, BatteryStatus.DISCHARGING):
        return CurrentUnit.MILLIAMPERE_LIKELY
    return CurrentUnit.UNKNOWN


def _sign(raw: int, unit: CurrentUnit, status: BatteryStatus) -> CurrentSign:
    if not raw:
        return CurrentSign.AMBIGUOUS
    if status is BatteryStatus.DISCHARGING:
        return CurrentSign.NEGATIVE_IS_DISCHARGE if raw < 0 else CurrentSign.POSITIVE_IS_DISCHARGE
    if status is BatteryStatus.CHARGING:
        if raw > 0:
            return CurrentSign.POSITIVE_IS_CHARGE
        # A weak supply may not cover what a lit phone draws.
        if unit is not CurrentUnit.MILLIAMPERE_LIKELY:
            return CurrentSign.NEGATIVE_IS_CHARGE
    return CurrentSign.AMBIGUOUS


def sign_is_certain(current: Current) -> bool:
    """Return whether the sign says for sure which way the current flows."""
    if current.sign is CurrentSign.AMBIGUOUS:
        return False
    usual = (CurrentSign.NEGATIVE_IS_DISCHARGE, CurrentSign.POSITIVE_IS_CHARGE)
    return current.sign in usual or current.unit is not CurrentUnit.MILLIAMPERE_LIKELY


def _limit(
    fields: Mapping[str, str],
    status: BatteryStatus,
    plugged: tuple[Plug, ...] | None,
    level: int | None,
) -> int | None:
    if (number(fields.get("mProtectBatteryMode", "")) or 0) > 0:
        threshold = number(fields.get("mProtectionThreshold", ""))
        if threshold is not None and 0 < threshold <= 100:
            return threshold
    holds = _LONG_LIFE in (
        number(fields.get("Charging state", "")),
        number(fields.get("Charging policy", "")),
    )
    held = (BatteryStatus.NOT_CHARGING, BatteryStatus.FULL)
    if holds and plugged and status in held and level != 100:
        return level
    return None
