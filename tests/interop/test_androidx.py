"""Read AndroidX benchmarks: classes, and metrics that are no latencies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mobilebench import interop
from mobilebench.errors import SchemaError
from mobilebench.values.reported import Reported

TIMES = {"minimum": 5.5, "maximum": 6.25, "median": 5.75, "runs": [5.5, 5.75, 6.25]}
STARTUP = {"timeToInitialDisplayMs": {"minimum": 1, "maximum": 1, "median": 1, "runs": [1]}}


def _benchmark(name: str, in_class: str, metrics: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "className": in_class, "metrics": metrics, "repeatIterations": 5000}


def _read(tmp_path: Path, *benchmarks: dict[str, Any]) -> list[Reported]:
    file = tmp_path / "x-benchmarkData.json"
    context = {"build": {"model": "Pixel 8", "version": {"sdk": 34}}}
    file.write_text(json.dumps({"context": context, "benchmarks": benchmarks}))
    return interop.read(file)


def test_two_classes_with_one_method_are_two_networks(tmp_path: Path) -> None:
    a, b, other = _read(
        tmp_path,
        _benchmark("run[threads=4]", "app.NetA", {"timeNs": TIMES}),
        _benchmark("run[threads=4]", "app.NetB", {"timeNs": TIMES}),
        _benchmark("net_c", "app.NetC", {"timeNs": TIMES, "allocationCount": {"median": 324}}),
        _benchmark("startup", "app.Startup", STARTUP),
    )
    assert (a.model, b.model) == ("app.NetA.run[threads=4]", "app.NetB.run[threads=4]")
    assert (other.model, other.remarks[0]) == ("net_c", "class app.NetC")
    assert other.latency.p50_ns == 5.75
    assert "each sample is the mean of 5000 inferences" in other.remarks


def test_metrics_that_are_no_time_of_an_inference_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="only timeNs is a latency .* has timeToInitialDisplayMs"):
        _read(tmp_path, _benchmark("startup", "app.Startup", STARTUP))


@pytest.mark.parametrize(
    "wrong",
    [{"median": 0}, {"median": "5"}, {"median": True}, {"runs": [0.0, 1.0]}, {"minimum": 9.0}],
)
def test_one_wrong_benchmark_refuses_the_file(tmp_path: Path, wrong: dict[str, Any]) -> None:
    good = _benchmark("a", "app.A", {"timeNs": TIMES})
    with pytest.raises(SchemaError):
        _read(tmp_path, good, _benchmark("b", "app.B", {"timeNs": {**TIMES, **wrong}}))
