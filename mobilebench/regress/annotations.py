"""Write a review as commands that GitHub's log turns into annotations."""

from __future__ import annotations

from mobilebench.notation import escapes
from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.reports import cells, circumstance, dropped, summary, worth_a_remark
from mobilebench.regress.review import Fault, Review


def as_annotations(review: Review) -> str:
    """Format a review as commands, one a line.

    Regressions, and broken exports at their line, are errors; so is a refusal. What cannot be
    decided, has no counterpart or no baseline is a warning. A notice states what was left out, and
    that runs were not interleaved.
    """
    lines = []
    if review.refusal is not None:
        lines.append(_command("error", "refused", review.refusal))
    lines += [_at("error", "broken export", fault, "") for fault in review.broken]
    kind = "error" if review.need_baseline else "warning"
    lines += [_at(kind, "no baseline", fault, f"{review.baseline}: ") for fault in review.missing]
    lines += [
        _compared(comparison)
        for comparison in review.comparisons
        if comparison.verdict is Verdict.REGRESSED
        or comparison.undecided
        or worth_a_remark(comparison)
    ]
    lines += [_command("warning", "", text) for text in review.unmatched]
    lines += [_command("notice", "not measured", text) for text in review.unmeasured]
    if review.report is not None:
        lines += [_command("notice", "", text) for text in dropped(review.report)]
        if circumstance(review.report):
            lines.append(_command("notice", "", summary(review.report)))
    return "".join(f"{line}\n" for line in lines)


def _compared(comparison: Comparison) -> str:
    kind = "warning" if comparison.undecided else "notice"
    if comparison.verdict is Verdict.REGRESSED:
        kind = "error"
    _, metric, before, after, change, *_ = cells(comparison)
    figures = f"{metric} {before or 'unknown'} to {after or 'unknown'}"
    figures += f" {change}" if change else ""
    details = f"{comparison.cell}: {figures}: {comparison.reason}"
    return _command(kind, comparison.words, details)


def _at(kind: str, title: str, fault: Fault, prefix: str) -> str:
    advice = f"; {fault.advice}" if fault.advice else ""
    place = ""
    if fault.file is not None:
        place = f"file={escapes.github_property(fault.file)},line={fault.line},"
    return _command(kind, title, f"{prefix}{fault.subject}: {fault.message}{advice}", place)


def _command(kind: str, title: str, text: str, place: str = "") -> str:
    name = escapes.github_property(f"mobilebench {title}".strip())
    return f"::{kind} {place}title={name}::{escapes.github_data(text)}"
