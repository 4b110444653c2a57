"""The columns of the leaderboard: title, text and sort key, shared by every output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import duration, size

UNKNOWN = "–"  # noqa: RUF001 - an en dash stands for "not known" in every table


@dataclass(frozen=True)
class Column:
    """One column; `key` returns the number or text behind the shown text."""

    title: str
    key: Callable[[Row], float | str | None]
    text: Callable[[Row], str]
    numeric: bool = True
    essential: bool = False
    """Shown at every width."""
    telling: bool = False
    """Shown at every width where rows differ in nothing else that is shown."""


def _number(
    title: str,
    key: Callable[[Row], float | None],
    write: Callable[[float], str],
    *,
    essential: bool = False,
    telling: bool = False,
) -> Column:
    def text(row: Row) -> str:
        number = key(row)
        return UNKNOWN if number is None else write(number)

    return Column(title, key, text, essential=essential, telling=telling)


def _words(
    title: str,
    key: Callable[[Row], str | None],
    *,
    essential: bool = False,
    telling: bool = False,
) -> Column:
    return Column(
        title,
        key,
        lambda row: key(row) or UNKNOWN,
        numeric=False,
        essential=essential,
        telling=telling,
    )


def _p50(row: Row) -> str:
    if row.failure:
        return "failed"
    return UNKNOWN if row.p50_ms is None else _milliseconds(row.p50_ms)


def _milliseconds(number: float) -> str:
    return duration(number * 1e6)


def _error(row: Row) -> str:
    if row.unverified:
        return "not verified"
    return UNKNOWN if row.relative_error is None else f"{row.relative_error:.1e}"


COLUMNS: Sequence[Column] = (
    _words("model", lambda row: row.model, essential=True),
    _words("artifact", lambda row: row.artifact, essential=True),
    _words("device", lambda row: row.device, essential=True),
    _words("runtime", lambda row: row.runtime, telling=True),
    _words("unit", lambda row: row.compute_unit, telling=True),
    _number("threads", lambda row: row.threads, "{:.0f}".format, telling=True),
    _words("protocol", lambda row: row.protocol, telling=True),
    Column("p50", lambda row: row.p50_ms, _p50, essential=True),
    _number("p90", lambda row: row.p90_ms, _milliseconds),
    _number("load", lambda row: row.first_load_ms, _milliseconds),
    _number("memory", lambda row: row.peak_memory_bytes, size),
    _number("size", lambda row: row.size_bytes, size),
    Column("rel. error", lambda row: row.relative_error, _error),
    _number("SNR dB", lambda row: row.snr_db, "{:.0f}".format),
    _number("same class %", lambda row: row.agreement, lambda share: f"{100 * share:.0f}"),
    _number("publ. top-1 %", lambda row: row.published_top1, "{:.1f}".format),
    # Where records of one network have other weights: random ones, or of several checkpoints.
    _words("weights", lambda row: row.weights, telling=True),
    # Where devices of one id are different ones, as the hosts of several people are.
    _words("device model", lambda row: row.device_model, telling=True),
)
_LEAVING_LAST = (
    "protocol", "p90", "threads", "runtime", "size", "rel. error", "publ. top-1 %", "memory",
    "load", "SNR dB", "same class %", "unit", "weights", "device model",
)  # fmt: skip
"""Columns that a narrow terminal leaves out: the first of these stay the longest."""


_SELDOM = ("unit", "weights", "device model")
"""Columns that say something only where rows differ in them."""


def offered(rows: Sequence[Row]) -> list[Column]:
    """Return the columns that have something to show for these rows."""

    def says(column: Column) -> bool:
        texts = {column.text(row) for row in rows} - {UNKNOWN}
        return len(texts) > 1 if column.title in _SELDOM else bool(texts)

    return [column for column in COLUMNS if column.essential or says(column)]


def by_importance(columns: Sequence[Column]) -> list[Column]:
    """Return those of the columns that are not essential, the most important first."""
    others = [column for column in columns if not column.essential]
    return sorted(others, key=lambda column: _LEAVING_LAST.index(column.title))


def needed(rows: Sequence[Row]) -> list[Column]:
    """Return the columns without which rows could not be told apart, in their order.

    The protocol is among them wherever rows have several: their numbers must not be compared.
    """
    chosen = [column for column in COLUMNS if column.essential]
    several = len({row.protocol for row in rows if row.protocol}) > 1
    for column in COLUMNS:
        if column.telling:
            without, within = _kinds(rows, chosen), _kinds(rows, [*chosen, column])
            if within > without or (several and column.title == "protocol"):
                chosen.append(column)
    return [column for column in COLUMNS if column in chosen]


def _kinds(rows: Sequence[Row], columns: Sequence[Column]) -> int:
    names = [column for column in columns if column.title != "p50"]
    return len({tuple(column.text(row) for column in names) for row in rows})


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
