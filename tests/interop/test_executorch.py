"""Read what ExecuTorch's benchmarks write: models, devices, runs, and what is no latency."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mobilebench import interop
from mobilebench.errors import SchemaError
from mobilebench.values.reported import Latency, Reported

DATA = Path(__file__).parent.parent / "data" / "interop"
S22 = {"device": "samsung", "arch": "SM-S901U1", "os": "Android 13", "availMem": 3123}
S24 = {"device": "samsung", "arch": "SM-S921U1", "os": "Android 13", "availMem": 1}
IPHONE = {"device": "iPhone15,4", "arch": "iPhone 15", "os": "iOS 17.5"}
MEAN = "avg_inference_latency(ms)"


def _entry(metric: str, value: object, device: object = None, name: str = "mv3") -> dict[str, Any]:
    model = {"name": name, "backend": "xnnpack", "quantization": "q8"}
    entry: dict[str, Any] = {"benchmarkModel": model, "metric": metric, "actualValue": value}
    return entry if device is None else {**entry, "deviceInfo": device}


def _read(tmp_path: Path, *entries: dict[str, Any]) -> list[Reported]:
    file = tmp_path / "benchmark_results.json"
    file.write_text(json.dumps(entries))
    return interop.read(file)


def test_two_devices_are_two_results(tmp_path: Path) -> None:
    a, b = _read(tmp_path, _entry(MEAN, 7.6, S22), _entry(MEAN, 5.1, S24))
    assert (a.device, a.latency.mean_ns) == ("samsung (SM-S901U1)", 7_600_000)
    assert (b.device, b.latency.mean_ns) == ("samsung (SM-S921U1)", 5_100_000)


def test_metrics_of_one_device_are_one_result(tmp_path: Path) -> None:
    later = {**IPHONE, "availMem": 5}
    [result] = _read(
        tmp_path,
        _entry(MEAN, 12.5, IPHONE),
        _entry("model_load_time(ms)", 30, later),
        _entry("peak_inference_mem_usage(mb)", 100),
        _entry("load_status", 0, {}),
    )
    assert (result.device, result.os) == ("iPhone15,4 (iPhone 15)", "iOS 17.5")
    assert (result.load_ns, result.peak_memory_bytes) == (30_000_000, 100 * 1024 * 1024)


def test_the_same_metric_again_is_another_run(tmp_path: Path) -> None:
    results = _read(
        tmp_path,
        _entry(MEAN, 7.6, S22),
        _entry("model_load_time(ms)", 30, S22),
        _entry(MEAN, 7.7, S22),
        _entry("model_load_time(ms)", 31, S22),
    )
    assert [(r.latency.mean_ns, r.load_ns) for r in results] == [
        (7_600_000, 30_000_000),
        (7_700_000, 31_000_000),
    ]


def test_a_device_in_a_list_is_read_and_several_for_one_value_are_refused(tmp_path: Path) -> None:
    [result] = _read(tmp_path, _entry(MEAN, 7.6, [S22]))
    assert result.device == "samsung (SM-S901U1)"
    with pytest.raises(SchemaError, match="2 devices for one value"):
        _read(tmp_path, _entry(MEAN, 7.6, [S22, S24]))


def test_a_metric_of_an_unknown_device_among_several_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="at 2: there is no deviceInfo"):
        _read(
            tmp_path,
            _entry(MEAN, 7.6, S22),
            _entry(MEAN, 5.1, S24),
            _entry("model_load_time(ms)", 30),
        )


def test_generating_tokens_is_no_inference_latency(tmp_path: Path) -> None:
    [result] = _read(
        tmp_path,
        _entry("token_per_sec", 33.1, IPHONE, "llama"),
        _entry("generate_time(ms)", 3000, IPHONE, "llama"),
        _entry(MEAN, 3000, IPHONE, "llama"),
    )
    assert (result.latency, result.inferences_per_second) == (Latency(), None)
    assert "no latency of one inference" in result.remarks[0]
    assert "token_per_sec: 33.1" in result.remarks


@pytest.mark.parametrize("wrong", [0, -1, 1e305, True, "7.6", None, [7.6]])
def test_a_wrong_value_is_refused_with_all_others(tmp_path: Path, wrong: object) -> None:
    with pytest.raises(SchemaError):
        _read(tmp_path, _entry(MEAN, 7.6, S22), _entry(MEAN, wrong, S24))


def test_a_negative_time_of_loading_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="negative"):
        _read(tmp_path, _entry(MEAN, 7.6, S22), _entry("model_load_time(ms)", -1, S22))


def _uploaded(metric: str, values: object, *runners: str) -> dict[str, Any]:
    return {
        "benchmark": {"name": "ExecuTorch", "mode": "inference"},
        "model": {"name": "ic4", "type": "OSS model", "backend": "coreml_fp16"},
        "metric": {"name": metric, "benchmark_values": values, "target_value": 0},
        "runners": [{"name": runner, "type": "iOS 18.0"} for runner in runners],
    }


def test_the_form_of_the_dashboard(tmp_path: Path) -> None:
    a, b, failed = _read(
        tmp_path,
        _uploaded(MEAN, [12.5], "Apple iPhone 15"),
        _uploaded(MEAN, [9.5], "Apple iPhone 16"),
        _uploaded("FAILURE_REPORT", 0, "Apple iPhone 14"),
    )
    assert (a.device, a.delegate, a.latency.mean_ns) == (
        "Apple iPhone 15",
        "coreml_fp16",
        12_500_000,
    )
    assert (b.device, b.latency.mean_ns) == ("Apple iPhone 16", 9_500_000)
    assert (failed.latency, failed.remarks) == (Latency(), ("the run failed",))
    with pytest.raises(SchemaError, match="2 devices for one value"):
        _read(tmp_path, _uploaded(MEAN, [12.5], "a", "b"))


def test_executor_runner() -> None:
    [result] = interop.read(DATA / "executor_runner.txt")
    assert (result.model, result.runtime, result.load_ns) == (
        "mobilevig_ti",
        "executorch",
        41_500_000,
    )
    assert result.latency == Latency(count=2, mean_ns=8_100_000, samples_ns=(9_100_000, 7_100_000))
    assert result.first_inference_ns == 9_100_000 and "no warm-up" in result.remarks[0]


def test_executor_runner_for_qnn_and_one_that_prints_no_time(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    model = "I 00:00:00.000317 executorch:qnn_executor_runner.cpp:171] Model file {} is loaded.\n"
    time = (
        "I 00:00:01.835706 executorch:qnn_executor_runner.cpp:298] 100 inference took "
        "1096.626000 ms, avg 10.966260 ms\n"
    )
    log.write_text(model.format("dl3.pte") + time + model.format("mv3.pte") + time)
    first, second = interop.read(log)
    assert (first.model, second.model) == ("dl3", "mv3")
    assert first.latency.count == 100
    assert first.latency.mean_ns == pytest.approx(10_966_260)
    done = (
        "I 00:00:02.767346 executorch:qnn_executor_runner.cpp:228] Model executed successfully.\n"
    )
    log.write_text(model.format("dl3.pte") + done)
    with pytest.raises(SchemaError, match="no time of the executions"):
        interop.read(log)
