"""Record what ExecuTorch's delegates take of every family, and what they leave out.

    python benchmarks/delegates.py --out DIR --table docs/delegates.md

It takes about ten minutes on two cores. It can be stopped and started again: files that are in the
folder are not made again. A cell that fails is a row with its reason. The seconds are those of the
conversion in its own process, toolkit imports included.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

import deployment
import exports

from mobilebench import plugins
from mobilebench.values.artifact import ArtifactFacts
from mobilebench.values.recipe import Precision

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
COLUMNS = ("network", "artifact", "delegates", "operations left out", "verified", "MB", "seconds")


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
    exports.write_table(
        options.models,
        recipes,
        options.out,
        options.table,
        jobs=options.jobs,
        header=HEADER.format(
            machine=f"{platform.system()} {platform.machine()}",
            tools=", ".join(f"{name} {version}" for name, version in sorted(tools.items())),
        ),
        columns=COLUMNS,
        cells=_cells,
    )


def _cells(facts: ArtifactFacts) -> list[str]:
    before = facts.structure.get("before_delegation", "")
    return [
        facts.structure["delegates"],
        facts.structure["not_delegated"],
        f"not verified; before delegation: {before}"
        if facts.unverified
        else "; ".join(result.description for result in facts.parity),
        f"{facts.size_bytes / 1e6:.1f}",
        f"{facts.export_seconds:.0f}",
    ]


if __name__ == "__main__":
    main()
