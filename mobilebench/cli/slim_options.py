"""Options that the verbs of `mobilebench slim` share, and the file that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions
from mobilebench.cli.grammar import Panel

if TYPE_CHECKING:
    from mobilebench.slimmable.training.trained import Trained
    from mobilebench.values.modelspec import ModelSpec


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
Statistics = Annotated[
    int,
    typer.Option(
        "--count",
        min=2,
        metavar="N",
        rich_help_panel=Panel.IMAGES,
        help="Images of train/ for the statistics of a width that was not trained, evenly spaced.",
    ),
]


def read_trained(model: str, checkpoint: Path) -> tuple[Trained, ModelSpec]:
    """Read the network that a verb names, with its spec at the image size of its training."""
    from dataclasses import replace

    from mobilebench.slimmable.training import trained as files
    from mobilebench.zoo.registry import model_spec

    model_spec(model)  # a mistyped name is the first thing to say
    trained = files.read(checkpoint, model)
    spec = model_spec(model, trained.resolution)
    return trained, replace(spec, num_classes=trained.num_classes)
