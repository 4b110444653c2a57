"""Read the logs of ONNX Runtime's perf test, of every version and with any number of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench import interop
from mobilebench.errors import SchemaError
from mobilebench.values.reported import Latency, Reported

OF_2019 = """\
Total time cost:58.8053
Total iterations:1000
Average time cost:58.8053 ms
Total run time:58.8102 s
Min Latency is 0.0559777sec
Max Latency is 0.0623472sec
P50 Latency is 0.0587108sec
P90 Latency is 0.0599845sec
P95 Latency is 0.0605676sec
P99 Latency is 0.0619517sec
P999 Latency is 0.0623472sec
"""
OF_2020 = """\
Setting intra_op_num_threads to 0
Session creation time cost:0.133189 s
Total inference time cost:600.051 s
Total inference requests:7160
Average inference time cost:83.8059 ms
Total inference run time:600.102 s
"""
COMMAND = "# onnxruntime_perf_test -m times -r 10 -e acl -x 2 /sdcard/{} result.csv\n"
RUN = """\
Session creation time cost: {load} s
Total inference time cost: 1.44871 s
Total inference requests: 10
Average inference time cost: {mean} ms
Peak working set size: 158171136 bytes
"""


def _read(tmp_path: Path, text: str) -> list[Reported]:
    log = tmp_path / "log.txt"
    log.write_text(text)
    return interop.read(log)


def test_a_log_of_2019(tmp_path: Path) -> None:
    [result] = _read(tmp_path, OF_2019)
    latency = result.latency
    assert (latency.count, latency.mean_ns) == (1000, pytest.approx(58_805_300))
    assert (latency.min_ns, latency.p50_ns) == pytest.approx((55_977_700, 58_710_800))
    assert (latency.p99_ns, latency.max_ns) == pytest.approx((61_951_700, 62_347_200))


def test_a_log_of_2020(tmp_path: Path) -> None:
    [result] = _read(tmp_path, OF_2020)
    assert (result.latency.count, result.threads) == (7160, None)
    assert result.latency.mean_ns == pytest.approx(83_805_900)
    assert result.load_ns == pytest.approx(133_189_000)


def test_the_command_names_model_delegate_and_threads(tmp_path: Path) -> None:
    text = COMMAND.format("squeezenet1.0-9/model.onnx") + RUN.format(load=0.1, mean=144.8)
    text += COMMAND.format("net_b.ort").replace(" -e acl -x 2", "") + RUN.format(load=0.2, mean=84)
    a, b = _read(tmp_path, text)
    assert (a.model, a.delegate, a.threads) == ("squeezenet1.0-9", "acl", 2)
    assert (b.model, b.delegate, b.threads) == ("net_b", None, None)
    assert (a.latency.mean_ns, b.latency.mean_ns) == (144_800_000, 84_000_000)


@pytest.mark.parametrize("text", [OF_2019, OF_2020, RUN.format(load=0.1, mean=5)])
def test_runs_after_each_other_are_separate_results(tmp_path: Path, text: str) -> None:
    results = _read(tmp_path, text + text)
    assert len(results) == 2 and results[0].latency == results[1].latency


def test_session_creation_that_is_printed_twice_is_one_run(tmp_path: Path) -> None:
    text = RUN.format(load=0.1, mean=5)
    assert len(_read(tmp_path, text.splitlines(True)[0] + text)) == 1


def test_a_failed_run_among_others_is_a_failure(tmp_path: Path) -> None:
    error = "2024-01-01 [E:onnxruntime:, inference_session.cc:2105] Load model failed\n"
    text = RUN.format(load=0.1, mean=5) + COMMAND.format("net_c.onnx") + error
    _, failed = _read(tmp_path, text)
    assert failed.model == "net_c" and failed.latency == Latency()
    assert "the run failed" in failed.remarks[0] and "Load model failed" in failed.remarks[0]


def test_a_run_that_was_cut_off_leaves_nothing_of_the_log(tmp_path: Path) -> None:
    text = RUN.format(load=0.1, mean=5) + "Session creation time cost: 0.2 s\n"
    with pytest.raises(SchemaError, match=r"run 2 of 2 .* cut off"):
        _read(tmp_path, text)


def test_percentiles_of_the_submission_are_not_latencies(tmp_path: Path) -> None:
    text = RUN.format(load=0.1, mean=236.2) + "Max Latency: 0.0095 s\nP50 Latency: 0.0013 s\n"
    [result] = _read(tmp_path, text)
    assert result.latency == Latency(count=10, mean_ns=236_200_000)
    assert "percentiles are of the submission" in result.remarks[0]


def test_inferences_at_the_same_time_are_named(tmp_path: Path) -> None:
    command = COMMAND.format("net.onnx").replace("-x 2", "-c 4")
    [result] = _read(tmp_path, command + RUN.format(load=0.1, mean=5))
    assert result.remarks == ("4 inferences ran at the same time",)
