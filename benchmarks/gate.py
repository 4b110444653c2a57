"""Compare the gate with its former rule and with those of other tools, by simulation.

    python benchmarks/gate.py --table docs/gate-simulated.md

Simulated phones without a change show how often an interval covers the truth and how often a rule
raises an alarm; those with a slowdown show how often it is found. The other tools' rules are stated
here in our words, over the same runs. With `--part K/N` only every Nth phone is simulated; `--join`
makes the page of the printed lines of all parts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tables
from phones import PHONES, Phone
from scipy import stats as scipy_stats

from mobilebench import files
from mobilebench.regress.evidence import group_rises
from mobilebench.regress.metrics import LATENCIES
from mobilebench.regress.rule import Rule
from mobilebench.stats.intervals import paired_interval, unpaired_interval
from mobilebench.stats.permutation import joint_permutation, joint_sign_flip

Array = np.ndarray[Any, Any]
RULE = Rule()
RUNS = 8
SLOWDOWN = 0.05
SEED = 20_261_126
RESAMPLES = 100
"""Of the former interval, whose cost is all in them."""
BOUNDS = np.log1p([max(RULE.tolerance, metric.least_tolerance) for metric in LATENCIES])
TITLE = "# The gate on simulated phones"
EXPLAINED = """\
Written by `benchmarks/gate.py`: {trials} trials a line, seed {seed}, each of 8 runs a side of 100
inferences. **Simulated**: no phone was measured. *Pairs* are interleaved; *groups* are one session
after another, on equal days; *anchored* are groups in which a reference takes turns with the
network, as for `--anchor`. *Covers* is the share of trials without a change whose 95 % interval
holds the truth. *Alarms* is the share of trials without a change in which p50 or p90 was called
`regressed`, *improved* likewise. *Unchanged* is the share in which p50 was called so. *Found* is
the share of trials with a slowdown of 5 % in which p50 or p90 was called `regressed`, *missed* that
in which p50 was called `unchanged`. *Before* is the former rule: iterations resampled on top of
runs ({resamples} resamples here), p50 and p90 judged apart, the order A B B A fixed. The standard
error of a share of 1 % is {of_one:.1%}, of 95 % it is {of_most:.1%}."""
OF_PHONES = """\
The phones: *iterations* vary by the share given (of a normal distribution, in logarithms), *runs*
by theirs on top, where inferences have an autocorrelation of 0.5, the session slows by 5 % from its
first run to its last, and in three runs of ten a fifth of the inferences takes 1.3 times as long.
Neighbours that are *alike* share 81 % of the variance of 6 % between runs. Of *two levels*, three
runs of ten are 15 % slower. *Heavy tails* are Student's t with 2 degrees of freedom. *AR(1)* levels
wander by 5 % with that correlation. A *saw-tooth* adds 5 % to every second run, or to two
neighbours of four: in the fixed order A B B A, every run of B is then among the slow ones. A
*noisier second side* varies five times as much from run to run. A *clock of 1 ms* rounds 10.3 ms;
on the quiet phone it hides a slowdown of 5 %.

Where the level of a session wanders, *groups* cannot hold the rate: their runs are not separate
evidence about the day, and nothing in them shows it. The verdict therefore says `not interleaved`.
An anchor takes the wander out, as pairs do."""
OTHERS = "## Other rules on the same pairs"
OF_OTHERS = """\
*Samples* is Mann and Whitney's test over all inferences of both sides at 0.01, as asv applies it to
samples of one run; *single* raises an alarm where the mean of the last run is 5 % above that of the
run before the change, as github-action-benchmark compares one number with the last (its default
alarm is at 100 %); *percentile* where the median over runs of the 90th percentile rose by 5 %, as
FAI-PEP's thresholds on percentiles do. A rule that calls every fifth comparison of equals a
slowdown also finds most slowdowns; what two rules find can be compared only where their alarms are
alike. Where neighbouring runs share nothing, eight pairs are too few for noise of 3 % and more: of
such slowdowns a t-test finds {unknown:.0f} %, and a test that knew the noise beforehand would find
{known:.0f} %. `mobilebench calibrate` measures a device and says how many pairs it needs."""
HEAD = (
    "phone", "design", "covers p50", "p90", "alarms", "improved", "unchanged", "found", "missed",
    "before: covers p50", "p90", "alarms", "improved", "unchanged", "found",
)  # fmt: skip
OTHER_HEAD = (
    "phone", "ours: alarms", "found", "samples: alarms", "found", "single: alarms", "found",
    "percentile: alarms", "found",
)  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """What a rule says of trials: arrays of (trials, 2), for p50 and p90."""

    low: Array
    high: Array
    regressed: Array
    improved: Array

    @property
    def covers(self) -> list[float]:
        shares: list[float] = ((self.low <= 1e-12) & (self.high >= -1e-12)).mean(axis=0).tolist()
        return shares

    @property
    def unchanged(self) -> float:
        within = (self.low >= -BOUNDS) & (self.high <= BOUNDS)
        return float((within & ~self.regressed & ~self.improved)[:, 0].mean())


def numbers(side: Array) -> Array:
    """Compute the logarithm of each latency metric of each run: (trials, 2, runs)."""
    return np.log(np.stack([metric.statistic(side) for metric in LATENCIES], axis=1))


def judge(sides: Sequence[Array], paired: bool, ticks: Array | float) -> Judged:
    """Decide as `regress.evidence` and `regress.judging` do for one cell in every trial.

    The sides are the logarithms of `numbers`, `ticks` those of a step of the clock.
    """
    if paired:
        differences = sides[1] - sides[0]
        low, high = paired_interval(differences, RULE.confidence)
        rises, falls = joint_sign_flip(differences), joint_sign_flip(-differences)
    else:
        low, high = unpaired_interval(sides[0], sides[1], RULE.confidence)
        rises, falls = (group_rises(sign * sides[0], sign * sides[1]) for sign in (1, -1))
    ratio = sides[1].mean(axis=-1) - sides[0].mean(axis=-1)
    bounds = np.maximum(BOUNDS, ticks * (1 + 1e-9))
    return Judged(
        low - ticks,
        high + ticks,
        (rises < RULE.alpha) & (ratio > bounds),
        (falls < RULE.alpha) & (ratio < -bounds),
    )


def ticks(phone: Phone, *sides: Array) -> Array:
    """Return the logarithm of a step of the clock over the smaller side: (trials, 2)."""
    level = np.minimum(*(np.median(np.exp(numbers(side)), axis=-1) for side in sides))
    return np.log1p(phone.tick_ms / level)


def judge_formerly(
    first: Array, second: Array, paired: bool, intervals: bool, rng: np.random.Generator
) -> Judged:
    """Decide by the former rule: an interval from resampled runs and resampled iterations.

    The intervals, which cost the most, are computed only on request.
    """
    sides = numbers(first), numbers(second)
    if paired:
        differences = (sides[1] - sides[0])[:, :, None]
        rises, falls = (joint_sign_flip(sign * differences)[..., 0] for sign in (1, -1))
    else:
        apart = [side[:, :, None] for side in sides]
        rises = joint_permutation(apart[0], apart[1])[..., 0]
        falls = joint_permutation(-apart[0], -apart[1])[..., 0]
    low, high = np.zeros((2, len(first), 2))
    if intervals:
        ends = [
            _hierarchical(one, other, paired, rng) for one, other in zip(first, second, strict=True)
        ]
        low, high = np.moveaxis(np.asarray(ends), 1, 0)
    ratio = sides[1].mean(axis=-1) - sides[0].mean(axis=-1)
    return Judged(
        low,
        high,
        (rises < RULE.alpha) & (ratio > BOUNDS),
        (falls < RULE.alpha) & (ratio < -BOUNDS),
    )


def _hierarchical(
    first: Array, second: Array, paired: bool, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the former interval of both latencies: runs resampled, then blocks of iterations."""
    resampled = [_resampled(side, rng) for side in (first, second)]
    runs = len(first)
    if paired:
        picks = rng.integers(0, runs, (1, RESAMPLES, runs))
        means = np.take_along_axis(resampled[1] - resampled[0], picks, axis=2).mean(axis=2)
    else:
        picked = [
            np.take_along_axis(side, rng.integers(0, runs, (1, RESAMPLES, runs)), axis=2)
            for side in resampled
        ]
        means = picked[1].mean(axis=2) - picked[0].mean(axis=2)
    tail = (1 - RULE.confidence) / 2
    low, middle, high = np.quantile(means, (tail, 0.5, 1 - tail), axis=1)
    stretch = scipy_stats.t.ppf(1 - tail, runs - 1) / scipy_stats.norm.ppf(1 - tail)
    stretch *= np.sqrt(runs / (runs - 1))
    return middle - stretch * (middle - low), middle + stretch * (high - middle)


def _resampled(side: Array, rng: np.random.Generator) -> Array:
    """Return logarithms of both latencies of runs drawn in blocks: (2, resamples, runs)."""
    runs, count = side.shape
    length = max(1, round(count ** (1 / 3)))
    starts = rng.integers(0, count, (RESAMPLES, runs, -(-count // length), 1))
    index = (starts + np.arange(length)) % count
    index = index.reshape(RESAMPLES, runs, -1)[..., :count]
    drawn = np.take_along_axis(side[None], index, axis=2)
    logs: Array = np.log(np.percentile(drawn, (50, 90), axis=2))
    return logs


DESIGNS = ("pairs", "groups", "anchored")


def line(phone: Phone, design: str, trials: int) -> list[str]:
    """Simulate a phone without a change and with one; return its line of the table."""
    rng = np.random.default_rng([SEED, PHONES.index(phone), DESIGNS.index(design)])
    now = [_judge_now(phone, design, trials, effect, rng) for effect in (0.0, SLOWDOWN)]
    shares = [*_shares(*now), now[1].unchanged]
    cells = [phone.name, design, *(f"{share:.1%}" for share in shares)]
    if design == "anchored":
        return [*cells, *[""] * 6]
    paired = design == "pairs"
    then = [
        judge_formerly(*_sides(phone, paired, trials, effect, True, rng), paired, not effect, rng)
        for effect in (0.0, SLOWDOWN)
    ]
    return [*cells, *(f"{share:.1%}" for share in _shares(*then))]


def _shares(same: Judged, slower: Judged) -> list[float]:
    return [
        *same.covers,
        float(same.regressed.any(axis=1).mean()),
        float(same.improved.any(axis=1).mean()),
        same.unchanged,
        float(slower.regressed.any(axis=1).mean()),
    ]


def _judge_now(
    phone: Phone, design: str, trials: int, effect: float, rng: np.random.Generator
) -> Judged:
    if design == "anchored":
        (reference, first), (again, second) = phone.anchored(trials, RUNS, effect, rng)
        sides = [numbers(first) - numbers(reference), numbers(second) - numbers(again)]
        return judge(sides, False, ticks(phone, first, second) + ticks(phone, reference, again))
    first, second = _sides(phone, design == "pairs", trials, effect, False, rng)
    logs = [numbers(first), numbers(second)]
    return judge(logs, design == "pairs", ticks(phone, first, second))


def _sides(
    phone: Phone, paired: bool, trials: int, effect: float, former: bool, rng: np.random.Generator
) -> tuple[Array, Array]:
    if not paired:
        return phone.groups(trials, RUNS, effect, rng)
    turned = rng.integers(0, 2, (trials, RUNS))
    if former:
        turned[:] = np.arange(RUNS) % 2
    return phone.pairs(trials, RUNS, effect, turned, rng)


def samples(first: Array, second: Array) -> Array:
    pooled = [side.reshape(len(side), -1) for side in (first, second)]
    test = scipy_stats.mannwhitneyu(pooled[1], pooled[0], axis=1)
    slower = np.median(pooled[1], axis=1) > np.median(pooled[0], axis=1)
    called: Array = (test.pvalue < 0.01) & slower
    return called


def single(first: Array, second: Array) -> Array:
    called: Array = second[:, -1].mean(axis=1) > 1.05 * first[:, -1].mean(axis=1)
    return called


def percentile(first: Array, second: Array) -> Array:
    tops = [np.median(np.percentile(side, 90, axis=2), axis=1) for side in (first, second)]
    called: Array = tops[1] > 1.05 * tops[0]
    return called


OTHER_RULES: tuple[Callable[[Array, Array], Array], ...] = (samples, single, percentile)


def other_line(phone: Phone, trials: int) -> list[str]:
    """Return the alarms and the detections of every rule on a phone's pairs."""
    rng = np.random.default_rng([SEED, PHONES.index(phone), 2])
    still, slower = (_sides(phone, True, trials, effect, False, rng) for effect in (0.0, SLOWDOWN))
    shares = [
        judge([numbers(side) for side in sides], True, ticks(phone, *sides))
        .regressed.any(axis=1)
        .mean()
        for sides in (still, slower)
    ]
    shares += [rule(*sides).mean() for rule in OTHER_RULES for sides in (still, slower)]
    return [phone.name, *(f"{share:.1%}" for share in shares)]


def _best() -> dict[str, float]:
    """Return the percentage of 5 % slowdowns that other tests find.

    They are given 8 pairs, in normal noise of 3 % that neighbours do not share.
    """
    noncentrality = np.log1p(SLOWDOWN) / (0.03 * np.sqrt(2 / RUNS))
    freedom = RUNS - 1
    return {
        "known": 100 * scipy_stats.norm.sf(scipy_stats.norm.isf(RULE.alpha) - noncentrality),
        "unknown": 100
        * scipy_stats.nct.sf(scipy_stats.t.isf(RULE.alpha, freedom), freedom, noncentrality),
    }


def _page(lines: Sequence[Sequence[str]], others: Sequence[Sequence[str]], trials: int) -> str:
    explained = EXPLAINED.format(
        trials=trials,
        seed=SEED,
        resamples=RESAMPLES,
        of_one=(0.01 * 0.99 / trials) ** 0.5,
        of_most=(0.95 * 0.05 / trials) ** 0.5,
    )
    first, second = (
        tables.markdown(head, rows).rstrip() for head, rows in ((HEAD, lines), (OTHER_HEAD, others))
    )
    texts = (explained, OF_PHONES, OF_OTHERS.format(**_best()))
    explained, of_phones, of_others = map(tables.filled, texts)
    parts = (TITLE, explained, first, of_phones, OTHERS, second, of_others)
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--part", default="1/1", help="K/N: every Nth phone, from the Kth")
    parser.add_argument("--join", type=Path, nargs="*", help="outputs of all parts, in order")
    parser.add_argument("--table", type=Path, help="write the tables here, as Markdown")
    options = parser.parse_args()
    start, step = map(int, options.part.split("/"))
    lines: list[list[str]] = []
    others: list[list[str]] = []
    for path in options.join or ():
        for text in path.read_text().splitlines():
            cells = text.split(" | ")
            (lines if len(cells) == len(HEAD) else others).append(cells)
    for phone in () if options.join else PHONES[start - 1 :: step]:
        for design in DESIGNS:
            lines.append(line(phone, design, options.trials))
            print(" | ".join(lines[-1]), flush=True)
        others.append(other_line(phone, options.trials))
        print(" | ".join(others[-1]), flush=True)
    order = [phone.name for phone in PHONES]
    lines.sort(key=lambda cells: (order.index(cells[0]), DESIGNS.index(cells[1])))
    others.sort(key=lambda cells: order.index(cells[0]))
    if options.table:
        files.write_text(options.table, _page(lines, others, options.trials))


if __name__ == "__main__":
    main()
