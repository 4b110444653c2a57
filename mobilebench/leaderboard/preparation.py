"""Say which measured accuracies compare with each other: those of equally prepared images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mobilebench.values.accuracy import Accuracy
from mobilebench.values.modelspec import Interpolation
from mobilebench.values.tensor import DType

_DIGITS = 6
"""Of the share that is cropped: the same share of two input sizes differs by rounding."""


@dataclass(frozen=True)
class Preparation:
    """What makes two preparations of images the same."""

    normalisation: tuple[tuple[float, ...], tuple[float, ...]] | None
    """Mean and deviation; None where the file takes pixels, and normalises them by itself."""
    crop: float
    filter: Interpolation

    @classmethod
    def of(cls, accuracy: Accuracy) -> Preparation:
        """Return how the images of a result were prepared."""
        how = accuracy.preprocessing
        pixels = accuracy.model.inputs[0].dtype is DType.UINT8
        return cls(
            normalisation=None if pixels else (how.mean, how.std),
            crop=round(how.crop_pct, _DIGITS),
            filter=how.filter,
        )

    def fits(self, other: Preparation) -> bool:
        """Return whether images prepared in both ways show the networks the same."""
        either = None in (self.normalisation, other.normalisation)
        normalised = either or self.normalisation == other.normalisation
        return normalised and (self.crop, self.filter) == (other.crop, other.filter)


@dataclass(frozen=True)
class Basis:
    """The preparations that the comparable rows of a leaderboard have."""

    preparations: tuple[Preparation, ...]
    published: bool
    """Whether they are those that the authors of each network publish."""

    def has(self, accuracy: Accuracy) -> bool:
        """Return whether a result compares with the others of this basis."""
        if self.published and is_published(accuracy):
            return True
        preparation = Preparation.of(accuracy)
        return any(preparation.fits(each) for each in self.preparations)


def is_published(accuracy: Accuracy) -> bool:
    """Return whether the network's authors publish how its images are prepared.

    Then this preparation is a part of the network, as its input size is.
    """
    return accuracy.model.source is not None


def basis(results: Collection[Accuracy]) -> Basis:
    """Choose what is compared: what most files share, then what was evaluated last."""
    published = [each for each in results if is_published(each)]
    bases = [Basis((preparation,), published=False) for preparation in map(Preparation.of, results)]
    if published:
        bases.append(Basis(tuple(dict.fromkeys(map(Preparation.of, published))), published=True))

    def rank(each: Basis) -> tuple[int, str]:
        comparable = [result for result in results if each.has(result)]
        files = {result.artifact.sha256 for result in comparable}
        return len(files), max(result.created for result in comparable)

    return max(bases, key=rank)


def usual(results: Iterable[Accuracy]) -> Preparation | None:
    """Return the preparation that most of the results have, the first of equally frequent ones."""
    counts = Counter(map(Preparation.of, results))
    return max(counts, key=lambda each: counts[each], default=None)
