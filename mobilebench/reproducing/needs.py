"""State which files of its author a row was made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mobilebench.values.record import Record

SHORT = 12
"""Digits of a sha256 that are shown."""


@dataclass(frozen=True)
class Need:
    """A file or a folder that a row cannot be made without."""

    what: str
    """In words, such as `the checkpoint of net.make`."""
    sha256: str
    """As the record states it."""

    def __str__(self) -> str:
        return f"{self.what} (sha256 {self.sha256[:SHORT]})"


def needs(record: Record) -> Iterator[Need]:
    """Yield everything of its author's that a row cannot be made without."""
    facts, recipe, weights = record.artifact, record.recipe, record.model.weights
    if facts is not None and facts.given:
        yield Need(f"the model file {record.model.name}", facts.sha256)
        return
    if weights is not None and weights.from_checkpoint:
        yield Need(f"the checkpoint of {record.model.name}", weights.origin)
    if recipe.calibration is not None and recipe.calibration.on_images:
        count = recipe.calibration.inputs
        yield Need(f"the folder of the {count} calibration images", recipe.calibration.source)
    if recipe.class_labels is not None:
        yield Need("the class labels", recipe.class_labels)


def uses(record: Record) -> frozenset[str]:
    """Return the sha256 of all that a row was made from, or that its file was judged on."""
    facts = record.artifact
    judged = [facts.agreement.source] if facts is not None and facts.agreement else []
    return frozenset([*(need.sha256 for need in needs(record)), *judged])
