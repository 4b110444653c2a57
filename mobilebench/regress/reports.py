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

COLUMNS = ("cell", "metric", "baseline", "candidate", "change", "interval", "p", "runs", "verdict")
_SIGNS = {
    Verdict.REGRESSED: "❌ regressed",
    Verdict.IMPROVED: "✅ improved",
    Verdict.UNCHANGED: "unchanged",
    Verdict.INCONCLUSIVE: "⚠️ inconclusive",
}


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
        comparison.verdict,
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
    )


def remarks(report: Report) -> Iterator[str]:
    """Yield in sentences what the table does not show."""
    for comparison in report.comparisons:
        if comparison.verdict in (Verdict.REGRESSED, Verdict.INCONCLUSIVE):
            subject = f"{comparison.cell}: {comparison.metric} {comparison.verdict}"
            yield f"{subject}: {comparison.reason}."
    for sentence in report.unmatched:
        yield f"{sentence}."
    if report.across:
        yield f"Compared although these differ: {', '.join(report.across)}."


def as_markdown(report: Report) -> str:
    """Format the report as Markdown, for a comment on a pull request."""
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    rows += [
        (*map(escapes.markdown, cells(comparison)[:-1]), _SIGNS[comparison.verdict])
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

    An inconclusive comparison is an error, never a pass.
    """
    verdicts = [comparison.verdict for comparison in report.comparisons]
    suite = ET.Element(
        "testsuite",
        name="mobilebench check",
        tests=str(len(verdicts) + len(report.unmatched)),
        failures=str(verdicts.count(Verdict.REGRESSED)),
        errors=str(verdicts.count(Verdict.INCONCLUSIVE) + len(report.unmatched)),
    )
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
        elif comparison.verdict is Verdict.INCONCLUSIVE:
            ET.SubElement(case, "error", type="inconclusive", message=details)
    for sentence in map(escapes.visible, report.unmatched):
        case = ET.SubElement(suite, "testcase", classname="unmatched", name=sentence)
        ET.SubElement(case, "error", type="unmatched", message=sentence)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def as_annotations(report: Report) -> str:
    """Format the report as commands that GitHub's log turns into annotations.

    Regressions are errors; inconclusive comparisons and unmatched cells are warnings.
    """
    lines = []
    for comparison in report.comparisons:
        kind = {Verdict.REGRESSED: "error", Verdict.INCONCLUSIVE: "warning"}.get(comparison.verdict)
        if kind is not None:
            _, metric, before, after, change, *_ = cells(comparison)
            details = (
                f"{comparison.cell}: {metric} {before} to {after} {change}: {comparison.reason}"
            )
            lines.append(
                f"::{kind} title=mobilebench {comparison.verdict}::{escapes.github_data(details)}"
            )
    lines += [
        f"::warning title=mobilebench::{escapes.github_data(text)}" for text in report.unmatched
    ]
    return "".join(f"{line}\n" for line in lines)


def as_plain(report: Report) -> dict[str, Any]:
    """Return every figure of the report, ready for JSON."""
    return {"verdict": report.verdict, **asdict(report)}
