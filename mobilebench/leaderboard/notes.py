"""What a reader must know besides the numbers, in sentences that name their rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from mobilebench.leaderboard.marks import AS_AUTHORS
from mobilebench.leaderboard.rows import Row, Status

_BESIDE = ("burst", "sustained")
TIES = (
    "rank: rows with = are not told apart: their intervals overlap, or a chain of overlapping ones "
    "links them."
)
_JUDGED = ("top1", "interval", "images")
"""Columns of a measured accuracy."""


def notes(rows: Sequence[Row], columns: Collection[str]) -> list[str]:
    """Return one sentence for each mark and each failure, naming the rows it is about.

    `columns` are the names of those that are shown: about a number that is not, there is no note.
    """
    by_mark: dict[str, list[int]] = {}
    for number, row in enumerate(rows, start=1):
        for mark in row.marks:
            if not mark.startswith("top-1") or not set(_JUDGED).isdisjoint(columns):
                by_mark.setdefault(mark, []).append(number)
    sentences = [
        f"{_which(numbers, len(rows))}: {mark}." for mark, numbers in sorted(by_mark.items())
    ]
    sentences += [
        f"row {number}: failed at {row.failure}"
        for number, row in enumerate(rows, start=1)
        if row.failure
    ]
    if "rank" in columns:
        sentences += _about_ranks(rows)
    published = _published(rows) if "published" in columns else []
    return [*sentences, *of_columns(rows, columns), *published]


def _about_ranks(rows: Sequence[Row]) -> list[str]:
    """Return what ranks mean, and why rows have none; nothing where no row is ranked."""
    if all(row.rank is None for row in rows):
        return []
    reasons: dict[str, list[int]] = {}
    for number, row in enumerate(rows, start=1):
        if row.unranked is not None and row.status is not Status.FAILED:
            reasons.setdefault(row.unranked, []).append(number)
    sentences = [
        f"{_which(numbers, len(rows))}: not ranked: {reason}."
        for reason, numbers in reasons.items()
    ]
    if any(row.tied for row in rows):
        sentences.append(TIES)
    kinds = dict.fromkeys(
        f"rank: {row.protocol} ranks by the {row.result_kind}."
        for row in rows
        if row.rank is not None and row.result_ms != row.p50_ms
    )
    return [*sentences, *kinds]


def of_columns(rows: Iterable[Row], columns: Collection[str]) -> list[str]:
    """Return the sentences about what the numbers of the shown columns are."""
    return [
        sentence
        for sentence in of_numbers(rows)
        if ("spread" in columns and "spread:" in sentence)
        or any(name in columns and sentence.startswith(f"{name}:") for name in _BESIDE)
        or (not set(_JUDGED).isdisjoint(columns) and sentence.startswith("top-1"))
    ]


def shared_marks(rows: Sequence[Row]) -> list[str]:
    """Return the marks that every row has."""
    return [mark for mark in rows[0].marks if all(mark in row.marks for row in rows)]


def letter(place: int) -> str:
    """Return the letter of a note, from 0: a, b, ..., z, aa, ab, ..."""
    before, last = divmod(place, 26)
    return (letter(before - 1) if before else "") + chr(ord("a") + last)


def of_numbers(rows: Iterable[Row]) -> list[str]:
    """Return sentences about what the numbers of some columns are."""
    spreads = dict.fromkeys(
        f"{row.protocol}, p50 spread: {row.spread_kind}." for row in rows if row.spread_kind
    )
    ways: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.accuracy_data:
            known = ways.setdefault(row.accuracy_data, {})
            if row.accuracy_preparation and not has_own_preparation(row):
                known[row.accuracy_preparation] = None
    data = [
        f"top-1 measured on {title}, with Wilson's interval at 95 %"
        f"{'; images: ' if known else ''}{'; or '.join(known)}."
        for title, known in ways.items()
    ]
    beside = dict.fromkeys(
        f"{name}: median of {protocol} for the same file, under otherwise equal conditions."
        for row in rows
        for name, protocol in (
            ("burst", row.burst_protocol),
            ("sustained", row.sustained_protocol),
        )
        if protocol not in (None, row.protocol)
    )
    return [*spreads, *beside, *data]


def has_own_preparation(row: Row) -> bool:
    """Return whether a mark of the row names how its images were prepared."""
    return row.accuracy_apart or any(mark.startswith(AS_AUTHORS) for mark in row.marks)


def _published(rows: Sequence[Row]) -> list[str]:
    sources = dict.fromkeys(
        f"{row.model} {row.published_top1} %: {row.published_source}"
        for row in rows
        if row.published_source
    )
    return [f"published accuracy, not measured here: {source}." for source in sources]


def _which(numbers: Sequence[int], count: int) -> str:
    if len(numbers) == count:
        return "all rows" if count > 1 else "row 1"
    plural = "s" if len(numbers) > 1 else ""
    return f"row{plural} {', '.join(map(str, numbers))}"
