"""Compare the gate with the rules of other tools, on simulated phones.

    python benchmarks/gate.py --table docs/gate-simulated.md

Compared are false-positive rates, and how many slowdowns each rule finds. A simulated phone has a
level that wanders from run to run and correlated iterations; it warms up over the session, and now
and then it schedules a run's inferences on two kinds of core. The other tools' rules are stated
here in our words, over the same runs.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tables
from scipy import stats as scipy_stats

from mobilebench import files
from mobilebench.regress.rule import Rule
from mobilebench.stats.permutation import sign_flip

Array = np.ndarray[Any, Any]
Runs = Sequence[Array]
ITERATIONS = 100
TITLE = "# The gate beside other rules, on simulated phones"
EXPLAINED = """\
Written by `benchmarks/gate.py`: {trials} trials a cell, each of interleaved pairs of runs of 100
inferences. **Simulated**: no phone was measured. The level of a run wanders by the spread given
(of a normal distribution, in logarithms); neighbouring runs share {shared:.0%} of its variance in
the first part of the table and none in the second, where pairs help against nothing. Iterations
vary by 5 % with an autocorrelation of 0.5, the session slows by 5 % from its first run to its last,
and in three runs of ten a fifth of the inferences takes 1.3 times as long. *Alarms* is the share of
trials without a change that a rule calls a slowdown; *found* is the share of trials with a slowdown
of 5 % that it calls one. Ours is the rule of `mobilebench check` with its defaults."""
NOTES = """\
The others: *samples* is Mann and Whitney's test over all inferences of both sides at 0.01, as asv
applies it to samples of one run; *single* raises an alarm where the mean of the last run is 5 %
above that of the run before the change, as github-action-benchmark compares one number with the
last (its default alarm is at 100 %); *percentile* where the median over runs of the 90th percentile
rose by 5 %, as FAI-PEP's thresholds on percentiles do.

A rule that calls every fifth comparison of equals a slowdown also finds most slowdowns; what two
rules find can be compared only where their alarms are alike. Where neighbouring runs share nothing,
eight pairs are too few for noise of 3 % and more: of such slowdowns a t-test finds {unknown:.0f} %,
and a test that knew the noise beforehand would find {known:.0f} %. `mobilebench calibrate` measures
a device and says how many pairs it needs."""
TITLES = (
    "shared", "between runs", "pairs", "ours: alarms", "found", "samples: alarms", "found",
    "single: alarms", "found", "percentile: alarms", "found",
)  # fmt: skip


@dataclass(frozen=True)
class Phone:
    """A simulated phone; its shares are standard deviations of logarithms."""

    between: float
    shared: float
    """Correlation of the levels of neighbouring runs."""
    iteration: float = 0.05
    autocorrelation: float = 0.5
    drift: float = 0.05
    two_cores: float = 0.3

    def session(self, pairs: int, slowdown: float, rng: np.random.Generator) -> tuple[Runs, Runs]:
        """Return the runs of both sides of an interleaved session: A B B A A B ..."""
        sides: tuple[list[Array], list[Array]] = ([], [])
        level = rng.normal()
        for position in range(2 * pairs):
            if position:
                common = self.shared * level
                level = common + np.sqrt(1 - self.shared**2) * rng.normal()
            pair, second = divmod(position, 2)
            side = second ^ (pair % 2)
            warmth = self.drift * position / (2 * pairs - 1)
            base = np.exp(self.between * level) * (1 + warmth) * (1 + slowdown * side)
            sides[side].append(base * self._iterations(rng))
        return sides

    def _iterations(self, rng: np.random.Generator) -> Array:
        noise = rng.normal(0, self.iteration, ITERATIONS)
        new = np.sqrt(1 - self.autocorrelation**2)
        for index in range(1, ITERATIONS):
            noise[index] = self.autocorrelation * noise[index - 1] + new * noise[index]
        slow = (rng.random() < self.two_cores) & (rng.random(ITERATIONS) < 0.2)
        latencies: Array = np.exp(noise) * np.where(slow, 1.3, 1.0)
        return latencies


def ours(first: Runs, second: Runs, rule: Rule = Rule()) -> bool:  # noqa: B008 - frozen
    """Decide as `regress.judging` does for the median latency of one cell in pairs."""
    logs = [np.log([np.median(run) for run in side]) for side in (first, second)]
    differences = logs[1] - logs[0]
    return bool(
        sign_flip(differences.tolist()) < rule.alpha
        and differences.mean() > np.log1p(rule.tolerance)
    )


def samples(first: Runs, second: Runs) -> bool:
    test = scipy_stats.mannwhitneyu(
        np.concatenate(second), np.concatenate(first), alternative="two-sided"
    )
    slower = np.median(np.concatenate(second)) > np.median(np.concatenate(first))
    return bool(test.pvalue < 0.01 and slower)


def single(first: Runs, second: Runs) -> bool:
    return bool(second[-1].mean() > 1.05 * first[-1].mean())


def percentile(first: Runs, second: Runs) -> bool:
    tops = [np.median([np.percentile(run, 90) for run in side]) for side in (first, second)]
    return bool(tops[1] > 1.05 * tops[0])


RULES: tuple[Callable[[Runs, Runs], bool], ...] = (ours, samples, single, percentile)


def rates(phone: Phone, pairs: int, slowdown: float, trials: int, seed: int) -> list[float]:
    """Return the share of trials that each rule calls a slowdown."""
    rng = np.random.default_rng(seed)
    alarms = np.zeros(len(RULES))
    for _ in range(trials):
        sides = phone.session(pairs, slowdown, rng)
        alarms += [rule(*sides) for rule in RULES]
    return (alarms / trials).tolist()


def _best() -> dict[str, float]:
    """Return the percentage of 5 % slowdowns that other tests find.

    They are given 8 pairs, in normal noise of 3 % that neighbours do not share.
    """
    pairs, alpha = 8, 0.01
    noncentrality = np.log1p(0.05) / (0.03 * np.sqrt(2 / pairs))
    freedom = pairs - 1
    return {
        "known": 100 * scipy_stats.norm.sf(scipy_stats.norm.isf(alpha) - noncentrality),
        "unknown": 100
        * scipy_stats.nct.sf(scipy_stats.t.isf(alpha, freedom), freedom, noncentrality),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--shared", type=float, default=0.9)
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    lines = []
    for shared in (options.shared, 0.0):
        for between, pairs in ((0.01, 8), (0.03, 8), (0.06, 8), (0.06, 16), (0.06, 24)):
            phone = Phone(between, shared)
            alarms = rates(phone, pairs, 0.0, options.trials, seed=1)
            detections = rates(phone, pairs, 0.05, options.trials, seed=2)
            cells = [
                f"{rate:.1%}" for both in zip(alarms, detections, strict=True) for rate in both
            ]
            lines.append([f"{shared:.1f}", f"{between:.0%}", str(pairs), *cells])
            print(" | ".join(lines[-1]), flush=True)
    table = tables.markdown(TITLES, lines)
    if options.table:
        explained = EXPLAINED.format(trials=options.trials, shared=options.shared**2)
        above, *below = (
            textwrap.fill(text, 100, break_on_hyphens=False)
            for text in (explained, *NOTES.format(**_best()).split("\n\n"))
        )
        page = (TITLE, above, table.rstrip(), *below)
        files.write_text(options.table, "\n\n".join(page) + "\n")


if __name__ == "__main__":
    main()
