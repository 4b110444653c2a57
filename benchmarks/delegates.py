"""What ExecuTorch's delegates take of every family, and what they leave out, written down.

    python benchmarks/delegates.py --out DIR --table docs/delegates.md

Takes some ten minutes on two cores. It can be stopped and started again: what is in the folder
already is found there. A cell that fails is a row with its reason. The seconds are those of the
conversion in its own process, toolkit imports included.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from pathlib import Path

import deployment

from mobilebench import files, parity, pipeline, plugins
from mobilebench.artifact import Artifact
from mobilebench.cli.progress import MatrixProgress
from mobilebench.matrix import Exported
from mobilebench.recipe import Precision
from mobilebench.request import Request
from mobilebench.workers import LocalWorkers

MODELS = (*deployment.MODELS, "mobilenetv2_100")
DELEGATES = ("xnnpack", "coreml", "vulkan")

HEADER = """\
# What ExecuTorch's delegates take

Written by `benchmarks/delegates.py` on {machine}, with {tools}.

The smallest network of each family in its deployment form for the delegate, float32, weights
random. An operation that is left out runs in ExecuTorch's portable kernels, and every change
between delegate and kernels costs a copy. XNNPACK files were run on this machine; of Core ML
delegates the ML Program inside was evaluated with torch. Vulkan has no runtime here: its files are
**not verified**. Before they are written, the lowered program is run by PyTorch, each delegate as
the operations it was made from; that says nothing about the delegate's own compiler.

Qualcomm's and Arm's delegates need tools of theirs: see [exporters](../exporters/README.md).
"""
COLUMNS = ("network", "delegate", "delegates", "operations left out", "verified", "MB", "seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--delegates", nargs="+", default=DELEGATES)
    parser.add_argument("--out", type=Path, required=True, help="folder of the artifacts")
    parser.add_argument("--table", type=Path, required=True, help="Markdown file to write")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    exporter = plugins.exporter("executorch")
    recipes = [exporter.recipe(Precision.FP32, None, name) for name in options.delegates]
    tools: dict[str, str] = {}
    for name in options.delegates:
        tools |= exporter.tool_versions(name)
    lines: list[str] = []
    with MatrixProgress("lower", len(options.models) * len(recipes)) as progress:
        for model in options.models:
            done = pipeline.export_matrix(
                [Request(reference=model)],
                recipes,
                options.out,
                workers=LocalWorkers(options.jobs),
                observer=progress,
            )
            lines += [_row(_cells(exported)) for exported in done]
            header = HEADER.format(
                machine=f"{platform.system()} {platform.machine()}",
                tools=", ".join(f"{name} {version}" for name, version in sorted(tools.items())),
            )
            table = [_row(COLUMNS), _row(["---"] * len(COLUMNS)), *lines]
            files.write_text(options.table, header + "\n" + "\n".join(table) + "\n")


def _cells(exported: Exported) -> list[str]:
    outcome = exported.outcome
    start = [exported.name, str(exported.recipe.delegate)]
    if not isinstance(outcome, Artifact):
        return [*start, f"failed at {outcome.stage}: {outcome.message[:160]}", *[""] * 4]
    facts = outcome.manifest.facts
    before = facts.structure.get("before_delegation", "")
    return [
        *start,
        facts.structure["delegates"],
        facts.structure["not_delegated"],
        f"not verified; before delegation: {before}"
        if facts.unverified
        else "; ".join(parity.describe(result) for result in facts.parity),
        f"{facts.size_bytes / 1e6:.1f}",
        f"{facts.export_seconds:.0f}",
    ]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    main()
