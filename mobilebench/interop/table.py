"""Read published tables as CSV, with one result and its source on each line.

    model,source,latency_ms,device,compute_unit,top1
    mobilevig_ti,MobileViG paper (arXiv:2307.00395),0.78,iPhone 13 mini,npu,75.7

The columns model, source and latency_ms are required; format, precision, runtime, delegate,
compute_unit, threads, device, os, date, top1 and remark are optional. An empty cell means unknown.
`latency_ms` counts as a mean: tables rarely state what it is. Commas, semicolons, tabs and bars
separate cells.
"""

from __future__ import annotations

from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import UNNAMED, Reader
from mobilebench.interop.rows import Row, header, rows
from mobilebench.values.reported import Latency, Reported

_NEEDED = ("model", "source", "latency_ms")
_WORDS = ("format", "precision", "runtime", "delegate", "compute_unit", "device", "os", "date")
_NUMBERS = ("threads", "top1")
_COLUMNS = (*_NEEDED, *_WORDS, *_NUMBERS, "remark")
_MS = 1e6


def _read(text: str, path: Path) -> list[Reported]:
    names = header(text)
    missing = [name for name in _NEEDED if name not in names]
    unknown = [name or "a column without a name" for name in names if name not in _COLUMNS]
    if missing or unknown:
        problems = [f"lacks {', '.join(missing)}"] * bool(missing)
        problems += [f"has {', '.join(unknown)}, which is not known"] * bool(unknown)
        raise SchemaError(
            f"The table {path} {' and '.join(problems)}; columns are {', '.join(_COLUMNS)}."
        )
    return [_result(row) for row in rows(text, path)]


def _result(row: Row) -> Reported:
    latency, model, source = row.positive("latency_ms"), row.word("model"), row.word("source")
    if source is None:
        raise SchemaError(f"{row.place}: there is no source; name who published the number.")
    if model is None:
        raise SchemaError(f"{row.place}: there is no model; name the network.")
    return Reported(
        report_id=UNNAMED,
        source=source,
        file=UNNAMED,
        model=model,
        **{name: row.word(name) for name in _WORDS},  # type: ignore[arg-type]
        threads=row.whole("threads"),
        top1=_percent(row, "top1"),
        latency=Latency(mean_ns=None if latency is None else latency * _MS),
        remarks=tuple(filter(None, (row.word("remark"),))),
    )


def _percent(row: Row, name: str) -> float | None:
    number = row.number(name)
    if number is not None and not 0 <= number <= 100:
        raise SchemaError(f"{row.place}: {name} is {row.word(name)}; give percent, 0 to 100.")
    return number


READER = Reader(
    tool="published table",
    reads=f"a table in CSV with the columns {', '.join(_NEEDED)} and others",
    # With one of them missing, the reader says which.
    recognises=lambda text: len(set(_NEEDED) & set(header(text))) >= len(_NEEDED) - 1,
    read=_read,
)
