"""Count how many images of a data set an artifact classifies correctly."""

from __future__ import annotations

from pathlib import PurePath

from mobilebench import stats
from mobilebench.values import require_range, value
from mobilebench.values.artifact import ArtifactFacts
from mobilebench.values.modelspec import ModelSpec, Preprocessing
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.record import Provenance, require_id, require_utc

ACCURACY_SCHEMA_VERSION = 1
TOP = 5
"""Number of guesses that top-5 allows. With no more classes than this it would always be 1."""


@value
class DataSet:
    """The images that were evaluated."""

    folder: str
    """Its name, for people: where it lies tells of the machine. The path in old documents."""
    sha256: str
    """Over the class names, and the label, relative path and content of every image."""
    images: int
    available: int
    """Images in the folder; more than `images` where a limit was set."""
    class_names_sha256: str
    """Over the names in the order of the network's outputs."""
    unreadable: tuple[str, ...] = ()
    """Images that were skipped because they could not be read; `images` includes them."""

    def __post_init__(self) -> None:
        require_range(self, "images", least=1)
        require_range(self, "available", least=self.images)

    @property
    def whole(self) -> bool:
        """True where no limit was set."""
        return self.images == self.available

    @property
    def title(self) -> str:
        """The name, with the beginning of the digest that tells its content from others."""
        return f"{self.name} ({self.sha256[:8]})"

    @property
    def name(self) -> str:
        """The last two folders of the path: the others are about one machine alone."""
        return "/".join(PurePath(self.folder).parts[-2:])


@value
class ClassCount:
    """The number of correctly classified images of one class."""

    index: int
    name: str
    images: int
    """Number of images that could be read."""
    top1: int
    top5: int | None
    """None where the network has no more than `TOP` classes."""

    def __post_init__(self) -> None:
        require_range(self, "index")
        require_range(self, "images", least=1)
        require_range(self, "top1", most=self.images)
        require_range(self, "top5", least=self.top1, most=self.images)


@value
class Share:
    """A share of a whole, kept as counts; percentage and interval are computed when shown."""

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
    """The accuracy of one artifact on one data set, with all that is needed to repeat it."""

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
    """Versions of everything installed that the scores could depend on."""
    provenance: Provenance
    outputs: int
    """Number of scores that the network returns."""
    not_finite: int
    """Images with a score that is not finite; they count as wrong."""
    classes: tuple[ClassCount, ...]

    def __post_init__(self) -> None:
        require_id(self.accuracy_id, "accuracy_id")
        require_utc(self.created)
        require_range(self, "threads", "outputs", least=1)
        if not self.classes:
            raise ValueError("an accuracy without any evaluated image")
        evaluated = self.data.images - len(self.data.unreadable)
        if self.images != evaluated:
            raise ValueError(
                f"the classes have {self.images} images, and {evaluated} of the data set were read"
            )
        require_range(self, "not_finite", most=self.images)

    def __repr__(self) -> str:
        """Say what was judged, and the share that is right, without the classes."""
        share = self.top1.value
        top1 = "no image" if share is None else f"top-1 {share:.2%} of {self.images} images"
        return f"<Accuracy {self.model.title} {self.recipe.label}: {top1}>"

    @property
    def images(self) -> int:
        """Number of images that were evaluated."""
        return sum(each.images for each in self.classes)

    @property
    def top1(self) -> Share:
        return Share(hits=sum(each.top1 for each in self.classes), count=self.images)

    @property
    def preparation(self) -> str:
        """How the images were prepared, in words."""
        return self.preprocessing.described(self.resolution)

    @property
    def top5(self) -> Share | None:
        """None where the network has no more than `TOP` classes."""
        if self.outputs <= TOP:
            return None
        return Share(hits=sum(each.top5 or 0 for each in self.classes), count=self.images)
