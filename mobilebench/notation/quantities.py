"""Write durations, sizes and counts with three digits and a fitting unit or noun."""

from __future__ import annotations

import math

_DURATIONS = (("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("min", 60e9))
"""Units with their nanoseconds; a minute begins where three digits of seconds end."""
_SIZES = (("bytes", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12))
_COUNTS = (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12))
_DIGITS = 3
_LONGEST_IN_SECONDS = 120.0


def duration(nanoseconds: float) -> str:
    """Write a duration, such as `350 ns`, `11.2 ms` or `90.0 s`; from two minutes, `2.00 min`."""
    rounded = _rounded(nanoseconds)
    units = _DURATIONS if abs(rounded) >= _LONGEST_IN_SECONDS * 1e9 else _DURATIONS[:-1]
    return _written(nanoseconds, units)


def size(count: float) -> str:
    """Write a number of bytes, such as `350 bytes`, `1.49 MB` or `2.10 GB` (powers of 1000)."""
    return _written(count, _SIZES)


def count(number: float) -> str:
    """Write how many there are of something, such as `350`, `5.27 M` or `1.82 G`."""
    return _written(number, _COUNTS).strip()


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number of things with its noun, such as `1 row` or `2 rows`.

    `many` is the plural of a noun that has another than with an s.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def quantity(number: float, unit: str) -> str:
    """Write a number that was stated in `unit`.

    Times and sizes go to the unit that fits them; any other number has its unit behind it, if any.
    """
    for scales, write in ((_DURATIONS, duration), (_SIZES, size)):
        for name, scale in scales:
            if unit == name:
                return write(number * scale)
    return f"{number:.6g} {unit}".strip()


def _written(number: float, units: tuple[tuple[str, float], ...]) -> str:
    if not math.isfinite(number):
        return f"{number} {units[0][0]}"
    # Rounded first: 999.6 ns is 1.00 µs, not 1000 ns.
    rounded = _rounded(number)
    name, scale = units[0]
    for each in units:
        if abs(rounded) >= each[1]:
            name, scale = each
    return f"{_digits(_rounded(number / scale), whole=scale == 1.0)} {name}"


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS - 1}e}") if math.isfinite(number) else number


def _digits(number: float, *, whole: bool) -> str:
    """Write a rounded number with its significant digits; whole numbers of the least unit bare."""
    if whole and number == int(number):
        return str(int(number))
    before = 1 if number == 0 else math.floor(math.log10(abs(number))) + 1
    return f"{number:.{max(0, _DIGITS - before)}f}"
