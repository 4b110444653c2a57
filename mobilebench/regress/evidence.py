"""Weigh the timed metrics of one cell: effect, interval and p-values, before any verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, log1p
from statistics import median
from typing import Any

import numpy as np

from mobilebench.regress.metrics import LATENCIES, Timed
from mobilebench.regress.rule import Rule
from mobilebench.regress.runs import Runs
from mobilebench.stats.intervals import paired_interval, unpaired_interval, unpaired_rise
from mobilebench.stats.permutation import (
    joint_permutation,
    joint_sign_flip,
    least_permutation,
    least_sign_flip,
)
from mobilebench.stats.summary import tick
from mobilebench.values.record import Record

Array = np.ndarray[Any, Any]
_BOTH_WAYS = 2.0
"""Factor of a p-value that counts rises and falls."""


@dataclass(frozen=True)
class Evidence:
    """The statistics of one timed metric, before p-values are adjusted over cells."""

    runs: Runs
    """Only those that have the number."""
    metric: Timed
    baseline: float
    candidate: float
    log_ratio: float
    interval: tuple[float, float] | None
    """Interval of the log ratio."""
    tick: float
    """How far a step of the clock can move the log ratio."""
    p_rise: float
    """p-value against there being no rise."""
    p_fall: float
    least_p_value: float
    """Smallest p-value that this number of runs can give."""
    anchor_log_ratio: float = 0.0
    """Log ratio of the reference between the sides."""


@dataclass(frozen=True)
class Missing:
    """A timed metric that cannot be compared, with what each side has of it."""

    runs: Runs
    metric: Timed
    baseline: float | None
    candidate: float | None


def weigh(runs: Runs, family: Sequence[Timed], rule: Rule) -> list[Evidence | Missing]:
    """Compute the evidence of a family of metrics from each run's own numbers.

    The p-values are adjusted for the family. Runs that lack a number are left out. An anchor
    divides latencies alone.
    """
    if family[0] not in LATENCIES:
        runs = replace(runs, anchors=None, anchor=None)
    usable = _usable(runs, family)
    if not all(usable.counts):
        return [
            Missing(runs, metric, *(_middle(metric, side) for side in runs.sides))
            for metric in family
        ]
    first, second = (_logs(family, side) for side in usable.sides)
    moved = np.zeros(len(family))
    if usable.anchors is not None:
        references = [_logs(family, side) for side in usable.anchors]
        moved = references[1].mean(axis=-1) - references[0].mean(axis=-1)
        first, second = first - references[0], second - references[1]
    ratios, intervals, rises, falls, least = _compared(first, second, runs.paired, rule)
    return [
        Evidence(
            runs=usable,
            metric=metric,
            baseline=_middle(metric, usable.baseline) or 0.0,
            candidate=_middle(metric, usable.candidate) or 0.0,
            log_ratio=float(ratios[index]),
            interval=intervals and (float(intervals[0][index]), float(intervals[1][index])),
            tick=_tick(usable, metric),
            p_rise=float(rises[index]),
            p_fall=float(falls[index]),
            least_p_value=least,
            anchor_log_ratio=float(moved[index]),
        )
        for index, metric in enumerate(family)
    ]


def _compared(
    first: Array, second: Array, paired: bool, rule: Rule
) -> tuple[Array, tuple[Array, Array] | None, Array, Array, float]:
    """Return log ratios, their interval, p-values of rises and falls, and the least p-value.

    Both sides are (metrics, runs).
    """
    counts = first.shape[-1], second.shape[-1]
    enough = min(counts) > 1
    if paired:
        differences = second - first
        return (
            differences.mean(axis=-1),
            paired_interval(differences, rule.confidence) if enough else None,
            joint_sign_flip(differences),
            joint_sign_flip(-differences),
            least_sign_flip(counts[0]),
        )
    return (
        second.mean(axis=-1) - first.mean(axis=-1),
        unpaired_interval(first, second, rule.confidence) if enough else None,
        group_rises(first, second),
        group_rises(-first, -second),
        min(1.0, _BOTH_WAYS * least_permutation(*counts)),
    )


def group_rises(first: Array, second: Array) -> Array:
    """Compute p-values of runs that were not interleaved having no rise: (..., metrics).

    The sides are (..., metrics, runs). A permutation test needs equal spreads and Welch's test
    normal noise, so the larger p-value counts. Both directions are counted: what the runs cannot
    show, such as levels that wander with time, needs room.
    """
    p_values = joint_permutation(first, second)
    if min(first.shape[-1], second.shape[-1]) > 1:
        p_values = np.maximum(p_values, unpaired_rise(first, second))
    both_ways: Array = np.minimum(1.0, _BOTH_WAYS * p_values)
    return both_ways


def _usable(runs: Runs, family: Sequence[Timed]) -> Runs:
    """Return the runs that have every number of a family, and so have their anchors."""

    def has(record: Record) -> bool:
        return all(metric.of_run(record) is not None for metric in family)

    anchors = runs.anchors or runs.sides
    keep = [
        [has(record) and has(anchor) for record, anchor in zip(side, references, strict=True)]
        for side, references in zip(runs.sides, anchors, strict=True)
    ]
    if runs.paired:
        both = [one and other for one, other in zip(*keep, strict=True)]
        keep = [both, both]
    if all(map(all, keep)):
        return runs
    sides, kept_anchors = (
        [
            [record for record, good in zip(records, flags, strict=True) if good]
            for records, flags in zip(of_both, keep, strict=True)
        ]
        for of_both in (runs.sides, anchors)
    )
    return replace(
        runs,
        baseline=sides[0],
        candidate=sides[1],
        anchors=None if runs.anchors is None else (kept_anchors[0], kept_anchors[1]),
        dropped=(
            runs.dropped[0] + keep[0].count(False),
            runs.dropped[1] + keep[1].count(False),
        ),
    )


def _logs(family: Sequence[Timed], side: Sequence[Record]) -> Array:
    """Return logarithms of the numbers of runs that have all of them: (metrics, runs)."""
    return np.asarray([[log(metric.of_run(run) or 1.0) for run in side] for metric in family])


def _middle(metric: Timed, side: Sequence[Record]) -> float | None:
    """Return the median of the numbers of a side; None where no run has one."""
    numbers = [number for record in side if (number := metric.of_run(record)) is not None]
    return median(numbers) if numbers else None


def _tick(runs: Runs, metric: Timed) -> float:
    """Return the log of one step of the clock over the smaller side's number.

    With an anchor, the steps of both add up.
    """
    total = 0.0
    for sides in (runs.sides, runs.anchors):
        if sides is None:
            continue
        values = [value for side in sides for record in side for value in metric.series(record)]
        level = min(_middle(metric, side) or 1.0 for side in sides)
        total += log1p(tick(values) / level)
    return total
