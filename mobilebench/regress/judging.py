"""Judge one metric of one cell from the evidence of both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import expm1, log1p

from mobilebench.notation.quantities import quantity
from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.evidence import Evidence, Missing
from mobilebench.regress.metrics import Exact
from mobilebench.regress.rule import Rule
from mobilebench.regress.runs import Runs, infrastructure
from mobilebench.stats.permutation import adjusted, share_rise
from mobilebench.values.measurement import Failure
from mobilebench.values.record import Record

OUTCOME = "outcome"
"""Name of the row about failed runs."""
_SIDES = ("the baseline", "the candidate")
_COARSE = 0.001
"""Step of the clock, as a share of the latency, from which a reason names it."""


def judge_all(weighed: Sequence[Evidence | Missing], rule: Rule) -> list[Comparison]:
    """Judge one metric of many cells, with p-values adjusted for their number."""
    known = [evidence for evidence in weighed if isinstance(evidence, Evidence)]
    rises = iter(adjusted([evidence.p_rise for evidence in known]))
    falls = iter(adjusted([evidence.p_fall for evidence in known]))
    comparisons = []
    for evidence in weighed:
        if isinstance(evidence, Missing):
            comparisons.append(_missing(evidence))
        else:
            rise, fall = next(rises), next(falls)
            comparisons.append(_judge(evidence, rise if evidence.log_ratio > 0 else fall, rule))
    return comparisons


def _missing(evidence: Missing) -> Comparison:
    numbers = (evidence.baseline, evidence.candidate)
    without = [word for word, number in zip(_SIDES, numbers, strict=True) if number is None]
    baseline, candidate = (
        None if number is None else number * evidence.metric.scale for number in numbers
    )
    return Comparison(
        cell=evidence.runs.cell,
        metric=evidence.metric.name,
        unit=evidence.metric.unit,
        baseline=baseline,
        candidate=candidate,
        effect=None,
        interval=None,
        p_value=None,
        runs=evidence.runs.counts,
        paired=evidence.runs.paired,
        verdict=Verdict.NOT_COMPARABLE,
        reason=f"{_none_of(without)} {evidence.metric.name}, or zero",
        dropped=evidence.runs.dropped,
        seconds=evidence.runs.seconds,
    )


def _none_of(sides: Sequence[str]) -> str:
    """Start a clause about the sides that lack a number."""
    return f"{' and '.join(sides)} {'have' if len(sides) > 1 else 'has'} no"


def _judge(evidence: Evidence, p_value: float, rule: Rule) -> Comparison:
    tolerance = max(rule.tolerance, evidence.metric.least_tolerance)
    low, high = evidence.interval or (0.0, 0.0)
    verdict, reason = _verdict(evidence, p_value, tolerance, rule)
    return Comparison(
        cell=evidence.runs.cell,
        metric=evidence.metric.name,
        unit=evidence.metric.unit,
        baseline=evidence.baseline * evidence.metric.scale,
        candidate=evidence.candidate * evidence.metric.scale,
        effect=expm1(evidence.log_ratio),
        interval=evidence.interval and (expm1(low - evidence.tick), expm1(high + evidence.tick)),
        p_value=p_value,
        runs=evidence.runs.counts,
        paired=evidence.runs.paired,
        verdict=verdict,
        reason=f"{reason}{_circumstances(evidence)}",
        dropped=evidence.runs.dropped,
        anchor=evidence.runs.anchor,
        seconds=evidence.runs.seconds,
    )


def _circumstances(evidence: Evidence) -> str:
    """Return what a reader has to know beside the reason, to follow it."""
    runs = evidence.runs
    remark = ""
    if evidence.tick > _COARSE:
        remark += f"; the clock's step is {expm1(evidence.tick):.1%} of the latency"
    if runs.anchors is not None:
        remark += (
            f"; both sides are divided by the anchor {runs.anchor}, which itself changed by "
            f"{expm1(evidence.anchor_log_ratio):+.1%}"
        )
    elif not runs.paired:
        remark += "; the runs were not interleaved, so a slower day looks the same"
    return remark


def _verdict(
    evidence: Evidence, p_value: float, tolerance: float, rule: Rule
) -> tuple[Verdict, str]:
    bound = log1p(tolerance)
    runs = "pairs" if evidence.runs.paired else "runs a side"
    if evidence.interval is None:
        return Verdict.INCONCLUSIVE, "one run a side cannot show the noise between runs"
    size = abs(evidence.log_ratio)
    if p_value < rule.alpha and size > bound:
        if size <= evidence.tick * (1 + 1e-9):
            return Verdict.INCONCLUSIVE, "the clock's step alone can make such a change"
        worse = evidence.log_ratio > 0
        return (
            Verdict.REGRESSED if worse else Verdict.IMPROVED,
            f"p {p_value:.2g} is below {rule.alpha:g} and the change above {tolerance:.1%}",
        )
    low, high = evidence.interval[0] - evidence.tick, evidence.interval[1] + evidence.tick
    if -bound <= low and high <= bound:
        return Verdict.UNCHANGED, f"the whole interval lies within {tolerance:.1%}"
    if evidence.least_p_value >= rule.alpha:
        return (
            Verdict.INCONCLUSIVE,
            f"{min(evidence.runs.counts)} {runs} are too few: they cannot give a p-value below "
            f"{evidence.least_p_value:.2g}",
        )
    advice = f"take more {runs}"
    if evidence.tick > bound:
        advice = "take a finer clock, or a higher tolerance"
    return (
        Verdict.INCONCLUSIVE,
        f"the interval of {expm1(low):+.1%} to {expm1(high):+.1%} reaches beyond {tolerance:.1%}, "
        f"and p is {p_value:.2g}; {advice}",
    )


def judge_outcome(runs: Runs, rule: Rule) -> Comparison | None:
    """Judge the failed runs of a cell; None where no run failed.

    A failure that only the candidate has is a regression, for chance does not make runs fail. One
    outside of the artifact and its runtime decides nothing. Where both sides fail, the share of
    failures has to rise.
    """
    before, after = runs.failures
    if not before and not after:
        return None
    counts = [
        (len(failures), len(side) + dropped + len(failures))
        for failures, side, dropped in zip(runs.failures, runs.sides, runs.dropped, strict=True)
    ]
    verdict, p_value = _outcome(before, after, counts, rule)
    shares = " and ".join(
        f"{failed} of {total} runs of {word}"
        for (failed, total), word in zip(counts, _SIDES, strict=True)
    )
    last = (*before, *after)[-1]
    return Comparison(
        cell=runs.cell,
        metric=OUTCOME,
        unit="failed",
        baseline=float(len(before)),
        candidate=float(len(after)),
        effect=None,
        interval=None,
        p_value=None,
        runs=(counts[0][1], counts[1][1]),
        paired=runs.paired,
        verdict=verdict,
        reason=f"{shares} failed"
        + (f" (p {p_value:.2g})" if p_value is not None else "")
        + f"; {last.description}",
    )


def _outcome(
    before: Sequence[Failure],
    after: Sequence[Failure],
    counts: Sequence[tuple[int, int]],
    rule: Rule,
) -> tuple[Verdict, float | None]:
    (failed, total), (_, after_total) = counts
    if failed == total or (after and all(map(infrastructure, after))):
        # There is nothing to compare with, or the artifact did nothing wrong.
        return Verdict.INCONCLUSIVE, None
    if not after:
        fall = share_rise(counts[1], counts[0])
        return (Verdict.IMPROVED if fall < rule.alpha else Verdict.UNCHANGED), fall
    if not before or len(after) == after_total:
        return Verdict.REGRESSED, None
    rise = share_rise(counts[0], counts[1])
    return (Verdict.REGRESSED if rise < rule.alpha else Verdict.INCONCLUSIVE), rise


def judge_exact(runs: Runs, metric: Exact, rule: Rule) -> Comparison | None:
    """Judge a metric that is the same in every run of an artifact.

    Returns None where neither side knows the numbers.
    """
    numbers = [_shared(metric, side) for side in runs.sides]
    if numbers == [None, None] and not any(_unequal(metric, side) for side in runs.sides):
        return None
    before, after = (side or {} for side in numbers)
    common = [name for name in before if name in after]
    totals = [sum(side[name] for name in common) for side in (before, after)]
    if not common or (metric.relative and not all(totals)):
        return _without_numbers(runs, metric, numbers)
    allowed = 1 + rule.tolerance if metric.relative else 1.0
    risen = [name for name in common if after[name] > before[name] * allowed]
    fallen = [name for name in common if after[name] * allowed < before[name]]
    changed = risen or fallen
    verdict = Verdict.UNCHANGED
    if changed:
        verdict = Verdict.REGRESSED if risen else Verdict.IMPROVED
    unit = metric.unit if metric.relative else ""  # of a count, the name states it
    changes = "; ".join(
        f"{name}: {quantity(after[name], unit)} after {quantity(before[name], unit)}"
        for name in changed
    )
    return Comparison(
        cell=runs.cell,
        metric=metric.name,
        unit=metric.unit,
        baseline=totals[0],
        candidate=totals[1],
        effect=totals[1] / totals[0] - 1 if metric.relative else None,
        interval=None,
        p_value=None,
        runs=runs.counts,
        paired=runs.paired,
        verdict=verdict,
        reason=f"known exactly; {changes}" if changes else "known exactly",
    )


def _without_numbers(
    runs: Runs, metric: Exact, numbers: Sequence[Mapping[str, float] | None]
) -> Comparison:
    """Return the comparison of a metric of which the sides share no number above zero."""
    known = [
        None if side is None or (metric.relative and not all(side.values())) else sum(side.values())
        for side in numbers
    ]
    without = [word for word, number in zip(_SIDES, known, strict=True) if number is None]
    reason = f"{_none_of(without)} {metric.name}{', or zero' if metric.relative else ''}"
    if any(_unequal(metric, side) for side in runs.sides):
        known, reason = [None, None], "a side holds several artifacts with different numbers"
    elif not without:
        known, reason = [None, None], "the sides share no part that has a number"
    return Comparison(
        cell=runs.cell,
        metric=metric.name,
        unit=metric.unit,
        baseline=known[0],
        candidate=known[1],
        effect=None,
        interval=None,
        p_value=None,
        runs=runs.counts,
        paired=runs.paired,
        verdict=Verdict.NOT_COMPARABLE,
        reason=reason,
    )


def _shared(metric: Exact, side: Sequence[Record]) -> Mapping[str, float] | None:
    """Return the numbers that all records of a side share; None if unknown or unequal."""
    first, *others = (metric.read(record) for record in side)
    return first if all(other == first for other in others) else None


def _unequal(metric: Exact, side: Sequence[Record]) -> bool:
    """Return whether a side knows different numbers."""
    known = [numbers for record in side if (numbers := metric.read(record)) is not None]
    return any(numbers != known[0] for numbers in known)
