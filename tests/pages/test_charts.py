"""The charts: what they draw, what they say, and that they become pictures."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mobilebench.errors import UserError
from mobilebench.leaderboard.view import View
from mobilebench.notation.picture import Picture
from mobilebench.pages import choosing
from mobilebench.pages.choosing import Chart
from mobilebench.pages.distribution import distribution
from mobilebench.pages.figure import picture_of
from mobilebench.pages.stored import StoredPages
from mobilebench.pages.timeline import timeline
from mobilebench.values.measurement import Measurement, Phase, Samples
from tests.pages.examples import SIMULATED, hot, made
from tests.records import failed_export


def _samples(latencies_ns: list[int], every_ns: int = 1_000_000_000) -> Samples:
    count = len(latencies_ns)
    return Samples(
        t_ns=tuple(every_ns * each for each in range(count)),
        latency_ns=tuple(latencies_ns),
        phase=(Phase.MEASURED,) * count,
        round=(0,) * count,
    )


def test_a_timeline_has_a_panel_for_what_the_device_told_and_no_more() -> None:
    short = timeline(made("mobilevig_ti", level_ms=10))
    assert short is not None and len(short.spec["vconcat"]) == 1
    heat = timeline(hot("mobilevig_ti", level_ms=10, slower=0.5, widths=True))
    assert heat is not None
    titles = [
        panel.get("layer", [panel])[0]["encoding"]["y"]["title"] for panel in heat.spec["vconcat"]
    ]
    assert titles == [
        "latency, ms", "temperature, °C", "status", "width", "clock allowed, MHz",
    ]  # fmt: skip
    assert "The warmest thermal status was serious from minute 9.0" in heat.summary
    assert "widths 1, 0.5" in heat.summary
    assert timeline(failed_export()) is None


def test_a_long_run_is_drawn_by_spans_and_its_table_has_ten_lines() -> None:
    figure = timeline(hot("mobilevig_ti", level_ms=10, slower=0.5))
    assert figure is not None
    first = figure.spec["vconcat"][0]["data"]["values"]
    assert len(first) == 300 and {"low", "y", "high"} <= first[0].keys()
    assert len(figure.table.rows) == 10
    assert figure.table.titles[-2:] == ("skin, °C", "battery, °C")
    assert all(len(row) == len(figure.table.titles) for row in figure.table.rows)


def test_the_status_of_a_timeline_holds_until_it_changes() -> None:
    figure = timeline(hot("mobilevig_ti", level_ms=10, slower=0.5))
    assert figure is not None
    steps = [(step["t"], step["word"]) for step in figure.spec["vconcat"][2]["data"]["values"]]
    assert steps[:3] == [(0.0, "nominal"), (6.0, "fair"), (9.0, "serious")]
    assert steps[-1][1] == "serious" and steps[-1][0] == pytest.approx(30, abs=0.01)


def test_one_slow_inference_does_not_squeeze_the_others() -> None:
    record = made("mobilevig_ti", level_ms=10)
    assert isinstance(record.outcome, Measurement)
    latencies = [10_000_000 + 10_000 * each for each in range(99)] + [900_000_000]
    slow = replace(record, outcome=replace(record.outcome, samples=_samples(latencies)))
    figure = distribution(slow)
    assert figure is not None
    bars = figure.spec["layer"][0]["data"]["values"]
    assert max(bar["x2"] for bar in bars) < 12
    assert sum(bar["count"] for bar in bars) == 99
    assert "1 inference above" in figure.summary and "up to 900 ms" in figure.summary
    assert sum(int(row[1]) for row in figure.table.rows) == 100, "the table leaves nothing out"


@pytest.mark.parametrize("latencies", [[5_000_000], [5_000_000] * 50, [1, 2]])
def test_few_and_equal_latencies_can_be_drawn(latencies: list[int]) -> None:
    record = made("mobilevig_ti", level_ms=10)
    assert isinstance(record.outcome, Measurement)
    odd = replace(record, outcome=replace(record.outcome, samples=_samples(latencies)))
    figures = [timeline(odd), distribution(odd)]
    for figure in figures:
        assert figure is not None
        json.dumps(figure.spec, allow_nan=False)
        assert picture_of([figure], Picture.SVG).startswith(b"<svg")


@pytest.mark.parametrize("name", [each for each in Chart if each is not Chart.PARETO])
def test_every_chart_becomes_a_picture_of_each_kind(name: Chart, source: StoredPages) -> None:
    rows = source.rows(View())
    of = {
        Chart.COMPARE: "mobilevig_ti,rapidnet_ti",
        Chart.TIMELINE: next(row.record_id for row in rows if row.device == SIMULATED.id),
        Chart.DISTRIBUTION: rows[0].record_id,
        Chart.HISTORY: next(row.record_id for row in rows if row.model == "mobilevit_xs"),
    }
    figures = choosing.charts(name, rows, source, of.get(name))
    drawn = picture_of(figures, Picture.SVG).decode()
    for figure in figures:
        assert figure.table.rows and figure.summary
    assert drawn.startswith("<svg") and "undefined" not in drawn and "NaN" not in drawn
    if name is Chart.TIMELINE:
        assert "(simulated)" in drawn, "a picture says what is no phone"
        assert picture_of(figures, Picture.PNG).startswith(b"\x89PNG")
        assert picture_of(figures, Picture.PDF).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("name", "of", "sentence"),
    [
        (Chart.COMPARE, None, "give --of ONE,OTHER"),
        (Chart.COMPARE, "mobilevig_ti,none", "are not two models or two devices"),
        (Chart.HISTORY, None, "name the record with --of ID"),
        (Chart.TIMELINE, None, "too many for one picture"),
        (Chart.TIMELINE, "zz", "No row is of a record that begins with 'zz'"),
    ],
)
def test_what_a_chart_is_about_has_to_be_clear(
    name: Chart, of: str | None, sentence: str, source: StoredPages
) -> None:
    with pytest.raises(UserError, match=sentence):
        choosing.charts(name, source.rows(View()), source, of)
