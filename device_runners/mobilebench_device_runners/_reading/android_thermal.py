"""The thermal service of Android: `dumpsys thermalservice`, from Android 10 to 16.

The block that the hardware gave just now counts, not the cached one. Status 0 can mean cool only
where the service has sensors and thresholds: the service starts at 0 without them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mobilebench.values.facts import Rejection, Section, ServiceState, Thermal, Threshold
from mobilebench_device_runners._reading.asking import (
    Answer,
    decimal,
    number,
    service_state,
    text_of,
)
from mobilebench_device_runners._reading.temperatures import (
    Sensor,
    judge,
    kind_of,
    mismatches,
    shift_of,
)

_CACHED = "cached temperatures"
_CURRENT = "current temperatures from hal"
_COOLING = "current cooling devices from hal"
_THRESHOLDS = "temperature static thresholds from hal"
_HEADROOM = "temperature headroom thresholds"
_STATUSES = 7


def thermal_of(answer: Answer) -> tuple[Thermal, bool]:
    """Return what the service shows, and whether its type numbers contradict its names."""
    text = text_of(answer)
    state = service_state(text.whole)
    if state is not ServiceState.OK:
        return Thermal(state=state), False
    if re.search(r": (?:inaccessible or )?not found\s*$", text.whole) or not text.whole.strip():
        return Thermal(state=ServiceState.TRUNCATED if text.lost else ServiceState.ABSENT), False
    sections = _sections(text.whole)
    ready = _flag(sections[""], r"HAL Ready")
    overridden = bool(_flag(sections[""], r"IsStatusOverride"))
    cut = text.cut or ready is None
    if ready is False:
        return Thermal(state=ServiceState.NOT_READY, overridden=overridden), False
    section = Section.CURRENT if _CURRENT in sections else Section.CACHED
    sensors = _sensors(sections.get(_CURRENT, sections.get(_CACHED, [])))
    if not sensors:
        section = Section.NONE
    thresholds = _thresholds(sections.get(_THRESHOLDS, []), shift_of(sensors))
    published = any(limit is not None for each in thresholds for limit in each.hot_c)
    hal = _after(sections[""], r"(?=ThermalHAL)") or _after(sections[""], r"(?=\S+ connected)")
    old = bool(re.match(r"ThermalHAL 1\.", hal or ""))
    status = number(_after(sections[""], r"Thermal Status: *") or "")
    if status is not None and not 0 <= status < _STATUSES:
        status = None
    thermal = Thermal(
        state=ServiceState.TRUNCATED if cut else ServiceState.OK,
        status=status if ready else None,
        status_is_evidence=bool(
            ready and status is not None and published and not overridden and not old
        ),
        overridden=overridden,
        section=section,
        temperatures=judge(sensors),
        thresholds=thresholds,
        headroom_thresholds=_headroom(sections.get(_HEADROOM, [])),
        cooling=_cooling(sections.get(_COOLING, [])),
        hal=hal,
    )
    return thermal, mismatches(sensors)


def sensor_statuses(answer: Answer) -> dict[str, int]:
    """Return the status of each sensor of the current block by name; the highest of several."""
    result: dict[str, int] = {}
    for line in _sections(text_of(answer).whole).get(_CURRENT, []):
        pairs = _pairs(line)
        status = number(pairs.get("status", ""))
        if status is not None and "name" in pairs and 0 <= status < _STATUSES:
            result[pairs["name"]] = max(status, result.get(pairs["name"], 0))
    return result


def _sections(whole: str) -> dict[str, list[str]]:
    """Return whole lines by the title above them; "" has the lines between the lists."""
    result: dict[str, list[str]] = {"": []}
    title = ""
    for raw in whole.split("\n"):
        line = raw.strip()
        lower = line.lower()
        if lower.endswith(":") and lower[:-1] in (
            _CACHED,
            _CURRENT,
            _COOLING,
            _THRESHOLDS,
            _HEADROOM,
        ):
            title = lower[:-1]
            result.setdefault(title, [])
        elif title and _is_item(line):
            result[title].append(line)
        elif line:
            title = ""
            result[""].append(line)
    if not whole.endswith("\n") and result[""] and whole.rstrip("\r").endswith(result[""][-1]):
        result[""].pop()  # half a line
    return result


def _is_item(line: str) -> bool:
    return bool(re.match(r"[A-Za-z]*\{|\[", line)) or not line


def _after(lines: Sequence[str], start: str) -> str | None:
    for line in lines:
        if match := re.match(rf"{start}(.*)", line):
            return match[1].strip() or None
    return None


def _flag(lines: Sequence[str], name: str) -> bool | None:
    word = _after(lines, rf"{name} *[:=] *")
    return {"true": True, "false": False}.get((word or "").lower())


def _pairs(line: str) -> dict[str, str]:
    """Return the pairs in braces: `{mValue=1.0, mName=x}` or `{.type = SKIN, .name = x}`."""
    body = line.partition("{")[2]
    body = body.rpartition("}")[0] if body.endswith("}") else body + "\0"
    result = {}
    for part in re.split(r",\s*(?=\.?[A-Za-z]\w*\s*[=:])", body):
        match = re.match(r"\s*\.?(m(?=[A-Z]))?([A-Za-z]\w*)\s*[=:]\s*(.*)", part, re.DOTALL)
        if match:
            result[match[2][:1].lower() + match[2][1:]] = match[3].strip()
    return result


def _sensors(lines: Sequence[str]) -> list[Sensor]:
    sensors = []
    for line in lines:
        pairs = _pairs(line)
        whole = line.endswith("}")
        name = pairs.get("name")
        if name is None or name.endswith("\0"):
            continue
        kind = pairs.get("type", "").strip("\0")
        sensors.append(
            Sensor(
                name=name,
                raw=pairs.get("value", pairs.get("currentValue", "")),
                type=number(kind) if number(kind) is not None else (kind.upper() or None),
                failure=None if whole else Rejection.TRUNCATED,
            )
        )
    return sensors


def _thresholds(lines: Sequence[str], shift: int) -> tuple[Threshold, ...]:
    result = []
    for line in lines:
        pairs = _pairs(line)
        limits = _list(pairs.get("hotThrottlingThresholds", ""))
        if "name" not in pairs or limits is None:
            continue
        kind = pairs.get("type", "")
        sensor = Sensor(
            name=pairs["name"],
            raw="",
            type=number(kind) if number(kind) is not None else (kind.upper() or None),
        )
        result.append(Threshold(name=sensor.name, kind=kind_of(sensor, shift), hot_c=limits))
    return tuple(result)


def _list(text: str) -> tuple[float | None, ...] | None:
    """Return the numbers in brackets, None for NaN; None for anything else."""
    match = re.fullmatch(r"\[(.*)\]", text.strip())
    if not match:
        return None
    numbers = [decimal(part) for part in match[1].split(",")]
    if any(each is None for each in numbers):
        return None
    return tuple(
        each if each is not None and abs(each) < float("inf") else None for each in numbers
    )


def _headroom(lines: Sequence[str]) -> tuple[float | None, ...] | None:
    return next((limits for line in lines if (limits := _list(line)) is not None), None)


def _cooling(lines: Sequence[str]) -> dict[str, int] | None:
    steps = {}
    for line in lines:
        pairs = _pairs(line)
        step = number(pairs.get("value", ""))
        if line.endswith("}") and "name" in pairs and step is not None:
            steps[pairs["name"]] = step
    return steps or None
