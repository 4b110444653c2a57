"""Read `*-benchmarkData.json`, which AndroidX Microbenchmark writes.

{"context": {"build": {"model": "...", "version": {"sdk": 34}}, ...},
 "benchmarks": [{"name": "...", "className": "...", "repeatIterations": 1000,
                 "thermalThrottleSleepSeconds": 0,
                 "metrics": {"timeNs": {"minimum": ..., "maximum": ..., "median": ...,
                                        "runs": [...]}}}]}

Each of the runs repeats the inference `repeatIterations` times and is the mean of them. Of the
metrics, only timeNs is a latency.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import UNNAMED, JsonPart, Quantity, Reader, documents, fitted
from mobilebench.values.reported import Latency, Reported

_TOOL, _TIME = "AndroidX Microbenchmark", "timeNs"


class _Version(JsonPart):
    sdk: int | None = None


class _Build(JsonPart):
    model: str | None = None
    version: _Version | None = None


class _Context(JsonPart):
    build: _Build | None = None


class _Times(JsonPart):
    median: Quantity | None = None
    minimum: Quantity | None = None
    maximum: Quantity | None = None
    runs: tuple[Quantity, ...] | None = None


class _Benchmark(JsonPart):
    name: str
    class_name: str | None = Field(None, alias="className")
    metrics: dict[str, Any]
    """By name; timeNs is absent where startup or frames were measured."""
    iterations: NonNegativeInt | None = Field(None, alias="repeatIterations")
    slept_s: NonNegativeFloat | None = Field(None, alias="thermalThrottleSleepSeconds")


class _File(JsonPart):
    context: _Context
    benchmarks: tuple[_Benchmark, ...]


def _read(text: str, path: Path) -> list[Reported]:
    results = []
    for document in documents(text, path, _TOOL):
        file = fitted(_File, document, path, _TOOL)
        names = {(benchmark.name, benchmark.class_name) for benchmark in file.benchmarks}
        shared = Counter(name for name, _ in names)
        for place, benchmark in enumerate(file.benchmarks):
            if _TIME in benchmark.metrics:
                times = fitted(
                    _Times, benchmark.metrics[_TIME], path, f"{_TOOL} in benchmarks.{place}.{_TIME}"
                )
                build = file.context.build or _Build()
                results.append(_result(benchmark, times, build, shared[benchmark.name] > 1))
        if not results:
            others = sorted({name for benchmark in file.benchmarks for name in benchmark.metrics})
            raise SchemaError(
                f"{path} was read as a result of {_TOOL} and holds no result: only {_TIME} is a "
                f"latency of an inference, and it has {', '.join(others) or 'no metrics'}."
            )
    return results


def _result(benchmark: _Benchmark, times: _Times, build: _Build, shared: bool) -> Reported:
    pause_s, version, in_class = benchmark.slept_s, build.version, benchmark.class_name
    repeats, runs = benchmark.iterations, times.runs or ()
    remarks = []
    if pause_s:
        remarks.append(f"slept {pause_s:g} s because it was throttled")
    if in_class:
        remarks.append(f"class {in_class}")
    if repeats and runs and repeats > len(runs):
        remarks.append(f"each sample is the mean of {repeats} inferences")
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        # Two classes may give their methods the same name.
        model=f"{in_class}.{benchmark.name}" if shared and in_class else benchmark.name,
        device=build.model,
        os=None if version is None or version.sdk is None else f"Android SDK {version.sdk}",
        latency=Latency(
            count=repeats,
            p50_ns=times.median,
            min_ns=times.minimum,
            max_ns=times.maximum,
            samples_ns=times.runs or None,
        ),
        remarks=tuple(remarks),
    )


READER = Reader(
    tool=_TOOL,
    reads="*-benchmarkData.json of AndroidX Microbenchmark",
    recognises=lambda text: (
        '"benchmarks"' in text and (f'"{_TIME}"' in text or '"className"' in text)
    ),
    read=_read,
)
