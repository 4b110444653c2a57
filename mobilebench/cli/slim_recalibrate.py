"""`mobilebench slim recalibrate`: add the norms of widths that were not trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.slim_options import Data, Model, Shared, Statistics, read_trained


def command(
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
    count: Statistics = 1024,
) -> None:
    """Add the norms of widths that were not trained, with statistics from training images.

    Their BatchNorm has the weights of the full network. Norms of a trained width are replaced.
    """
    from mobilebench.inputs.folder import ImageFolder
    from mobilebench.slimmable.extraction import extract
    from mobilebench.slimmable.training.judging import recalibrate_from
    from mobilebench.values.width import Width

    trained, spec = read_trained(model, checkpoint)
    widths = [each for each in map(Width.parse, width) if not each.is_full]
    images = ImageFolder.find(data / "train" if (data / "train").is_dir() else data)
    for each in widths:
        narrow = extract(trained.network, each, name=model).eval()
        taken = recalibrate_from(narrow, images, spec, count=count)
        trained.add(each, narrow)
        output.tell(f"{each}: statistics of {taken} images")
    trained.write(out)
    output.tell(f"written: {out}")
