"""Read what every tool writes, and refuse the same cut off or of another kind."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mobilebench import interop
from mobilebench.errors import SchemaError, UnknownName
from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.reported import Latency, Reported
from tests.conftest import Ran

DATA = Path(__file__).parent.parent / "data" / "interop"
FILES = {
    "benchmark_model.txt": "litert",
    "perf_test.txt": "onnxruntime",
    "benchmark_results.json": "executorch",
    "extended_result.json": "mlperf",
    "mlperf_log_summary.txt": "mlperf-summary",
    "benchmarkData.json": "androidx",
    "two_runs.txt": "litert",
    "benchmark_litert_model.txt": "litert",
    "executor_runner.txt": "executor-runner",
    "sustained.csv": "series",
    "published.csv": "table",
}


def _only(name: str) -> Reported:
    [result] = interop.read(DATA / name)
    return result


def test_litert_benchmark_model() -> None:
    result = _only("benchmark_model.txt")
    assert (result.model, result.format, result.delegate) == ("mobilevig_ti", "tflite", "XNNPACK")
    assert result.threads == 4 and result.source == "LiteRT benchmark_model"
    assert result.latency == Latency(
        count=77,
        mean_ns=13_018_600.0,
        p50_ns=12_975_000.0,
        p95_ns=13_402_000.0,
        min_ns=12_790_000.0,
        max_ns=14_411_000.0,
        std_ns=201_000.0,
    )
    assert (result.load_ns, result.first_inference_ns) == (61_204_000.0, 19_873_000.0)
    assert result.peak_memory_bytes == 52.25 * 1024 * 1024, "what the tool calls MB"
    assert result.device is None and result.top1 is None


def test_an_older_benchmark_model_without_percentiles(tmp_path: Path) -> None:
    text = (DATA / "benchmark_model.txt").read_text()
    older = "\n".join(line.partition(" p5=")[0] for line in text.splitlines())
    (tmp_path / "old.txt").write_text(older.replace("INFO: ", ""))
    [result] = interop.read(tmp_path / "old.txt")
    assert result.latency.p50_ns is None and result.latency.p95_ns is None
    assert result.latency.mean_ns == 13_018_600.0 and result.latency.count == 77


def test_onnx_runtime_perf_test() -> None:
    result = _only("perf_test.txt")
    assert (result.runtime, result.threads, result.delegate) == ("onnxruntime", 4, None)
    assert result.latency.count == 100 and result.latency.mean_ns == 14_188_000.0
    assert result.latency.p50_ns == pytest.approx(14_108_600)
    assert result.latency.p90_ns == 14_500_000.0
    assert result.latency.p99_ns == pytest.approx(18_270_200)
    assert result.load_ns == pytest.approx(217_932_000)
    assert result.first_inference_ns == 19_000_000.0
    assert (result.peak_memory_bytes, result.model) == (95_299_328, None)


def test_executorch_benchmark_results() -> None:
    first, second = interop.read(DATA / "benchmark_results.json")
    assert (first.model, first.delegate, first.precision) == ("mv3", "xnnpack", "q8")
    assert first.latency.mean_ns == pytest.approx(7_620_000) and first.load_ns == 41_500_000.0
    assert first.os == "Android 13" and first.remarks == ("mean of the middle 80 %: 7.41 ms",)
    assert second.latency == Latency() and "could not be loaded (status 32)" in second.remarks[0]


def test_mlperf_mobile_result() -> None:
    result = _only("extended_result.json")
    assert (result.device, result.os) == ("Pixel 8 Pro", "android 14")
    assert (result.inferences_per_second, result.latency.mean_ns) == (412.5, None)
    assert result.top1 == pytest.approx(76.21)
    assert result.remarks == ("scenario SingleStream", "INVALID by LoadGen's own rules")


def test_mlperf_log_summary() -> None:
    result = _only("mlperf_log_summary.txt")
    assert result.device == "A phone" and result.remarks == ("scenario SingleStream",)
    latency = result.latency
    assert (latency.p50_ns, latency.p90_ns, latency.p99_ns) == (2400112, 2511211, 3110000)
    assert (latency.min_ns, latency.mean_ns, latency.max_ns) == (2201005, 2415301, 9120043)


def test_androidx_benchmark_data() -> None:
    result = _only("benchmarkData.json")
    assert (result.model, result.device) == ("mobilevig_ti", "Pixel 8 Pro")
    assert result.os == "Android SDK 34"
    assert result.latency.samples_ns == (7301002.0, 7390100.5, 8001010.0)
    assert result.latency.p50_ns == 7390100.5 and result.latency.mean_ns is None
    assert result.remarks == (
        "slept 90 s because it was throttled",
        "class app.LatencyBenchmark",
    )


def test_published_table() -> None:
    first, second = interop.read(DATA / "published.csv")
    assert first.source.startswith("MobileViG paper") and first.latency.mean_ns == 780_000.0
    assert (first.top1, first.compute_unit, first.threads) == (75.7, "npu", None)
    assert second.latency.mean_ns is None and second.remarks == ("latency is not in the abstract",)


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_a_file_is_known_by_its_looks_and_read_the_same_by_name(name: str, kind: str) -> None:
    assert interop.recognised(DATA / name)
    found = interop.read(DATA / name)
    assert found == interop.read(DATA / name, kind)
    assert all(result.report_id and result.source and result.file == name for result in found)
    assert len({result.report_id for result in found}) == len(found)


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_a_file_that_was_cut_off_is_one_sentence(tmp_path: Path, name: str, kind: str) -> None:
    content = (DATA / name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(content[: len(content) // 4])
    with pytest.raises(SchemaError, match=r"cut off|lacks|holds no result|give a number|no source"):
        interop.read(cut, kind)


@pytest.mark.parametrize("kind", FILES.values())
@pytest.mark.parametrize("text", ["", "{}", "[1]", "<html>", "model,source,latency_ms,colour\n"])
def test_a_file_of_another_kind_is_one_sentence(tmp_path: Path, kind: str, text: str) -> None:
    other = tmp_path / "other"
    other.write_text(text)
    with pytest.raises(SchemaError):
        interop.read(other, kind)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("a,b,fast,", "latency_ms is 'fast'; give a number"),
        ("a,b,-1,", "give a number above 0"),
        ("a,b,0,", "give a number above 0"),
        (",b,1,", "there is no model"),
        ("a,,1,", "there is no source"),
        ("a,b,nan,", "give a finite number"),
    ],
)
def test_a_wrong_line_of_a_table_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"model,source,latency_ms,top1\nx,y,1,70\n{line}\n")
    with pytest.raises(SchemaError, match=f"line 3: .*{sentence}"):
        interop.read(table)


def test_what_nothing_knows_is_refused_with_a_list(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(SchemaError, match="name its kind with --as"):
        interop.read(tmp_path / "x.txt")
    with pytest.raises(UnknownName, match="litert"):
        interop.read(tmp_path / "x.txt", "litrt")
    with pytest.raises(SchemaError, match="cannot be read"):
        interop.read(tmp_path / "none.txt", "litert")


def test_reported_results_are_kept_apart_and_never_ranked(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    files = [DATA / name for name in FILES]
    done = mobilebench("import", *files)
    assert done.code == 0 and "15 added, 0 there already" in done.stderr, done.stderr
    assert "0 added, 15 there already" in mobilebench("import", *files).stderr
    kept = RecordStore(tmp_path / "records.sqlite")
    assert kept.find() == [] and len(kept.find_reported()) == 15
    assert len(kept.find_reported("mobilevig_ti")) == 5
    kept.close()
    shown = mobilebench("leaderboard")
    assert "Reported by others, not measured here" in shown.stdout
    assert "13.0 ms (median)" in shown.stdout and "780 µs (mean)" in shown.stdout
    for shape in ("markdown", "html"):
        text = mobilebench("leaderboard", "--as", shape).stdout
        assert "Reported by others, not measured here" in text and "iPhone 13 mini" in text
    wrong = mobilebench("import", DATA / "perf_test.txt", "--as", "litert")
    assert wrong.code == 2 and "no line of inference timings" in wrong.stderr


def _places(plain: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield every place in a JSON document; of a list, those in its first two entries."""
    yield at
    entries: Iterable[tuple[str | int, Any]] = ()
    if isinstance(plain, dict):
        entries = plain.items()
    elif isinstance(plain, list):
        entries = list(enumerate(plain))[:2]
    for name, part in entries:
        yield from _places(part, (*at, name))


def _with(plain: Any, place: tuple[str | int, ...], new: Any) -> Any:
    if not place:
        return new
    changed = copy.copy(plain)
    changed[place[0]] = _with(plain[place[0]], place[1:], new)
    return changed


WRONG = (None, True, "x", -1, pytest.param(10**400, id="huge"), math.inf, math.nan, [], {}, [1])


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".json")])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_value_anywhere_is_told_or_passed_over(
    name: str, wrong: Any, tmp_path: Path
) -> None:
    plain = json.loads((DATA / name).read_text())
    file, refused = tmp_path / name, 0
    for place in _places(plain):
        file.write_text(json.dumps(_with(plain, place, wrong)))
        try:
            found = interop.read(file, FILES[name])
        except SchemaError as error:
            assert str(file) in str(error)
            refused += 1
        else:
            assert found and all(wire.dumps(result) for result in found)
    assert refused, "the whole document in its place, at least"
