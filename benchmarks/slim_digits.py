"""Measure how accurate the widths of a network are that was trained for them.

The network is MobileNetV2 of the zoo at 32 x 32 pixels, from scratch, on two thirds of
scikit-learn's handwritten digits. Beside it each width is trained alone by the same recipe, and cut
from the full network that was trained alone. A run stops after `--seconds`; the next one goes on.

    python benchmarks/slim_digits.py --out slim --seconds 240 --table docs/slim-digits.md
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from digits import write_images
from torch import nn

from mobilebench import files
from mobilebench.slimmable.extraction import extract
from mobilebench.slimmable.training import loop, trained
from mobilebench.slimmable.training.batches import TrainingData, judged
from mobilebench.slimmable.training.judging import Hits, hits, recalibrate_from
from mobilebench.stats.summary import wilson_interval
from mobilebench.values.training import TrainedWidth, TrainingRecipe, TrainingReport
from mobilebench.values.width import Width
from mobilebench.zoo.registry import model_spec

MODEL = "mobilenetv2_100"
FULL = Width(shares=(1.0,))
UNTRAINED = Width(shares=(0.6,))
RECIPE = TrainingRecipe(
    model=MODEL,
    widths=(FULL, Width(shares=(0.75,)), Width(shares=(0.5,))),
    epochs=12,
    batch_size=64,
    learning_rate=2e-3,
    warmup_epochs=1,
    resolution=32,
    least_crop=0.7,
    flip=False,
)
SPEC = model_spec(MODEL, RECIPE.resolution)
WORK = loop.Work(save_every=6, cpu=True)
HEADER = """\
# Widths trained together, on digits

Written by `benchmarks/slim_digits.py`. `{model}` at {size} x {size} pixels, from scratch, on
{train} of scikit-learn's handwritten digits, judged on the {val} others: {epochs} epochs of {batch}
images a step, seed {seed}, on a CPU. **These are digits, not ImageNet. Nothing was trained on
ImageNet here.**

- together: one training for all of these widths, by `mobilebench slim train` with private norms.
- alone: the same recipe for this width only, so each row is another network. It begins with the
  leading channels of the same first weights, and has as many steps.
- cut: the full width that was trained alone, cut to this width. Its statistics are recalibrated on
  the training images, and its weights do not change.
- {untrained} was not trained. In the column "together" it has the weights of that training, and
  recalibrated statistics.

It is one seed. Intervals are Wilson's, at 95 %, over the images alone: another seed can lie
outside.

| width | params M | together: top-1 % | interval | alone: top-1 % | interval | cut: top-1 % |
|---|---|---|---|---|---|---|
"""


class _OutOfTime(Exception):
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("slim"))
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    torch.set_num_threads(1)
    write_images(options.out / "digits", "val")
    data = TrainingData.find(options.out / "digits")
    try:
        together = train(RECIPE, FULL, data, options.out / "together", end)
        alone = {
            width: train(
                replace(RECIPE, widths=(FULL,)), width, data, options.out / width.label, end
            ).widths[0]
            for width in RECIPE.widths
        }
    except _OutOfTime:
        sys.exit("out of time; run this again to go on")
    text = HEADER.format(
        model=MODEL,
        size=RECIPE.resolution,
        train=len(data.train.images),
        val=len(data.val.images),
        epochs=RECIPE.epochs,
        batch=RECIPE.batch_size,
        seed=RECIPE.seed,
        untrained=UNTRAINED,
    ) + "".join(lines(together, alone, data, options.out))
    print(text)
    if options.table:
        files.write_text(options.table, text)


def train(
    recipe: TrainingRecipe, width: Width, data: TrainingData, folder: Path, end: float
) -> TrainingReport:
    """Train a network that is cut to a width before, or go on with it, until the time is over."""
    network, spec = loop.beginning(recipe, SPEC, data, None)

    def stepped(step: int, loss: float) -> None:
        if step % WORK.save_every == 0:
            print(f"{folder.name}: step {step}, loss {loss:.3f}", flush=True)
            if time.monotonic() > end:
                raise _OutOfTime

    narrow = extract(network, width, name=MODEL)
    return loop.train(narrow, spec, recipe, data, folder, WORK, stepped)


def lines(
    together: TrainingReport, alone: dict[Width, TrainedWidth], data: TrainingData, out: Path
) -> list[str]:
    """Return the rows of the table."""
    shared = trained.read(out / "together" / "shared.pt", MODEL).network
    full = trained.read(out / FULL.label / "shared.pt", MODEL).network
    cuts = {width.label: recalibrated(full, width, data) for width in RECIPE.widths[1:]}
    cuts["shared"] = recalibrated(shared, UNTRAINED, data)
    cuts["full"] = recalibrated(full, UNTRAINED, data)
    by_name = hits(cuts, judged(data.val, SPEC, batch=64))
    rows = [
        (each.width, each.params, of(each), of(alone[each.width]), by_name.get(each.width.label))
        for each in together.widths
    ]
    params = sum(each.numel() for each in cuts["shared"].parameters())
    rows.append((UNTRAINED, params, by_name["shared"], None, by_name["full"]))
    rows.sort(key=lambda row: -row[0].shares[0])
    return [
        f"| {width} | {count / 1e6:.2f} | {share(own, True)} | {share(other, True)} "
        f"| {share(cut, False)} |\n"
        for width, count, own, other, cut in rows
    ]


def recalibrated(network: nn.Module, width: Width, data: TrainingData) -> nn.Module:
    """Return a network that is cut to a width, with statistics of the training images."""
    narrow = extract(network, width, name=MODEL).eval()
    recalibrate_from(narrow, data.train, SPEC)
    return narrow


def of(each: TrainedWidth) -> Hits:
    """Return the hits of a report."""
    return Hits(each.top1_hits, each.top5_hits, each.images)


def share(result: Hits | None, interval: bool) -> str:
    """Return the cells of a share in per cent."""
    if result is None:
        return " | " if interval else ""
    text = f"{100 * result.top1 / result.images:.1f}"
    low, high = wilson_interval(result.top1, result.images)
    return f"{text} | {100 * low:.1f} to {100 * high:.1f}" if interval else text


if __name__ == "__main__":
    main()
