"""The columns of the leaderboard: name, title, text and sort key, shared by every output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from mobilebench.errors import UserError
from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import count, duration, size

UNKNOWN = "–"  # noqa: RUF001 - an en dash stands for "not known" in every table


class Use(Enum):
    """When a column is shown where nobody asked for columns by name."""

    ALWAYS = "always"
    TELLING = "where rows differ in it, else where there is room"
    DIFFERING = "where rows differ in it"
    ROOM = "where there is room"
    APART = "where rows of a group differ in it"
    OTHER = "where it is another number than the median"
    ASKED = "never"


_APART = (Use.TELLING, Use.DIFFERING, Use.APART)


@dataclass(frozen=True)
class Column:
    """One column; `key` returns the number or text behind the shown text."""

    name: str
    """As `--columns` has it."""
    title: str
    fields: tuple[str, ...]
    """Of the row, in files for programs."""
    key: Callable[[Row], float | str | None]
    text: Callable[[Row], str]
    numeric: bool = True
    use: Use = Use.ROOM
    falling: bool = False
    """The largest is the best."""


def _number(
    name: str,
    title: str,
    field: str,
    write: Callable[[float], str],
    *,
    use: Use = Use.ROOM,
    falling: bool = False,
) -> Column:
    def key(row: Row) -> float | None:
        number: float | None = getattr(row, field)
        return number

    def text(row: Row) -> str:
        number = key(row)
        return UNKNOWN if number is None else write(number)

    return Column(name, title, (field,), key, text, use=use, falling=falling)


def _words(name: str, title: str, field: str, use: Use) -> Column:
    def key(row: Row) -> str | None:
        words: str | None = getattr(row, field)
        return words

    return Column(
        name, title, (field,), key, lambda row: key(row) or UNKNOWN, numeric=False, use=use
    )


def _place(row: Row) -> str:
    return row.place or UNKNOWN


def _p50(row: Row) -> str:
    if row.failure:
        return "failed"
    return UNKNOWN if row.p50_ms is None else _milliseconds(row.p50_ms)


def _milliseconds(number: float) -> str:
    return duration(number * 1e6)


def _spread(row: Row) -> str:
    if row.spread_low_ms is None or row.spread_high_ms is None:
        return UNKNOWN
    low, high = _milliseconds(row.spread_low_ms), _milliseconds(row.spread_high_ms)
    unit = low.rpartition(" ")[2]
    if unit == high.rpartition(" ")[2]:
        low = low.removesuffix(f" {unit}")
    return f"{low} to {high}"


def _compared(field: str) -> Callable[[Row], float | None]:
    """Return the key of an accuracy, which is unknown where it compares with no other row."""

    def key(row: Row) -> float | None:
        number: float | None = getattr(row, field)
        return None if row.accuracy_apart else number

    return key


def _top1(row: Row) -> str:
    if row.measured_top1 is None:
        return UNKNOWN
    return f"{row.measured_top1:.1f}{' *' * row.accuracy_apart}"


def _interval(row: Row) -> str:
    if row.top1_low is None or row.top1_high is None:
        return UNKNOWN
    return f"{row.top1_low:.1f} to {row.top1_high:.1f}"


def _error(row: Row) -> str:
    if row.unverified:
        return "not verified"
    return UNKNOWN if row.relative_error is None else f"{row.relative_error:.1e}"


def _change(share: float) -> str:
    return f"{100 * share:+.0f} %"


_NEVER_S = 1e9


def _late(row: Row) -> float | None:
    """Return the key of an onset: later is better, and best where there was none."""
    if row.onset_s is None:
        return _NEVER_S if row.heat_known else None
    return row.onset_s


def _onset(row: Row) -> str:
    if row.onset_s is None:
        return "not seen" if row.heat_known else UNKNOWN
    return f"{duration(row.onset_s * 1e9)} ({row.onset_sign})"


COLUMNS: Sequence[Column] = (
    Column("rank", "rank", ("rank", "tied", "unranked"), lambda row: row.rank, _place),
    _words("model", "model", "model", Use.ALWAYS),
    _words("artifact", "artifact", "artifact", Use.ALWAYS),
    _words("format", "format", "format", Use.ASKED),
    _words("precision", "precision", "precision", Use.ASKED),
    _words("device", "device", "device", Use.APART),
    _words("device-model", "device model", "device_model", Use.ASKED),
    _words("unit", "unit", "compute_unit", Use.ASKED),
    _words("protocol", "protocol", "protocol", Use.ASKED),
    _words("runtime", "runtime", "runtime", Use.TELLING),
    _number("threads", "threads", "threads", "{:.0f}".format, use=Use.TELLING),
    _words("resolution", "input", "resolution", Use.ASKED),
    _words("os", "system", "os", Use.ASKED),
    _words("os-build", "build", "os_build", Use.ASKED),
    _words("status", "status", "status", Use.ASKED),
    _number("params", "params", "params", count),
    _number("macs", "MACs", "macs", count),
    _number("size", "size", "size_bytes", size),
    Column("p50", "p50", ("p50_ms",), lambda row: row.p50_ms, _p50, use=Use.ALWAYS),
    Column(
        "spread",
        "p50 spread",
        ("spread_low_ms", "spread_high_ms", "spread_kind"),
        lambda row: row.spread_low_ms,
        _spread,
    ),
    _number("min", "min", "min_ms", _milliseconds, use=Use.ASKED),
    _number("p90", "p90", "p90_ms", _milliseconds),
    _number("p99", "p99", "p99_ms", _milliseconds, use=Use.ASKED),
    _number("burst", "burst", "burst_ms", _milliseconds, use=Use.OTHER),
    _number("sustained", "sustained", "sustained_ms", _milliseconds, use=Use.OTHER),
    _number("first", "first", "first_ms", _milliseconds, use=Use.ASKED),
    _number("last", "last", "last_ms", _milliseconds, use=Use.ASKED),
    _number("change", "minute 1 to last 10", "change", _change),
    Column(
        "onset",
        "throttles after",
        ("onset_s", "onset_sign", "heat_known"),
        _late,
        _onset,
        falling=True,
    ),
    _words("warmest", "warmest", "warmest", Use.DIFFERING),
    _number("missed", "missed %", "missed", lambda share: f"{100 * share:.1f}"),
    _number("on-time", "on-time top-1 %", "on_time_top1", "{:.2f}".format, falling=True),
    _number("load", "load", "first_load_ms", _milliseconds),
    _number("memory", "memory", "peak_memory_bytes", size),
    Column("error", "rel. error", ("relative_error",), lambda row: row.relative_error, _error),
    _number("snr", "SNR dB", "snr_db", "{:.0f}".format, falling=True),
    _number("agree", "same class %", "agreement", lambda share: f"{100 * share:.0f}", falling=True),
    Column("top1", "top-1 %", ("measured_top1",), _compared("measured_top1"), _top1, falling=True),
    Column(
        "interval",
        "top-1 95 %",
        ("top1_low", "top1_high"),
        _compared("top1_low"),
        _interval,
        falling=True,
    ),
    _number("images", "images", "accuracy_images", "{:.0f}".format),
    _number("published", "publ. top-1 %", "published_top1", "{:.1f}".format, falling=True),
    # Where records of one network have other weights: random ones, or of several checkpoints.
    _words("weights", "weights", "weights", Use.DIFFERING),
)
NAMES = tuple(column.name for column in COLUMNS)
_BY_NAME = {column.name: column for column in COLUMNS}
_LEAVING_LAST = (
    "rank", "device", "top1", "p90", "spread", "sustained", "burst", "change", "onset", "missed",
    "on-time", "threads", "runtime", "params", "macs", "size", "interval", "images",
    "published", "error", "memory", "load", "snr", "agree", "weights", "warmest",
)  # fmt: skip
"""Columns that a narrow terminal leaves out: the first of these stay the longest."""
_PAPER = (
    "model", "artifact", "runtime", "threads", "params", "macs", "size", "p50", "spread", "top1",
    "interval", "published",
)  # fmt: skip
"""Columns of a paper's table, which has the width of a page."""


def named(text: str) -> list[Column]:
    """Return the columns of a list of names, such as `model,params,p50`, in its order.

    Raises `UserError` for a name that does not exist, and for one that stands twice.
    """
    columns: list[Column] = []
    for name in (part.strip() for part in text.split(",")):
        column = _column(name)
        if column in columns:
            raise UserError(f"The column {name} is named twice; name it once.")
        columns.append(column)
    return columns


def _column(name: str) -> Column:
    if name not in _BY_NAME:
        raise UserError(f"There is no column {name!r}; there are: {', '.join(NAMES)}.")
    return _BY_NAME[name]


def offered(rows: Sequence[Row]) -> list[Column]:
    """Return the columns that have something to show for these rows.

    Device, compute unit and protocol are in the headings of groups.
    """

    def says(column: Column) -> bool:
        if column.use is Use.APART:
            return len({(row.group, column.text(row)) for row in rows}) > len(
                {row.group for row in rows}
            )
        if column.use is Use.OTHER:
            return any(column.key(row) not in (None, row.p50_ms) for row in rows)
        texts = {column.text(row) for row in rows} - {UNKNOWN}
        return len(texts) > 1 if column.use is Use.DIFFERING else bool(texts)

    return [
        column
        for column in COLUMNS
        if column.use is Use.ALWAYS or (column.use is not Use.ASKED and says(column))
    ]


def of_a_paper(rows: Sequence[Row]) -> list[Column]:
    """Return the offered columns that a paper's table has by default."""
    needless = [
        column
        for column in offered(rows)
        if column.use is Use.TELLING and column not in needed(rows)
    ]
    return [c for c in offered(rows) if c.name in _PAPER and c not in needless]


def by_importance(columns: Sequence[Column]) -> list[Column]:
    """Return those of the columns that are not always shown, the most important first."""
    others = [column for column in columns if column.name in _LEAVING_LAST]
    return sorted(others, key=lambda column: _LEAVING_LAST.index(column.name))


def needed(rows: Sequence[Row]) -> list[Column]:
    """Return the columns without which rows of a group could not be told apart."""
    chosen = [column for column in COLUMNS if column.use is Use.ALWAYS]
    for column in COLUMNS:
        if column.use in _APART and _kinds(rows, [*chosen, column]) > _kinds(rows, chosen):
            chosen.append(column)
    return [column for column in COLUMNS if column in chosen]


def _kinds(rows: Sequence[Row], columns: Sequence[Column]) -> int:
    names = [column for column in columns if column.name != "p50"]
    return len({(row.group, *(column.text(row) for column in names)) for row in rows})


def by_column(rows: Sequence[Row], name: str, *, worst_first: bool = False) -> list[Row]:
    """Return the rows sorted by a column, the best first and unknown ones last.

    They stay in their groups. Raises `UserError` for a column that does not exist.
    """
    column = _column(name)
    places = {id_: place for place, id_ in enumerate(dict.fromkeys(row.group for row in rows))}
    known = [row for row in rows if column.key(row) is not None]
    words = [row for row in known if isinstance(column.key(row), str)]
    ordered = sorted(words, key=lambda row: str(column.key(row)), reverse=worst_first)
    ordered += sorted(
        (row for row in known if not isinstance(column.key(row), str)),
        key=lambda row: _number_of(column, row),
        reverse=column.falling != worst_first,
    )
    ordered += [row for row in rows if column.key(row) is None]
    return sorted(ordered, key=lambda row: places[row.group])


def _number_of(column: Column, row: Row) -> float:
    number = column.key(row)
    assert not isinstance(number, str) and number is not None
    return number
