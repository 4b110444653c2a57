"""Write the leaderboard for LaTeX tables, github-action-benchmark and Bencher."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mobilebench.leaderboard import elsewhere
from mobilebench.leaderboard.columns import notes, offered
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes
from mobilebench.values.reported import Reported


def as_latex(rows: Sequence[Row], reported: Sequence[Reported] = ()) -> str:
    """Return a table for papers, by the package booktabs, with its notes below it.

    The notes belong to the numbers. Results that others report follow in a second table.
    """
    parts = []
    if rows:
        columns = offered(rows)
        titles = ["#", *(column.title for column in columns)]
        lines = [
            [str(number), *(column.text(row) for column in columns)]
            for number, row in enumerate(rows, start=1)
        ]
        spec = "r" + "".join("r" if column.numeric else "l" for column in columns)
        parts += [*_tabular(spec, titles, lines), ""]
        parts += [escapes.latex(sentence) + r"\\" for sentence in notes(rows)]
    if reported:
        parts += ["", escapes.latex(elsewhere.TITLE) + r":\\"]
        cells = [elsewhere.cells(result) for result in reported]
        parts += _tabular("l" * len(elsewhere.COLUMNS), elsewhere.COLUMNS, cells)
    return "\n".join(parts) + "\n"


def _tabular(spec: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = (" & ".join(map(escapes.latex, row)) + r" \\" for row in (titles, *rows))
    begin, end = r"\begin{tabular}{" + spec + "}", r"\end{tabular}"
    return [begin, r"\toprule", head, r"\midrule", *body, r"\bottomrule", end]


def as_github_benchmark(rows: Sequence[Row]) -> str:
    """Return the list that github-action-benchmark takes as `customSmallerIsBetter`.

    It holds medians, with the 90th percentile as range. Failed rows are left out, as the tool has
    no failures; see `left_out`.
    """
    measured = (
        {
            "name": escapes.visible(row.name),
            "unit": "ms",
            "value": row.p50_ms,
            "range": f"p90 {row.p90_ms:.3f}",
            "extra": "\n".join(map(escapes.visible, row.marks)),
        }
        for row in rows
        if row.p50_ms is not None and row.p90_ms is not None
    )
    return json.dumps(list(measured), indent=2) + "\n"


def as_bencher(rows: Sequence[Row]) -> str:
    """Return Bencher Metric Format: `latency` in nanoseconds and `file-size` in bytes.

    The latency is the median, with the smallest as lower and the 90th percentile as upper value.
    Failed rows are left out; see `left_out`.
    """
    measures: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.p50_ms is None or row.p90_ms is None or row.min_ms is None:
            continue
        measures[escapes.visible(row.name)] = {
            "latency": {
                "value": round(row.p50_ms * 1e6),
                "lower_value": round(row.min_ms * 1e6),
                "upper_value": round(row.p90_ms * 1e6),
            }
        }
        if row.size_bytes is not None:
            measures[escapes.visible(row.name)]["file-size"] = {"value": row.size_bytes}
    return json.dumps(measures, indent=2) + "\n"


def left_out(failed: int, reported: int, shape: str) -> str | None:
    """Return a sentence about what a format has no place for; None where that is nothing."""
    parts = [f"{failed} failed row{'s' * (failed != 1)}"] if failed else []
    parts += [f"{reported} reported result{'s' * (reported != 1)}"] if reported else []
    if not parts:
        return None
    return (
        f"Left out: {' and '.join(parts)}, for which {shape} has no place; --as markdown shows "
        f"everything."
    )
