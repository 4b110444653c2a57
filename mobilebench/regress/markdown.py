"""Write a review as Markdown, for the comment on a pull request and the summary of a job.

The first line is the sentence that says it all. A short table holds what changed or could not be
decided, under the name of its cell; everything else is folded away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mobilebench.notation import escapes
from mobilebench.notation.quantities import duration, size
from mobilebench.regress import sentence
from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.metrics import TIMED
from mobilebench.regress.reports import cells, dropped, summary
from mobilebench.regress.review import Fault, Figures, Review, grouped
from mobilebench.values.metric import Metric

_SIGNS = {
    Verdict.REGRESSED: "❌ ",
    Verdict.IMPROVED: "✅ ",
    Verdict.UNCHANGED: "",
    Verdict.INCONCLUSIVE: "⚠️ ",
    Verdict.NOT_COMPARABLE: "⚠️ ",
}
_SHORT = ("metric", "baseline", "candidate", "change", "verdict")
_LONG = ("metric", "baseline", "candidate", "change", "interval", "p", "runs", "verdict")
_FACTS = ("file", "size", "latency p50", "latency p90", "first load", "peak memory")
_FENCE = "`" * 3
_LEGEND = {
    "baseline, candidate": "the side that is compared with, and the side that is judged",
    "change": "of the candidate over the baseline; the mean over pairs of runs",
    "interval": "holds the true change in 95 of 100 cases",
    "p": "how likely chance alone makes such a change, adjusted for all cells of the report",
    "runs, pairs": "a run is one process: load, warm-up, inferences; both runs of a pair were "
    "measured next to each other, in random order",
    "regressed, improved": "the change is above the tolerance and p is below alpha",
    "unchanged": "the whole interval lies within the tolerance",
    "inconclusive": "the runs cannot decide; never evidence that nothing changed",
    "not comparable": "a side lacks the number, or it is zero",
    "not interleaved": "the sides were measured one after the other, so a slower day looks the "
    "same as slower code",
    Metric.LATENCY_P50: "the median time of an inference; p90: nine of ten are faster",
    Metric.FIRST_LOAD: "the time from the file to a session that can run, in a fresh process",
    Metric.PEAK_MEMORY: "the largest resident memory of the measuring process",
    Metric.PARITY: "how many verifications against PyTorch failed, of the file's outputs",
    Metric.PLACEMENT: "how many operations the published rules do not expect on the unit named; "
    "a larger network has more of them",
    "outcome": "how many runs failed",
}


def as_markdown(review: Review) -> str:
    """Format a review as Markdown."""
    parts = [_headline(review)]
    if review.refusal is not None:
        parts.append(escapes.markdown(review.refusal))
    parts += [_fault(fault) for fault in review.broken]
    parts += list(_changed(review))
    if review.alone:
        parts.append(_alone(review.alone))
    # Its log is of code that this change replaces.
    parts += [f"Baseline: {_fault(replace(fault, log_tail=''))}" for fault in review.missing]
    notes = list(_notes(review))
    if notes:
        parts.append("\n".join(f"- {escapes.markdown(note)}" for note in notes))
    if review.comparisons or review.same:
        parts.append(_folded(_all_title(review), _all(review)))
    if review.comparisons:
        parts.append(_folded("What the words mean", _legend(review)))
    return "\n\n".join(parts) + "\n"


def _headline(review: Review) -> str:
    status, _, rest = sentence.sentence(review).partition(": ")
    return f"{sentence.sign(review)} **mobilebench {status}:** {escapes.markdown(rest)}"


def _changed(review: Review) -> Iterator[str]:
    for cell, comparisons in grouped(review.comparisons).items():
        rows = [c for c in comparisons if c.verdict is not Verdict.UNCHANGED and _counts(c)]
        if rows:
            table = _table(_SHORT, [_row(comparison, _SHORT) for comparison in rows])
            reasons = "\n".join(
                f"- {escapes.markdown(f'{c.metric} {c.words}: {c.reason}')}" for c in rows
            )
            yield f"**{escapes.markdown(cell)}**\n\n{table}\n\n{reasons}"


def _counts(comparison: Comparison) -> bool:
    """Return whether a row that is not comparable still matters to the outcome."""
    return comparison.verdict is not Verdict.NOT_COMPARABLE or comparison.undecided


def _notes(review: Review) -> Iterator[str]:
    if review.report is not None:
        for sentence_ in (*dropped(review.report), *review.unmatched):
            yield f"{sentence_}."
        if review.report.across:
            yield f"Compared although these differ: {', '.join(review.report.across)}."
    for sentence_ in review.unmeasured:
        yield f"Not measured: {sentence_}"


def _all_title(review: Review) -> str:
    if review.report is None:
        return f"Files that are the same: {len(review.same)}"
    return f"All figures: {summary(review.report)}"


def _all(review: Review) -> str:
    parts = [
        f"**{escapes.markdown(cell)}**\n\n"
        f"{_table(_LONG, [_row(comparison, _LONG) for comparison in comparisons])}"
        for cell, comparisons in grouped(review.comparisons).items()
    ]
    if review.same:
        lines = [f"- {escapes.markdown(cell)}" for cell in review.same]
        parts.append("\n".join(["Same file on both sides, not measured:", "", *lines]))
    return "\n\n".join(parts)


def _legend(review: Review) -> str:
    words = {c.metric for c in review.comparisons} | {str(c.verdict) for c in review.comparisons}
    apart = any(c.interleaved is False for c in review.comparisons)
    lines = [
        f"- **{word}**: {meaning}"
        for word, meaning in _LEGEND.items()
        if word in words
        or (word == "not interleaved" and apart)
        or (word != "not interleaved" and "," in word)
        or word in ("change", "interval", "p")
    ]
    rule = review.rule
    wider = [
        f"{metric.least_tolerance:.1%} for {metric.name}"
        for metric in TIMED
        if metric.least_tolerance > rule.tolerance
    ]
    lines.append(
        f"- **tolerance, alpha**: changes up to {rule.tolerance:.1%} do not matter"
        f"{' (' + ', '.join(wider) + ')' if wider else ''}; {rule.alpha:g} is the accepted rate of "
        f"false alarms"
    )
    return "\n".join(lines)


def _alone(figures: Sequence[Figures]) -> str:
    rows = [
        (
            escapes.markdown(each.cell),
            size(each.size_bytes),
            *(
                "" if number is None else duration(number)
                for number in (each.p50_ns, each.p90_ns, each.first_load_ns)
            ),
            "" if each.peak_memory_bytes is None else size(each.peak_memory_bytes),
        )
        for each in figures
    ]
    return f"Without a baseline, from one run each:\n\n{_table(_FACTS, rows)}"


def _fault(fault: Fault) -> str:
    place = f" (`{_code(fault.file)}`, line {fault.line})" if fault.file is not None else ""
    text = f"**{escapes.markdown(fault.subject)}**{place}: {escapes.markdown(fault.message)}"
    if fault.advice:
        text += f"\n\nWhat to do: {escapes.markdown(fault.advice)}"
    if fault.log_tail:
        lines = [escapes.visible(line) for line in fault.log_tail.strip().splitlines()]
        fence = _FENCE
        while any(line.lstrip().startswith(fence) for line in lines):
            fence += "`"
        log = "\n".join([fence, *lines, fence])
        text += f"\n\n{_folded('The end of the log', log)}"
    return text


def _code(text: str) -> str:
    return escapes.visible(text).replace("`", "'")


def _folded(title: str, body: str) -> str:
    escaped = escapes.markdown(title)
    return f"<details><summary>{escaped}</summary>\n\n{body}\n\n</details>"


def _row(comparison: Comparison, columns: Sequence[str]) -> tuple[str, ...]:
    _, metric, before, after, change, interval, p, runs, words = cells(comparison)
    texts = {
        "metric": metric,
        "baseline": before,
        "candidate": after,
        "change": change,
        "interval": interval,
        "p": p,
        "runs": runs,
        "verdict": f"{_SIGNS[comparison.verdict]}{words}",
    }
    return tuple(escapes.markdown(texts[column]) for column in columns)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
