"""Compare ways to find change points, by hits and false alarms on simulated histories.

    python benchmarks/changes.py --table docs/history-simulated.md

Ours is `mobilebench.stats.changes`. The others are written here from their papers: E-divisive,
which was ours before, optimal partitioning as PELT computes it, and wild binary segmentation.
Penalty and threshold of the last two are set so that 1 % of series of normal noise have a change.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tables
from numpy.random import Generator

from mobilebench import files
from mobilebench.stats.changes import changes

Array = np.ndarray[Any, Any]
Finder = Callable[[Array], list[int]]
ALPHA = 0.01
SEED = 20_261_127
LEAST = 3
INTERVALS = 300
TITLE = "# Change points in simulated histories"
EXPLAINED = """\
Written by `benchmarks/changes.py`: {trials} series a line, seed {seed}. Steps and bumps are in
deviations of the noise. *Hit* is the share of series in which every change was found within two
runs of its place and no other was; in the lines without a change the figure is the share with a
false alarm, which should be at most 1 %. *Ours* is circular binary segmentation on clipped values,
as `mobilebench history` uses it, with segments from 3 runs. *E-divisive* compares by energy
distances with segments from 5 runs, as before, or from 3. *PELT* is optimal partitioning with the
Gaussian cost, and *WBS* wild binary segmentation, each with its threshold set on normal noise in
100 runs."""
NOTES = """\
E-divisive splits a series in two at a time, so a bump in the middle hides from it. PELT and WBS
find bumps, but their thresholds hold only for the noise and the length that they were set on: heavy
tails and outliers raise false alarms. Shuffling the series itself, as ours does, needs no such
setting. No method here holds its level where neighbouring runs are alike, for such runs wander by
themselves; the statistic that is better at bumps is also quicker to follow them."""


@dataclass(frozen=True)
class Case:
    """Series of one kind; `levels` are pairs of an index and the level from there on."""

    name: str
    size: int = 100
    levels: tuple[tuple[int, float], ...] = ()
    noise: Callable[[Generator, int], Array] = field(
        default=lambda rng, size: rng.normal(size=size)
    )

    def series(self, rng: Generator) -> Array:
        values = self.noise(rng, self.size)
        for at, level in self.levels:
            values[at:] = values[at:] + level
        return 100 + values

    @property
    def edges(self) -> list[int]:
        return [at for at, _ in self.levels]


def _heavy(rng: Generator, size: int) -> Array:
    return rng.standard_t(2, size) * 0.6745 / 0.8165


def _outliers(rng: Generator, size: int) -> Array:
    return rng.normal(size=size) + 10 * (rng.random(size) < 0.05)


def _wander(rng: Generator, size: int) -> Array:
    values = rng.normal(size=size)
    for index in range(1, size):
        values[index] = 0.3 * values[index - 1] + np.sqrt(1 - 0.09) * values[index]
    return values


CASES = (
    Case("no change, 20 runs", 20),
    Case("no change"),
    Case("no change, 300 runs", 300),
    Case("no change, heavy tails", noise=_heavy),
    Case("no change, 5 % outliers", noise=_outliers),
    Case("no change, neighbours alike (0.3)", noise=_wander),
    Case("step of 1.5 in the middle", levels=((50, 1.5),)),
    Case("step of 5, 3 runs before the end", levels=((97, 5.0),)),
    Case("step of 5, 3 runs before the end of 30", 30, ((27, 5.0),)),
    Case("step of 3, 5 runs before the end", levels=((95, 3.0),)),
    Case("bump of 3 over 10 runs", levels=((45, 3.0), (55, -3.0))),
    Case("bump of 5 over 3 runs", levels=((45, 5.0), (48, -5.0))),
    Case("bump of 10 over 10 runs of 40", 40, ((15, 10.0), (25, -10.0))),
    Case("bump of 5 over 10 runs, heavy tails", levels=((45, 5.0), (55, -5.0)), noise=_heavy),
    Case("bump of 5 over 10 runs, outliers", levels=((45, 5.0), (55, -5.0)), noise=_outliers),
    Case("two steps and a bump", levels=((30, 3.0), (60, -5.0), (70, 5.0), (85, -3.0))),
)


def ours(series: Array) -> list[int]:
    return [change.index for change in changes(series.tolist(), alpha=ALPHA, least=LEAST)]


def e_divisive(least: int) -> Finder:
    """Return a finder by energy distances (Matteson and James, JASA 109, 2014)."""

    def find(series: Array) -> list[int]:
        rng = np.random.default_rng(0)
        distances = np.abs(series[:, None] - series[None, :])
        edges, segments = [], [(0, series.size)]
        while segments:
            low, high = segments.pop()
            if high - low < 2 * least:
                continue
            part = distances[low:high, low:high]
            strength, at = _energy(part, least)
            as_strong = 1
            for _ in range(199):
                order = rng.permutation(high - low)
                as_strong += _energy(part[np.ix_(order, order)], least)[0] >= strength
                if as_strong >= ALPHA * 200:
                    break
            if as_strong < ALPHA * 200:
                edges.append(low + at)
                segments += [(low, low + at), (low + at, high)]
        return sorted(edges)

    return find


def _energy(distances: Array, least: int) -> tuple[float, int]:
    """Return the largest scaled energy distance over all splits, and its index."""
    size = len(distances)
    running = np.zeros((size + 1, size + 1))
    running[1:, 1:] = distances.cumsum(0).cumsum(1)
    left = np.arange(least, size - least + 1)
    right = size - left
    within_left = running[left, left]
    across = running[left, size] - within_left
    within_right = running[size, size] - within_left - 2 * across
    energy = (
        2 * across / (left * right)
        - within_left / (left * np.maximum(left - 1, 1))
        - within_right / (right * np.maximum(right - 1, 1))
    )
    scaled = energy * left * right / size
    best = int(np.argmax(scaled))
    return float(scaled[best]), int(left[best])


def _scaled(series: Array) -> Array:
    """Return a series in deviations of its noise, from the differences of neighbours."""
    differences = np.diff(series)
    spread = 1.4826 * np.median(np.abs(differences - np.median(differences))) / np.sqrt(2)
    scaled: Array = (series - np.median(series)) / spread
    return scaled


def pelt(penalty: float) -> Finder:
    """Return a finder by optimal partitioning (Killick, Fearnhead and Eckley, JASA 107, 2012)."""

    def find(series: Array) -> list[int]:
        values = _scaled(series)
        size = values.size
        sums = np.concatenate([[0.0], values.cumsum()])
        squares = np.concatenate([[0.0], (values**2).cumsum()])
        best = np.full(size + 1, np.inf)
        best[0], last = -penalty, np.zeros(size + 1, dtype=int)
        for end in range(LEAST, size + 1):
            start = np.arange(0, end - LEAST + 1)
            cost = squares[end] - squares[start] - (sums[end] - sums[start]) ** 2 / (end - start)
            total = best[start] + cost + penalty
            last[end] = start[total.argmin()]
            best[end] = total.min()
        edges, at = [], int(last[size])
        while at > 0:
            edges.append(at)
            at = int(last[at])
        return edges[::-1]

    return find


def wbs(threshold: float) -> Finder:
    """Return a finder by wild binary segmentation (Fryzlewicz, Annals of Statistics 42, 2014)."""

    def find(series: Array) -> list[int]:
        sums, ends, best = _wild(series)
        edges, segments = [], [(0, series.size)]
        while segments:
            low, high = segments.pop()
            inside = [
                best[index] for index in np.flatnonzero((ends[:, 0] >= low) & (ends[:, 1] <= high))
            ]
            if high - low >= 2 * LEAST:
                inside.append(_cusum(sums, low, high))
            strength, at = max(inside, default=(0.0, 0))
            if strength > threshold:
                edges.append(at)
                segments += [(low, at), (at, high)]
        return sorted(edges)

    return find


def _wild(series: Array) -> tuple[Array, Array, list[tuple[float, int]]]:
    """Return running sums, random intervals, and the largest CUSUM of each."""
    values = _scaled(series)
    rng = np.random.default_rng(0)
    ends = np.sort(rng.integers(0, values.size + 1, (INTERVALS, 2)), axis=1)
    ends = np.vstack([[[0, values.size]], ends[ends[:, 1] - ends[:, 0] >= 2 * LEAST]])
    sums = np.concatenate([[0.0], values.cumsum()])
    return sums, ends, [_cusum(sums, int(low), int(high)) for low, high in ends]


def _cusum(sums: Array, low: int, high: int) -> tuple[float, int]:
    """Return the largest CUSUM statistic of an interval, and its place."""
    at = np.arange(low + LEAST, high - LEAST + 1)
    left, right, size = at - low, high - at, high - low
    difference = (sums[at] - sums[low]) / left - (sums[high] - sums[at]) / right
    strengths = np.abs(difference) * np.sqrt(left * right / size)
    best = int(strengths.argmax())
    return float(strengths[best]), int(at[best])


def quiet_threshold(trials: int = 500) -> float:
    """Return the threshold of WBS that 1 % of series of normal noise exceed."""
    rng = np.random.default_rng([SEED, 0])
    largest = [max(_wild(CASES[1].series(rng))[2])[0] for _ in range(trials)]
    return float(np.quantile(largest, 1 - ALPHA))


def quiet_penalty(trials: int = 500) -> float:
    """Return the lowest penalty of PELT by which 1 % of such series have a change."""
    rng = np.random.default_rng([SEED, 0])
    quiet = [CASES[1].series(rng) for _ in range(trials)]
    low, high = 5.0, 40.0
    for _ in range(8):
        middle = (low + high) / 2
        alarms = np.mean([bool(pelt(middle)(series)) for series in quiet])
        low, high = (low, middle) if alarms <= ALPHA else (middle, high)
    return high


def rate(find: Finder, case: Case, number: int, trials: int) -> float:
    """Return the share of hits, or of false alarms where a case has no change."""
    rng = np.random.default_rng([SEED, 1 + number])
    results = [find(case.series(rng)) for _ in range(trials)]
    if not case.edges:
        return float(np.mean([bool(edges) for edges in results]))
    return float(np.mean([_hit(edges, case.edges) for edges in results]))


def _hit(edges: Sequence[int], true: Sequence[int]) -> bool:
    return len(edges) == len(true) and all(
        abs(edge - at) <= 2 for edge, at in zip(edges, true, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    finders = {
        "ours": ours,
        "E-divisive, 5": e_divisive(5),
        "E-divisive, 3": e_divisive(3),
        "PELT": pelt(quiet_penalty()),
        "WBS": wbs(quiet_threshold()),
    }
    lines = []
    for number, case in enumerate(CASES):
        shares = [rate(find, case, number, options.trials) for find in finders.values()]
        kind = "hit" if case.edges else "false alarm"
        lines.append([case.name, kind, *(f"{share:.1%}" for share in shares)])
        print(" | ".join(lines[-1]), flush=True)
    if options.table:
        explained = EXPLAINED.format(trials=options.trials, seed=SEED)
        table = tables.markdown(("series", "share", *finders), lines)
        page = tables.page(TITLE, explained, table)
        files.write_text(options.table, f"{page}\n{tables.filled(NOTES)}\n")


if __name__ == "__main__":
    main()
