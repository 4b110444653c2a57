"""Answers of go-ios: JSON on stdout; on stderr a log, also when all is well."""

from __future__ import annotations

import json
from typing import Any

from mobilebench.values.facts import Battery, BatteryStatus, Plug
from mobilebench_device_runners._reading.asking import Answer
from mobilebench_device_runners._reading.devicectl import Cause, Outcome, mapping, whole, word

MEND_KERNEL = (
    "sudo ios tunnel start (iOS 17.0 to 17.3 need a kernel interface; --userspace only from 17.4)"
)
MEND_USERSPACE = "ios tunnel start --userspace"
MEND_CABLE = "plug the cable in once"


def document_of(answer: Answer) -> Any:
    """Return the JSON on stdout; None where it is not JSON.

    Lines of a log before it do not count.
    """
    text = answer.stdout.decode("utf-8", "replace").strip()
    for candidate in (text, *reversed(text.splitlines())):
        try:
            return json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    return None


def complaints_of(answer: Answer) -> tuple[str, ...]:
    """Return the errors in the log, whichever way this release writes them."""
    result = []
    for stream in (answer.stderr, answer.stdout):
        for line in stream.decode("utf-8", "replace").splitlines():
            try:
                entry = mapping(json.loads(line))
            except (ValueError, RecursionError):
                continue
            if str(entry.get("level", "")).lower() in ("error", "fatal", "panic"):
                parts = (entry.get(key) for key in ("msg", "err", "error"))
                result.append(": ".join(part for part in parts if isinstance(part, str)))
    return tuple(result)


def outcome_of(answer: Answer) -> Outcome:
    """Return how a command went."""
    complaints = " ".join(complaints_of(answer)).lower()
    document = mapping(document_of(answer))
    if answer.rc == 0 and not complaints:
        return Outcome(ok=True, pid=whole(document.get("pid")), document=document)
    cause = Cause.OTHER
    if "tunnel" in complaints:
        cause = Cause.TUNNEL_DOWN
    elif "developer mode" in complaints or "developermode" in complaints:
        cause = Cause.DEVELOPER_MODE_OFF
    elif "locked" in complaints or "passwordprotected" in complaints:
        cause = Cause.LOCKED
    return Outcome(ok=False, cause=cause, document=document)


def is_not_paired(answer: Answer) -> bool:
    """Return whether a command failed since the phone does not trust this computer."""
    return "pairrecord" in " ".join(complaints_of(answer)).lower()


def battery_of(answer: Answer) -> Battery | None:
    """Return the battery from `ios batterycheck`; None where it does not say."""
    content = mapping(document_of(answer))
    if "HasBattery" not in content and "BatteryCurrentCapacity" not in content:
        return None
    level = whole(content.get("BatteryCurrentCapacity"))
    charging = content.get("BatteryIsCharging")
    external = content.get("ExternalConnected")
    charging = charging if isinstance(charging, bool) else None
    status = BatteryStatus.UNKNOWN
    if content.get("FullyCharged") is True and external is True and not charging:
        status = BatteryStatus.FULL
    elif charging is not None:
        plugged_only = BatteryStatus.NOT_CHARGING if external else BatteryStatus.DISCHARGING
        status = BatteryStatus.CHARGING if charging else plugged_only
    present = content.get("HasBattery")
    return Battery(
        present=present if isinstance(present, bool) else None,
        level_percent=level if level is not None and 0 <= level <= 100 else None,
        status=status,
        charging=charging,
        plugged=((Plug.USB,) if external else ()) if isinstance(external, bool) else None,
    )


def developer_mode_of(answer: Answer) -> bool | None:
    """Return whether Developer Mode is on, from `ios devmode get`; None if it does not say."""
    mode = mapping(document_of(answer)).get("DeveloperModeEnabled")
    return mode if isinstance(mode, bool) else None


def tunnels_of(answer: Answer) -> frozenset[str] | None:
    """Return the UDIDs to which a tunnel leads, from `ios tunnel ls`; None where none can."""
    content = document_of(answer)
    if answer.rc != 0 or not isinstance(content, list):
        return None
    return frozenset(udid for each in content if (udid := word(mapping(each).get("udid"))))


def needs_tunnel(version: str | None) -> bool | None:
    """Return whether an iOS needs a tunnel: from 17 on; None for an unknown version."""
    first = (version or "").partition(".")[0]
    return int(first) >= 17 if first.isascii() and first.isdigit() else None


def mend_of(version: str | None, wired: bool) -> str:
    """Return how to start a tunnel to a phone."""
    if not wired:
        return MEND_CABLE
    parts = (version or "").split(".")
    minor = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
    return MEND_KERNEL if parts[0] == "17" and minor < 4 else MEND_USERSPACE
