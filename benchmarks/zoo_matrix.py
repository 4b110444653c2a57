"""Export the zoo in every format, compare with PyTorch, and record the results.

    python benchmarks/zoo_matrix.py --out DIR --table docs/zoo-matrix.md
    python benchmarks/zoo_matrix.py --out DIR --table docs/precision-matrix.md --quantized \\
        --models mobilevig_ti mobilevigv2_ti greedyvig_s logvig_ti adaptvig_s rapidnet_ti vcmamba_s

Each takes a few hours on two cores. It can be stopped and started again: files that are in the
folder are not made again. A cell that fails is a row with its reason. The table is a result of this
machine's runtimes; Core ML files are evaluated with torch where Core ML itself is not available.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

import exports

from mobilebench import plugins
from mobilebench.values.artifact import ArtifactFacts
from mobilebench.values.recipe import ExportRecipe, Precision
from mobilebench.zoo import list_models

TITLES = {False: "# Every network in every format", True: "# Every quantized precision"}
HEADER = """\
{title}

Written by `benchmarks/zoo_matrix.py` on {machine}, with {tools}.

Weights are random from a fixed seed, drawn so that every branch moves the output. Each file is
compared with PyTorch eager on 16 seeded inputs: relative error is the largest difference over the
largest output, signal to noise is in decibels; half precision is judged beside PyTorch's own. Where
a network lies on one of its thresholds at an input, that input is passed over and counted.
*Same class* is the share of these inputs for which a file names PyTorch's class. Quantized files
were calibrated on noise, and *of 256* is that share of 256 other inputs of noise: with random
weights both say little of trained ones.
ONNX, TFLite and ExecuTorch files were run by their own runtimes on this machine; Core ML files were
evaluated operation by operation with torch. None of them has run on a phone.
"""

COLUMNS = (
    "network",
    "artifact",
    "outcome",
    "rel. error",
    "SNR dB",
    "same class",
    "of 256",
    "inputs passed over",
    "operations",
    "left out of the delegate",
    "MB",
    "seconds",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list_models())
    parser.add_argument("--formats", nargs="+", default=plugins.exporter_names())
    parser.add_argument("--out", type=Path, required=True, help="folder of the artifacts")
    parser.add_argument("--table", type=Path, required=True, help="Markdown file to write")
    parser.add_argument(
        "--quantized", action="store_true", help="every quantized precision, not fp32 and fp16"
    )
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    recipes = [
        exporter.recipe(precision)
        for exporter in map(plugins.exporter, options.formats)
        for precision in sorted(exporter.precisions(), reverse=True)
        if precision.quantized is options.quantized and precision is not Precision.FP16_WEIGHTS
    ]
    exports.write_table(
        options.models,
        recipes,
        options.out,
        options.table,
        jobs=options.jobs,
        header=HEADER.format(
            title=TITLES[options.quantized], machine=_machine(), tools=_tools(recipes)
        ),
        columns=COLUMNS,
        cells=_cells,
    )


def _cells(facts: ArtifactFacts) -> list[str]:
    return [
        *_verification(facts),
        str(len(facts.preflight.passed_over) or ""),
        str(sum(facts.op_histogram.values())),
        facts.structure.get("not_delegated", ""),
        f"{facts.size_bytes / 1e6:.1f}",
        f"{facts.export_seconds:.0f}",
    ]


def _verification(facts: ArtifactFacts) -> list[str]:
    if facts.unverified:
        return ["not verified", "", "", "", ""]
    parity = facts.parity[0]
    return [
        "equal" if parity.passed else "differs",
        parity.error_text,
        parity.snr_text,
        "" if parity.top1_agreement is None else f"{parity.top1_agreement:.0%}",
        "" if facts.agreement is None else f"{facts.agreement.top1:.0%}",
    ]


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}"


def _tools(recipes: list[ExportRecipe]) -> str:
    versions: dict[str, str] = {}
    for recipe in recipes:
        versions |= plugins.exporter(recipe.format).tool_versions()
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))


if __name__ == "__main__":
    main()
