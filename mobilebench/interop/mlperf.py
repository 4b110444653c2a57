"""Read the result file of MLPerf's mobile app (ExtendedResult), and LoadGen's log summary.

The app states a throughput, but not how it follows from latencies, so no latency is computed from
it. LoadGen's latencies are of queries: only in the scenario SingleStream is a query one inference
that waits for nothing, and only there are they read. A query of Offline has all samples, one of
MultiStream several, and one of Server waits for others.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import NonNegativeFloat, NonNegativeInt

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import NUMBER, UNNAMED, JsonPart, Reader, documents, fitted, number
from mobilebench.values.reported import Latency, Reported

_APP, _LOADGEN = "MLPerf Mobile", "MLPerf LoadGen"
_HEADER, _ONE_BY_ONE = "MLPerf Results Summary", "SingleStream"


class _Value(JsonPart):
    value: NonNegativeFloat | None = None


class _Validity(JsonPart):
    validity: bool | None = None


class _Normalized(JsonPart):
    normalized: float | None = None


class _AccuracyRun(JsonPart):
    accuracy: _Normalized | None = None


class _PerformanceRun(JsonPart):
    throughput: _Value | None = None
    measured_samples: NonNegativeInt | None = None
    start_datetime: str | None = None
    loadgen_info: _Validity | None = None


class _Settings(JsonPart):
    framework: str | None = None
    delegate: str | None = None
    accelerator_code: str | None = None
    accelerator_desc: str | None = None


class _Benchmark(JsonPart):
    benchmark_id: str
    benchmark_name: str | None = None
    loadgen_scenario: str | None = None
    backend_settings: _Settings | None = None
    performance_run: _PerformanceRun | None = None
    accuracy_run: _AccuracyRun | None = None


class _Platform(JsonPart):
    model_name: str | None = None
    model_code: str | None = None
    cpu_full_name: str | None = None
    os_version: str | None = None


class _Environment(JsonPart):
    platform: str | None = None
    value: dict[str, _Platform | None] | None = None


class _File(JsonPart):
    environment_info: _Environment | None = None
    results: tuple[_Benchmark, ...]


def _read_result(text: str, path: Path) -> list[Reported]:
    results = []
    for document in documents(text, path, _APP):
        file = fitted(_File, document, path, _APP)
        device, system = _device_and_system(file.environment_info or _Environment())
        results += [_result(benchmark, device, system) for benchmark in file.results]
    return results


def _device_and_system(environment: _Environment) -> tuple[str | None, str | None]:
    """Return the names of the device and of its system."""
    name = environment.platform
    platform = (environment.value or {}).get(name or "") or _Platform()
    device = platform.model_name or platform.model_code or platform.cpu_full_name
    system = " ".join(part for part in (name, platform.os_version) if part)
    return device or None, system or None


def _result(benchmark: _Benchmark, device: str | None, system: str | None) -> Reported:
    settings = benchmark.backend_settings or _Settings()
    run = benchmark.performance_run or _PerformanceRun()
    accuracy = benchmark.accuracy_run and benchmark.accuracy_run.accuracy
    share = accuracy.normalized if accuracy else None
    remarks = [f"scenario {benchmark.loadgen_scenario or 'not given'}"]
    if run.loadgen_info is not None and run.loadgen_info.validity is False:
        remarks.append("INVALID by LoadGen's own rules")
    classifies = "classification" in benchmark.benchmark_id
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        model=benchmark.benchmark_name or benchmark.benchmark_id,
        runtime=settings.framework,
        delegate=settings.delegate,
        compute_unit=settings.accelerator_desc or settings.accelerator_code,
        device=device,
        os=system,
        date=run.start_datetime,
        latency=Latency(
            count=run.measured_samples if benchmark.loadgen_scenario == _ONE_BY_ONE else None
        ),
        inferences_per_second=run.throughput.value if run.throughput else None,
        top1=100 * share if classifies and share is not None else None,
        remarks=tuple(remarks),
    )


def _read_summaries(text: str, path: Path) -> list[Reported]:
    summaries = text.split(_HEADER)[1:]
    if not summaries:
        raise SchemaError(f"{path} has no {_HEADER!r}, which {_LOADGEN} prints; give its summary.")
    return [_read_summary(summary, path) for summary in summaries]


def _read_summary(text: str, path: Path) -> Reported:
    verdict = re.search(r"\bResult is\s*:\s*(VALID|INVALID)\b", text)
    if verdict is None:
        raise SchemaError(
            f"{path} does not state whether its result is valid; it may have been cut off."
        )

    def value_of(label: str) -> float | None:
        return number(rf"(?<![\d.]){label}\s*:\s*{NUMBER}", text)

    def percentile(percent: int) -> float | None:
        return value_of(rf"{percent}(?:\.0+)?(?:th)? percentile latency \(ns\)")

    match = re.search(r"\bScenario\s*:\s*(.+)", text)
    scenario = match[1].strip() if match else None
    system = re.search(r"\bSUT name\s*:\s*(.+)", text)
    remarks = [f"scenario {scenario or 'not given'}"]
    if verdict[1] != "VALID":
        remarks.append("INVALID by LoadGen's own rules")
    latency, throughput = Latency(), None
    if scenario is not None and scenario.replace(" ", "") == _ONE_BY_ONE:
        latency = Latency(
            mean_ns=value_of(r"\bMean latency \(ns\)"),
            p50_ns=percentile(50),
            p90_ns=percentile(90),
            p95_ns=percentile(95),
            p99_ns=percentile(99),
            min_ns=value_of(r"\bMin latency \(ns\)"),
            max_ns=value_of(r"\bMax latency \(ns\)"),
        )
        if latency.mean_ns is None and ("Additional Stats" in text or latency == Latency()):
            raise SchemaError(f"{path} states no mean latency; it may have been cut off.")
    else:
        throughput = _throughput(text)
        if throughput is None:
            raise SchemaError(
                f"{path} has the scenario {scenario or 'not given'}, whose latencies are of whole "
                f"queries and not of single inferences, and states no samples per second; there "
                f"is nothing that can be imported."
            )
        remarks.append("its latencies are of queries, not of single inferences, and are not read")
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        device=system[1].strip() if system else None,
        latency=latency,
        inferences_per_second=throughput,
        remarks=tuple(remarks),
    )


def _throughput(text: str) -> float | None:
    """Return samples per second: the scenario's own metric before others."""
    for label in ("Samples", "Scheduled samples", "Completed samples"):
        throughput = number(rf"(?<!\w ){label} per second\s*:\s*{NUMBER}", text)
        if throughput is not None:
            return throughput
    return None


RESULT = Reader(
    tool=_APP,
    reads="the result file (ExtendedResult) of MLPerf's mobile app",
    recognises=lambda text: '"benchmark_id"' in text and '"loadgen_scenario"' in text,
    read=_read_result,
)
SUMMARY = Reader(
    tool=_LOADGEN,
    reads="mlperf_log_summary.txt of MLPerf's LoadGen",
    recognises=lambda text: _HEADER in text,
    read=_read_summaries,
    log=True,
)
