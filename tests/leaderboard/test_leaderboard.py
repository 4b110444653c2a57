"""Compute rows from samples, and show the same rows and marks in every output."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from mobilebench.leaderboard import Row, rank
from mobilebench.leaderboard.chart import latency_svg
from mobilebench.leaderboard.columns import COLUMNS, UNKNOWN, notes
from mobilebench.leaderboard.page import as_page
from mobilebench.leaderboard.table import as_table
from mobilebench.leaderboard.text import as_csv, as_json, as_markdown
from mobilebench.values.artifact import Agreement
from mobilebench.values.measurement import Diagnosis
from mobilebench.values.recipe import NOISE, Calibration, ExportRecipe, Format, Precision
from mobilebench.values.record import Record
from tests.records import failed_export, measured

SLOW = measured(
    record_id="c" * 32, threads=2, latencies_ns=[9_000_000, 30_000_000, 40_000_000, 50_000_000]
)
FAST = measured()
FAILED = failed_export(target="opset18")


def _rows(*records: Record) -> list[Row]:
    return rank(records or (FAILED, SLOW, FAST))


def test_latency_is_that_of_the_measured_samples_alone() -> None:
    [row] = _rows(FAST)
    assert (row.p50_ms, row.min_ms) == (11.0, 10.0)
    assert row.p90_ms == pytest.approx(11.8)
    assert row.first_load_ms == 50.0


def test_the_fastest_comes_first_and_failures_last() -> None:
    rows = _rows()
    assert [row.p50_ms for row in rows] == [11.0, 40.0, None]
    assert rows[2].failure == "export: Unsupported: no such operator"


def test_the_newest_record_of_a_cell_counts() -> None:
    newer = measured(
        record_id="d" * 32, created="2027-01-01T00:00:00.000Z", latencies_ns=[1, 5_000_000]
    )
    [row] = _rows(newer, FAST)
    assert row.record_id == "d" * 32


def test_a_quantized_file_says_what_its_ranges_are_from_and_how_often_it_agrees() -> None:
    facts = FAST.artifact
    assert facts is not None
    agreement = Agreement(evaluated_by="litert 2", source=NOISE, inputs=256, top1=0.6, least=0.7)
    recipe = ExportRecipe(format=Format.TFLITE, precision=Precision.INT8, calibration=Calibration())
    [parity] = facts.parity
    unequal = dataclasses.replace(
        facts, agreement=agreement, parity=(dataclasses.replace(parity, passed=False),)
    )
    [row] = _rows(dataclasses.replace(FAST, recipe=recipe, artifact=unequal))
    assert row.artifact == "tflite-int8-noise" and row.agreement == 0.6
    told = " ".join(notes([row]))
    assert "calibrated on noise" in told
    assert "differs from PyTorch: relative error 5.0e-07" in told
    assert "differs from PyTorch: it names the same class as PyTorch for 60.0% of 256" in told
    assert "differs" not in " ".join(notes(_rows(FAST)))


def test_a_failed_export_is_shown_until_the_same_recipe_was_measured() -> None:
    assert len(_rows(failed_export(target="opset18"), FAST)) == 2
    assert len(_rows(failed_export(target="opset20"), FAST)) == 1


def test_image_sizes_are_rows_of_their_own_and_shown() -> None:
    rows = _rows(FAST, measured(record_id="e" * 32, resolution=256))
    assert {row.model for row in rows} == {"mobilevig_ti", "mobilevig_ti@256"}


def test_what_is_not_a_phones_result_says_so_everywhere() -> None:
    [row] = _rows(measured(reasons=(Diagnosis.NOISY_SAMPLES,)))
    for mark in (
        "measured on simulated (Made-up phone), not on a phone",
        "smoke-1: too short for a result",
        "weights not from a checkpoint",
        "suspect: noisy samples",
    ):
        assert mark in row.marks
        for shown in (as_csv([row]), as_json([row]), as_markdown([row]), as_page([row])):
            assert mark in shown


def test_notes_say_which_rows_they_are_about() -> None:
    rows = _rows(measured(reasons=(Diagnosis.NOISY_SAMPLES,)), SLOW)
    sentences = notes(rows)
    assert "all rows: smoke-1: too short for a result." in sentences
    assert "row 1: suspect: noisy samples." in sentences
    assert any(line.startswith("published accuracy, not measured here") for line in sentences)


def test_csv_holds_every_field_and_nothing_for_what_is_not_known() -> None:
    lines = list(csv.DictReader(io.StringIO(as_csv(_rows()))))
    assert set(lines[0]) == {field.name for field in dataclasses.fields(Row)}
    by_id = {line["record_id"]: line for line in lines}
    assert by_id["a" * 32]["p50_ms"] == "11.0"
    assert by_id["b" * 32]["p50_ms"] == ""
    assert by_id["b" * 32]["failure"] == "export: Unsupported: no such operator"


def test_json_is_the_rows() -> None:
    plain = json.loads(as_json(_rows(FAST)))
    assert plain[0]["p50_ms"] == 11.0 and plain[0]["delegate"] is None


def test_markdown_is_a_table_with_its_notes() -> None:
    lines = as_markdown(_rows()).splitlines()
    assert lines[0].count("|") == len(COLUMNS) + 2
    assert {line.count("|") for line in lines[:5]} == {len(COLUMNS) + 2}
    assert any("failed at export: Unsupported" in line for line in lines)


@pytest.mark.parametrize("width", [90, 120, 220])
def test_the_terminal_shows_rows_and_notes(width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(as_table(_rows(), width))
    shown = console.export_text()
    assert "11.00" in shown and "40.00" in shown and UNKNOWN in shown
    assert "too short for a result" in shown
    assert "mobilevig_ti" in shown and "5.0e-07" in shown
    assert ("SNR dB" in shown) == (width == 220)


class _Tags(HTMLParser):
    """Counts table rows and collects the links that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.rows += tag == "tr"
        self.fetched += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "data")
        ]


def test_the_page_is_one_file_that_fetches_nothing() -> None:
    page = as_page(_rows())
    tags = _Tags()
    tags.feed(page)
    assert tags.rows == 1 + 3
    assert tags.fetched and all(link.startswith("data:") for link in tags.fetched)
    assert not re.search(r"@import|url\(", page)
    assert "<svg" in page


def test_names_from_records_cannot_write_html() -> None:
    page = as_page(_rows(measured(model="<script>alert(1)</script>")))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_board_of_failures_has_no_chart() -> None:
    assert latency_svg(_rows(FAILED)) is None
    assert "<svg" not in as_page(_rows(FAILED))
