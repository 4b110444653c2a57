"""Latencies by width: a table that the user gives, or records of cut networks."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilebench.errors import UserError
from mobilebench.values import wire
from mobilebench.values.record import Record
from mobilebench.values.width import Width

_FORM = (
    'write lines of width,latency_ms as CSV, such as "1,0.75,0.5,0.5",12.3, or '
    '{"latencies": [{"width": "0.5", "latency_ms": 12.3}]} as JSON'
)
_MOST_MS = 3_600_000


@dataclass(frozen=True)
class WidthLatency:
    """How long a network of one width takes on a cool device."""

    width: Width
    latency_ms: float


@dataclass(frozen=True)
class LatencyTable:
    """Widths of one network with their latencies, which were measured alike."""

    source: str
    """Who measured, on what."""
    rows: tuple[WidthLatency, ...]


def read(path: Path) -> LatencyTable:
    """Read a table, from CSV where the name ends so, else from JSON.

    Raises `UserError` for a file that cannot be read or has another form, a width listed twice, and
    a latency that is no positive number.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The latencies {path} cannot be read ({error}); {_FORM}.") from error
    source = f"the table {path.name}"
    if path.suffix.lower() == ".csv":
        lines: Any = list(csv.DictReader(text.splitlines()))
    else:
        content = wire.parse(text, f"{path}")
        lines = content.get("latencies") if isinstance(content, dict) else None
        if isinstance(content, dict) and isinstance(content.get("source"), str):
            source = f"{content['source']}"
    if not isinstance(lines, list) or not lines:
        raise UserError(f"{path} holds no latencies; {_FORM}.")
    return _table(source, (_row(line, path) for line in lines), f"{path}")


def of_records(records: Sequence[Record], model: str) -> LatencyTable:
    """Return the median latency of every width of a network, from the newest record of each.

    Raises `UserError` where no measurement is of that network, and where two were not made alike.
    """
    newest: dict[str, Record] = {}
    for record in sorted(records, key=lambda record: record.created):
        if record.model.name == model and record.p50_ms is not None:
            newest[_width(record).label] = record
    if not newest:
        raise UserError(
            f"No record measures {model}; export it with --width, and measure what that makes by "
            f"`mobilebench bench`."
        )
    first, *others = newest.values()
    for other in others:
        differing = first.identity.differences(other.identity)
        if differing:
            raise UserError(
                f"The records of {first.model.title} and {other.model.title} differ in "
                f"{' and '.join(differing)}, so their latencies do not belong into one table; name "
                f"records that were measured alike."
            )
    alike = first.identity
    source = (
        f"median of records: {alike.device_model}, {alike.format} {alike.precision}, "
        f"{alike.runtime} {alike.runtime_version}, {alike.compute_unit}, "
        f"threads {alike.threads}, protocol {alike.protocol}"
    )
    rows = (WidthLatency(_width(r), r.p50_ms) for r in newest.values() if r.p50_ms is not None)
    return _table(source, rows, "the records")


def _width(record: Record) -> Width:
    shares = record.model.stage_widths or (1.0,)
    return Width(shares=shares[:1] if len(set(shares)) == 1 else shares)


def _row(line: Any, path: Path) -> WidthLatency:
    try:
        width = Width.given(line["width"])
        latency = float(line["latency_ms"])
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{path} has the row {line!r}, which is no latency; {_FORM}.") from None
    return WidthLatency(width, latency)


def _table(source: str, rows: Iterable[WidthLatency], what: str) -> LatencyTable:
    by_label: dict[str, WidthLatency] = {}
    for row in rows:
        if not (math.isfinite(row.latency_ms) and 1e-3 <= row.latency_ms <= _MOST_MS):
            raise UserError(
                f"The width {row.width} has the latency {row.latency_ms:g} ms in {what}; a latency "
                f"is from 0.001 to {_MOST_MS} ms."
            )
        if row.width.label in by_label:
            raise UserError(f"The width {row.width} is twice in {what}; list each width once.")
        by_label[row.width.label] = row
    return LatencyTable(source, tuple(by_label.values()))
