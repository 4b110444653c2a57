"""Judge one metric of one cell from the runs of both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import expm1, log, log1p
from statistics import median

from mobilebench.notation.quantities import quantity
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
    """The runs of one cell on both sides, in pairs where they were measured in pairs."""

    cell: str
    baseline: Sequence[Record]
    candidate: Sequence[Record]
    paired: bool

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.baseline), len(self.candidate)


@dataclass(frozen=True)
class Evidence:
    """The statistics of one timed metric, before p-values are adjusted over cells."""

    runs: Runs
    metric: Timed
    baseline: float
    candidate: float
    log_ratio: float
    interval: tuple[float, float] | None
    """Interval of the log ratio."""
    p_rise: float
    """p-value against there being no rise."""
    p_fall: float
    least_p_value: float
    """Smallest p-value that this number of runs can give."""


def weigh(runs: Runs, metric: Timed, rule: Rule) -> Evidence:
    """Compute effect, interval and p-values of one metric from each run's own statistic."""
    first = [metric.of_run(record) for record in runs.baseline]
    second = [metric.of_run(record) for record in runs.candidate]
    logs = [[log(number) for number in numbers] for numbers in (first, second)]
    sides = (runs.baseline, runs.candidate)
    series = [[metric.series(record) for record in side] for side in sides]
    settings = (metric.statistic, rule.confidence, rule.resamples)
    if runs.paired:
        differences = [after - before for before, after in zip(*logs, strict=True)]
        log_ratio = sum(differences) / len(differences)
        p_rise, least = sign_flip(differences), least_sign_flip(len(differences))
        p_fall = sign_flip([-difference for difference in differences])
        enough = len(differences) > 1
        interval = paired_interval(series[0], series[1], *settings) if enough else None
    else:
        log_ratio = sum(logs[1]) / len(logs[1]) - sum(logs[0]) / len(logs[0])
        p_rise, least = permutation(*logs), least_permutation(*runs.counts)
        p_fall = permutation(logs[1], logs[0])
        enough = min(runs.counts) > 1
        interval = unpaired_interval(series[0], series[1], *settings) if enough else None
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


def judge_all(all_evidence: Sequence[Evidence], rule: Rule) -> list[Comparison]:
    """Judge one metric of many cells, with p-values adjusted for their number."""
    rises = adjusted([evidence.p_rise for evidence in all_evidence])
    falls = adjusted([evidence.p_fall for evidence in all_evidence])
    return [
        _judge(evidence, rise if evidence.log_ratio > 0 else fall, rule)
        for evidence, rise, fall in zip(all_evidence, rises, falls, strict=True)
    ]


def _judge(evidence: Evidence, p_value: float, rule: Rule) -> Comparison:
    tolerance = max(rule.tolerance, evidence.metric.least_tolerance)
    interval = evidence.interval and (expm1(evidence.interval[0]), expm1(evidence.interval[1]))
    verdict, reason = _verdict(evidence, p_value, tolerance, rule)
    return Comparison(
        cell=evidence.runs.cell,
        metric=evidence.metric.name,
        unit=evidence.metric.unit,
        baseline=evidence.baseline * evidence.metric.scale,
        candidate=evidence.candidate * evidence.metric.scale,
        effect=expm1(evidence.log_ratio),
        interval=interval,
        p_value=p_value,
        runs=evidence.runs.counts,
        paired=evidence.runs.paired,
        verdict=verdict,
        reason=reason,
    )


def _verdict(
    evidence: Evidence, p_value: float, tolerance: float, rule: Rule
) -> tuple[Verdict, str]:
    bound = log1p(tolerance)
    runs = "pairs" if evidence.runs.paired else "runs a side"
    if evidence.interval is None:
        return Verdict.INCONCLUSIVE, "one run a side cannot show the noise between runs"
    if p_value < rule.alpha and abs(evidence.log_ratio) > bound:
        worse = evidence.log_ratio > 0
        return (
            Verdict.REGRESSED if worse else Verdict.IMPROVED,
            f"p {p_value:.2g} is below {rule.alpha:g} and the change above {tolerance:.1%}",
        )
    low, high = evidence.interval
    if -bound <= low and high <= bound:
        return Verdict.UNCHANGED, f"the whole interval lies within {tolerance:.1%}"
    if evidence.least_p_value >= rule.alpha:
        return (
            Verdict.INCONCLUSIVE,
            f"{min(evidence.runs.counts)} {runs} are too few: they cannot give a p-value below "
            f"{evidence.least_p_value:.2g}",
        )
    return (
        Verdict.INCONCLUSIVE,
        f"the interval of {expm1(low):+.1%} to {expm1(high):+.1%} reaches beyond {tolerance:.1%}, "
        f"and p is {p_value:.2g}; take more {runs}",
    )


def judge_exact(runs: Runs, metric: Exact, rule: Rule) -> Comparison | None:
    """Judge a metric that is the same in every run of an artifact.

    Returns None where a side does not know the numbers, or holds several artifacts with different
    ones.
    """
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
    unit = metric.unit if metric.relative else ""  # of a count, the name states it
    changes = "; ".join(
        f"{name}: {quantity(after[name], unit)} after {quantity(before[name], unit)}"
        for name in changed
    )
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
        reason=f"known exactly; {changes}" if changes else "known exactly",
    )


def _shared(metric: Exact, side: Sequence[Record]) -> Mapping[str, float] | None:
    """Return the numbers that all records of a side share; None if unknown or unequal."""
    first, *others = (metric.read(record) for record in side)
    return first if all(other == first for other in others) else None
