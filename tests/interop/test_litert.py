"""Read the logs of LiteRT's benchmark tools, of every version and with any number of runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench import interop
from mobilebench.errors import SchemaError
from mobilebench.values.reported import Latency, Reported
from tests.conftest import Ran

DATA = Path(__file__).parent.parent / "data" / "interop"
TWO = (DATA / "two_runs.txt").read_text()
MIB = 1024 * 1024
FAILED = """\
INFO: STARTING!
INFO: Graph: [net_c.tflite]
INFO: Use gpu: [1]
ERROR: CAST: Operation is not supported.
ERROR: Failed to apply GPU delegate.
ERROR: Benchmarking failed.
"""
OLD = """\
STARTING!
Min num runs: [10]
Num threads: [2]
Graph: [/data/local/tmp/net_1.0_224_quant.tflite]
nnapi error: unable to open library libneuralnetworks.so
Loaded model /data/local/tmp/net_1.0_224_quant.tflite
Initialized session in 9.933ms
Running benchmark for at least 4 iterations and at least 0.5 seconds
count=7 first=127425 curr=66709 min=66709 max=127425 avg=76605.9 std=20944

Running benchmark for at least 10 iterations and at least 1 seconds
count=15 first=66753 curr=66800 min=66699 max=66838 avg=66767.6 std=39

Average inference timings in us: Warmup: 76605.9, Init: 9933, no stats: 66767.6
"""


def _read(tmp_path: Path, text: str) -> list[Reported]:
    log = tmp_path / "log.txt"
    log.write_text(text)
    return interop.read(log)


def _only(tmp_path: Path, text: str) -> Reported:
    [result] = _read(tmp_path, text)
    return result


def _without(text: str, *starts: str) -> str:
    return "".join(line for line in text.splitlines(True) if not line.startswith(starts))


@pytest.mark.parametrize(
    "text",
    [TWO, _without(TWO, "+"), _without(TWO, "+", "INFO: STARTING!"), TWO.replace("INFO: ", "")],
    ids=["commands", "no commands", "options only", "without levels"],
)
def test_two_runs_in_a_log_are_two_results(tmp_path: Path, text: str) -> None:
    a, b = _read(tmp_path, text)
    assert (a.model, a.delegate, a.compute_unit, a.threads) == ("net_a", "XNNPACK", None, 1)
    assert (b.model, b.delegate, b.compute_unit, b.threads) == ("net_b", "GPU", "gpu", None)
    assert (a.latency.count, a.latency.p50_ns, a.load_ns) == (50, 105_718_000, 87_600_000)
    assert (b.latency.count, b.latency.mean_ns, b.latency.p95_ns) == (110, 9_050_500, 9_300_000)
    assert (a.peak_memory_bytes, b.peak_memory_bytes) == (14.75 * MIB, 112.5 * MIB)
    assert b.remarks == ("the GPU delegate executes a part of the graph",)


@pytest.mark.parametrize("text", [FAILED + TWO, TWO + FAILED], ids=["first", "last"])
def test_a_failed_run_beside_others_is_recorded_as_a_failure(tmp_path: Path, text: str) -> None:
    results = {result.model: result for result in _read(tmp_path, text)}
    assert set(results) == {"net_a", "net_b", "net_c"}
    assert results["net_c"].latency == Latency() and results["net_c"].delegate is None
    assert results["net_c"].remarks == ("the run failed: Failed to apply GPU delegate",)
    assert results["net_a"].latency.mean_ns == 105_784_000


def test_a_run_that_gave_up_ends_there(tmp_path: Path) -> None:
    text = _without(FAILED + TWO.replace("net_a", "net_c"), "+", "INFO: STARTING!")
    failed, a, _ = _read(tmp_path, text)
    assert (failed.model, failed.latency) == ("net_c", Latency())
    assert (a.model, a.latency.mean_ns, a.compute_unit) == ("net_c", 105_784_000, None)


def test_a_crash_among_other_runs_is_a_failure(tmp_path: Path) -> None:
    crash = "INFO: STARTING!\nINFO: Graph: [net_c.tflite]\nSegmentation fault (core dumped)\n"
    *_, last = _read(tmp_path, TWO + crash)
    assert last.remarks == ("the run failed: Segmentation fault (core dumped)",)


def test_a_log_of_failed_runs_only_is_refused_with_the_reason(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "failed.txt").write_text(FAILED)
    done = mobilebench("import", "failed.txt")
    assert done.code == 2 and "benchmark_model failed (Failed to apply GPU" in done.stderr
    assert not (tmp_path / "records.sqlite").exists()


def test_a_run_that_was_cut_off_leaves_nothing_of_the_log(tmp_path: Path) -> None:
    cut = "INFO: STARTING!\nINFO: Graph: [net_c.tflite]\nINFO: Initialized session in 3ms.\n"
    with pytest.raises(SchemaError, match=r"run 3 of 3 \(net_c\) .* cut off"):
        _read(tmp_path, TWO + cut)


@pytest.mark.parametrize(
    "last", ["Inference (avg): 90", "Inference (avg):", "Inference (avg): nan", "First inf"]
)
def test_a_cut_number_is_refused(tmp_path: Path, last: str) -> None:
    text = TWO[: TWO.rindex("Inference (avg)")] + last
    with pytest.raises(SchemaError, match="cut off"):
        _read(tmp_path, text)


def test_lines_of_the_profiler_are_not_taken(tmp_path: Path) -> None:
    profile = (
        "Operator-wise Profiling Info for Regular Benchmark Runs:\n"
        "Timings (microseconds): count=50 first=31000 curr=30500 min=29900 max=31900 avg=30400 "
        "std=310\nMemory (bytes): count=0\n"
    )
    for text in (
        (DATA / "benchmark_model.txt").read_text() + profile,
        OLD.replace("Average inference", profile + "Average inference"),
    ):
        result, plain = _only(tmp_path, text), _only(tmp_path, text.replace(profile, ""))
        assert result.latency == plain.latency and result.latency.min_ns != 29_900_000


def test_a_log_without_warm_up_keeps_its_percentiles(tmp_path: Path) -> None:
    text = "\n".join(
        line for line in TWO.splitlines() if "count=50" not in line and "count=5 " not in line
    )
    b = _read(tmp_path, text)[1]
    assert (b.latency.count, b.latency.p50_ns) == (110, 9_040_000)


def test_equal_samples_state_only_the_last(tmp_path: Path) -> None:
    result = _only(
        tmp_path,
        "count=3 curr=12\ncount=50 curr=10 (all same)\n"
        "Inference timings in us: Init: 9, First inference: 12, Warmup (avg): 12, "
        "Inference (avg): 10\n",
    )
    assert (result.latency.count, result.latency.mean_ns) == (50, 10_000)


def test_benchmark_litert_model() -> None:
    [result] = interop.read(DATA / "benchmark_litert_model.txt")
    assert result.source == "LiteRT benchmark_litert_model"
    assert (result.model, result.threads, result.delegate) == ("face", 4, "XNNPACK")
    # To two decimals of a millisecond, the warm-up has the same average.
    assert result.latency == Latency(
        count=1054,
        mean_ns=947_132,
        p50_ns=942_000,
        p95_ns=991_000,
        min_ns=912_000,
        max_ns=1_102_000,
        std_ns=23_000,
    )
    assert (result.load_ns, result.first_inference_ns) == (5_760_000, 2_120_000)
    assert result.peak_memory_bytes == 7.5 * MIB


def test_blocks_of_results_without_counts(tmp_path: Path) -> None:
    command = "C:\\W>.\\tools\\benchmark_model.exe ^\n    --graph=C:\\m\\{}.tflite ^\n    {}\n"
    block = (
        "========== BENCHMARK RESULTS ==========\n"
        "INFO: [.\\benchmark_litert_model.h:57] Model initialization: 586.76 ms\n"
        "INFO: [.\\benchmark_litert_model.h:59] Warmup (first):       4.44 ms\n"
        "INFO: [.\\benchmark_litert_model.h:63] Inference (avg):      {} ms (2166 runs)\n"
        "INFO: [.\\benchmark_litert_model.h:67] Inference (min):      0.35 ms\n"
        "INFO: [.\\benchmark_litert_model.h:69] Inference (max):      0.74 ms\n"
        "INFO: [.\\benchmark_litert_model.h:90] Init footprint:       12.00 MB\n"
        "INFO: [.\\benchmark_litert_model.h:90] Overall footprint:    20.00 MB\n"
        "INFO: [.\\benchmark_litert_model.h:90] Peak memory:          25.00 MB\n"
    )
    text = "".join(
        (
            command.format("net_1.0_a", "--use_npu=true ^"),
            block.format("0.46"),
            command.format("net_b", "--use_cpu=true"),
            block.format("0.56"),
        )
    )
    a, b = _read(tmp_path, text)
    assert (a.model, a.compute_unit, b.model, b.compute_unit) == ("net_1.0_a", "npu", "net_b", None)
    assert a.latency == Latency(count=2166, mean_ns=460_000, min_ns=350_000, max_ns=740_000)
    assert b.latency.mean_ns == 560_000 and a.peak_memory_bytes == 25 * MIB
    first, second = _read(tmp_path, block.format("0.46") + block.format("0.56"))
    assert (first.latency.mean_ns, second.latency.mean_ns) == (460_000, 560_000)


def test_a_unit_that_could_not_be_loaded_is_not_the_unit(tmp_path: Path) -> None:
    text = (DATA / "benchmark_litert_model.txt").read_text()
    text = text.replace("INFO: Num threads: [4]", "INFO: Use NPU: [1]")
    loaded = "\n".join(line for line in text.splitlines() if "could not be loaded" not in line)
    assert _only(tmp_path, text).compute_unit is None
    assert _only(tmp_path, loaded).compute_unit == "npu"


@pytest.mark.parametrize("large", ["1e308", "1e999"])
def test_a_number_without_end_is_refused(tmp_path: Path, large: str) -> None:
    line = "Average inference timings in us: Warmup: 1, Init: {}, Inference: {}\n"
    with pytest.raises(SchemaError, match="endless|impossible number"):
        _read(tmp_path, line.format(large, 20))
    with pytest.raises(SchemaError, match="too large|impossible number"):
        _read(tmp_path, line.format(20, large))


def test_no_runs_are_no_result(tmp_path: Path) -> None:
    block = "=== BENCHMARK RESULTS ===\nInference (avg):      0.00 ms (0 runs)\n"
    with pytest.raises(SchemaError, match="a latency of 0"):
        _read(tmp_path, block)


def test_old_versions(tmp_path: Path) -> None:
    result = _only(tmp_path, OLD)
    assert (result.model, result.threads, result.load_ns) == ("net_1.0_224_quant", 2, 9_933_000)
    assert result.latency.count == 15 and result.latency.mean_ns == pytest.approx(66_767_600)
    assert (result.latency.min_ns, result.latency.p50_ns) == (66_699_000, None)
    first, second = _read(tmp_path, OLD + OLD.replace("net_1", "net_2"))
    assert (first.model, second.model) == ("net_1.0_224_quant", "net_2.0_224_quant")


@pytest.mark.parametrize(
    ("line", "mean_ns", "load_ns"),
    [
        ("Warmup: 5000, Init: 3000, Inference: 2000", 2_000_000, 3_000_000),
        ("Warmup: 91471, Init: 4108, Inference: 80660.1", 80_660_100, 4_108_000),
        ("950 , Warmup: 1000, ", 950_000, None),
    ],
)
def test_a_line_of_old_timings_is_a_result(
    tmp_path: Path, line: str, mean_ns: float, load_ns: float | None
) -> None:
    result = _only(tmp_path, f"Average inference timings in us: {line}\n")
    assert (result.latency, result.load_ns) == (Latency(mean_ns=mean_ns), load_ns)
    prefix = "01-01 12:00:00.000  123  123 I tflite  : "
    assert len(_read(tmp_path, f"{prefix}Average inference timings in us: {line}\n" * 3)) == 3


def test_the_tool_for_frozen_graphs_is_refused(tmp_path: Path) -> None:
    line = "Average inference timings in us: Warmup: 293039, no stats: 43366, with stats: 45429\n"
    with pytest.raises(SchemaError, match="TensorFlow's benchmark_model"):
        _read(tmp_path, line)


def test_a_delegate_that_runs_nothing_is_not_the_delegate(tmp_path: Path) -> None:
    old = next(line for line in TWO.splitlines() if "Explicitly applied" in line)
    new = (
        "INFO: Though GPU delegate is explicitly applied, the model graph will not be executed by "
        "the delegate."
    )
    b = _read(tmp_path, TWO.replace(old, new))[1]
    assert (b.delegate, b.compute_unit) == (None, None) and "executes nothing" in b.remarks[0]
