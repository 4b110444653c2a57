"""What only a Raspberry Pi has: its firmware's throttling flags, clock and temperature."""

from __future__ import annotations

import re

from mobilebench.values import value
from mobilebench.values.facts import PiFlag, Throttled
from mobilebench_device_runners._reading.asking import Ask, held, read_files, text_of

THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"
_SINCE_BOOT = 16
_MOST_C = 150.0


@value
class Pi:
    """What the firmware shows; None on other boards."""

    throttled: Throttled | None = None
    soc_c: float | None = None
    arm_mhz: float | None = None
    core_volts: float | None = None
    denied: bool = False
    """Whether this user may not ask the firmware."""
    groups: tuple[str, ...] = ()
    mend: str | None = None


def read(ask: Ask) -> Pi:
    """Ask the firmware, without clearing its flags."""
    answer = ask(["vcgencmd", "get_throttled"])
    text = text_of(answer)
    complaint = text.whole + answer.stderr.decode("utf-8", "replace")
    denied = bool(re.search(r"VCHI initiali[sz]ation failed|/dev/vc|Permission", complaint))
    throttled = throttled_of(text.first)
    if throttled is None:
        written = held(read_files(ask, [THROTTLED]), THROTTLED)
        throttled = throttled_of(written, "sysfs") if written else None
    if denied:
        words = text_of(ask(["id", "-nG"])).first.split()
        user = words[0] if words else "$USER"
        return Pi(
            throttled=throttled,
            denied=True,
            groups=tuple(words),
            mend=f"sudo usermod -aG video {user}, then log in again",
        )
    if throttled is None or throttled.source != "vcgencmd":
        return Pi(throttled=throttled)
    return Pi(
        throttled=throttled,
        soc_c=_celsius(text_of(ask(["vcgencmd", "measure_temp"])).first),
        arm_mhz=_mhz(text_of(ask(["vcgencmd", "measure_clock", "arm"])).first),
        core_volts=_volts(text_of(ask(["vcgencmd", "measure_volts", "core"])).first),
    )


def throttled_of(text: str, source: str = "vcgencmd") -> Throttled | None:
    """Return the flags in an answer; both tools write hexadecimal, sysfs without 0x."""
    pattern = (
        r"throttled=(0x[0-9a-fA-F]{1,8})" if source == "vcgencmd" else r"((?:0x)?[0-9a-fA-F]{1,8})"
    )
    match = re.fullmatch(pattern, text.strip())
    if match is None:
        return None
    bits = int(match[1], 16)
    return Throttled(
        raw=match[1],
        now=_flags(bits),
        since_boot=_flags(bits >> _SINCE_BOOT),
        source=source,
    )


def _flags(bits: int) -> tuple[PiFlag, ...]:
    return tuple(flag for place, flag in enumerate(PiFlag) if bits >> place & 1)


def _celsius(text: str) -> float | None:
    match = re.fullmatch(r"temp=(\d{1,3}\.\d+)'C", text)
    return float(match[1]) if match and 0 < float(match[1]) <= _MOST_C else None


def _mhz(text: str) -> float | None:
    match = re.fullmatch(r"frequency\(\d+\)=(\d{1,11})", text)
    return int(match[1]) / 1e6 if match and int(match[1]) else None


def _volts(text: str) -> float | None:
    match = re.fullmatch(r"volt=(\d{1,2}\.\d+)V", text)
    return float(match[1]) if match else None
