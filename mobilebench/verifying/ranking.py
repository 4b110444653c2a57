"""Rank the right class among an artifact's scores, and list the counts of every class."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from mobilebench.inputs.seeded import Array
from mobilebench.notation import escapes
from mobilebench.values.accuracy import Accuracy


def rank(scores: Array, label: int) -> int:
    """Return how many classes are ranked before the right one; 0 is a hit.

    Of equal scores, which are common in 8 bits, the class with the lower index comes first, as with
    `argmax`.
    """
    right = scores[label]
    return int((scores > right).sum() + (scores[:label] == right).sum())


def as_csv(results: Sequence[Accuracy]) -> str:
    """Format results as CSV, with a line for every class of every result."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("model", "artifact", "sha256", "index", "class", "images", "top1_hits", "top5_hits")
    )
    for result in results:
        for each in result.classes:
            writer.writerow(
                (
                    escapes.csv(result.model.title),
                    result.recipe.label,
                    result.artifact.sha256,
                    each.index,
                    escapes.csv(each.name),
                    each.images,
                    each.top1,
                    each.top5,
                )
            )
    return text.getvalue()
