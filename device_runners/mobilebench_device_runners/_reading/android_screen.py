"""The screen, the power saver and the fold of an Android device."""

from __future__ import annotations

import re

from mobilebench.values.facts import Screen
from mobilebench_device_runners._reading.asking import Answer, number, text_of

_STATES = {
    "ON": Screen.ON,
    "OFF": Screen.OFF,
    "DOZE": Screen.DOZING,
    "DOZE_SUSPEND": Screen.DOZING,
    "ON_SUSPEND": Screen.DOZING,
    "VR": Screen.ON,
}
_WAKEFULNESS = {
    "Awake": Screen.ON,
    "Asleep": Screen.OFF,
    "Dreaming": Screen.DREAMING,
    "Dozing": Screen.DOZING,
}
_FOLDS = (
    (r"half", "half"),
    (r"tent", "tent"),
    (r"clos|folded|fold$", "closed"),
    (r"open|unfold|flat", "open"),
)


def displays_of(answer: Answer) -> dict[str, Screen] | None:
    """Return what each display does, by its id; None where the dump says nothing."""
    result: dict[str, Screen] = {}
    display = None
    for line in text_of(answer).lines:
        if match := re.match(r"\s*Display Id=(\d+)\s*$", line):
            display = match[1]
        elif (match := re.match(r"\s*Display State=(\w+)\s*$", line)) and display is not None:
            result.setdefault(display, _STATES.get(match[1], Screen.UNKNOWN))
    return result or None


def screen_of(displays: dict[str, Screen] | None, power: Answer) -> Screen:
    """Return what the phone shows: any display that is on counts; a screen saver comes first."""
    match = re.search(r"^\s*mWakefulness(?:Raw)?=(\w+)\s*?\n", text_of(power).whole, re.MULTILINE)
    wakefulness = _WAKEFULNESS.get(match[1], Screen.UNKNOWN) if match else Screen.UNKNOWN
    if wakefulness is Screen.DREAMING or not displays:
        return wakefulness
    for state in (Screen.ON, Screen.DOZING, Screen.OFF):
        if state in displays.values():
            return state
    return wakefulness


def power_saver_of(setting: Answer, power: Answer) -> bool | None:
    """Return whether the power saver is on; None where neither the setting nor the dump says."""
    value = number(text_of(setting).first)
    if value in (0, 1):
        return value == 1
    lines = [line.strip() for line in text_of(power).lines]
    if "Battery saver state machine:" in lines:
        for line in lines[lines.index("Battery saver state machine:") + 1 :]:
            if line in ("Enabled=true", "Enabled=false"):
                return line == "Enabled=true"
    return None


def fold_of(states: Answer, state: Answer) -> tuple[str, str] | None:
    """Return the fold in words of this program and of the device; None of what does not fold."""
    names = {
        int(match[1]): match[2]
        for match in re.finditer(
            r"DeviceState\{identifier=(\d+), name='([^']*)'", text_of(states).whole
        )
    }
    now = re.search(r"(\d+)\s*$", text_of(state).first)
    if len(names) < 2 or now is None or int(now[1]) not in names:
        return None
    raw = names[int(now[1])]
    for pattern, word in _FOLDS:
        if re.search(pattern, raw.lower()) and not (word == "closed" and "unfold" in raw.lower()):
            return word, raw
    return None
