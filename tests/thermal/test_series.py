"""Series as CSV: what is read, and what is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.errors import SchemaError
from mobilebench.thermal.series import Series, read_series

DATA = Path(__file__).parent.parent / "data" / "thermal"
HEAD = "minute,median_ms,battery_temp_c"
LINES = tuple(f"{minute},{20 + minute},{30 + minute / 10}" for minute in range(1, 9))
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a file of lines."""

    def write(*lines: str) -> Path:
        path = tmp_path / "run.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def _indices(series: Series) -> list[int]:
    return [minute.index for minute in series.minutes]


def test_a_real_series_is_read_whole() -> None:
    series = read_series(DATA / "galaxym53-dimensity900-1280.csv")
    assert series.file == "galaxym53-dimensity900-1280.csv" and series.missing == ()
    assert _indices(series) == list(range(30)) and series.length == 30
    first = series.minutes[0]
    assert (first.median_ms, first.p90_ms, first.battery_c) == (540.5, 756.5, 19.8)
    assert series.medians_ms[-1] == 599.0


def test_a_time_and_a_median_are_enough(write: Write) -> None:
    series = read_series(write("minute,median_ms", *(f"{m},{10 + m}" for m in range(6))))
    assert series.medians_ms == (10, 11, 12, 13, 14, 15) and _indices(series) == list(range(6))
    assert all(minute.battery_c is None and minute.p90_ms is None for minute in series.minutes)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_and_orders_of_columns_are_read(write: Write, separator: str) -> None:
    lines = (separator.join(reversed(line.split(","))) for line in (HEAD, *LINES))
    series = read_series(write(*lines))
    assert series.medians_ms == tuple(20.0 + minute for minute in range(1, 9))
    assert series.minutes[0].battery_c == 30.1


def test_decimal_commas_are_read(write: Write) -> None:
    series = read_series(write("minute;median_ms", *(f"{m};1{m},5" for m in range(1, 7))))
    assert series.medians_ms == (11.5, 12.5, 13.5, 14.5, 15.5, 16.5)


def test_lines_of_seconds_are_put_together_by_the_minute(write: Write) -> None:
    lines = [f"{20 * turn},{100 + turn}" for turn in range(18)]
    series = read_series(write("t_s,median_ms", *lines))
    assert series.medians_ms == (101, 104, 107, 110, 113, 116)


def test_a_gap_is_no_value_and_is_named_as_the_file_counts(write: Write) -> None:
    series = read_series(write(HEAD, *LINES[:3], *LINES[5:]))
    assert series.missing == (4, 5) and _indices(series) == [0, 1, 2, 5, 6, 7]
    late = read_series(write(HEAD, *LINES[2:]))
    assert late.missing == (1, 2) and _indices(late) == [2, 3, 4, 5, 6, 7]


def test_what_runs_back_to_back_is_told_from_what_does_not(write: Write) -> None:
    def lines(frames: int) -> tuple[str, ...]:
        return ("minute,frames,median_ms", *(f"{m},{frames},20" for m in range(1, 9)))

    assert len(read_series(write(*lines(2900))).minutes) == 8
    with pytest.raises(SchemaError, match="30% of each minute, so the phone had pauses"):
        read_series(write(*lines(900)))
    with pytest.raises(SchemaError, match="40 times the minute.*in milliseconds"):
        read_series(write(*lines(120_000)))


BAD = {
    "no time": (("mins,median_ms", "1,2"), "no column for a time .*names mins, median_ms"),
    "no latency": (("minute,mean_ms", "1,2"), "no column for median_ms; .* minute, mean_ms"),
    "neither": (("a,b", "1,2"), "a time .* or median_ms"),
    "microseconds by name": (("minute,median_us", "1,2"), "no column for median_ms"),
    "a column twice": (("minute,median_ms,median_ms", "1,2,3"), "median_ms is there twice"),
    "two times": (("minute,t_s,median_ms", "1,60,3"), "minute and t_s both give the time"),
    "only a header": ((HEAD,), "has 0 minutes, too few"),
    "four minutes": ((HEAD, *LINES[:4]), "has 4 minutes, too few .* at least 5"),
    "time goes back": ((HEAD, *LINES[:5], "2,20,30"), "line 7: minute 2 comes after a later"),
    "time repeats": ((HEAD, *LINES[:5], "5,20,30"), "line 7: minute 5 is there twice"),
    "time is negative": ((HEAD, "-1,20,30", *LINES), "line 2: minute is -1"),
    "time is empty": ((HEAD, ",20,30", *LINES), "line 2: minute is empty"),
    "Fahrenheit": ((HEAD, *LINES, "9,20,86.2"), "line 10: battery_temp_c is 86.2.*Fahrenheit"),
    "tenths": ((HEAD, *LINES, "9,20,312"), "battery_temp_c is 312.*tenths of a degree"),
    "latency 0": ((HEAD, *LINES, "9,0,31"), "line 10: median_ms is 0; a latency is above 0"),
    "latency below 0": ((HEAD, *LINES, "9,-4,31"), "median_ms is -4"),
    "latency empty": ((HEAD, *LINES, "9,,31"), "line 10: median_ms is empty.*counts as missing"),
    "NaN": ((HEAD, *LINES, "9,nan,31"), "line 10: median_ms is nan, which is not a number"),
    "infinite": ((HEAD, *LINES, "9,inf,31"), "median_ms is inf"),
    "a word": ((HEAD, *LINES, "9,fast,31"), "line 10: median_ms is 'fast'; give a number"),
    "microseconds": ((HEAD, *LINES, "9,195700,31"), "195700, more than 20 s .* milliseconds, not"),
    "cells": ((HEAD, *LINES, "9,20"), "line 10: there are 2 cells for 3 columns"),
    "an open quote": ((HEAD, *LINES, '9,20,"31'), "not CSV"),
    "mostly gaps": ((HEAD, *LINES, "40,20,31"), r"has 9 of 40 minutes, and lacks minutes 9, 10"),
    "seconds as minutes": ((HEAD, *LINES, "1800,20,31"), "goes to minute 1800.*t_s"),
    "p90": (("minute,median_ms,p90_ms", *(f"{m},9,8" for m in range(6))), "p90 is below"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_in_one_sentence(write: Write, case: str) -> None:
    lines, sentence = BAD[case]
    with pytest.raises(SchemaError, match=sentence) as caught:
        read_series(write(*lines))
    text = str(caught.value)
    assert "run.csv" in text and text.endswith(".") and "\n" not in text


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    for content, sentence in (
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not text"),
        ("minute,median_ms\n".encode("utf-16"), "is not text in UTF-8"),
    ):
        path.write_bytes(content)
        with pytest.raises(SchemaError, match=sentence):
            read_series(path)
    with pytest.raises(SchemaError, match="is a folder; name the CSV file"):
        read_series(tmp_path)
    with pytest.raises(SchemaError, match="There is no file"):
        read_series(tmp_path / "nothing.csv")
