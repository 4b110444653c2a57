"""How a network is trained for its widths, and how accurate each is afterwards."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from mobilebench.values import require_range, value
from mobilebench.values.width import Width

REPORT_SCHEMA_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Norms(StrEnum):
    """Whose BatchNorm is trained."""

    PRIVATE = "private"
    """Every listed width has one, as in slimmable networks; only listed widths are trained."""
    SHARED = "shared"
    """All widths share one, as in US-Nets; any width is trained, and recalibrated at the end."""


class TrainingPrecision(StrEnum):
    """In what the forward passes compute; weights stay float32."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


@value
class TrainingRecipe:
    """Everything that decides the weights, besides the images."""

    model: str
    widths: tuple[Width, ...]
    """The full one first, then by their share of the channels."""
    norms: Norms = Norms.PRIVATE
    random_widths: int = 2
    """Widths of a step besides the widest and the narrowest."""
    by_stage: bool = False
    """Whether random widths draw the share of each stage by itself."""
    distil: bool = True
    """Whether narrower widths learn from the widest, rather than from the labels."""
    epochs: int = 100
    batch_size: int = 256
    """Images of a step, on all devices together."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_epochs: float = 5
    label_smoothing: float = 0.1
    resolution: int = 224
    least_crop: float = 0.08
    """Smallest share of an image's area that is cut out of it for training."""
    flip: bool = True
    """Whether half of the images are mirrored, left to right."""
    seed: int = 0
    precision: TrainingPrecision = TrainingPrecision.FP32
    checkpoint: str | None = None
    """sha256 of the file that the first weights come from; None for those of the seed."""

    def __post_init__(self) -> None:
        require_range(self, "random_widths", most=64)
        require_range(self, "epochs", least=1, most=100_000)
        require_range(self, "batch_size", least=2, most=1 << 20)
        require_range(self, "learning_rate", least=1e-9, most=100)
        require_range(self, "weight_decay", most=10)
        require_range(self, "warmup_epochs", most=self.epochs)
        require_range(self, "label_smoothing", most=0.9)
        require_range(self, "resolution", least=32, most=4096)
        require_range(self, "least_crop", least=0.01, most=1)
        require_range(self, "seed")
        if not self.widths or not self.widths[0].is_full:
            raise ValueError("the first width is not the full one")
        for wider, narrower in pairwise(self.widths):
            if narrower.is_full or narrower.mean > wider.mean:
                raise ValueError(f"the widths {wider} and {narrower} are not in falling order")
        if len({width.label for width in self.widths}) < len(self.widths):
            raise ValueError("a width is listed twice")
        if self.checkpoint is not None and not _SHA256.fullmatch(self.checkpoint):
            raise ValueError(f"a checkpoint is named by its sha256, not {self.checkpoint!r}")


@value
class TrainedWidth:
    """One width of a trained network, judged on the images of the validation."""

    width: Width
    recalibrated: bool
    """Whether its statistics of BatchNorm were taken after the training."""
    params: int
    images: int
    top1_hits: int
    top5_hits: int

    def __post_init__(self) -> None:
        require_range(self, "params", "top1_hits")
        require_range(self, "images", least=1)
        require_range(self, "top5_hits", least=self.top1_hits, most=self.images)

    @property
    def top1(self) -> float:
        """In per cent."""
        return 100 * self.top1_hits / self.images

    @property
    def top5(self) -> float:
        """In per cent."""
        return 100 * self.top5_hits / self.images


@value
class TrainingReport:
    """What was trained, on what, and how accurate each width is."""

    READS_SINCE: ClassVar = 1

    schema_version: int = REPORT_SCHEMA_VERSION
    recipe: TrainingRecipe
    classes: tuple[str, ...]
    """Names in the order of the network's outputs."""
    images: int
    """Images of the training."""
    images_sha256: str
    """Over the label and the path of each."""
    steps: int
    widths: tuple[TrainedWidth, ...]
    """The widest first."""


def falling(widths: tuple[Width, ...]) -> tuple[Width, ...]:
    """Return each width once, the widest first, and the full one whether it was listed or not."""
    by_label = {width.label: width for width in (Width(shares=(1.0,)), *widths)}
    return tuple(sorted(by_label.values(), key=lambda width: width.mean, reverse=True))
