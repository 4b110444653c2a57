"""Accuracy: how many images of a data set an artifact names rightly."""

from __future__ import annotations

from mobilebench import stats
from mobilebench.values import value
from mobilebench.values.artifact import ArtifactFacts
from mobilebench.values.modelspec import ModelSpec, Preprocessing
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.record import Provenance

ACCURACY_SCHEMA_VERSION = 1
TOP = 5
"""How many guesses the second figure allows; among so few classes or fewer it would always be 1."""


@value
class DataSet:
    """Which images were judged."""

    folder: str
    """As it was given, for people."""
    sha256: str
    """Over the classes' names, and the label, relative path and content of every image judged."""
    images: int
    available: int
    """Images in the folder; more than `images` where a limit was set."""
    class_names_sha256: str
    """Over the names in the order of the network's outputs."""
    unreadable: tuple[str, ...] = ()
    """Images that were passed over because they could not be read; part of `images`."""


@value
class ClassCount:
    """One class that has images: how many were named rightly."""

    index: int
    name: str
    images: int
    """Those that could be read."""
    top1: int
    top5: int | None
    """None where the network tells no more than `TOP` classes apart."""


@value
class Share:
    """A part of a whole; what a table shows of it is computed when shown."""

    hits: int
    count: int

    @property
    def value(self) -> float | None:
        return self.hits / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval at 95 %, as if the images were drawn at random from many more."""
        return stats.wilson_interval(self.hits, self.count) if self.count else None


@value
class Accuracy:
    """What one artifact scored on one data set, with all that is needed to do it again."""

    schema_version: int = ACCURACY_SCHEMA_VERSION
    accuracy_id: str
    created: str
    model: ModelSpec
    recipe: ExportRecipe
    artifact: ArtifactFacts
    data: DataSet
    preprocessing: Preprocessing
    resolution: tuple[int, int]
    """(H, W) of the network's input."""
    evaluated_by: str
    """The runtime that computed the scores, with its version."""
    threads: int
    versions: dict[str, str]
    """Of everything installed that the scores could depend on."""
    provenance: Provenance
    outputs: int
    """Number of scores that the network gives."""
    not_finite: int
    """Images with a score that is not finite; they count as wrong."""
    classes: tuple[ClassCount, ...]

    @property
    def images(self) -> int:
        """Images that were judged."""
        return sum(each.images for each in self.classes)

    @property
    def top1(self) -> Share:
        return Share(hits=sum(each.top1 for each in self.classes), count=self.images)

    @property
    def top5(self) -> Share | None:
        """None where the network tells no more than `TOP` classes apart."""
        if self.outputs <= TOP:
            return None
        return Share(hits=sum(each.top5 or 0 for each in self.classes), count=self.images)
