"""Results that another tool or a publication states.

A reported result is not a record: nothing here measured it, nothing can check it, and it is never
ranked among measured results. What the source does not state is None.
"""

from __future__ import annotations

from typing import ClassVar

from mobilebench.values import require_finite, require_range, value
from mobilebench.values.device import DeviceState
from mobilebench.values.tool import ToolRun

REPORTED_SCHEMA_VERSION = 1


@value
class Latency:
    """The latency of one inference, as a source states it."""

    count: int | None = None
    mean_ns: float | None = None
    p50_ns: float | None = None
    p90_ns: float | None = None
    p95_ns: float | None = None
    p99_ns: float | None = None
    min_ns: float | None = None
    max_ns: float | None = None
    std_ns: float | None = None
    samples_ns: tuple[float, ...] | None = None
    """Latencies of single inferences, where the source keeps them; means of several where the
    remarks state that."""

    def __post_init__(self) -> None:
        for name, number in vars(self).items():
            numbers = number if isinstance(number, tuple) else (number,)
            if any(each is not None and each < 0 for each in numbers):
                raise ValueError(f"{name} is negative")


@value
class Window:
    """One stretch of a sustained run: its latency, and the device's state when it began."""

    latency: Latency
    state: DeviceState
    """Its `t_ns` counts from the beginning of the run."""


@value
class Reported:
    """One result that another tool or a publication states."""

    LEFT_OUT_WHERE_ABSENT: ClassVar = ("run",)

    schema_version: int = REPORTED_SCHEMA_VERSION
    report_id: str
    """sha256 over the source file and the place in it: the same file gives the same ids. Of a run
    that mobilebench made and that has no result, over the run."""
    source: str
    """The tool or the publication."""
    file: str
    model: str | None = None
    format: str | None = None
    precision: str | None = None
    runtime: str | None = None
    delegate: str | None = None
    compute_unit: str | None = None
    threads: int | None = None
    device: str | None = None
    os: str | None = None
    date: str | None = None
    latency: Latency = Latency()
    windows: tuple[Window, ...] = ()
    """How a sustained run went, in order; empty where the source states no course of time."""
    inferences_per_second: float | None = None
    load_ns: float | None = None
    first_inference_ns: float | None = None
    peak_memory_bytes: int | None = None
    top1: float | None = None
    """Percent."""
    remarks: tuple[str, ...] = ()
    """What the source states besides, such as that the result is invalid or the run failed."""
    run: ToolRun | None = None
    """How the tool was run, where mobilebench ran it in the shell of a device."""

    def __post_init__(self) -> None:
        require_range(
            self, "threads", "inferences_per_second", "load_ns", "first_inference_ns",
            "peak_memory_bytes",
        )  # fmt: skip
        require_range(self, "top1", most=100)
        require_finite(self)
