"""The one sentence that a report begins with: compared what, did it pass, what to do now."""

from __future__ import annotations

from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.reports import circumstance
from mobilebench.regress.review import Fault, Outcome, Review

_MOST = 3
"""Figures, files or networks that a sentence names."""


def status(review: Review) -> str:
    """Return `passed`, `failed` or `could not decide`."""
    if review.outcome is Outcome.INCONCLUSIVE and review.fail_on is None:
        return "could not decide"
    return "failed" if review.exit_code else "passed"


def sign(review: Review) -> str:
    """Return the sign that stands before the sentence."""
    if review.exit_code and status(review) == "failed":
        return "❌"
    doubtful = (Outcome.INCONCLUSIVE, Outcome.REGRESSED, Outcome.BROKEN)
    return "⚠️" if review.outcome in doubtful else "✅"


def sentence(review: Review) -> str:
    """Return what was compared with what, whether it passed and what to do, in one sentence."""
    what, todo = _SENTENCES[review.outcome](review)
    return f"{status(review)}: {what}{_beside(review)}; {todo}."


def _regressed(review: Review) -> tuple[str, str]:
    what = f"{review.candidate} is worse than {review.baseline}: {_listed(review.worse)}"
    todo = "undo what made it worse, or merge it knowingly"
    return f"{what}{_apart(review)}", todo


def _improved(review: Review) -> tuple[str, str]:
    better = tuple(c for c in review.comparisons if c.verdict is Verdict.IMPROVED)
    what = f"{review.candidate} is better than {review.baseline}: {_listed(better)}"
    return f"{what}{_apart(review)}", "nothing to do"


def _unchanged(review: Review) -> tuple[str, str]:
    return (
        f"{review.candidate} was compared with {review.baseline}, and no figure changed by more "
        f"than its tolerance{_apart(review)}",
        "nothing to do",
    )


def _inconclusive(review: Review) -> tuple[str, str]:
    count = len(review.undecided)
    what = f"{review.candidate} was compared with {review.baseline}, and no figure is known worse"
    if count:
        what += f", but {count} of {len(review.comparisons)} cannot be decided"
    if review.unmatched:
        what += f"; {len(review.unmatched)} of the cells have no counterpart"
    if review.worse or not (count or review.unmatched):
        what = f"{review.candidate} could not be compared with {review.baseline}"
    return f"{what}{_apart(review)}", "run it again on a quieter machine, or with more pairs"


def _same_file(review: Review) -> tuple[str, str]:
    files = "file" if len(review.same) == 1 else f"{len(review.same)} files"
    # What has no baseline was measured, to be the baseline of later changes.
    therefore = "there was nothing to compare" if review.alone else "nothing was measured"
    return (
        f"{review.candidate} makes the same {files} as {review.baseline}, byte by byte, so "
        f"{therefore}",
        "nothing to do",
    )


def _no_baseline(review: Review) -> tuple[str, str]:
    return (
        f"{review.candidate} has no baseline yet, because {_lacking(review)}",
        "merge it, and later changes are compared with it",
    )


def _lacking(review: Review) -> str:
    """Return in a clause why there is no baseline: it is new, or it does not export."""
    if not review.missing:
        return f"{review.baseline} has no such files"
    if review.missing[0].subject == review.baseline:
        return f"{review.baseline} does not exist yet"
    fresh = tuple(fault for fault in review.missing if fault.fresh)
    broken = tuple(fault for fault in review.missing if not fault.fresh)
    parts = []
    if fresh:
        verb = "is" if len({fault.subject for fault in fresh}) == 1 else "are"
        parts.append(f"{_subjects(fresh)} {verb} new since {review.baseline}")
    if broken:
        whose = f" {_subjects(broken)}" if fresh else ""
        parts.append(f"{review.baseline} does not export{whose}{_place(broken[0])}")
    return ", and ".join(parts)


def _broken(review: Review) -> tuple[str, str]:
    fault = review.broken[0]
    subjects = _subjects(review.broken)
    if all(fault.fresh for fault in review.broken):
        what = f"{review.candidate} has no {subjects}, which {review.baseline} has"
        return what, "bring it back, or name the model that takes its place"
    what = f"{subjects} of {review.candidate} cannot be exported or run{_place(fault)}"
    if not review.comparisons:
        what += f", so it was not compared with {review.baseline}"
    else:
        what += f"; the rest was compared with {review.baseline}"
    return what, "mend it: the reason is below"


def _refused(review: Review) -> tuple[str, str]:
    what = f"{review.candidate} could not be compared with {review.baseline}"
    if review.refusal is None:
        return f"{what}: {_lacking(review)}", (
            "bring a baseline, or pass without one by --no-baseline pass"
        )
    return what, "the reason is below"


_SENTENCES = {
    Outcome.REGRESSED: _regressed,
    Outcome.IMPROVED: _improved,
    Outcome.UNCHANGED: _unchanged,
    Outcome.INCONCLUSIVE: _inconclusive,
    Outcome.SAME_FILE: _same_file,
    Outcome.NO_BASELINE: _no_baseline,
    Outcome.BROKEN: _broken,
    Outcome.REFUSED: _refused,
}


def _listed(comparisons: tuple[Comparison, ...]) -> str:
    """Name the metrics, each with its largest change."""
    largest: dict[str, Comparison] = {}
    for comparison in comparisons:
        known = largest.get(comparison.metric)
        if known is None or abs(comparison.effect or 0) > abs(known.effect or 0):
            largest[comparison.metric] = comparison
    texts = [
        metric if each.effect is None else f"{metric} {each.effect:+.1%}"
        for metric, each in largest.items()
    ]
    more = f" and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    cells = {comparison.cell for comparison in comparisons}
    where = f" ({len(cells)} cells)" if len(cells) > 1 else ""
    return f"{', '.join(texts[:_MOST])}{more}{where}"


def _subjects(faults: tuple[Fault, ...]) -> str:
    names = list(dict.fromkeys(fault.subject for fault in faults))
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{', '.join(names[:_MOST])}{more}"


def _place(fault: Fault) -> str:
    return f" ({fault.file}, line {fault.line})" if fault.file is not None else ""


def _apart(review: Review) -> str:
    return "" if review.report is None else circumstance(review.report)


def _beside(review: Review) -> str:
    """Return what the outcome leaves out, to go on with the sentence."""
    parts = []
    if review.same and review.outcome is not Outcome.SAME_FILE:
        count = len(review.same)
        parts.append(f"{count} other{'s are' if count > 1 else ' is'} the same file as before")
    quiet = (Outcome.NO_BASELINE, Outcome.REFUSED)
    if (review.missing or review.alone) and review.outcome not in quiet:
        parts.append(f"{max(len(review.alone), len(review.missing))} without a baseline yet")
    return f" ({'; '.join(parts)})" if parts else ""
