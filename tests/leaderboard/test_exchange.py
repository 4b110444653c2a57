"""Export for other tools every measured row with its marks, and no other row."""

from __future__ import annotations

import json

from mobilebench.leaderboard import exchange, rank
from tests.records import failed_export, measured

ROWS = rank([measured(), measured(record_id="c" * 32, threads=2), failed_export(target="opset18")])


def test_latex_has_a_line_for_each_row_and_its_notes() -> None:
    text = exchange.as_latex(ROWS)
    assert text.startswith("\\begin{tabular}{") and text.count(r" \\") == 1 + len(ROWS)
    assert r"mobilevig\_ti" in text and "mobilevig_ti" not in text
    assert "all rows: measured on simulated (Made-up phone), not on a phone." in text
    assert r"75.7 \%" in text


def test_github_action_benchmark_takes_medians_in_ms() -> None:
    entries = json.loads(exchange.as_github_benchmark(ROWS))
    assert [(entry["value"], entry["unit"]) for entry in entries] == [(11.0, "ms"), (11.0, "ms")]
    assert len({entry["name"] for entry in entries}) == 2
    assert "weights not from a checkpoint" in entries[0]["extra"]


def test_bencher_takes_nanoseconds_and_bytes() -> None:
    told = json.loads(exchange.as_bencher(ROWS))
    assert len(told) == 2
    for measures in told.values():
        latency = measures["latency"]
        assert latency["value"] == 11_000_000
        assert latency["lower_value"] == 10_000_000 <= latency["value"] <= latency["upper_value"]
        assert measures["file-size"] == {"value": 21_225_214}


def test_names_stay_the_same_when_the_runtime_is_updated() -> None:
    [entry] = json.loads(exchange.as_github_benchmark(rank([measured()])))
    assert entry["name"] == (
        "mobilevig_ti onnx-fp32-opset20, onnxruntime cpu x1, Made-up phone (ios:0000), smoke-1"
    )
