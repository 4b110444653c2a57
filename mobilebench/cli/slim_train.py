"""`mobilebench slim train`: train a network for several widths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Json, listed
from mobilebench.cli.slim_options import Cpu, Data, Model, Workers
from mobilebench.values.training import Norms, TrainingPrecision

if TYPE_CHECKING:
    from mobilebench.values.training import TrainingReport


def command(
    ctx: typer.Context,
    model: Model,
    data: Data,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            rich_help_panel=Panel.OUTPUT,
            help="Folder for shared.pt, the network, and report.json. While the training lasts, "
            "progress.pt in it lets the same command go on.",
        ),
    ],
    width: Annotated[
        list[str],
        typer.Option(
            "--width",
            metavar="SHARE",
            rich_help_panel=Panel.MODEL,
            help="A width: a share of the channels, such as 0.5, or one for each stage, "
            "1,0.75,0.5,0.5; repeatable. The full width is always one.",
        ),
    ],
    norms: Annotated[
        Norms,
        typer.Option(
            metavar="KIND",
            rich_help_panel=Panel.MODEL,
            help="private: a BatchNorm for each listed width, and no other is trained. shared: one "
            "for all, any width is trained, and listed ones are recalibrated at the end.",
        ),
    ] = Norms.PRIVATE,
    random_widths: Annotated[
        int,
        typer.Option(
            min=0,
            max=64,
            metavar="N",
            rich_help_panel=Panel.MODEL,
            help="Random widths of each step, besides the full and the narrowest one.",
        ),
    ] = 2,
    by_stage: Annotated[
        bool,
        typer.Option(
            "--by-stage",
            rich_help_panel=Panel.MODEL,
            help="Draw the share of each stage by itself; with --norms shared.",
        ),
    ] = False,
    no_distil: Annotated[
        bool,
        typer.Option(
            "--no-distil",
            rich_help_panel=Panel.MODEL,
            help="Let every width learn from the labels, rather than from the full one's outputs.",
        ),
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            "-c",
            metavar="FILE",
            rich_help_panel=Panel.MODEL,
            help="Weights of the full network to begin with. Default: from scratch.",
        ),
    ] = None,
    resolution: Annotated[
        int,
        typer.Option(
            "--resolution",
            "-r",
            min=32,
            metavar="PIXELS",
            rich_help_panel=Panel.MODEL,
            help="Image size.",
        ),
    ] = 224,
    least_crop: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=1,
            metavar="SHARE",
            rich_help_panel=Panel.IMAGES,
            help="Smallest share of an image's area that is cut out of it for training.",
        ),
    ] = 0.08,
    no_flip: Annotated[
        bool,
        typer.Option(
            "--no-flip", rich_help_panel=Panel.IMAGES, help="Do not mirror half of the images."
        ),
    ] = False,
    epochs: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", rich_help_panel=Panel.TRAINING, help="Passes over all images."
        ),
    ] = 100,
    batch_size: Annotated[
        int,
        typer.Option(
            min=2,
            metavar="N",
            rich_help_panel=Panel.TRAINING,
            help="Images of a step, on all devices together.",
        ),
    ] = 256,
    learning_rate: Annotated[
        float,
        typer.Option(
            metavar="RATE", rich_help_panel=Panel.TRAINING, help="Highest learning rate of AdamW."
        ),
    ] = 1e-3,
    weight_decay: Annotated[
        float,
        typer.Option(metavar="RATE", rich_help_panel=Panel.TRAINING, help="Weight decay of AdamW."),
    ] = 0.05,
    warmup: Annotated[
        float,
        typer.Option(
            metavar="EPOCHS",
            rich_help_panel=Panel.TRAINING,
            help="Epochs in which the learning rate rises; half a cosine follows.",
        ),
    ] = 5,
    label_smoothing: Annotated[
        float,
        typer.Option(
            metavar="SHARE", rich_help_panel=Panel.TRAINING, help="Smoothing of the labels."
        ),
    ] = 0.1,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            rich_help_panel=Panel.TRAINING,
            help="Seed of the weights, the order of images and all that is random.",
        ),
    ] = 0,
    precision: Annotated[
        TrainingPrecision,
        typer.Option(
            metavar="KIND",
            rich_help_panel=Panel.TRAINING,
            help=f"{listed(TrainingPrecision)}: in what the network computes; its weights stay "
            f"float32.",
        ),
    ] = TrainingPrecision.FP32,
    devices: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.WORK,
            help="GPUs of this machine, or processes with --cpu.",
        ),
    ] = 1,
    workers: Workers = 4,
    save_every: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="STEPS",
            rich_help_panel=Panel.WORK,
            help="Steps after which progress.pt is written, besides the end of each epoch.",
        ),
    ] = 1000,
    cpu: Cpu = False,
    json: Json = False,
) -> None:
    """Train a network of the zoo for several widths of one set of weights.

    Every step trains the full width, the narrowest and some random ones. The full one learns from
    the labels, the others from its outputs. At the end every listed width is judged on val/. After
    a crash or a kill the same command goes on. `mobilebench export MODEL --checkpoint
    FOLDER/shared.pt --width SHARE` cuts a width out.
    """
    import os

    from mobilebench.errors import UserError
    from mobilebench.slimmable.training import devices as processes
    from mobilebench.slimmable.training import loop, sandwich
    from mobilebench.slimmable.training.batches import TrainingData
    from mobilebench.values import wire
    from mobilebench.values.training import TrainingRecipe, falling
    from mobilebench.values.width import Width
    from mobilebench.zoo.registry import model_spec

    spec = model_spec(model, resolution)
    try:
        recipe = TrainingRecipe(
            model=model,
            widths=falling(tuple(Width.parse(each) for each in width)),
            norms=norms,
            random_widths=random_widths,
            by_stage=by_stage,
            distil=not no_distil,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            warmup_epochs=min(warmup, epochs) if _is_default(ctx, "warmup") else warmup,
            label_smoothing=label_smoothing,
            resolution=resolution,
            least_crop=least_crop,
            flip=not no_flip,
            seed=seed,
            precision=precision,
            checkpoint=None if checkpoint is None else _sha256(checkpoint),
        )
        sandwich.require_possible(recipe)
    except ValueError as error:
        raise UserError(f"The training is impossible: {error}.") from error
    processes.require_accelerate()
    images = TrainingData.find(data)
    images.require_batch(batch_size, devices)
    started = "WORLD_SIZE" in os.environ
    network, spec = loop.beginning(recipe, spec, images, checkpoint)
    if devices > 1 and not started:
        _start(devices)
    first = os.environ.get("RANK", "0") == "0"
    work = loop.Work(workers=workers, save_every=save_every, cpu=cpu)
    steps = loop.total_steps(recipe, len(images.train.images))
    report = _followed(
        lambda stepped: loop.train(network, spec, recipe, images, out, work, stepped), steps, first
    )
    if first:
        _show(report, wire.to_plain(report) if json else None)
        output.tell(f"written: {out / 'shared.pt'} and {out / 'report.json'}")


def _show(report: TrainingReport, plain: Any) -> None:
    if plain is not None:
        output.show_json(plain)
        return
    table = output.columns("width", "norms", "params M>", "images>", "top-1 %>", "top-5 %>")
    for each in report.widths:
        table.add_row(
            str(each.width),
            "recalibrated" if each.recalibrated else "trained",
            f"{each.params / 1e6:.2f}",
            str(each.images),
            f"{each.top1:.2f}",
            f"{each.top5:.2f}",
        )
    output.show_plain(table)


def _followed(
    train: Callable[[Callable[[int, float], None]], TrainingReport], steps: int, first: bool
) -> TrainingReport:
    """Train under a progress bar, of the first process alone."""
    from mobilebench.cli.progress import counting

    if not first:
        return train(lambda step, loss: None)
    done = 0
    with counting("train", steps, "steps") as counted:

        def stepped(step: int, loss: float) -> None:
            nonlocal done
            if step > done:
                counted(step - done)
            done = step

        return train(stepped)


def _start(devices: int) -> None:
    """Become torchrun, which starts this command line once for each device."""
    import os
    import sys

    words = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={devices}"]
    os.execv(sys.executable, [sys.executable, *words, "-m", "mobilebench", *sys.argv[1:]])


def _sha256(checkpoint: Path) -> str:
    import hashlib

    from mobilebench.zoo.references import require_checkpoint

    require_checkpoint(checkpoint)
    with checkpoint.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_default(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "DEFAULT"
