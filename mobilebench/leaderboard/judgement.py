"""Choose which measured accuracies a leaderboard shows: of one data set, prepared alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from mobilebench.errors import UserError
from mobilebench.leaderboard import preparation
from mobilebench.leaderboard.preparation import Preparation
from mobilebench.values.accuracy import Accuracy


@dataclass(frozen=True)
class Judgement:
    """What is known of the accuracy of one file."""

    accuracy: Accuracy | None
    """On the data set that the leaderboard shows."""
    elsewhere: tuple[str, ...]
    """Titles of the other data sets that the file was evaluated on."""
    apart: bool = False
    """Its images were prepared otherwise, so that it does not compare with the other rows."""
    unusual: bool = False
    """Its images were prepared as its authors do, and those of most other rows otherwise."""
    hidden: tuple[str, ...] = ()
    """Preparations in words with which the file was evaluated too, and which are not shown."""


UNJUDGED = Judgement(accuracy=None, elsewhere=())


def by_file(
    accuracies: Iterable[Accuracy], files: Collection[str], data: str | None = None
) -> dict[str, Judgement]:
    """Return what is known of each file, by its sha256, on one data set.

    Shares of different images must not stand in one column. Without `data`, which is a name or the
    beginning of a digest, the set is a whole one rather than one with a limit, then the one that
    most files were evaluated on, then the one used last. Nor do shares of images that were prepared
    in different ways compare; see `preparation.basis`. Of several results for one file and set the
    newest one that compares counts, else the newest. Raises `UserError` where no file was evaluated
    on `data`.
    """
    sets: dict[str, list[Accuracy]] = {}
    for accuracy in sorted(accuracies, key=lambda each: (each.created, each.accuracy_id)):
        if accuracy.artifact.sha256 in files:
            sets.setdefault(accuracy.data.sha256, []).append(accuracy)
    fitting = [results for results in sets.values() if data is None or _is(results, data)]
    if not fitting:
        if data is None:
            return {}
        titles = ", ".join(_title(results) for results in sets.values())
        raise UserError(
            f"No file here was evaluated on the data set {data!r}; "
            f"{'there are ' + titles if titles else 'run `mobilebench eval` on it first'}."
        )
    results = max(fitting, key=_rank)
    elsewhere = {
        file: tuple(
            _title(others)
            for others in sets.values()
            if others is not results and any(each.artifact.sha256 == file for each in others)
        )
        for file in files
    }
    shown = _shown(results)
    return {file: replace(shown.get(file, UNJUDGED), elsewhere=elsewhere[file]) for file in files}


def _shown(results: Sequence[Accuracy]) -> dict[str, Judgement]:
    """Choose one result of each file, from those on one data set, the oldest first."""
    compared = preparation.basis(results)
    chosen: dict[str, Accuracy] = {}
    for result in results:
        before = chosen.get(result.artifact.sha256)
        if before is None or compared.has(result) or not compared.has(before):
            chosen[result.artifact.sha256] = result
    usual = preparation.usual(each for each in chosen.values() if compared.has(each))
    judgements = {}
    for file, result in chosen.items():
        apart = not compared.has(result)
        unlike = usual is not None and not Preparation.of(result).fits(usual)
        known = {each.preparation: None for each in results if each.artifact.sha256 == file}
        judgements[file] = Judgement(
            accuracy=result,
            elsewhere=(),
            apart=apart,
            unusual=unlike and not apart,
            hidden=tuple(each for each in known if each != result.preparation),
        )
    return judgements


def _rank(results: Sequence[Accuracy]) -> tuple[bool, int, str]:
    newest = max(results, key=lambda each: each.created)
    return newest.data.whole, len({each.artifact.sha256 for each in results}), newest.created


def _is(results: Sequence[Accuracy], data: str) -> bool:
    if not data:
        return False
    return any(
        data in (each.data.folder, each.data.name) or each.data.sha256.startswith(data)
        for each in results
    )


def _title(results: Sequence[Accuracy]) -> str:
    return data_title(max(results, key=lambda each: each.created))


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
