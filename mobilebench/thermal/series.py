"""Read the series of a phone under load, minute by minute, from a table in CSV.

    minute,frames,median_ms,p90_ms,thermal,battery_percent,battery_temp_c
    1,100,540.5,756.5,NONE,100,19.8

A time (`minute`, or seconds as `t_s`) and `median_ms` are required; of the others, `frames`,
`p90_ms` and `battery_temp_c` are used where they are. Minutes count from 0 or from 1, and the load
begins with the first of them. It has to run back to back: a pause cools a phone, and a table of
latencies does not show it.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from mobilebench.errors import SchemaError

LEAST_MINUTES = 5
MOST_MINUTES = 360
_TIMES = {"minute": 60.0, "t_s": 1.0, "seconds": 1.0, "second": 1.0, "time_s": 1.0}
_LATENCY = "median_ms"
_TAIL, _FRAMES, _BATTERY = "p90_ms", "frames", "battery_temp_c"
_SEPARATORS = (",", ";", "\t", "|")
_COLDEST_C, _HOTTEST_C = -30.0, 60.0
"""No battery is in use outside these; 20 to 40 degrees Celsius are 68 to 104 Fahrenheit."""
_SLOWEST_MS = 20_000.0
"""A minute with fewer than three frames has no median worth the name."""
_LEAST_BUSY, _MOST_BUSY = 0.7, 1.5
"""Share of the time that the frames of a minute take, back to back."""
_MOST_MISSING = 0.5
_LISTED = 6
_LARGEST_FILE = 16_000_000


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
    columns, lines = _lines(_text(path), path)
    time = next(name for name in columns if name in _TIMES)
    seconds = [line.required(time) * _TIMES[time] for line in lines]
    _require_order(lines, seconds, time)
    offset = min(int(seconds[0] // 60), 1) if lines else 0
    by_minute: dict[int, list[_Line]] = {}
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


@dataclass(frozen=True)
class _Line:
    place: str
    cells: Mapping[str, str]

    def number(self, name: str) -> float | None:
        """Return a cell's number; None where it is empty or there is no such column."""
        text = self.cells.get(name, "").strip()
        if not text:
            return None
        if re.fullmatch(r"[+-]?\d+,\d+", text):
            text = text.replace(",", ".")
        try:
            number = float(text.replace("_", "?"))  # Python reads 1_000
        except ValueError:
            raise SchemaError(f"{self.place}: {name} is {text!r}; give a number.") from None
        if not math.isfinite(number):
            raise SchemaError(
                f"{self.place}: {name} is {text}, which is not a number that was measured; leave "
                f"the line out, and the minute counts as missing."
            )
        return number

    def required(self, name: str) -> float:
        number = self.number(name)
        if number is None:
            raise SchemaError(f"{self.place}: {name} is empty; give it, or leave the line out.")
        if number < 0:
            raise SchemaError(f"{self.place}: {name} is {number:g}; give a number from 0 on.")
        return number

    def latency(self, name: str) -> float | None:
        number = self.number(name)
        if number is None:
            return None
        if number <= 0:
            raise SchemaError(f"{self.place}: {name} is {number:g}; a latency is above 0.")
        if number > _SLOWEST_MS:
            raise SchemaError(
                f"{self.place}: {name} is {number:g}, more than {_SLOWEST_MS / 1000:g} s a frame; "
                f"give milliseconds, not microseconds or nanoseconds."
            )
        return number

    def celsius(self, name: str) -> float | None:
        number = self.number(name)
        if number is not None and not _COLDEST_C <= number <= _HOTTEST_C:
            other = "tenths of a degree" if number > 150 or number < _COLDEST_C else "Fahrenheit"
            raise SchemaError(
                f"{self.place}: {name} is {number:g}, which no battery has in use; give degrees "
                f"Celsius, not {other}."
            )
        return number


def _text(path: Path) -> str:
    if path.is_dir():
        raise SchemaError(f"{path} is a folder; name the CSV file of a series in it.")
    if not path.exists():
        raise SchemaError(f"There is no file {path}; name the CSV file of a series.")
    with path.open("rb") as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise SchemaError(f"{path} is larger than any series; name the CSV file of one run.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise SchemaError(f"{path} is not text in UTF-8; name the CSV file of a series.")
    if not text.strip():
        raise SchemaError(f"{path} is empty; name the CSV file of a series.")
    return text


def _lines(text: str, path: Path) -> tuple[list[str], list[_Line]]:
    """Return the names of the columns, and the lines below them that hold anything."""
    first = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    columns: list[str] = []
    lines: list[_Line] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            place = f"{path}, line {reader.line_num}"
            if not columns:
                columns = _columns(cells, path)
            elif len(cells) != len(columns):
                raise SchemaError(
                    f"{place}: there are {len(cells)} cells for {len(columns)} columns; the file "
                    f"may have been cut off."
                )
            else:
                lines.append(_Line(place, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        raise SchemaError(
            f"{path}, line {reader.line_num}: not CSV ({error}); it may have been cut off."
        ) from error
    return columns, lines


def _columns(cells: Sequence[str], path: Path) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SchemaError(
            f"{path}: the column {twice[0] or 'without a name'} is there twice; keep one."
        )
    times = [name for name in names if name in _TIMES]
    if len(times) > 1:
        raise SchemaError(f"{path}: {' and '.join(times)} both give the time; keep one.")
    if not times or _LATENCY not in names:
        lacking = [
            *([] if times else ["a time (minute, or seconds as t_s)"]),
            *([] if _LATENCY in names else [_LATENCY]),
        ]
        shown = ", ".join(name[:30] or "one without a name" for name in names[:10])
        raise SchemaError(
            f"{path} has no column for {' or '.join(lacking)}; its first line names {shown}."
        )
    return names


def _require_order(lines: Sequence[_Line], seconds: Sequence[float], time: str) -> None:
    for line, before, after in zip(lines[1:], seconds, seconds[1:], strict=False):
        if after <= before:
            how = "is there twice" if after == before else "comes after a later one"
            raise SchemaError(
                f"{line.place}: {time} {line.cells[time].strip()} {how}; give one run a file, in "
                f"the order of time."
            )


def _minute(index: int, lines: Sequence[_Line]) -> Minute:
    """Return one minute of the lines in it."""
    latencies, tails, temperatures = [], [], []
    for line in lines:
        latency, tail = line.latency(_LATENCY), line.latency(_TAIL)
        if latency is None:
            raise SchemaError(
                f"{line.place}: {_LATENCY} is empty; give it, or leave the line out, and the "
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


def _require_back_to_back(path: Path, lines: Sequence[_Line]) -> None:
    """Raise `SchemaError` where the frames take far less, or far more, than their minutes."""
    time = next(name for name in lines[0].cells if name in _TIMES)
    if time != "minute" or _FRAMES not in lines[0].cells:
        return  # what a line of seconds covers is not known
    busy = [
        frames * latency / 60_000
        for line in lines
        if (frames := line.number(_FRAMES)) is not None
        and (latency := line.latency(_LATENCY)) is not None
    ]
    if not busy or _LEAST_BUSY <= median(busy) <= _MOST_BUSY:
        return
    if median(busy) > _MOST_BUSY:
        raise SchemaError(
            f"{path}: its frames would take {median(busy):.3g} times the minute they are in; give "
            f"{_LATENCY} in milliseconds, and frames by the minute."
        )
    raise SchemaError(
        f"{path}: its frames take {median(busy):.0%} of each minute, so the phone had pauses; a "
        f"fit needs a run back to back, since a pause cools the phone."
    )
