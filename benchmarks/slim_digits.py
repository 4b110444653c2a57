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
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from digits import write_images
from torch import nn

from mobilebench import files
from mobilebench.slimmable.extraction import extract
from mobilebench.slimmable.training import loop, trained
from mobilebench.slimmable.training.batches import TrainingData, judged
from mobilebench.slimmable.training.judging import Hits, hits, recalibrate_from
from mobilebench.values.training import TrainedWidth, TrainingRecipe, TrainingReport
from mobilebench.values.width import Width
from mobilebench.zoo.complexity import count_params
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
SEEDS = (0, 1)
HEADER = """\
# Widths trained together, on digits

Written by `benchmarks/slim_digits.py`. `{model}` at {size} x {size} pixels, from scratch, on
{train} of scikit-learn's handwritten digits, judged on the {val} others: {epochs} epochs of
{batch} images a step, on a CPU. **These are digits, not ImageNet. Nothing was trained on ImageNet
here.**

- together: one training for all of these widths, by `mobilebench slim train` with private norms.
- alone: the same recipe for this width only, so each row is another network. It begins with the
  leading channels of the same first weights, and has as many steps.
- cut: the full width that was trained alone, cut to this width. Its statistics are recalibrated on
  the training images, and its weights do not change.
- {untrained} was not trained. In the column "together" it has the weights of that training, and
  recalibrated statistics.

Each cell is top-1 in per cent: the mean, and in brackets one figure for each of the seeds {seeds}.
One image is {image:.2f} %.

| width | params M | together | alone | cut |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """What one seed gives for a width."""

    params: int
    together: Hits
    alone: Hits | None
    cut: Hits | None


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
        seeds = [rows(seed, data, options.out / str(seed), end) for seed in SEEDS]
    except _OutOfTime:
        sys.exit("out of time; run this again to go on")
    text = HEADER.format(
        model=MODEL,
        size=RECIPE.resolution,
        train=len(data.train.images),
        val=len(data.val.images),
        epochs=RECIPE.epochs,
        batch=RECIPE.batch_size,
        untrained=UNTRAINED,
        seeds=", ".join(map(str, SEEDS)),
        image=100 / len(data.val.images),
    ) + "".join(line(width, [seed[width] for seed in seeds]) for width in seeds[0])
    print(text)
    if options.table:
        files.write_text(options.table, text)


def rows(seed: int, data: TrainingData, folder: Path, end: float) -> dict[Width, Row]:
    """Train with one seed, together and alone; return what each width gives, the widest first."""
    recipe = replace(RECIPE, seed=seed)
    together = train(recipe, FULL, data, folder / "together", end)
    single = replace(recipe, widths=(FULL,))
    alone = {
        width: train(single, width, data, folder / width.label, end).widths[0]
        for width in recipe.widths
    }
    shared = trained.read(folder / "together" / "shared.pt", MODEL).network
    full = trained.read(folder / FULL.label / "shared.pt", MODEL).network
    cuts = {w.label: recalibrated(full, w, data) for w in (*recipe.widths[1:], UNTRAINED)}
    untrained = recalibrated(shared, UNTRAINED, data)
    by_name = hits(cuts | {"untrained": untrained}, judged(data.val, SPEC, batch=64))
    result = {
        each.width: Row(each.params, of(each), of(alone[each.width]), by_name.get(each.width.label))
        for each in together.widths
    }
    result[UNTRAINED] = Row(
        count_params(untrained), by_name["untrained"], None, by_name[UNTRAINED.label]
    )
    return dict(sorted(result.items(), key=lambda item: -item[0].mean))


def train(
    recipe: TrainingRecipe, width: Width, data: TrainingData, folder: Path, end: float
) -> TrainingReport:
    """Train a network that is cut to a width before, or go on with it, until the time is over."""
    network, spec = loop.beginning(recipe, SPEC, data, None)

    def stepped(step: int, loss: float) -> None:
        if step % WORK.save_every == 0:
            print(f"{folder}: step {step}, loss {loss:.3f}", flush=True)
            if time.monotonic() > end:
                raise _OutOfTime

    narrow = extract(network, width, name=MODEL)
    return loop.train(narrow, spec, recipe, data, folder, WORK, stepped)


def recalibrated(network: nn.Module, width: Width, data: TrainingData) -> nn.Module:
    """Return a network that is cut to a width, with statistics of the training images."""
    narrow = extract(network, width, name=MODEL).eval()
    recalibrate_from(narrow, data.train, SPEC)
    return narrow


def of(each: TrainedWidth) -> Hits:
    """Return the hits of a report."""
    return Hits(each.top1_hits, each.top5_hits, each.images)


def line(width: Width, seeds: Sequence[Row]) -> str:
    """Return the row of a width."""
    columns = [[getattr(seed, name) for seed in seeds] for name in ("together", "alone", "cut")]
    cells = " | ".join(cell([each for each in column if each]) for column in columns)
    return f"| {width} | {seeds[0].params / 1e6:.2f} | {cells} |\n"


def cell(results: Sequence[Hits]) -> str:
    """Return the mean and each of several shares in per cent; nothing where there are none."""
    shares = [100 * each.top1 / each.images for each in results]
    if not shares:
        return ""
    return f"{sum(shares) / len(shares):.1f} ({', '.join(f'{each:.1f}' for each in shares)})"


if __name__ == "__main__":
    main()
