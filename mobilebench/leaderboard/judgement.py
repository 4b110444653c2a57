"""Choose which measured accuracies a leaderboard shows: those on one data set."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mobilebench.errors import UserError
from mobilebench.values.accuracy import Accuracy


@dataclass(frozen=True)
class Judgement:
    """What is known of the accuracy of one file."""

    accuracy: Accuracy | None
    """On the data set that the leaderboard shows."""
    elsewhere: tuple[str, ...]
    """Titles of the other data sets that the file was evaluated on."""


UNJUDGED = Judgement(accuracy=None, elsewhere=())


def by_file(
    accuracies: Iterable[Accuracy], files: Collection[str], data: str | None = None
) -> dict[str, Judgement]:
    """Return what is known of each file, by its sha256, on one data set.

    Shares of different images must not stand in one column. Without `data`, which is a name or the
    beginning of a digest, the set is a whole one rather than one with a limit, then the one that
    most files were evaluated on, then the one used last. Of several results for one file and set
    the newest counts. Raises `UserError` where no file was evaluated on `data`.
    """
    sets: dict[str, dict[str, Accuracy]] = {}
    for accuracy in sorted(accuracies, key=lambda each: (each.created, each.accuracy_id)):
        if accuracy.artifact.sha256 in files:
            sets.setdefault(accuracy.data.sha256, {})[accuracy.artifact.sha256] = accuracy
    fitting = [results for results in sets.values() if data is None or _is(results, data)]
    if not fitting:
        if data is None:
            return {}
        titles = ", ".join(_title(results) for results in sets.values())
        raise UserError(
            f"No file here was evaluated on the data set {data!r}; "
            f"{'there are ' + titles if titles else 'run `mobilebench eval` on it first'}."
        )
    shown = max(fitting, key=_rank)
    return {
        file: Judgement(
            accuracy=shown.get(file),
            elsewhere=tuple(
                _title(results)
                for results in sets.values()
                if results is not shown and file in results
            ),
        )
        for file in files
    }


def _rank(results: dict[str, Accuracy]) -> tuple[bool, int, str]:
    newest = max(results.values(), key=lambda each: each.created)
    return newest.data.whole, len(results), newest.created


def _is(results: dict[str, Accuracy], data: str) -> bool:
    if not data:
        return False
    return any(
        data in (each.data.folder, each.data.name) or each.data.sha256.startswith(data)
        for each in results.values()
    )


def _title(results: dict[str, Accuracy]) -> str:
    return data_title(max(results.values(), key=lambda each: each.created))


def data_title(accuracy: Accuracy) -> str:
    """Name a data set, with how many images were evaluated, and of how many."""
    available = accuracy.data.available
    of = "" if accuracy.images == available else f" of {available}"
    return f"{accuracy.data.title}, {accuracy.images}{of} images"


def not_shown(
    accuracies: Iterable[Accuracy], files: Collection[str | None], shown: Collection[str | None]
) -> str | None:
    """Return a sentence about the data sets of these files that are not shown, if any.

    `shown` holds the data sets that rows state.
    """
    titles = dict.fromkeys(
        title
        for each in accuracies
        if each.artifact.sha256 in files and (title := data_title(each)) not in shown
    )
    if not titles:
        return None
    return f"Accuracy on other images is not shown: {'; '.join(titles)}. --data chooses."


def without_row(accuracies: Iterable[Accuracy], files: Collection[str | None]) -> str | None:
    """Return a sentence about files that were evaluated and have no row; None without any."""
    titles = dict.fromkeys(
        f"{each.model.title} {each.recipe.label}"
        for each in accuracies
        if each.artifact.sha256 not in files
    )
    if not titles:
        return None
    return f"Evaluated, but not measured, so without a row: {', '.join(titles)}."
