"""Write the leaderboard for LaTeX tables, github-action-benchmark and Bencher."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mobilebench.leaderboard.columns import COLUMNS, notes
from mobilebench.leaderboard.rows import Row

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def as_latex(rows: Sequence[Row]) -> str:
    """Return a table for papers, by the package booktabs, with its notes below it.

    The notes belong to the numbers.
    """
    spec = "".join("r" if column.numeric else "l" for column in COLUMNS)
    lines = [
        r"\begin{tabular}{" + spec + "}",
        r"\toprule",
        " & ".join(_escape(column.title) for column in COLUMNS) + r" \\",
        r"\midrule",
    ]
    lines += [" & ".join(_escape(column.text(row)) for column in COLUMNS) + r" \\" for row in rows]
    lines += [r"\bottomrule", r"\end{tabular}", ""]
    lines += [_escape(sentence) + r"\\" for sentence in notes(rows)]
    return "\n".join(lines) + "\n"


def as_github_benchmark(rows: Sequence[Row]) -> str:
    """Return the list that github-action-benchmark takes as `customSmallerIsBetter`.

    It holds medians, with the 90th percentile as range. Failed rows are left out: the tool has no
    failures.
    """
    measured = (
        {
            "name": _name(row),
            "unit": "ms",
            "value": row.p50_ms,
            "range": f"p90 {row.p90_ms:.3f}",
            "extra": "\n".join(row.marks),
        }
        for row in rows
        if row.p50_ms is not None and row.p90_ms is not None
    )
    return json.dumps(list(measured), indent=2) + "\n"


def as_bencher(rows: Sequence[Row]) -> str:
    """Return Bencher Metric Format: `latency` in nanoseconds and `file-size` in bytes.

    The latency is the median, with the smallest as lower and the 90th percentile as upper value.
    Failed rows are left out.
    """
    measures: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.p50_ms is None or row.p90_ms is None or row.min_ms is None:
            continue
        measures[_name(row)] = {
            "latency": {
                "value": round(row.p50_ms * 1e6),
                "lower_value": round(row.min_ms * 1e6),
                "upper_value": round(row.p90_ms * 1e6),
            }
        }
        if row.size_bytes is not None:
            measures[_name(row)]["file-size"] = {"value": row.size_bytes}
    return json.dumps(measures, indent=2) + "\n"


def _name(row: Row) -> str:
    """Return a row's name, which stays the same from one commit to the next."""
    runtime = (row.runtime or "").partition(" ")[0]
    return f"{row.model} {row.artifact}, {runtime} x{row.threads}, {row.device_model}"


def _escape(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text).replace("–", "--")  # noqa: RUF001
