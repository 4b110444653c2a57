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

from mobilebench.leaderboard import Row, groups, rank
from mobilebench.leaderboard.columns import NAMES, UNKNOWN, offered
from mobilebench.leaderboard.notes import notes
from mobilebench.leaderboard.table import as_table
from mobilebench.leaderboard.text import as_csv, as_json, as_markdown
from mobilebench.pages.board import as_page
from mobilebench.values.artifact import Agreement
from mobilebench.values.measurement import Diagnosis
from mobilebench.values.modelspec import Weights
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


def test_records_that_differ_in_weights_alone_are_rows_that_show_them() -> None:
    trained = Weights(origin="3fa2c1d0" * 8, state_sha256="1" * 64, key="ema")
    other = dataclasses.replace(
        FAST, record_id="e" * 32, model=dataclasses.replace(FAST.model, weights=trained)
    )
    rows = _rows(FAST, other)
    assert {row.weights for row in rows} == {"random", "3fa2c1d0 ema"}
    assert {row.name.rpartition(", ")[2] for row in rows} == {
        "weights random",
        "weights 3fa2c1d0 ema",
    }
    assert "weights" in [column.title for column in offered(rows)]
    sentences = notes(rows, NAMES)
    assert {"row 1: random weights.", "row 2: random weights."} & {*sentences}
    console = Console(width=60, file=io.StringIO())
    console.print(as_table(rows, 60))
    assert isinstance(console.file, io.StringIO)
    assert "3fa2c1d0" in console.file.getvalue()
    [row] = _rows(FAST)
    assert row.name.endswith("smoke-1")
    assert "weights" not in [column.title for column in offered([row])]


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
    told = " ".join(notes([row], NAMES))
    assert "calibrated on noise" in told
    assert "differs from PyTorch: relative error 5.0e-07" in told
    assert "differs from PyTorch: it names the same class as PyTorch for 60.0% of 256" in told
    assert "differs" not in " ".join(notes(_rows(FAST), NAMES))


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
        "random weights",
        "suspect: noisy samples",
    ):
        assert mark in row.marks
        for shown in (as_csv([row]), as_json([row]), as_markdown([row]), as_page([row])):
            assert mark in shown


def test_notes_say_which_rows_they_are_about() -> None:
    rows = _rows(measured(reasons=(Diagnosis.NOISY_SAMPLES,)), SLOW)
    sentences = notes(rows, NAMES)
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
    tables = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in tables} == {len(offered(_rows())) + 2}
    assert len(tables) == 3 * (2 + 1), "a group for each number of threads, and failed exports"
    assert any("failed at export: Unsupported" in line for line in lines)


@pytest.mark.parametrize("width", [90, 120, 220])
def test_the_terminal_shows_rows_and_notes(width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(as_table(_rows(), width))
    shown = console.export_text()
    assert "11.0 ms" in shown and "40.0 ms" in shown and UNKNOWN in shown and "failed" in shown
    assert "too short for a result" in shown
    assert "mobilevig_ti" in shown and ("5.0e-07" in shown) == (width > 90)
    assert (f"{'SNR dB'} " in shown.splitlines()[1]) == (width == 220)
    assert ("left out: " in shown) == (width < 220)


class _Tags(HTMLParser):
    """Counts table rows and collects the links that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "data")
        ]


def test_the_page_is_one_file_that_fetches_nothing() -> None:
    page = as_page(_rows())
    tags = _Tags()
    tags.feed(page)
    assert page.count('<tr role="row"') == 3 + 3, (
        "three tables: 1 thread, 2 threads, and failed to export"
    )
    assert tags.fetched and all(
        link.startswith("data:") or link in ("#notes", "#main") for link in tags.fetched
    )
    assert not re.search(r"@import|url\(", re.sub("(?s)<script>.*?</script>", "", page))
    assert page.count('class="plot"') == 2, "accuracy against latency, and latencies"


def test_names_from_records_cannot_write_html() -> None:
    page = as_page(_rows(measured(model="<script>alert(1)</script>")))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_board_of_failures_has_no_chart() -> None:
    page = as_page(_rows(FAILED))
    assert 'class="plot"' not in page and "vega" not in page


def test_a_round_that_ended_early_is_shown_and_not_a_crash() -> None:
    """A slow network fills no round of 50, and has too few samples to trim ten at each end."""
    [row] = _rows(measured(protocol_id="modelbench-1"))
    assert "modelbench-1: trimmed mean too few samples for it" in row.marks


def test_frames_of_rounds_without_samples_are_not_counted() -> None:
    record = measured(protocol_id="paced-30fps-1")
    assert record.job is not None
    protocol = dataclasses.replace(record.job.protocol, rounds=3)
    [row] = _rows(
        dataclasses.replace(record, job=dataclasses.replace(record.job, protocol=protocol))
    )
    assert any("frames missed" in mark for mark in row.marks)


def _device(record: Record, id_: str, model: str) -> Record:
    device = dataclasses.replace(record.device, id=id_, model=model)
    return dataclasses.replace(record, device=device, record_id=f"{id_}-{record.record_id}"[:64])


def _shown(rows: list[Row], width: int) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(as_table(rows, width))
    return console.export_text()


@pytest.mark.parametrize("width", [40, 60, 72, 80, 100])
def test_a_narrow_terminal_has_what_matters_whole_and_says_what_it_lacks(width: int) -> None:
    long = measured(model="edgeformer.edgeformer_small", resolution=256, latencies_ns=[1, 350])
    rows = _rows(_device(long, "adb:R58M123ABC", "Galaxy S24"), _device(FAST, "host", "AMD"))
    shown = _shown(rows, width)
    table, notes_ = shown[: shown.index("row 1")], shown[shown.index("row 1") :]
    letters = re.sub(r"\s", "", table)
    assert max(map(len, shown.splitlines())) <= width
    assert "350 ns" in table and "11.0 ms" in table
    assert "p50" in table and "Galaxy S24 (adb:R58M123ABC" in table and "AMD (host" in table
    if width >= 80:
        for name in ("edgeformer.edgeformer_small@256", "onnx-fp32-opset20"):
            assert name in letters
    left_out = " ".join(notes_.split()).partition("left out: ")[2]
    assert "SNR dB" in left_out and "p50" not in left_out
    assert "…" not in shown


def test_every_letter_of_a_name_is_there_at_sixty_columns() -> None:
    long = measured(model="edgeformer.edgeformer_small", resolution=256)
    [row] = _rows(_device(long, "adb:R58M123ABC", "Galaxy S24"))
    lines = _shown([row], 60).splitlines()
    assert lines[0] == "Galaxy S24 (adb:R58M123ABC, cpu), protocol smoke-1"
    head = lines[1]
    for title, name in (
        ("model", "edgeformer.edgeformer_small@256"),
        ("artifact", "onnx-fp32-opset20"),
    ):
        start = head.index(title)
        ends = [head.find(f" {other}", start) for other in ("artifact", "p50")]
        end = min([place for place in ends if place > start], default=len(head))
        cell = "".join(line[start:end].strip() for line in lines[2:7] if line[:1] in "1 ")
        assert cell.startswith(name), (title, cell)


def test_rows_that_differ_in_one_thing_alone_show_that_thing_at_every_width() -> None:
    protocols = _rows(FAST, measured(record_id="e" * 32, protocol_id="burst-1"))
    assert "burst-1" in _shown(protocols, 60) and "smoke-1" in _shown(protocols, 60)
    threads = _rows(FAST, SLOW)
    assert "threads" in _shown(threads, 60).splitlines()[1]
    hosts = _rows(_device(FAST, "host", "AMD EPYC"), _device(FAST, "host", "Apple M2"))
    assert len({row.record_id for row in hosts}) == 1, "the same id, on two machines"
    assert "AMD EPYC" in _shown(hosts, 70) and "Apple M2" in _shown(hosts, 70)


def test_a_chart_is_of_one_device_and_protocol_and_names_both() -> None:
    phones = [_device(FAST, "pixel", "Pixel 8"), _device(FAST, "galaxy", "Galaxy S24")]
    burst = _device(measured(protocol_id="burst-1"), "pixel", "Pixel 8")
    rows = _rows(*phones, burst)
    titles = [group.heading for group in groups(rows)]
    assert titles == [
        "Galaxy S24 (galaxy, cpu), protocol smoke-1",
        "Pixel 8 (pixel, cpu), protocol burst-1",
        "Pixel 8 (pixel, cpu), protocol smoke-1",
    ]
    page = as_page(rows)
    parts = page.replace("<wbr>", "").split("<h2>")[1:]
    charts = [part for part in parts if 'class="plot"' in part]
    assert [part[: len(title)] for part, title in zip(charts, titles, strict=True)] == titles
    assert page.count('<table class="board') == 3


def test_the_page_works_in_the_dark_and_without_a_script() -> None:
    page = as_page(_rows())
    assert "prefers-color-scheme: dark" in page and 'content="light dark"' in page
    head, _, script = page.partition("<script>")
    assert 'id="tools" hidden' in head, "what only works with the script is shown by it"
    assert 'getElementById("tools")' in script
    assert head.count('<tr role="row"') == 3 + 3


@pytest.mark.parametrize(
    ("nanoseconds", "text"), [(350, "350 ns"), (90_000_000_000, "90.0 s"), (5_500, "5.50 µs")]
)
def test_latencies_from_nanoseconds_to_minutes_have_three_digits(
    nanoseconds: int, text: str
) -> None:
    rows = _rows(measured(latencies_ns=[1, nanoseconds]))
    for shown in (as_markdown(rows), as_page(rows), _shown(rows, 100)):
        assert text in shown
