"""Write the leaderboard for github-action-benchmark and Bencher."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes


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
