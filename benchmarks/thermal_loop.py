"""Compare real inference on a simulated phone with the same phone in simulated time.

    python benchmarks/thermal_loop.py artifacts/NET* --table docs/thermal-loop.md

The artifacts are widths of one network. Each way runs for some minutes at a frame rate that the
full width can just keep; the real way takes that long.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

import tables

from mobilebench import files, plugins
from mobilebench.measuring.setting import Setting, plan_widths
from mobilebench.results.headline import deadlines, on_time_top1
from mobilebench.values.artifact import Artifact
from mobilebench.values.job import Job, VariantAccuracy
from mobilebench.values.measurement import Measurement
from mobilebench.values.policy import Policy, PolicyRule
from mobilebench.values.protocol import Protocol, WarmUp

_S = 1_000_000_000
_BUSY = 0.8
"""Share of the interval that the full width takes at the fastest clock."""
_TOP1 = {1.0: 70.5, 0.75: 68.9, 0.5: 64.4, 0.35: 59.7}
_PHONE = "quick"
TITLE = "# Real inference on a simulated phone"
EXPLAINED = """\
Written by `benchmarks/thermal_loop.py` on {machine}: {minutes:g} minutes of {network} at
{fps:.1f} frames a second, with the policy `deadline`, {pairs} times by turns. **Simulated**: the
heat and the clock are those of the simulated phone `{phone}`. *Real inference* computes every frame
and sleeps until it has taken as long as the phone's clock would let it; its noise is this
machine's. *Simulated time* takes the median of a few inferences and the noise of the phone. The
accuracies are the published ones of slimmable MobileNetV2 (Yu et al. 2019)."""


def _protocol(minutes: float, interval_ns: int) -> Protocol:
    return Protocol(
        id="loop",
        purpose="benchmark",
        rounds=1,
        warm_up=WarmUp(min_iterations=30, min_duration_ns=0, max_duration_ns=10 * _S),
        inferences=1,
        min_duration_ns=int(minutes * 60 * _S),
        max_duration_ns=int(minutes * 60 * _S),
        interval_ns=interval_ns,
        sense_ns=_S,
    )


def _row(way: str, job: Job, measurement: Measurement, minutes: float) -> list[str]:
    counts = deadlines(job.protocol, measurement.samples)
    top1 = on_time_top1(job, measurement.samples)
    slow = sorted(measurement.samples.latencies_ns())
    skin = [state.temperatures_c["skin"] for state in measurement.states if state.temperatures_c]
    return [
        way,
        f"{top1:.2f}",
        f"{100 * counts.miss_rate:.2f} %",
        f"{len(measurement.events) / minutes:.2f}",
        f"{slow[len(slow) // 2] / 1e6:.1f} ms",
        f"{max(skin):.1f} C",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("artifacts", type=Path, nargs="+")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    artifacts = [Artifact.load(folder) for folder in options.artifacts]
    accuracies = {
        width: VariantAccuracy(top1=top1, source="published", measured=False)
        for width, top1 in _TOP1.items()
    }
    policy = Policy(rule=PolicyRule.DEADLINE)
    first = Setting(f"sim:{_PHONE}", _protocol(0.05, _S // 5), policy=policy)
    [cell] = plan_widths(artifacts, first, accuracies).cells
    short = plugins.runner("host").run("host", cell.artifact, cell.job, variants=cell.variants)
    widest = [
        ns
        for ns, width in zip(short.samples.latency_ns, short.samples.width, strict=True)
        if width == 1
    ]
    interval_ns = int(statistics.median(widest) / _BUSY)
    job = replace(cell.job, protocol=_protocol(options.minutes, interval_ns))
    lines = []
    for _ in range(options.pairs):
        for way, device in (
            ("simulated time", f"sim:{_PHONE}"),
            ("real inference", f"sim:{_PHONE}:real"),
        ):
            runner = plugins.runner(device)
            measurement = runner.run(device, cell.artifact, job, variants=cell.variants)
            lines.append(_row(way, job, measurement, options.minutes))
            print(" | ".join(lines[-1]), flush=True)
    head = ("way", "on-time top-1", "missed", "shifts a minute", "median", "skin, most")
    explained = EXPLAINED.format(
        machine=tables.machine(), minutes=options.minutes, network=cell.artifact.name,
        fps=_S / interval_ns, pairs=options.pairs, phone=_PHONE,
    )  # fmt: skip
    if options.table:
        files.write_text(options.table, tables.page(TITLE, explained, tables.markdown(head, lines)))


if __name__ == "__main__":
    main()
