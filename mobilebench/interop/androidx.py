"""Read `*-benchmarkData.json`, which AndroidX Microbenchmark writes.

{"context": {"build": {"model": "...", "version": {"sdk": 34}}, ...},
 "benchmarks": [{"name": "...", "className": "...", "repeatIterations": 1000,
                 "thermalThrottleSleepSeconds": 0,
                 "metrics": {"timeNs": {"minimum": ..., "maximum": ..., "median": ...,
                                        "runs": [...]}}}]}
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from mobilebench.interop.reader import UNNAMED, JsonPart, Reader, parsed
from mobilebench.values.reported import Latency, Reported

_TOOL = "AndroidX Microbenchmark"


class _Version(JsonPart):
    sdk: int | None = None


class _Build(JsonPart):
    model: str | None = None
    version: _Version | None = None


class _Context(JsonPart):
    build: _Build | None = None


class _Times(JsonPart):
    median: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    runs: tuple[float, ...] | None = None


class _Metrics(JsonPart):
    times: _Times | None = Field(None, alias="timeNs")
    """Absent where startup or frames were measured."""


class _Benchmark(JsonPart):
    name: str
    metrics: _Metrics
    iterations: NonNegativeInt | None = Field(None, alias="repeatIterations")
    slept_s: NonNegativeFloat | None = Field(None, alias="thermalThrottleSleepSeconds")


class _File(JsonPart):
    context: _Context
    benchmarks: tuple[_Benchmark, ...]


def _read(text: str, path: Path) -> list[Reported]:
    file = parsed(_File, text, path, _TOOL)
    build = file.context.build or _Build()
    return [
        _result(benchmark, benchmark.metrics.times, build)
        for benchmark in file.benchmarks
        if benchmark.metrics.times is not None
    ]


def _result(benchmark: _Benchmark, times: _Times, build: _Build) -> Reported:
    pause_s, version = benchmark.slept_s, build.version
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        model=benchmark.name,
        device=build.model,
        os=None if version is None or version.sdk is None else f"Android SDK {version.sdk}",
        latency=Latency(
            count=benchmark.iterations,
            p50_ns=times.median,
            min_ns=times.minimum,
            max_ns=times.maximum,
            samples_ns=times.runs or None,
        ),
        remarks=(f"slept {pause_s:g} s because it was throttled",) if pause_s else (),
    )


READER = Reader(_TOOL, lambda text: '"benchmarks"' in text and '"timeNs"' in text, _read)
