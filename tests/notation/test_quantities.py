"""Durations and sizes keep three significant digits, in the unit that fits them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilebench.notation.quantities import counted, duration, quantity, size

_NS = {"ns": 1.0, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9}
_BYTES = {"bytes": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0 ns"),
        (0.5, "0.500 ns"),
        (1, "1 ns"),
        (350, "350 ns"),
        (999.4, "999 ns"),
        (999.6, "1.00 µs"),
        (1_234, "1.23 µs"),
        (12_975_000, "13.0 ms"),
        (999_600_000, "1.00 s"),
        (90e9, "90.0 s"),
        (119.9e9, "2.00 min"),
        (118e9, "118 s"),
        (5_400e9, "90.0 min"),
        (-1_500_000, "-1.50 ms"),
    ],
)
def test_durations(nanoseconds: float, text: str) -> None:
    assert duration(nanoseconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (350, "350 bytes"),
        (999, "999 bytes"),
        (1_491_910, "1.49 MB"),
        (999_950, "1.00 MB"),
        (21_225_214, "21.2 MB"),
        (2_100_000_000, "2.10 GB"),
        (7e15, "7000 TB"),
    ],
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


def test_a_number_that_was_stated_in_a_unit_goes_to_the_unit_that_fits() -> None:
    assert quantity(0.00035, "ms") == "350 ns"
    assert quantity(90_000, "ms") == "90.0 s"
    assert quantity(1_491_910, "bytes") == "1.49 MB"
    assert quantity(0.0004, "MB") == "400 bytes"
    assert quantity(22, "operations off") == "22 operations off"
    assert quantity(3, "") == "3"


@given(st.floats(1e-2, 1e13), st.sampled_from([(duration, _NS), (size, _BYTES)]))
def test_every_text_is_within_half_of_its_last_digit(number: float, kind: tuple) -> None:  # type: ignore[type-arg]
    write, units = kind
    match = re.fullmatch(r"([\d.]+) (\S+)", write(number))
    assert match
    assert float(match[1]) * units[match[2]] == pytest.approx(number, rel=0.0051)
    assert len(match[1].replace(".", "").lstrip("0")) <= 4
    assert float(match[1]) < 1000 or match[2] in ("min", "TB")


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (2, ("row",), "2 rows"),
        (1, ("entry", "entries"), "1 entry"),
        (3, ("entry", "entries"), "3 entries"),
    ],
)
def test_a_noun_has_the_number_of_its_things(number: int, words: list[str], text: str) -> None:
    assert counted(number, *words) == text
