"""Write the report of a check as JUnit XML, Markdown, GitHub annotations or JSON.

Every format has one row per comparison.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mobilebench.notation import escapes
from mobilebench.notation.quantities import quantity
from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.gate import Report
from mobilebench.regress.judging import OUTCOME

COLUMNS = ("cell", "metric", "baseline", "candidate", "change", "interval", "p", "runs", "verdict")
_SIGNS = {
    Verdict.REGRESSED: "❌ regressed",
    Verdict.IMPROVED: "✅ improved",
    Verdict.UNCHANGED: "unchanged",
    Verdict.INCONCLUSIVE: "⚠️ inconclusive",
    Verdict.NOT_COMPARABLE: "⚠️ not comparable",
}
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
        f"{count} pairs" if comparison.paired else count,
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
        if comparison.verdict is Verdict.REGRESSED or _worth_a_remark(comparison):
            subject = f"{comparison.cell}: {comparison.metric} {comparison.words}"
            yield f"{subject}: {comparison.reason}."
    for sentence in (*dropped(report), *report.unmatched):
        yield f"{sentence}."
    if report.across:
        yield f"Compared although these differ: {', '.join(report.across)}."


def _worth_a_remark(comparison: Comparison) -> bool:
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


def as_markdown(report: Report) -> str:
    """Format the report as Markdown, for a comment on a pull request."""
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    rows += [
        (*map(escapes.markdown, cells(comparison)[:-1]), _sign(comparison))
        for comparison in report.comparisons
    ]
    lines = [f"### mobilebench: {summary(report)}", ""]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    notes = list(remarks(report))
    if notes:
        lines += ["", *(f"- {escapes.markdown(sentence)}" for sentence in notes)]
    return "\n".join(lines) + "\n"


def as_junit(report: Report) -> str:
    """Format the report as JUnit XML, with a test case for each comparison.

    An undecided comparison is an error, never a pass. What passes has its details as output.
    """
    verdicts = [comparison.verdict for comparison in report.comparisons]
    undecided = sum(comparison.undecided for comparison in report.comparisons)
    suite = ET.Element(
        "testsuite",
        name="mobilebench check",
        tests=str(len(verdicts) + len(report.unmatched)),
        failures=str(verdicts.count(Verdict.REGRESSED)),
        errors=str(undecided + len(report.unmatched)),
        skipped=str(
            sum(c.verdict is Verdict.NOT_COMPARABLE and not c.undecided for c in report.comparisons)
        ),
    )
    properties = ET.SubElement(suite, "properties")
    for name, texts in (("summary", [summary(report)]), ("remark", remarks(report))):
        for text in texts:
            ET.SubElement(properties, "property", name=name, value=escapes.visible(text))
    for comparison in report.comparisons:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=escapes.visible(comparison.cell),
            name=escapes.visible(comparison.metric),
        )
        details = escapes.visible(f"{' '.join(cells(comparison)[2:])}: {comparison.reason}")
        if comparison.verdict is Verdict.REGRESSED:
            ET.SubElement(case, "failure", type="regressed", message=details)
        elif comparison.undecided:
            ET.SubElement(case, "error", type=str(comparison.verdict), message=details)
        elif comparison.verdict is Verdict.NOT_COMPARABLE:
            ET.SubElement(case, "skipped", message=details)
        else:
            ET.SubElement(case, "system-out").text = details
    for sentence in map(escapes.visible, report.unmatched):
        case = ET.SubElement(suite, "testcase", classname="unmatched", name=sentence)
        ET.SubElement(case, "error", type="unmatched", message=sentence)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def as_annotations(report: Report) -> str:
    """Format the report as commands that GitHub's log turns into annotations.

    Regressions are errors; undecided comparisons and unmatched cells are warnings. A notice states
    that runs were not interleaved.
    """
    lines = []
    for comparison in report.comparisons:
        kind = "warning" if comparison.undecided else "notice"
        if comparison.verdict is Verdict.REGRESSED:
            kind = "error"
        if kind != "notice" or _worth_a_remark(comparison):
            _, metric, before, after, change, *_ = cells(comparison)
            details = (
                f"{comparison.cell}: {metric} {before} to {after} {change}: {comparison.reason}"
            )
            lines.append(
                f"::{kind} title=mobilebench {comparison.words}::{escapes.github_data(details)}"
            )
    lines += [
        f"::warning title=mobilebench::{escapes.github_data(text)}" for text in report.unmatched
    ]
    lines += [
        f"::notice title=mobilebench::{escapes.github_data(text)}" for text in dropped(report)
    ]
    if circumstance(report):
        lines.append(f"::notice title=mobilebench::{escapes.github_data(summary(report))}")
    return "".join(f"{line}\n" for line in lines)


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


def _sign(comparison: Comparison) -> str:
    return f"{_SIGNS[comparison.verdict]}{comparison.words.removeprefix(comparison.verdict)}"
