"""Measure how fast int8 files are beside float32 ones, as ratios within one run.

Both files of a network run interleaved in a separate process, as in `deployment.py`; a ratio is the
median over the rounds of each round's own ratio.

    python benchmarks/int8.py --out DIR --table docs/int8-speed.md
"""

from __future__ import annotations

import argparse
from pathlib import Path

import deployment
import tables

from mobilebench import files, pipeline, plugins
from mobilebench.values.artifact import Artifact
from mobilebench.values.recipe import Precision
from mobilebench.values.request import Request

MODELS = ("mobilevig_ti", "rapidnet_ti")
TITLE = "# int8 beside float32"
EXPLAINED = """\
Written by `benchmarks/int8.py` on {machine}, batch 1: milliseconds of one inference, medians of
{rounds} rounds in which both files take turns; ratios are medians of each round's own, with the
smallest and the largest. int8 is static, with weights by output channel, calibrated on noise.
LiteRT computes GELU in 8 bits outside XNNPACK, by a table and on one thread, so a network with much
of it gains little from a second. These are figures of a CPU of this kind, not of a phone."""
TITLES = ("network", "format", "threads", "fp32 ms", "int8 ms", "int8 / fp32", "fp32 MB", "int8 MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--formats", nargs="+", default=deployment.FORMATS)
    parser.add_argument("--threads", nargs="+", type=int, default=(1, 2))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True, help="folder of the artifacts")
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    lines = []
    for model in options.models:
        for format_name in options.formats:
            artifacts = _artifacts(model, format_name, options.out)
            for threads in options.threads:
                lines.append(_line(model, format_name, artifacts, threads, options.rounds))
                print(" | ".join(lines[-1]), flush=True)
    explained = EXPLAINED.format(
        machine=tables.machine(),
        rounds=options.rounds,
    )
    table = tables.markdown(TITLES, lines)
    if options.table:
        files.write_text(options.table, tables.page(TITLE, explained, table))


def _artifacts(model: str, format_name: str, out: Path) -> dict[str, Artifact]:
    exporter = plugins.exporter(format_name)
    recipes = [exporter.recipe(precision) for precision in (Precision.FP32, Precision.INT8)]
    artifacts: dict[str, Artifact] = {}
    for exported in pipeline.export_matrix([Request(reference=model)], recipes, out):
        if not isinstance(exported.outcome, Artifact):
            raise SystemExit(f"{exported.name} {exported.recipe.label}: {exported.outcome.message}")
        artifacts[exported.recipe.precision] = exported.outcome
    return artifacts


def _line(
    model: str, format_name: str, artifacts: dict[str, Artifact], threads: int, rounds: int
) -> list[str]:
    paths = {name: str(artifact.model_path) for name, artifact in artifacts.items()}
    measured = [deployment.side_by_side(format_name, paths, threads) for _ in range(rounds)]
    return [
        model,
        format_name,
        str(threads),
        *(deployment.median_of([r[name] for r in measured]) for name in ("fp32", "int8")),
        deployment.ratio_of(measured, "int8", "fp32"),
        *(f"{artifacts[name].manifest.facts.size_bytes / 1e6:.1f}" for name in ("fp32", "int8")),
    ]


if __name__ == "__main__":
    main()
