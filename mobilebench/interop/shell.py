"""Complete what a benchmark tool printed by what is known of how mobilebench ran it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from mobilebench.values import wire
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.reported import Reported
from mobilebench.values.tool import ToolRun


@dataclass(frozen=True)
class Known:
    """What is known of a run in the shell of a device, beside what the tool printed."""

    run: ToolRun
    model: str
    format: str
    precision: str | None = None
    threads: int | None = None
    compute_unit: ComputeUnit = ComputeUnit.CPU
    """The unit that was asked for."""
    remarks: tuple[str, ...] = ()
    failure: str | None = None
    """Why it has no result, or how it ended after it; None where it ended with 0."""


def run_id(run: ToolRun) -> str:
    """Return the id of a run: that of no other, although two may print the same."""
    return hashlib.sha256(wire.dumps(replace(run, output_sha256=None)).encode()).hexdigest()[:32]


def completed(result: Reported, known: Known) -> Reported:
    """Add what is known of a run to a result that was read from its output."""
    device, unit = known.run.before.device, known.compute_unit
    remarks = [*result.remarks, *known.remarks]
    if result.latency.mean_ns and known.failure is not None:
        remarks.append(f"after its result, {known.failure}")
    if result.latency.mean_ns and unit is not ComputeUnit.CPU and result.compute_unit != unit:
        remarks.append(f"the {unit} was asked for, and the output does not say that it was used")
    return replace(
        result,
        model=known.model,
        format=result.format or known.format,
        precision=result.precision or known.precision,
        threads=result.threads or known.threads,
        device=device.model,
        os=f"{device.os} {device.os_version}",
        date=known.run.began,
        remarks=tuple(remarks),
        run=known.run,
    )


def failed(tool: str, file: str, known: Known, why: str) -> Reported:
    """Return the result of a run that has none, to keep what was tried."""
    result = Reported(
        report_id=run_id(known.run),
        source=tool,
        file=file,
        remarks=(f"the run failed: {why}",),
    )
    return completed(result, known)
