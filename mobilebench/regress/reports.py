"""Put the report of a check into rows, sentences and plain figures.

`markdown`, `junit` and `annotations` write whole reviews from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mobilebench.notation.quantities import counted, quantity
from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.gate import Report
from mobilebench.regress.judging import OUTCOME

COLUMNS = ("cell", "metric", "baseline", "candidate", "change", "interval", "p", "runs", "verdict")
DAY = "the runs were not interleaved, so a slower day looks the same"


def cells(comparison: Comparison) -> tuple[str, ...]:
    """Return a comparison as texts, one for each column."""
    before, after = (
        "" if number is None else quantity(number, comparison.unit)
        for number in (comparison.baseline, comparison.candidate)
    )
    interval = comparison.interval
    count = str(comparison.runs[0])
    if comparison.runs[0] != comparison.runs[1]:
        count = f"{comparison.runs[0]} and {comparison.runs[1]}"
    return (
        comparison.cell,
        comparison.metric,
        before,
        after,
        "" if comparison.effect is None else f"{comparison.effect:+.1%}",
        "" if interval is None else f"{interval[0]:+.1%} to {interval[1]:+.1%}",
        "" if comparison.p_value is None else f"{comparison.p_value:.2g}",
        counted(comparison.runs[0], "pair") if comparison.paired else count,
        comparison.words,
    )


def summary(report: Report) -> str:
    """Return the outcome in one sentence."""
    counts = {
        verdict: sum(comparison.verdict is verdict for comparison in report.comparisons)
        for verdict in Verdict
    }
    tally = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return (
        f"{report.verdict}: {tally or 'nothing compared'} "
        f"(tolerance {report.rule.tolerance:.1%}, alpha {report.rule.alpha:g})"
        f"{circumstance(report)}"
    )


def circumstance(report: Report) -> str:
    """Return how the sides were measured apart, to end a sentence; empty where they were not."""
    apart = [c for c in report.comparisons if c.interleaved is False]
    if not apart:
        return ""
    anchors = sorted({c.anchor for c in apart if c.anchor is not None})
    if anchors:
        return f"; not interleaved, but latencies are divided by the anchor {', '.join(anchors)}"
    return f"; {DAY}"


def remarks(report: Report) -> Iterator[str]:
    """Yield in sentences what the table does not show."""
    for comparison in report.comparisons:
        if comparison.verdict is Verdict.REGRESSED or worth_a_remark(comparison):
            subject = f"{comparison.cell}: {comparison.metric} {comparison.words}"
            yield f"{subject}: {comparison.reason}."
    for sentence in (*dropped(report), *report.unmatched):
        yield f"{sentence}."
    if report.across:
        yield f"Compared although these differ: {', '.join(report.across)}."


def worth_a_remark(comparison: Comparison) -> bool:
    """Return whether the table alone would leave out something that a reader should know."""
    undecided = comparison.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE)
    return undecided or comparison.metric == OUTCOME


def dropped(report: Report) -> Iterator[str]:
    """Yield which measured runs were left out of which cells, as clauses."""
    metrics: dict[tuple[str, tuple[int, int]], list[str]] = {}
    for comparison in report.comparisons:
        if any(comparison.dropped):
            metrics.setdefault((comparison.cell, comparison.dropped), []).append(comparison.metric)
    for (cell, counts), names in metrics.items():
        parts = [
            f"{count} run{'s' * (count > 1)} of {side}"
            for side, count in zip(("the baseline", "the candidate"), counts, strict=True)
            if count
        ]
        verb = "was" if sum(counts) == 1 else "were"
        yield (
            f"{cell}: {' and '.join(parts)} {verb} left out of {', '.join(names)}, without a "
            f"partner or without the number"
        )


def as_plain(report: Report) -> dict[str, Any]:
    """Return every figure of the report, and its sentences, ready for JSON."""
    plain = asdict(report)
    for row, comparison in zip(plain["comparisons"], report.comparisons, strict=True):
        row["words"] = comparison.words
        row["interleaved"] = comparison.interleaved
    return {
        "verdict": report.verdict,
        "summary": summary(report),
        "remarks": list(remarks(report)),
        **plain,
    }
