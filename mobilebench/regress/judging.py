"""Judging: what the runs of one cell say about one metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import expm1, log, log1p
from statistics import median

from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.metrics import Exact, Timed
from mobilebench.regress.rule import Rule
from mobilebench.stats.bootstrap import paired_interval, unpaired_interval
from mobilebench.stats.permutation import (
    adjusted,
    least_permutation,
    least_sign_flip,
    permutation,
    sign_flip,
)
from mobilebench.values.record import Record


@dataclass(frozen=True)
class Runs:
    """The runs of one cell on both sides; in pairs where they were measured so."""

    cell: str
    baseline: Sequence[Record]
    candidate: Sequence[Record]
    paired: bool

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.baseline), len(self.candidate)


@dataclass(frozen=True)
class Evidence:
    """What was computed of one timed metric before it is judged among others."""

    runs: Runs
    metric: Timed
    baseline: float
    candidate: float
    log_ratio: float
    interval: tuple[float, float] | None
    """Of the log ratio."""
    p_rise: float
    """Of there being no rise."""
    p_fall: float
    least_p_value: float
    """What the same number of runs could give at best."""


def weigh(runs: Runs, metric: Timed, rule: Rule) -> Evidence:
    """Effect, interval and p-value of one metric, from each run's own statistic."""
    first = [metric.of_run(record) for record in runs.baseline]
    second = [metric.of_run(record) for record in runs.candidate]
    logs = [[log(number) for number in numbers] for numbers in (first, second)]
    sides = (runs.baseline, runs.candidate)
    series = [[metric.series(record) for record in side] for side in sides]
    asked = (metric.statistic, rule.confidence, rule.resamples)
    if runs.paired:
        differences = [after - before for before, after in zip(*logs, strict=True)]
        log_ratio = sum(differences) / len(differences)
        p_rise, least = sign_flip(differences), least_sign_flip(len(differences))
        p_fall = sign_flip([-difference for difference in differences])
        enough = len(differences) > 1
        interval = paired_interval(series[0], series[1], *asked) if enough else None
    else:
        log_ratio = sum(logs[1]) / len(logs[1]) - sum(logs[0]) / len(logs[0])
        p_rise, least = permutation(*logs), least_permutation(*runs.counts)
        p_fall = permutation(logs[1], logs[0])
        enough = min(runs.counts) > 1
        interval = unpaired_interval(series[0], series[1], *asked) if enough else None
    return Evidence(
        runs=runs,
        metric=metric,
        baseline=median(first),
        candidate=median(second),
        log_ratio=log_ratio,
        interval=interval,
        p_rise=p_rise,
        p_fall=p_fall,
        least_p_value=least,
    )


def judge_all(found: Sequence[Evidence], rule: Rule) -> list[Comparison]:
    """The verdicts on one metric of many cells, their p-values adjusted for being many."""
    rises = adjusted([evidence.p_rise for evidence in found])
    falls = adjusted([evidence.p_fall for evidence in found])
    return [
        _judge(evidence, rise if evidence.log_ratio > 0 else fall, rule)
        for evidence, rise, fall in zip(found, rises, falls, strict=True)
    ]


def _judge(found: Evidence, p_value: float, rule: Rule) -> Comparison:
    tolerance = max(rule.tolerance, found.metric.least_tolerance)
    interval = found.interval and (expm1(found.interval[0]), expm1(found.interval[1]))
    verdict, reason = _verdict(found, p_value, tolerance, rule)
    return Comparison(
        cell=found.runs.cell,
        metric=found.metric.name,
        unit=found.metric.unit,
        baseline=found.baseline * found.metric.scale,
        candidate=found.candidate * found.metric.scale,
        effect=expm1(found.log_ratio),
        interval=interval,
        p_value=p_value,
        runs=found.runs.counts,
        paired=found.runs.paired,
        verdict=verdict,
        reason=reason,
    )


def _verdict(found: Evidence, p_value: float, tolerance: float, rule: Rule) -> tuple[Verdict, str]:
    bound = log1p(tolerance)
    runs = "pairs" if found.runs.paired else "runs a side"
    if found.interval is None:
        return Verdict.INCONCLUSIVE, "one run a side says nothing of the noise between runs"
    if p_value < rule.alpha and abs(found.log_ratio) > bound:
        worse = found.log_ratio > 0
        return (
            Verdict.REGRESSED if worse else Verdict.IMPROVED,
            f"p {p_value:.2g} is below {rule.alpha:g} and the change above {tolerance:.1%}",
        )
    low, high = found.interval
    if -bound <= low and high <= bound:
        return Verdict.UNCHANGED, f"the whole interval lies within {tolerance:.1%}"
    if found.least_p_value >= rule.alpha:
        return (
            Verdict.INCONCLUSIVE,
            f"{min(found.runs.counts)} {runs} cannot tell: no p-value below "
            f"{found.least_p_value:.2g} can come of them",
        )
    return (
        Verdict.INCONCLUSIVE,
        f"the interval of {expm1(low):+.1%} to {expm1(high):+.1%} reaches beyond {tolerance:.1%}, "
        f"and p is {p_value:.2g}; take more {runs}",
    )


def judge_exact(runs: Runs, metric: Exact, rule: Rule) -> Comparison | None:
    """The verdict on numbers that every run of an artifact shares; None where a side does not know
    them, and where a side holds several artifacts with different ones."""
    before, after = (_shared(metric, side) for side in (runs.baseline, runs.candidate))
    if before is None or after is None:
        return None
    common = [name for name in before if name in after]
    allowed = 1 + rule.tolerance if metric.relative else 1.0
    risen = [name for name in common if after[name] > before[name] * allowed]
    fallen = [name for name in common if after[name] * allowed < before[name]]
    changed = risen or fallen
    verdict = Verdict.UNCHANGED
    if changed:
        verdict = Verdict.REGRESSED if risen else Verdict.IMPROVED
    told = "; ".join(f"{name}: {after[name]:,g} after {before[name]:,g}" for name in changed)
    totals = [sum(side[name] for name in common) for side in (before, after)]
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
        reason=f"known exactly; {told}" if told else "known exactly",
    )


def _shared(metric: Exact, side: Sequence[Record]) -> Mapping[str, float] | None:
    """What all records of a side say; None where one knows nothing or they differ."""
    first, *others = (metric.read(record) for record in side)
    return first if all(other == first for other in others) else None
