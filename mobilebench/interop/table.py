"""Read published tables as CSV, with one result and its source on each line.

    model,source,latency_ms,device,compute_unit,top1
    mobilevig_ti,MobileViG paper (arXiv:2307.00395),0.78,iPhone 13 mini,npu,75.7

The columns model, source and latency_ms are required; format, precision, runtime, delegate,
compute_unit, threads, device, os, date, top1 and remark are optional. An empty cell means unknown.
`latency_ms` counts as a mean: tables rarely state what it is.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import UNNAMED, Reader
from mobilebench.values.reported import Latency, Reported

_NEEDED = ("model", "source", "latency_ms")
_WORDS = ("format", "precision", "runtime", "delegate", "compute_unit", "device", "os", "date")
_NUMBERS = ("threads", "top1")
_COLUMNS = (*_NEEDED, *_WORDS, *_NUMBERS, "remark")
_MS = 1e6


def _read(text: str, path: Path) -> list[Reported]:
    lines = csv.DictReader(io.StringIO(text.lstrip("﻿")))
    names = list(lines.fieldnames or ())
    missing = [name for name in _NEEDED if name not in names]
    unknown = [name for name in names if name not in _COLUMNS]
    if missing or unknown:
        problems = [f"lacks {', '.join(missing)}"] * bool(missing)
        problems += [f"has {', '.join(map(str, unknown))}, which is not known"] * bool(unknown)
        raise SchemaError(
            f"The table {path} {' and '.join(problems)}; columns are {', '.join(_COLUMNS)}."
        )
    return [_result(line, f"{path}, line {lines.line_num}") for line in lines]


def _result(line: dict[str, str | None], place: str) -> Reported:
    def word(name: str) -> str | None:
        return (line.get(name) or "").strip() or None

    def number(name: str) -> float | None:
        text = word(name)
        if text is None:
            return None
        try:
            result = float(text)
        except ValueError:
            raise SchemaError(f"{place}: {name} is {text!r}; give a number.") from None
        if not 0 <= result < float("inf"):
            raise SchemaError(f"{place}: {name} is {text}; give a finite number of at least 0.")
        return result

    latency, threads = number("latency_ms"), number("threads")
    source = word("source")
    if source is None:
        raise SchemaError(f"{place}: there is no source; name who published the number.")
    return Reported(
        report_id=UNNAMED,
        source=source,
        file=UNNAMED,
        model=word("model"),
        **{name: word(name) for name in _WORDS},  # type: ignore[arg-type]
        threads=None if threads is None else int(threads),
        top1=number("top1"),
        latency=Latency(mean_ns=None if latency is None else latency * _MS),
        remarks=tuple(filter(None, (word("remark"),))),
    )


READER = Reader(
    "published table",
    lambda text: set(_NEEDED) <= set(text.lstrip("﻿").partition("\n")[0].strip().split(",")),
    _read,
)
