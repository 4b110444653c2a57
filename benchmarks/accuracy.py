"""Measure how much accuracy of a small trained network each format and precision keeps.

The network learns two thirds of scikit-learn's handwritten digits and is evaluated on the rest, by
PyTorch and by every file. Ranges for 8 bits come from the training images, and once more from
noise, to show what noise costs.

    python benchmarks/accuracy.py --table docs/accuracy-digits.md
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from digits import EPOCHS, prepared, trained, write_images
from rich.console import Console

from mobilebench import files, plugins
from mobilebench.exporting.order import Terms
from mobilebench.inputs.folder import ImageFolder
from mobilebench.inputs.source import InputSource
from mobilebench.machine import cluster
from mobilebench.pipeline import export_module
from mobilebench.values.accuracy import Accuracy, Share
from mobilebench.values.artifact import Artifact
from mobilebench.values.recipe import ExportRecipe, Format, Precision
from mobilebench.verifying.evaluation import Evaluation, Options

HEADER = """\
# Accuracy by format and precision

Written by `benchmarks/accuracy.py`. A network of {params} weights, trained for {epochs} epochs on
{train} of scikit-learn's handwritten digits, judged on the {test} others. PyTorch names {torch}
of them rightly, {share} %. Intervals are Wilson's, at 95 %.

| artifact | computed by | calibrated on | right | top-1 % | interval | size KB |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--formats", nargs="+", default=plugins.exporter_names())
    parser.add_argument("--out", type=Path, default=Path("artifacts"))
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    train, test = write_images(options.out / "digits")
    network = trained(train)
    images, labels = prepared(test)
    with torch.no_grad():
        correct = int((network.module(images).argmax(1) == labels).sum())
    header = HEADER.format(
        params=network.spec.params,
        epochs=EPOCHS,
        train=len(ImageFolder.find(train).images),
        test=len(labels),
        torch=correct,
        share=_format_share(Share(hits=correct, count=len(labels))).partition(",")[0],
    )
    lines: list[str] = []
    for source in (InputSource(train), InputSource()):
        for recipe in _recipes(options.formats, source):
            terms = Terms(source=source, allow_parity_failure=True)
            [exported] = export_module(network, [recipe], options.out, terms=terms)
            if isinstance(exported.outcome, Artifact):
                lines.append(_line(_evaluate(exported.outcome, test), source))
            else:
                lines.append(f"| {recipe.label} | failed: {exported.outcome.error} | | | | | |")
            Console().print(lines[-1])
            if options.table:
                files.write_text(options.table, header + "\n".join(lines) + "\n")


def _recipes(formats: list[str], source: InputSource) -> list[ExportRecipe]:
    """Return every precision of the formats; with noise only the calibrated ones."""
    recipes = []
    for exporter in map(plugins.exporter, formats):
        for precision in Precision.exported():
            if precision not in exporter.precisions():
                continue
            if source.folder is None and not precision.calibrated:
                continue
            # Quantized activations came to ML Programs with iOS 17.
            newer = exporter.format is Format.COREML and precision.calibrated
            target = "iOS17" if newer else None
            calibration = source.calibration() if precision.calibrated else None
            recipes.append(exporter.recipe(precision, target, calibration=calibration))
    return recipes


def _evaluate(artifact: Artifact, test: Path) -> Accuracy:
    with cluster.local(1) as executor:
        # One part: a runtime takes longer to start than these images take.
        options = Options(part_images=1000)
        return Evaluation.plan(artifact, ImageFolder.find(test), options).run(executor)


def _line(result: Accuracy, source: InputSource) -> str:
    calibrated_on = (
        "" if result.recipe.calibration is None else "images" if source.folder else "noise"
    )
    cells = (
        result.recipe.label,
        result.evaluated_by,
        calibrated_on,
        f"{result.top1.hits}",
        *_format_share(result.top1).split(", "),
        f"{result.artifact.size_bytes / 1e3:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _format_share(share: Share) -> str:
    assert share.value is not None and share.interval is not None
    low, high = share.interval
    return f"{100 * share.value:.1f}, {100 * low:.1f} to {100 * high:.1f}"


if __name__ == "__main__":
    main()
