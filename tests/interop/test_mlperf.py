"""Read LoadGen's summaries: latencies of single inferences, or the throughput."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench import interop
from mobilebench.errors import SchemaError
from mobilebench.values.reported import Latency, Reported
from tests.conftest import Ran

DATA = Path(__file__).parent.parent / "data" / "interop"
SUMMARY = """\
2022-12-06 16:51:55,731 INFO loadgen.harness unload_query_samples: Unloaded samples
================================================
MLPerf Results Summary
================================================
SUT name : PySUT
Scenario : {scenario}
Mode     : PerformanceOnly
{metric}
Result is : VALID
  Min duration satisfied : Yes

================================================
Additional Stats
================================================
Min latency (ns)                : 16325000000
Max latency (ns)                : 16325000000
Mean latency (ns)               : 16325000000
50.00 percentile latency (ns)   : 16325000000
90.00 percentile latency (ns)   : 16325000000
99.00 percentile latency (ns)   : 16325000000
99.90 percentile latency (ns)   : 16325000000
"""


def _read(tmp_path: Path, text: str) -> list[Reported]:
    file = tmp_path / "mlperf_log_summary.txt"
    file.write_text(text)
    return interop.read(file)


@pytest.mark.parametrize(
    ("scenario", "metric", "throughput"),
    [
        ("Offline", "Samples per second: 33.69", 33.69),
        ("Server", "Scheduled samples per second : 1497.65", 1497.65),
        ("Server", "Completed samples per second    : 12.5", 12.5),
        ("Multi Stream", "Samples per second : 8", 8),
    ],
)
def test_other_scenarios_keep_the_throughput_and_no_latency(
    tmp_path: Path, scenario: str, metric: str, throughput: float
) -> None:
    [result] = _read(tmp_path, SUMMARY.format(scenario=scenario, metric=metric))
    assert (result.latency, result.inferences_per_second) == (Latency(), throughput)
    assert result.remarks[0] == f"scenario {scenario}"
    assert "not of single inferences" in result.remarks[1]


def test_import_says_that_there_is_no_latency(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    text = SUMMARY.format(scenario="Offline", metric="Samples per second: 33.69")
    (tmp_path / "summary.txt").write_text(text)
    done = mobilebench("import", "summary.txt")
    assert done.code == 0 and "1 added" in done.stderr
    answer = " ".join(done.stderr.split())
    assert "MLPerf LoadGen has no latency: scenario Offline; its latencies are of queries" in answer
    assert "33.7 a second" in mobilebench("leaderboard", "--as", "markdown").stdout


@pytest.mark.parametrize("scenario", ["MultiStream", "Multi Stream", "Server", "Unheard"])
def test_a_scenario_without_throughput_is_refused(tmp_path: Path, scenario: str) -> None:
    metric = "99th percentile latency (ns) : 16325000000"
    with pytest.raises(SchemaError, match=f"the scenario {scenario}, whose latencies"):
        _read(tmp_path, SUMMARY.format(scenario=scenario, metric=metric))


@pytest.mark.parametrize("scenario", ["SingleStream", "Single Stream"])
def test_a_single_stream_has_latencies(tmp_path: Path, scenario: str) -> None:
    metric = "90th percentile latency (ns) : 16325000000"
    [result] = _read(tmp_path, SUMMARY.format(scenario=scenario, metric=metric))
    assert result.latency.p90_ns == result.latency.mean_ns == 16_325_000_000


@pytest.mark.parametrize("end", ["Result is : V", "Result is", "Max latency", "Mean latency"])
def test_a_summary_that_was_cut_off_is_refused(tmp_path: Path, end: str) -> None:
    text = SUMMARY.format(scenario="SingleStream", metric="90th percentile latency (ns) : 16")
    with pytest.raises(SchemaError, match="cut off"):
        _read(tmp_path, text[: text.index(end) + len(end)])


def test_the_head_of_a_summary_has_one_percentile(tmp_path: Path) -> None:
    text = SUMMARY.format(scenario="SingleStream", metric="90th percentile latency (ns) : 16")
    [result] = _read(tmp_path, text[: text.index("\n\n")])
    assert result.latency == Latency(p90_ns=16)


def test_summaries_after_each_other_are_separate_results(tmp_path: Path) -> None:
    offline = SUMMARY.format(scenario="Offline", metric="Samples per second: 33.69")
    single = SUMMARY.format(scenario="SingleStream", metric="").replace("PySUT", "phone")
    a, b = _read(tmp_path, offline + single)
    assert (a.device, a.latency) == ("PySUT", Latency())
    assert (b.device, b.latency.p50_ns) == ("phone", 16_325_000_000)
    with pytest.raises(SchemaError, match="cut off"):
        _read(tmp_path, offline + single[:200])


def test_the_app_states_no_latency_for_other_scenarios(tmp_path: Path) -> None:
    plain = json.loads((DATA / "extended_result.json").read_text())
    plain["results"][0]["loadgen_scenario"] = "Offline"
    file = tmp_path / "result.json"
    file.write_text(json.dumps(plain))
    [result] = interop.read(file)
    assert (result.latency, result.inferences_per_second) == (Latency(), 412.5)
