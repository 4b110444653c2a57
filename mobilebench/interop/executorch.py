"""ExecuTorch's Android benchmark: `benchmark_results.json`, one object for each metric of a model.

[{"benchmarkModel": {"name": "mv3", "backend": "xnnpack", "quantization": "q8"},
  "metric": "avg_inference_latency(ms)", "actualValue": 7.6, "targetValue": 0,
  "deviceInfo": {"device": "...", "arch": "...", "os": "...", ...}}, ...]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import UNNAMED, Reader, entry, parsed, scaled
from mobilebench.reported import Latency, Reported

_TOOL = "ExecuTorch benchmark"
_MS, _MB = 1e6, 1e6


def _read(text: str, path: Path) -> list[Reported]:
    plain = parsed(text, path, _TOOL)
    if not isinstance(plain, list):
        raise SchemaError(f"{path} holds no list of metrics, as {_TOOL} writes it.")
    models: dict[tuple[str, ...], dict[str, float]] = {}
    devices: dict[tuple[str, ...], dict[str, Any]] = {}
    for metric in plain:
        model = entry(metric, "benchmarkModel", dict, path)
        key = tuple(str(model.get(part) or "") for part in ("name", "backend", "quantization"))
        name = entry(metric, "metric", str, path)
        models.setdefault(key, {})[name] = float(entry(metric, "actualValue", (int, float), path))
        devices.setdefault(key, metric.get("deviceInfo") or {})
    return [_result(key, metrics, devices[key]) for key, metrics in models.items()]


def _result(key: tuple[str, ...], metrics: dict[str, float], device: dict[str, Any]) -> Reported:
    name, backend, quantization = (part or None for part in key)
    status = metrics.get("load_status")
    memory = metrics.get("peak_inference_mem_usage(mb)")
    trimmed = metrics.get("trimmean_inference_latency(ms)")
    remarks = []
    if status:
        remarks.append(f"the model could not be loaded (status {status:g})")
    if trimmed is not None:
        remarks.append(f"mean of the middle 80 %: {trimmed:g} ms")
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        model=name,
        format="executorch",
        precision=quantization,
        runtime="executorch",
        delegate=backend,
        device=device.get("device"),
        os=device.get("os"),
        latency=Latency(mean_ns=scaled(metrics.get("avg_inference_latency(ms)"), _MS)),
        load_ns=scaled(metrics.get("model_load_time(ms)"), _MS),
        peak_memory_bytes=None if memory is None else round(memory * _MB),
        remarks=tuple(remarks),
    )


READER = Reader(_TOOL, lambda text: '"benchmarkModel"' in text and '"actualValue"' in text, _read)
