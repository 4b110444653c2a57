"""Read `benchmark_results.json`, which ExecuTorch's Android benchmark writes.

It has one object for each metric of a model:

[{"benchmarkModel": {"name": "mv3", "backend": "xnnpack", "quantization": "q8"},
  "metric": "avg_inference_latency(ms)", "actualValue": 7.6, "targetValue": 0,
  "deviceInfo": {"device": "...", "arch": "...", "os": "...", ...}}, ...]
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from mobilebench.interop.reader import UNNAMED, JsonPart, Reader, parsed, scaled
from mobilebench.values.reported import Latency, Reported

_TOOL = "ExecuTorch benchmark"
_MS, _MB = 1e6, 1e6


class _Model(JsonPart):
    name: str | None = None
    backend: str | None = None
    quantization: str | None = None


class _Device(JsonPart):
    device: str | None = None
    os: str | None = None


class _Metric(JsonPart):
    model: _Model = Field(alias="benchmarkModel")
    name: str = Field(alias="metric")
    value: float = Field(alias="actualValue")
    device: _Device | None = Field(None, alias="deviceInfo")


def _read(text: str, path: Path) -> list[Reported]:
    models: dict[_Model, list[_Metric]] = {}
    for metric in parsed(list[_Metric], text, path, _TOOL):
        models.setdefault(metric.model, []).append(metric)
    return [
        _result(
            model,
            {metric.name: metric.value for metric in model_metrics},
            next((metric.device for metric in model_metrics if metric.device), _Device()),
        )
        for model, model_metrics in models.items()
    ]


def _result(model: _Model, metrics: dict[str, float], device: _Device) -> Reported:
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
        model=model.name or None,
        format="executorch",
        precision=model.quantization or None,
        runtime="executorch",
        delegate=model.backend or None,
        device=device.device,
        os=device.os,
        latency=Latency(mean_ns=scaled(metrics.get("avg_inference_latency(ms)"), _MS)),
        load_ns=scaled(metrics.get("model_load_time(ms)"), _MS),
        peak_memory_bytes=None if memory is None else round(memory * _MB),
        remarks=tuple(remarks),
    )


READER = Reader(_TOOL, lambda text: '"benchmarkModel"' in text and '"actualValue"' in text, _read)
