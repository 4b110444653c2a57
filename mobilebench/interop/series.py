"""Read a sustained run as a table in CSV, with one line for each stretch of the run.

    model,device,minute,median_ms,p90_ms,thermal_status,battery_temp_c
    mobilevig_ti,Pixel 8 Pro,0,7.4,7.9,none,29.5
    mobilevig_ti,Pixel 8 Pro,1,7.5,8.1,light,33.0

A time (`minute`, `second`) and a median (`median`, `p50`) are required. Names of latencies may end
in their unit: `ms`, `us`, `ns` or `s`; without one they count as milliseconds, and the result says
so. Columns with `temp` in their name, or `_c` at its end, are temperatures in degrees Celsius.
Lines that name another model, device or the like belong to another result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import UNNAMED, Reader
from mobilebench.interop.rows import Row, header, rows
from mobilebench.values.device import ANDROID_STATUSES, DeviceState, ThermalState
from mobilebench.values.reported import Latency, Reported, Window

_TIMES = {
    r"(?:time_|t_|elapsed_)?min(?:ute)?s?": 60e9,
    r"(?:time_|t_|elapsed_)?s(?:ec(?:ond)?s?)?": 1e9,
}
_STATISTICS = {
    "p50_ns": r"(?:median|p50)",
    "mean_ns": r"(?:mean|avg|average)",
    "p90_ns": r"p90",
    "p95_ns": r"p95",
    "p99_ns": r"p99",
    "min_ns": r"min(?:imum)?",
    "max_ns": r"max(?:imum)?",
}
_UNITS = {"ms": 1e6, "us": 1e3, "ns": 1.0, "s": 1e9}
_THERMAL = ("thermal", "thermal_status", "thermal_state")
_WORDS = (
    "source", "model", "format", "precision", "runtime", "delegate", "compute_unit", "device",
    "os", "date",
)  # fmt: skip
_OTHERS = (*_WORDS, "threads", "cpu_mhz")
_STATES = {state.value: state for state in ThermalState} | ANDROID_STATUSES
_STATUSES = tuple(ANDROID_STATUSES)
_CELSIUS = "(?:deg_?)?c(?:elsius)?"
_NO_CELSIUS = ("f", "deg_f", "fahrenheit", "k", "kelvin", "mc", "millidegrees")
_COLDEST_C, _HOTTEST_C = -50, 150
"""Outside these, a temperature has another unit, such as tenths of a degree."""


@dataclass(frozen=True)
class _Columns:
    """Which column holds what."""

    time: str
    ns_per_time: float
    latencies: tuple[tuple[str, str, float], ...]
    """Statistic, column and nanoseconds in its unit."""
    thermal: str | None
    temperatures: tuple[tuple[str, str], ...]
    """Sensor and column."""
    unit_is_stated: bool


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.replace("°", "")).strip("_")


def _columns(names: tuple[str, ...], path: Path) -> _Columns:
    times, latencies, thermal, temperatures, stated = [], [], [], [], True
    for name in names:
        plain = _plain(name)
        statistic = _statistic(plain)
        scale = next((ns for form, ns in _TIMES.items() if re.fullmatch(form, plain)), None)
        if scale is not None:
            times.append((name, scale))
        elif statistic is not None:
            field, unit = statistic
            latencies.append((field, name, _UNITS[unit or "ms"]))
            stated = stated and unit is not None
        elif plain in _THERMAL:
            thermal.append(name)
        elif sensor := _sensor(plain):
            temperatures.append((sensor, name))
        elif plain not in _OTHERS:
            raise SchemaError(
                f"The table {path} has {name or 'a column without a name'}, which is not known "
                f"beside a time and a median; columns are minute or second, median_ms, mean_ms, "
                f"p90_ms, p95_ms, p99_ms, min_ms, max_ms, thermal_status, *_temp_c, "
                f"{', '.join(_OTHERS)}."
            )
    for kind, same in (
        ("time", [name for name, _ in times]),
        ("thermal status", thermal),
        *((field, [name for f, name, _ in latencies if f == field]) for field in _STATISTICS),
        *((f"temperature {s}", [n for o, n in temperatures if o == s]) for s, _ in temperatures),
    ):
        if len(same) > 1:
            raise SchemaError(f"{path}, line 1: {' and '.join(same)} both give the {kind}.")
    if not times or not any(field == "p50_ns" for field, _, _ in latencies):
        raise SchemaError(
            f"The table {path} lacks a time or a median; a sustained run needs the columns minute "
            f"(or second) and median_ms."
        )
    return _Columns(
        *times[0], tuple(latencies), next(iter(thermal), None), tuple(temperatures), stated
    )


def _statistic(plain: str) -> tuple[str, str | None] | None:
    """Return the statistic that a column holds, and its unit where the name states it."""
    for field, form in _STATISTICS.items():
        units = "|".join(_UNITS)
        match = re.fullmatch(rf"(?:latency_)?{form}(?:_latency)?(?:_({units}))?", plain)
        if match:
            return field, match[1]
    return None


def _sensor(plain: str) -> str | None:
    """Return the sensor of a temperature's column; None for others, and for other units."""
    short = re.fullmatch(rf"(\w+)_{_CELSIUS}", plain)
    match = re.fullmatch(rf"(?:(\w+?)_)?temp(?:erature)?s?(?:_(\w+?))??(?:_{_CELSIUS})?", plain)
    if match is None:
        return short[1] if short else None
    return None if match[2] in _NO_CELSIUS else match[1] or match[2] or "device"


def _read(text: str, path: Path) -> list[Reported]:
    columns = _columns(header(text), path)
    series: dict[tuple[str | int | None, ...], list[tuple[Row, Window]]] = {}
    for row in rows(text, path):
        key = (*(row.word(name) for name in _WORDS), row.whole("threads"))
        windows = series.setdefault(key, [])
        window = _window(row, columns)
        if windows and window.state.t_ns <= windows[-1][1].state.t_ns:
            raise SchemaError(
                f"{row.place}: {columns.time} {row.word(columns.time)} does not come after the "
                f"line before; name the model or the device in a column where the table has "
                f"several runs."
            )
        windows.append((row, window))
    return [
        _result(rows_and_windows[0][0], tuple(window for _, window in rows_and_windows), columns)
        for rows_and_windows in series.values()
    ]


def _window(row: Row, columns: _Columns) -> Window:
    time = row.number(columns.time)
    if time is None or time < 0:
        raise SchemaError(f"{row.place}: {columns.time} is not a time; give a number from 0 on.")
    latency = Latency()
    for field, name, scale in columns.latencies:
        number = row.positive(name)
        if number is not None:
            latency = replace(latency, **{field: number * scale})  # type: ignore[arg-type]
    if latency.p50_ns is None:
        raise SchemaError(f"{row.place}: there is no median; give it, or leave the line out.")
    temperatures = {
        sensor: number
        for sensor, name in columns.temperatures
        if (number := _temperature(row, name)) is not None
    }
    if latency.p90_ns is not None and latency.p90_ns < latency.p50_ns:
        raise SchemaError(f"{row.place}: the p90 is below the median; one of them is wrong.")
    return Window(
        latency=latency,
        state=DeviceState(
            t_ns=round(time * columns.ns_per_time),
            thermal=_thermal(row, columns.thermal),
            temperatures_c=temperatures or None,
            cpu_mhz=row.positive("cpu_mhz"),
        ),
    )


def _temperature(row: Row, name: str) -> float | None:
    number = row.number(name)
    if number is not None and not _COLDEST_C <= number <= _HOTTEST_C:
        raise SchemaError(f"{row.place}: {name} is {row.word(name)}; give degrees Celsius.")
    return number


def _thermal(row: Row, name: str | None) -> ThermalState | None:
    text = row.word(name) if name else None
    if text is None:
        return None
    word = text.lower().removeprefix("thermal_status_")
    if word.isdecimal() and int(word) < len(_STATUSES):
        word = _STATUSES[int(word)]
    if word not in _STATES:
        raise SchemaError(
            f"{row.place}: {name} is {text!r}; give one of {', '.join(_STATES)}, or Android's "
            f"number, 0 to {len(_STATUSES) - 1}."
        )
    return _STATES[word]


def _result(row: Row, windows: tuple[Window, ...], columns: _Columns) -> Reported:
    remarks = [_summary(windows)]
    if not columns.unit_is_stated:
        remarks.append("the unit of a latency is not stated, and read as ms")
    return Reported(
        report_id=UNNAMED,
        file=UNNAMED,
        **{name: row.word(name) for name in _WORDS if name != "source"},  # type: ignore[arg-type]
        source=row.word("source") or UNNAMED,
        threads=row.whole("threads"),
        windows=windows,
        remarks=tuple(remarks),
    )


def _summary(windows: tuple[Window, ...]) -> str:
    """Say how latency and thermal state went, for tables that show one line of a result."""
    first, last = windows[0], windows[-1]
    span = (last.state.t_ns - first.state.t_ns) / 60e9
    texts = [
        f"sustained, {len(windows)} medians over {span:g} minutes: "
        f"{(first.latency.p50_ns or 0) / 1e6:.2f} ms first, "
        f"{(last.latency.p50_ns or 0) / 1e6:.2f} ms last"
    ]
    states = [window.state.thermal for window in windows if window.state.thermal is not None]
    if states:
        texts.append(f"thermal state up to {max(states, key=lambda state: state.level)}")
    return ", ".join(texts)


def _recognises(text: str) -> bool:
    names = [_plain(name) for name in header(text)]
    timed = any(re.fullmatch(form, name) for form in _TIMES for name in names)
    return timed and any((_statistic(name) or ("",))[0] == "p50_ns" for name in names)


READER = Reader(
    tool="table of a sustained run",
    reads="a table in CSV with the columns minute or second, median_ms and others, of one run",
    recognises=_recognises,
    read=_read,
)
