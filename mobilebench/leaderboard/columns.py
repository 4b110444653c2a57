"""The columns of the leaderboard: title, text and sort key, shared by every output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mobilebench.leaderboard.rows import Row

UNKNOWN = "–"  # noqa: RUF001 - an en dash stands for "not known" in every table


@dataclass(frozen=True)
class Column:
    """One column; `key` returns the number or text behind the shown text."""

    title: str
    key: Callable[[Row], float | str | None]
    text: Callable[[Row], str]
    numeric: bool = True
    wide: bool = False
    """Left out of a terminal that is too narrow for all columns; pages and files show it."""


def _number(
    title: str,
    key: Callable[[Row], float | None],
    spelling: str,
    scale: float = 1.0,
    *,
    wide: bool = False,
) -> Column:
    def text(row: Row) -> str:
        number = key(row)
        return UNKNOWN if number is None else format(number * scale, spelling)

    return Column(title, key, text, wide=wide)


def _words(title: str, key: Callable[[Row], str | None], *, wide: bool = False) -> Column:
    return Column(title, key, lambda row: key(row) or UNKNOWN, numeric=False, wide=wide)


def _error(row: Row) -> str:
    if row.unverified:
        return "not verified"
    return UNKNOWN if row.relative_error is None else f"{row.relative_error:.1e}"


COLUMNS: Sequence[Column] = (
    _words("model", lambda row: row.model),
    _words("artifact", lambda row: row.artifact),
    _words("device", lambda row: row.device, wide=True),
    _words("runtime", lambda row: row.runtime),
    _number("threads", lambda row: row.threads, ".0f"),
    _number("p50 ms", lambda row: row.p50_ms, ".2f"),
    _number("p90 ms", lambda row: row.p90_ms, ".2f"),
    _number("load ms", lambda row: row.first_load_ms, ".0f", wide=True),
    _number("memory MB", lambda row: row.peak_memory_bytes, ".0f", 1e-6, wide=True),
    _number("size MB", lambda row: row.size_bytes, ".2f", 1e-6),
    Column("rel. error", lambda row: row.relative_error, _error),
    _number("SNR dB", lambda row: row.snr_db, ".0f", wide=True),
    _number("agree %", lambda row: row.agreement, ".0f", 100.0, wide=True),
    _number("publ. top-1 %", lambda row: row.published_top1, ".1f"),
)


def notes(rows: Sequence[Row]) -> list[str]:
    """Return one sentence for each mark and each failure, naming the rows it is about."""
    by_mark: dict[str, list[int]] = {}
    for number, row in enumerate(rows, start=1):
        for mark in row.marks:
            by_mark.setdefault(mark, []).append(number)
    sentences = [
        f"{_which(numbers, len(rows))}: {mark}." for mark, numbers in sorted(by_mark.items())
    ]
    sentences += [
        f"row {number}: failed at {row.failure}"
        for number, row in enumerate(rows, start=1)
        if row.failure
    ]
    sources = dict.fromkeys(
        f"{row.model} {row.published_top1} %: {row.published_source}"
        for row in rows
        if row.published_source
    )
    return sentences + [f"published accuracy, not measured here: {source}." for source in sources]


def _which(numbers: Sequence[int], count: int) -> str:
    if len(numbers) == count:
        return "all rows" if count > 1 else "row 1"
    plural = "s" if len(numbers) > 1 else ""
    return f"row{plural} {', '.join(map(str, numbers))}"
