"""MLPerf: the mobile app's result file (ExtendedResult), and LoadGen's log summary.

The app states a throughput and says not how it follows from latencies, so no latency is made of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import NUMBER, UNNAMED, Reader, entry, number, parsed
from mobilebench.reported import Latency, Reported

_APP, _LOADGEN = "MLPerf Mobile", "MLPerf LoadGen"
_HEADER = "MLPerf Results Summary"


def _read_result(text: str, path: Path) -> list[Reported]:
    plain = parsed(text, path, _APP)
    results = entry(plain, "results", list, path)
    device, system = _environment(plain.get("environment_info") or {})
    return [_result(result, device, system, path) for result in results]


def _environment(plain: dict[str, Any]) -> tuple[str | None, str | None]:
    """Names of the device and of its system."""
    platform = plain.get("platform")
    values = plain.get("value")
    value = values.get(platform) if isinstance(values, dict) and platform else None
    if not isinstance(value, dict):
        return None, platform
    device = value.get("model_name") or value.get("model_code") or value.get("cpu_full_name")
    system = " ".join(str(part) for part in (platform, value.get("os_version")) if part)
    return device or None, system or None


def _result(result: dict[str, Any], device: str | None, system: str | None, path: Path) -> Reported:
    settings = result.get("backend_settings") or {}
    run = result.get("performance_run") or {}
    accuracy = (result.get("accuracy_run") or {}).get("accuracy") or {}
    throughput = (run.get("throughput") or {}).get("value")
    remarks = [f"scenario {result.get('loadgen_scenario', 'not given')}"]
    if (run.get("loadgen_info") or {}).get("validity") is False:
        remarks.append("INVALID by LoadGen's own rules")
    normalized = accuracy.get("normalized")
    classifies = "classification" in str(entry(result, "benchmark_id", str, path))
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        model=result.get("benchmark_name") or result["benchmark_id"],
        runtime=settings.get("framework"),
        delegate=settings.get("delegate"),
        compute_unit=settings.get("accelerator_desc") or settings.get("accelerator_code"),
        device=device,
        os=system,
        date=run.get("start_datetime"),
        latency=Latency(count=run.get("measured_samples")),
        inferences_per_second=throughput,
        top1=100 * normalized if classifies and normalized is not None else None,
        remarks=tuple(remarks),
    )


def _read_summary(text: str, path: Path) -> list[Reported]:
    verdict = re.search(r"^Result is\s*:\s*(\w+)", text, flags=re.MULTILINE)
    if verdict is None:
        raise SchemaError(f"{path} says not whether its result is valid; it may have been cut off.")

    def of(label: str) -> float | None:
        return number(rf"^\s*{label}\s*:\s*{NUMBER}", text)

    def percentile(percent: int) -> float | None:
        tail = of(rf"{percent}(?:\.0+)? ?(?:th)? percentile latency \(ns\)")
        return tail if tail is not None else of(rf"{percent}\.00 percentile latency \(ns\)")

    scenario = re.search(r"^Scenario\s*:\s*(.+)$", text, flags=re.MULTILINE)
    system = re.search(r"^SUT name\s*:\s*(.+)$", text, flags=re.MULTILINE)
    remarks = [f"scenario {scenario[1].strip()}" if scenario else "scenario not given"]
    if verdict[1] != "VALID":
        remarks.append("INVALID by LoadGen's own rules")
    return [
        Reported(
            report_id=UNNAMED,
            source=UNNAMED,
            file=UNNAMED,
            device=system[1].strip() if system else None,
            latency=Latency(
                mean_ns=of(r"Mean latency \(ns\)"),
                p50_ns=percentile(50),
                p90_ns=percentile(90),
                p95_ns=percentile(95),
                p99_ns=percentile(99),
                min_ns=of(r"Min latency \(ns\)"),
                max_ns=of(r"Max latency \(ns\)"),
            ),
            remarks=tuple(remarks),
        )
    ]


RESULT = Reader(
    _APP, lambda text: '"benchmark_id"' in text and '"loadgen_scenario"' in text, _read_result
)
SUMMARY = Reader(_LOADGEN, lambda text: _HEADER in text, _read_summary)
