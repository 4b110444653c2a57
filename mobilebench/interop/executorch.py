"""Read `benchmark_results.json`, which ExecuTorch's Android and iOS benchmarks write.

It has one object for each metric of a model on a device:

[{"benchmarkModel": {"name": "mv3", "backend": "xnnpack", "quantization": "q8"},
  "metric": "avg_inference_latency(ms)", "actualValue": 7.6, "targetValue": 0,
  "deviceInfo": {"device": "samsung", "arch": "SM-S901U1", "os": "Android 13", ...}}, ...]

`device` is a brand on Android and `arch` the model of the phone. `mb` is 1024 * 1024 bytes: the
benchmarks divide kilobytes by 1024. A language model generates a text of many inferences: its
`avg_inference_latency(ms)`, `generate_time(ms)` and `token_per_sec` are no latency of one.

The results that PyTorch's dashboard takes have the same metrics in another form:

[{"benchmark": {"name": "ExecuTorch", ...}, "model": {"name": "mv3", "backend": "xnnpack_q8"},
  "metric": {"name": "avg_inference_latency(ms)", "benchmark_values": [7.6], ...},
  "runners": [{"name": "Samsung Galaxy S22 5G", "type": "Android 13", ...}]}, ...]
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import (
    UNNAMED,
    JsonPart,
    Quantity,
    Reader,
    documents,
    fitted,
    scaled,
)
from mobilebench.values.reported import Latency, Reported

_TOOL = "ExecuTorch benchmark"
_MS, _MIB = 1e6, 1 << 20
_MEAN, _TRIMMED = "avg_inference_latency(ms)", "trimmean_inference_latency(ms)"
_LOAD, _STATUS = "model_load_time(ms)", "load_status"
_MEMORY = "peak_inference_mem_usage(mb)"
_FAILED = "FAILURE_REPORT"
_TOKENS = {"token_per_sec", "generate_time(ms)"}


class _Model(JsonPart):
    name: str | None = None
    backend: str | None = None
    quantization: str | int | None = None


class _Device(JsonPart):
    device: str | None = None
    arch: str | None = None
    os: str | None = None

    @property
    def name(self) -> str | None:
        """The device and its model."""
        if self.device and self.arch and self.arch not in self.device:
            return f"{self.device} ({self.arch})"
        return self.device or self.arch or None


class _Metric(JsonPart):
    model: _Model = Field(alias="benchmarkModel")
    name: str = Field(alias="metric")
    value: Quantity = Field(alias="actualValue")
    devices: _Device | tuple[_Device, ...] | None = Field(None, alias="deviceInfo")


class _Named(JsonPart):
    name: str | None = None
    backend: str | None = None
    type: str | None = None


class _Values(JsonPart):
    name: str
    values: tuple[Quantity, ...] | Quantity = Field(alias="benchmark_values")


class _Uploaded(JsonPart):
    """An entry in the form of PyTorch's dashboard."""

    model: _Named
    metric: _Values
    runners: tuple[_Named, ...] = ()

    def metrics(self) -> list[_Metric]:
        """Return the entry in the form of the benchmarks, once for each of its values."""
        values = self.metric.values
        return [
            _Metric(
                benchmarkModel=_Model(name=self.model.name, backend=self.model.backend),
                metric=self.metric.name,
                actualValue=value,
                deviceInfo=tuple(_Device(device=each.name, os=each.type) for each in self.runners),
            )
            for value in (values if isinstance(values, tuple) else (values,))
        ]


def _read(text: str, path: Path) -> list[Reported]:
    entries: list[_Metric] = []
    for document in documents(text, path, _TOOL):
        listed = document if isinstance(document, list) else [document]
        if listed and isinstance(listed[0], dict) and "benchmark" in listed[0]:
            for uploaded in fitted(list[_Uploaded], listed, path, _TOOL):
                entries += uploaded.metrics()
        else:
            entries += fitted(list[_Metric], listed, path, _TOOL)
    devices = [_device(metric, place, path) for place, metric in enumerate(entries)]
    runs: dict[tuple[_Model, _Device], list[dict[str, float]]] = {}
    for place, metric in enumerate(entries):
        device = devices[place] or _only_device(metric, entries, devices, place, path)
        of_device = runs.setdefault((metric.model, device), [{}])
        # A metric that is there already belongs to the next run on the same device.
        run = next((run for run in of_device if metric.name not in run), None)
        if run is None:
            run = {}
            of_device.append(run)
        run[metric.name] = metric.value
    return [
        _result(model, metrics, device)
        for (model, device), of_device in runs.items()
        for metrics in of_device
    ]


def _device(metric: _Metric, place: int, path: Path) -> _Device | None:
    """Return the device of one entry; None where the entry names none."""
    if not isinstance(metric.devices, tuple):
        return None if metric.devices == _Device() else metric.devices
    if len(metric.devices) > 1:
        raise SchemaError(
            f"{path} is not what {_TOOL} writes: at {place}: {len(metric.devices)} devices for "
            f"one value of {metric.name}; give each device its own entry."
        )
    return next(iter(metric.devices), None)


def _only_device(
    metric: _Metric,
    entries: list[_Metric],
    devices: list[_Device | None],
    place: int,
    path: Path,
) -> _Device:
    """Return the device of the model's other entries, for an entry without one."""
    others = {
        device
        for entry, device in zip(entries, devices, strict=True)
        if device is not None and entry.model == metric.model
    }
    if len(others) > 1:
        raise SchemaError(
            f"{path} is not what {_TOOL} writes: at {place}: there is no deviceInfo, and "
            f"{metric.model.name} ran on {len(others)} devices; name the one of {metric.name}."
        )
    return next(iter(others), _Device())


def _result(model: _Model, metrics: dict[str, float], device: _Device) -> Reported:
    generates = not _TOKENS.isdisjoint(metrics)
    memory = metrics.get(_MEMORY)
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        model=model.name or None,
        format="executorch",
        precision=str(model.quantization) if model.quantization else None,
        runtime="executorch",
        delegate=model.backend or None,
        device=device.name,
        os=device.os,
        latency=Latency(mean_ns=None if generates else scaled(metrics.get(_MEAN), _MS)),
        load_ns=scaled(metrics.get(_LOAD), _MS),
        peak_memory_bytes=None if memory is None else round(memory * _MIB),
        remarks=tuple(_remarks(metrics, generates)),
    )


def _remarks(metrics: dict[str, float], generates: bool) -> list[str]:
    status, trimmed = metrics.get(_STATUS), metrics.get(_TRIMMED)
    remarks = ["the run failed"] * (_FAILED in metrics)
    if status:
        remarks.append(f"the model could not be loaded (status {status:g})")
    if trimmed is not None and not generates:
        remarks.append(f"mean of the middle 80 %: {trimmed:g} ms")
    if generates:
        remarks.append("generates tokens: there is no latency of one inference")
    shown = {_STATUS, _LOAD, _MEMORY, _FAILED} | (set() if generates else {_MEAN, _TRIMMED})
    return remarks + [f"{name}: {value:g}" for name, value in metrics.items() if name not in shown]


READER = Reader(
    tool=_TOOL,
    reads="benchmark_results.json of ExecuTorch's Android and iOS benchmarks",
    recognises=lambda text: (
        ('"benchmarkModel"' in text and '"actualValue"' in text) or '"benchmark_values"' in text
    ),
    read=_read,
)
