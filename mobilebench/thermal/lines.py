"""Read the lines of a series from CSV, and refuse a quantity in another unit."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import SchemaError

TIMES = {"minute": 60.0, "t_s": 1.0, "seconds": 1.0, "second": 1.0, "time_s": 1.0}
LATENCY = "median_ms"
"""The columns that every series has: a time, with its seconds, and the latency."""
_SEPARATORS = (",", ";", "\t", "|")
_COLDEST_C, _HOTTEST_C = -30.0, 60.0
"""No battery is in use outside these; 20 to 40 degrees Celsius are 68 to 104 Fahrenheit."""
_SLOWEST_MS = 20_000.0
"""A minute with fewer than three frames has no median worth the name."""
_LARGEST_FILE = 16_000_000


@dataclass(frozen=True)
class Line:
    """One line of a series; its methods raise `SchemaError` with the line in the sentence."""

    place: str
    """The file and the line, for errors."""
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
        """Return a cell's number from 0 on."""
        number = self.number(name)
        if number is None:
            raise SchemaError(f"{self.place}: {name} is empty; give it, or leave the line out.")
        if number < 0:
            raise SchemaError(f"{self.place}: {name} is {number:g}; give a number from 0 on.")
        return number

    def latency(self, name: str) -> float | None:
        """Return a cell's milliseconds above 0; None where it is empty."""
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
        """Return a cell's degrees Celsius; None where it is empty."""
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


def read_lines(path: Path) -> tuple[list[str], list[Line]]:
    """Return the names of the columns, and the lines below them that hold anything.

    Raises `SchemaError`, which names the line.
    """
    text = _text(path)
    first = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    columns: list[str] = []
    lines: list[Line] = []
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
                lines.append(Line(place, dict(zip(columns, cells, strict=True))))
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
    times = [name for name in names if name in TIMES]
    if len(times) > 1:
        raise SchemaError(f"{path}: {' and '.join(times)} both give the time; keep one.")
    if not times or LATENCY not in names:
        lacking = [
            *([] if times else ["a time (minute, or seconds as t_s)"]),
            *([] if LATENCY in names else [LATENCY]),
        ]
        shown = ", ".join(name[:30] or "one without a name" for name in names[:10])
        raise SchemaError(
            f"{path} has no column for {' or '.join(lacking)}; its first line names {shown}."
        )
    return names
