"""Run policies on drawn phones, in two processes, and keep a row for each phone and policy.

Rows are lines of JSON in a file. A run that is stopped goes on where it was: what the file has is
not simulated again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilebench.thermal import controllers, phones
from mobilebench.thermal.observation import Reason
from mobilebench.thermal.phones import SCORED_FROM, Weather
from mobilebench.thermal.score import score
from mobilebench.thermal.simulation import TICK_NS, Driver, Run, Use, run
from mobilebench.thermal.trial import Constant, Controlled
from mobilebench.values.phone import Phone
from mobilebench.values.policy import Policy

INTERVAL_NS = round(1e9 / 30)
MINUTES = 30
THROTTLES = 1.3
"""Slowdown of the cap at full width, as a median of the last minutes, from which a phone counts."""
_LAST_S = 300
_S = 1_000_000_000
_TICKS = _S // TICK_NS

Row = dict[str, Any]
Policies = Mapping[str, Row]
"""The rows of one phone, by the name of the policy."""
Drivers = Mapping[str, Callable[[], Driver]]
Job = Callable[[Weather, int, Policies], list[Row]]


@dataclass(frozen=True)
class Case:
    """A drawn phone, and how it is used: 30 frames a second for half an hour."""

    weather: Weather
    seed: int
    phone: Phone
    use: Use

    @classmethod
    def drawn(cls, weather: Weather, seed: int) -> Case:
        """Draw the phone of a seed."""
        phone, air_c, widths = phones.draw(seed, weather)
        duration_ns = MINUTES * 60 * _S
        use = Use(widths.widths, INTERVAL_NS, INTERVAL_NS, duration_ns, air_c, seed)
        return cls(weather, seed, phone, use)

    def by(self, policy: Policy, wrong: float = 1.0, everywhere: bool = True) -> Driver:
        """Return a policy's driver, told cool latencies that are wrong by a factor.

        Those of all widths are wrong, or only that of the widest.
        """
        shown = [
            replace(cost, cool_ms=cost.cool_ms * (wrong if everywhere or not index else 1))
            for index, cost in enumerate(self.use.widths)
        ]
        return Controlled(controllers.controller(policy, shown, self.use.interval_ns))

    def fixed(self, index: int) -> Driver:
        """Return the driver that stays at one width."""
        return Constant(index)

    def row(self, name: str, driver: Driver) -> Row:
        """Simulate the half hour; return what it was worth."""
        first = driver.index if isinstance(driver, Constant) else 0
        done = run(self.phone, self.use, driver, first=first)
        return {
            "weather": self.weather.value,
            "seed": self.seed,
            **asdict(score(done, name)),
            "slowdown": self._slowdown(done),
            **_caps(done),
        }

    def _slowdown(self, done: Run) -> float:
        caps = done.seconds[-_LAST_S * _TICKS :, 3]
        return float(np.median([self.phone.slowdown(int(cap)) for cap in caps]))


def _caps(done: Run) -> Row:
    """Return how often a cap began, and its share of the time after two minutes."""
    capped = done.seconds[:, 3] > 0
    return {
        "caps": int((capped[1:] & ~capped[:-1]).sum() + capped[0]),
        "capped_late": float(capped[120 * _TICKS :].mean()),
        "gave_up": sum(shift.reason is Reason.GAVE_UP for shift in done.shifts),
    }


class Rows:
    """The file of rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.all: list[Row] = [json.loads(line) for line in lines]

    def add(self, rows: Sequence[Row]) -> None:
        """Write rows behind the others."""
        with self._path.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        self.all += rows

    def of(self, weather: Weather, first: int) -> dict[int, dict[str, Row]]:
        """Return the rows of a weather by seed and policy: those for tuning, or for scoring."""
        phones_of: dict[int, dict[str, Row]] = {}
        for row in self.all:
            scored = row["seed"] >= SCORED_FROM
            if row["weather"] == weather and scored == (first >= SCORED_FROM):
                phones_of.setdefault(row["seed"], {})[row["policy"]] = row
        return phones_of

    def chosen(self, weather: Weather, first: int, count: int) -> list[dict[str, Row]]:
        """Return the first phones that count, in the order of their seeds."""
        phones_of = self.of(weather, first)
        counted = [seed for seed in sorted(phones_of) if _counts(phones_of[seed])]
        return [phones_of[seed] for seed in counted[:count]]


def _counts(policies: Policies) -> bool:
    return any(row.get("counts", False) for row in policies.values())


def missing(case: Case, drivers: Drivers, have: Policies) -> list[Row]:
    """Return the rows that are not there yet."""
    return [case.row(name, make()) for name, make in drivers.items() if name not in have]


def collect(rows: Rows, job: Job, weather: Weather, first: int, count: int, until: float) -> bool:
    """Simulate drawn phones until `count` of them count; return False where time ran out first."""
    present = rows.of(weather, first)
    counted = 0
    with ProcessPoolExecutor(2) as pool:
        for seeds in _batches(first):
            if counted >= count:
                return True
            if time.monotonic() > until:
                return False
            have = [present.get(seed, {}) for seed in seeds]
            for seed, fresh in zip(
                seeds, pool.map(job, [weather] * len(seeds), seeds, have), strict=True
            ):
                rows.add(fresh)
                policies = present.get(seed, {}) | {row["policy"]: row for row in fresh}
                counted += _counts(policies)
    return True


def _batches(first: int, length: int = 8) -> Iterator[range]:
    while True:
        yield range(first, first + length)
        first += length


def options(description: str) -> argparse.ArgumentParser:
    """Return the options that the benchmarks of heat share."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--rows", type=Path, required=True, help="file of rows, to go on with")
    parser.add_argument("--phones", type=int, default=100, help="for tuning, and for scoring")
    parser.add_argument("--seconds", type=float, default=240, help="begin nothing after this time")
    parser.add_argument("--table", type=Path, help="write the tables here, as Markdown")
    return parser


def mean(rows: Sequence[Row], name: str) -> float:
    """Return the mean of a number over phones."""
    return float(np.mean([row[name] for row in rows]))


def percentile(rows: Sequence[Row], name: str, per_cent: float) -> float:
    """Return a percentile of a number over phones."""
    return float(np.percentile([row[name] for row in rows], per_cent))


def worst(rows: Sequence[Row], share: float = 0.05) -> float:
    """Return the mean on-time top-1 of the phones where it is least."""
    numbers = sorted(row["on_time_top1"] for row in rows)
    return float(np.mean(numbers[: max(1, round(share * len(numbers)))]))
