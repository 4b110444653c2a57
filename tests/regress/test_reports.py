"""A report writes times and sizes in the unit that fits them, in every format."""

from __future__ import annotations

import dataclasses

import pytest

from mobilebench.regress import Rule, check, reports
from mobilebench.regress.annotations import as_annotations
from mobilebench.regress.junit import as_junit
from mobilebench.regress.markdown import as_markdown
from mobilebench.regress.review import Review
from mobilebench.values.record import Record
from tests.records import runs


def _sized(records: list[Record], count: int) -> list[Record]:
    return [
        dataclasses.replace(record, artifact=dataclasses.replace(record.artifact, size_bytes=count))
        for record in records
        if record.artifact is not None
    ]


@pytest.mark.parametrize(
    ("level_ms", "latency", "count", "size"),
    [
        (0.00035, " ns", 1_491_910, "1.49 MB"),
        (10, " ms", 350, "350 bytes"),
        (60_000, " s", 2_100_000_000, "2.10 GB"),
    ],
)
def test_units_fit_the_numbers(level_ms: float, latency: str, count: int, size: str) -> None:
    before = _sized(runs([level_ms] * 8, seed=1), count)
    after = _sized(runs([level_ms * 1.5] * 8, seed=2), count * 2)
    report = check(before, after, metrics=["latency p50", "size"])
    by_metric = {comparison.metric: reports.cells(comparison) for comparison in report.comparisons}
    for cell in by_metric["latency p50"][2:4]:
        assert cell.endswith(latency) and len(cell.split()[0].replace(".", "")) == 3
    assert by_metric["size"][2] == size
    review = Review(baseline="A", candidate="B", rule=report.rule, report=report)
    for text in (as_markdown(review), as_junit(review), as_annotations(review)):
        assert size in text and "e+0" not in text


@pytest.mark.parametrize(
    ("tolerance", "sentence"),
    [
        (
            0.03,
            "changes up to 3.0% do not matter (5.0% for latency p90, 25.0% for first load, "
            "5.0% for peak memory); 0.01 is",
        ),
        (0.08, "changes up to 8.0% do not matter (25.0% for first load); 0.01 is"),
        (0.3, "changes up to 30.0% do not matter; 0.01 is"),
    ],
)
def test_the_legend_states_the_tolerances_that_apply(tolerance: float, sentence: str) -> None:
    rule = Rule(tolerance=tolerance)
    report = check(runs([10.0] * 8, seed=1), runs([10.0] * 8, seed=2), rule)
    review = Review(baseline="A", candidate="B", rule=rule, report=report)
    assert sentence in as_markdown(review)
