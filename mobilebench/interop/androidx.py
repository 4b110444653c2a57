"""AndroidX Microbenchmark: `*-benchmarkData.json`.

{"context": {"build": {"model": "...", "version": {"sdk": 34}}, ...},
 "benchmarks": [{"name": "...", "className": "...", "repeatIterations": 1000,
                 "thermalThrottleSleepSeconds": 0,
                 "metrics": {"timeNs": {"minimum": ..., "maximum": ..., "median": ...,
                                        "runs": [...]}}}]}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mobilebench.interop.reader import UNNAMED, Reader, entry, parsed
from mobilebench.reported import Latency, Reported

_TOOL = "AndroidX Microbenchmark"


def _read(text: str, path: Path) -> list[Reported]:
    plain = parsed(text, path, _TOOL)
    build = entry(plain, "context", dict, path).get("build") or {}
    version = (build.get("version") or {}).get("sdk")
    results = []
    for benchmark in entry(plain, "benchmarks", list, path):
        metrics = entry(benchmark, "metrics", dict, path)
        if "timeNs" not in metrics:  # one that measures startup or frames
            continue
        results.append(_result(benchmark, metrics["timeNs"], build, version, path))
    return results


def _result(
    benchmark: dict[str, Any],
    times: dict[str, Any],
    build: dict[str, Any],
    sdk: int | None,
    path: Path,
) -> Reported:
    slept = benchmark.get("thermalThrottleSleepSeconds")
    remarks = [f"slept {slept} s for being throttled"] if slept else []
    runs = times.get("runs")
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        model=entry(benchmark, "name", str, path),
        device=build.get("model"),
        os=None if sdk is None else f"Android SDK {sdk}",
        latency=Latency(
            count=benchmark.get("repeatIterations"),
            p50_ns=times.get("median"),
            min_ns=times.get("minimum"),
            max_ns=times.get("maximum"),
            samples_ns=tuple(map(float, runs)) if runs else None,
        ),
        remarks=tuple(remarks),
    )


READER = Reader(_TOOL, lambda text: '"benchmarks"' in text and '"timeNs"' in text, _read)
