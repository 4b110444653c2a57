"""`mobilebench slim`: train a network for several widths, and choose among them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.grammar import Panel, Section, Verbs, add
from mobilebench.cli.options import Json, Store, listed, refuse_given
from mobilebench.values.training import Norms, TrainingPrecision

if TYPE_CHECKING:
    from mobilebench.slimmable.training.latencies import LatencyTable
    from mobilebench.slimmable.training.searching import Candidate
    from mobilebench.slimmable.training.trained import Trained
    from mobilebench.values.modelspec import ModelSpec
    from mobilebench.values.training import TrainingReport

app = typer.Typer(
    cls=Verbs,
    help="Train a network for several widths of one set of weights, and choose among them.",
    epilog="mobilebench slim train mobilevig_ti --data imagenet --width 0.5 --out run",
    no_args_is_help=True,
)
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", autocompletion=completions.models, help="Name of a network of the zoo."
    ),
]
Data = Annotated[
    Path,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=Panel.IMAGES,
        help="Folder with train/CLASS/IMAGE and val/CLASS/IMAGE.",
    ),
]
Shared = Annotated[
    Path,
    typer.Option(
        "--checkpoint",
        "-c",
        metavar="FILE",
        rich_help_panel=Panel.MODEL,
        help="The shared.pt that `mobilebench slim train` wrote.",
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        min=0, metavar="N", rich_help_panel=Panel.WORK, help="Processes that read images."
    ),
]
Cpu = Annotated[
    bool,
    typer.Option(
        "--cpu", rich_help_panel=Panel.WORK, help="Use the CPU even where there is a GPU."
    ),
]


def train(
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
            min=1, metavar="N", rich_help_panel=Panel.SETTING, help="Passes over all images."
        ),
    ] = 100,
    batch_size: Annotated[
        int,
        typer.Option(
            min=2,
            metavar="N",
            rich_help_panel=Panel.SETTING,
            help="Images of a step, on all devices together.",
        ),
    ] = 256,
    learning_rate: Annotated[
        float,
        typer.Option(
            metavar="RATE", rich_help_panel=Panel.SETTING, help="Highest learning rate of AdamW."
        ),
    ] = 1e-3,
    weight_decay: Annotated[
        float,
        typer.Option(metavar="RATE", rich_help_panel=Panel.SETTING, help="Weight decay of AdamW."),
    ] = 0.05,
    warmup: Annotated[
        float,
        typer.Option(
            metavar="EPOCHS",
            rich_help_panel=Panel.SETTING,
            help="Epochs in which the learning rate rises; half a cosine follows.",
        ),
    ] = 5,
    label_smoothing: Annotated[
        float,
        typer.Option(
            metavar="SHARE", rich_help_panel=Panel.SETTING, help="Smoothing of the labels."
        ),
    ] = 0.1,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            rich_help_panel=Panel.SETTING,
            help="Seed of the weights, the order of images and all that is random.",
        ),
    ] = 0,
    precision: Annotated[
        TrainingPrecision,
        typer.Option(
            metavar="KIND",
            rich_help_panel=Panel.SETTING,
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


def recalibrate(
    model: Model,
    checkpoint: Shared,
    data: Data,
    width: Annotated[
        list[str],
        typer.Option(
            "--width",
            metavar="SHARE",
            rich_help_panel=Panel.MODEL,
            help="A width to add: a share of the channels, or one for each stage; repeatable.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="File for the network with the norms of these widths; it may be the same.",
        ),
    ],
    count: Annotated[
        int,
        typer.Option(
            min=2,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            help="Images of train/ that the statistics are taken from, evenly spaced.",
        ),
    ] = 1024,
) -> None:
    """Add the norms of widths that were not trained, with statistics from training images.

    Their BatchNorm has the weights of the full network. Norms of a trained width are replaced.
    """
    from mobilebench.inputs.folder import ImageFolder
    from mobilebench.slimmable.extraction import extract
    from mobilebench.slimmable.training.judging import recalibrate_from
    from mobilebench.values.width import Width

    trained, spec = _trained(model, checkpoint)
    widths = [each for each in map(Width.parse, width) if not each.is_full]
    images = ImageFolder.find(data / "train" if (data / "train").is_dir() else data)
    for each in widths:
        narrow = extract(trained.network, each, name=model).eval()
        taken = recalibrate_from(narrow, images, spec, count=count)
        trained.add(each, narrow)
        output.tell(f"{each}: statistics of {taken} images")
    trained.write(out)
    output.tell(f"written: {out}")


def search(
    ctx: typer.Context,
    model: Model,
    checkpoint: Shared,
    data: Data,
    latencies: Annotated[
        str,
        typer.Option(
            metavar="PLACE",
            rich_help_panel=Panel.SETTING,
            help="Measured latencies of the widths to choose from: a table, as .csv or .json, or "
            "records as for `check`: store:model=NAME, a file or a folder.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="File for the table of widths that `mobilebench simulate --widths` reads.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            help="Judge on this many images of val/, evenly spaced. Default: all.",
        ),
    ] = None,
    count: Annotated[
        int,
        typer.Option(
            min=2,
            metavar="N",
            rich_help_panel=Panel.IMAGES,
            help="Images of train/ for the statistics of a width that was not trained.",
        ),
    ] = 1024,
    workers: Workers = 4,
    cpu: Cpu = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Judge the widths of a table of latencies, and choose those worth their latency.

    A width is chosen where no faster one is as accurate. Weights do not change. A width that was
    not trained gets statistics from training images first.
    """
    import torch

    from mobilebench.cli.progress import counting
    from mobilebench.slimmable.training import searching
    from mobilebench.slimmable.training.batches import TrainingData
    from mobilebench.values import wire

    if not latencies.startswith("store:"):
        refuse_given(ctx, ("store",), "is for records named store:CONDITIONS; leave it out")
    table = _latencies(latencies, model, store)
    trained, spec = _trained(model, checkpoint)
    images = TrainingData.find(data)
    images.val.require_outputs(trained.num_classes, model)
    judged_on = images.val if limit is None else images.val.limited(limit)
    on_gpu = torch.cuda.is_available() and not cpu
    with counting(model, len(judged_on.images), "images") as counted:
        candidates = searching.judge(
            trained,
            spec,
            images,
            table,
            judged_on=judged_on,
            recalibrated_on=count,
            device="cuda" if on_gpu else "cpu",
            workers=workers,
            counted=counted,
        )
    front = searching.front(candidates)
    chosen = searching.in_falling_order(front)
    accuracy = f"{model}, {len(judged_on.images)} images of {images.val.folder.name}/"
    widths = searching.as_widths(chosen, table.source, f"measured by mobilebench slim: {accuracy}")
    if out is not None:
        wire.write(out, widths)
    if json:
        output.show_json(wire.to_plain(widths))
    else:
        _show_candidates(candidates, front, chosen)
    output.tell(f"Latencies: {table.source}. Accuracies: {accuracy}.")
    if out is not None:
        output.tell(f"written: {out}")


def _trained(model: str, checkpoint: Path) -> tuple[Trained, ModelSpec]:
    from dataclasses import replace

    from mobilebench.slimmable.training import trained as files
    from mobilebench.zoo.registry import model_spec

    model_spec(model)  # a mistyped name is the first thing to say
    trained = files.read(checkpoint, model)
    spec = model_spec(model, trained.resolution)
    return trained, replace(spec, num_classes=trained.num_classes)


def _latencies(place: str, model: str, store: str | None) -> LatencyTable:
    from mobilebench.regress import baselines
    from mobilebench.slimmable.training import latencies
    from mobilebench.values import wire

    path = Path(place)
    if path.suffix.lower() == ".csv":
        return latencies.read(path)
    if path.is_file():
        content = wire.parse(path.read_bytes(), place)
        if isinstance(content, dict) and "latencies" in content:
            return latencies.read(path)
    return latencies.of_records(baselines.load(place, store), model)


def _show_candidates(
    candidates: list[Candidate], front: list[Candidate], chosen: list[Candidate]
) -> None:
    table = output.columns("width", "norms", "latency ms>", "top-1 %>", "chosen")
    for each in candidates:
        out_of_order = "no: narrower ones are slower" if each in front else "no"
        table.add_row(
            str(each.width),
            "recalibrated" if each.recalibrated else "trained",
            f"{each.latency_ms:.3f}",
            f"{each.top1:.2f}",
            "yes" if each in chosen else out_of_order,
        )
    output.show_plain(table)


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


def _followed(train: Any, steps: int, first: bool) -> TrainingReport:
    """Train under a progress bar, of the first process alone."""
    from mobilebench.cli.progress import counting

    if not first:
        report: TrainingReport = train(lambda step, loss: None)
        return report
    done = 0
    with counting("train", steps, "steps") as counted:

        def stepped(step: int, loss: float) -> None:
            nonlocal done
            if step > done:
                counted(step - done)
            done = step

        report = train(stepped)
    return report


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


add(
    app,
    "train",
    train,
    Section.FILES,
    "mobilebench slim train mobilevig_ti --data imagenet --width 0.75 --width 0.5 --out run",
)
add(
    app,
    "recalibrate",
    recalibrate,
    Section.FILES,
    "mobilebench slim recalibrate mobilevig_ti -c run/shared.pt --data imagenet --width 0.6 "
    "--out run/shared.pt",
)
add(
    app,
    "search",
    search,
    Section.FILES,
    "mobilebench slim search mobilevig_ti -c run/shared.pt --data imagenet --latencies "
    "store:model=mobilevig_ti --out widths.json",
)
