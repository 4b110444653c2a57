"""Read the series of a phone under load, minute by minute, from a table in CSV.

    minute,frames,median_ms,p90_ms,thermal,battery_percent,battery_temp_c
    1,100,540.5,756.5,NONE,100,19.8

A time (`minute`, or seconds as `t_s`) and `median_ms` are required; of the others, `frames`,
`p90_ms` and `battery_temp_c` are used where they are. Minutes count from 0 or from 1, and the load
begins with the first of them. It has to run back to back: a pause cools a phone, and a table of
latencies does not show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from mobilebench.errors import SchemaError
from mobilebench.thermal.lines import LATENCY, TIMES, Line, read_lines

LEAST_MINUTES = 5
MOST_MINUTES = 360
_TAIL, _FRAMES, _BATTERY = "p90_ms", "frames", "battery_temp_c"
_LEAST_BUSY, _MOST_BUSY = 0.7, 1.5
"""Share of the time that the frames of a minute take, back to back."""
_MOST_MISSING = 0.5
_LISTED = 6


@dataclass(frozen=True)
class Minute:
    """One minute of a series."""

    index: int
    """From 0, which is the minute in which the load began."""
    median_ms: float
    p90_ms: float | None = None
    battery_c: float | None = None


@dataclass(frozen=True)
class Series:
    """What was recorded of one run of a phone."""

    file: str
    minutes: tuple[Minute, ...]
    missing: tuple[int, ...]
    """Minutes, as the file counts them, that are not in it; the phone ran through them."""

    @property
    def length(self) -> int:
        """Minutes from the beginning of the load to the last one recorded."""
        return self.minutes[-1].index + 1

    @property
    def medians_ms(self) -> tuple[float, ...]:
        """The recorded medians in the order of time."""
        return tuple(minute.median_ms for minute in self.minutes)


def read_series(path: Path) -> Series:
    """Read a series. Raises `SchemaError`, a sentence that names the file and the line."""
    columns, lines = read_lines(path)
    time = next(name for name in columns if name in TIMES)
    seconds = [line.required(time) * TIMES[time] for line in lines]
    _require_order(lines, seconds, time)
    offset = min(int(seconds[0] // 60), 1) if lines else 0
    by_minute: dict[int, list[Line]] = {}
    for second, line in zip(seconds, lines, strict=True):
        by_minute.setdefault(int(second // 60) - offset, []).append(line)
    if len(by_minute) < LEAST_MINUTES:
        raise SchemaError(
            f"{path} has {len(by_minute)} minutes, too few to fit anything; record at least "
            f"{LEAST_MINUTES}, better thirty."
        )
    length = max(by_minute) + 1
    if length > MOST_MINUTES:
        raise SchemaError(
            f"{path} goes to minute {length - 1 + offset}; give at most {MOST_MINUTES} minutes, or "
            f"name a column of seconds t_s."
        )
    missing = tuple(index + offset for index in range(length) if index not in by_minute)
    if len(missing) > _MOST_MISSING * length:
        raise SchemaError(
            f"{path} has {len(by_minute)} of {length} minutes, and lacks "
            f"{listed_minutes(missing)}; give a run that is recorded for the greater part."
        )
    minutes = tuple(_minute(index, by_minute[index]) for index in sorted(by_minute))
    _require_back_to_back(path, lines)
    return Series(path.name, minutes, missing)


def listed_minutes(minutes: Sequence[int]) -> str:
    """Name minutes in a sentence, such as `minutes 4, 7 and 2 more`."""
    first = [str(minute) for minute in minutes[:_LISTED]]
    if len(minutes) > _LISTED:
        first.append(f"{len(minutes) - _LISTED} more")
    *others, last = first
    return f"minutes {', '.join(others)} and {last}" if others else f"minute {last}"


def _require_order(lines: Sequence[Line], seconds: Sequence[float], time: str) -> None:
    for line, before, after in zip(lines[1:], seconds, seconds[1:], strict=False):
        if after <= before:
            how = "is there twice" if after == before else "comes after a later one"
            raise SchemaError(
                f"{line.place}: {time} {line.cells[time].strip()} {how}; give one run a file, in "
                f"the order of time."
            )


def _minute(index: int, lines: Sequence[Line]) -> Minute:
    """Return one minute of the lines in it."""
    latencies, tails, temperatures = [], [], []
    for line in lines:
        latency, tail = line.latency(LATENCY), line.latency(_TAIL)
        if latency is None:
            raise SchemaError(
                f"{line.place}: {LATENCY} is empty; give it, or leave the line out, and the "
                f"minute counts as missing."
            )
        if tail is not None and tail < latency:
            raise SchemaError(f"{line.place}: p90 is below the median; one of them is wrong.")
        latencies.append(latency)
        tails.append(tail)
        temperatures.append(line.celsius(_BATTERY))
    known_tails = [tail for tail in tails if tail is not None]
    known = [temperature for temperature in temperatures if temperature is not None]
    return Minute(
        index,
        median(latencies),
        median(known_tails) if len(known_tails) == len(lines) else None,
        fmean(known) if known else None,
    )


def _require_back_to_back(path: Path, lines: Sequence[Line]) -> None:
    """Raise `SchemaError` where the frames take far less, or far more, than their minutes."""
    time = next(name for name in lines[0].cells if name in TIMES)
    if time != "minute" or _FRAMES not in lines[0].cells:
        return  # what a line of seconds covers is not known
    busy = [
        frames * latency / 60_000
        for line in lines
        if (frames := line.number(_FRAMES)) is not None
        and (latency := line.latency(LATENCY)) is not None
    ]
    if not busy or _LEAST_BUSY <= median(busy) <= _MOST_BUSY:
        return
    if median(busy) > _MOST_BUSY:
        raise SchemaError(
            f"{path}: its frames would take {median(busy):.3g} times the minute they are in; give "
            f"{LATENCY} in milliseconds, and frames by the minute."
        )
    raise SchemaError(
        f"{path}: its frames take {median(busy):.0%} of each minute, so the phone had pauses; a "
        f"fit needs a run back to back, since a pause cools the phone."
    )
