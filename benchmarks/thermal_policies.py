"""Compare policies that keep a deadline, on simulated phones.

    python benchmarks/thermal_policies.py --rows rows.jsonl --table docs/thermal-simulated.md

Phones with seeds from 0 are for tuning, those from `phones.SCORED_FROM` for scoring. It stops after
some minutes; run it again until it writes the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import tables
from thermal_runs import (
    MINUTES,
    THROTTLES,
    Case,
    Drivers,
    Row,
    Rows,
    collect,
    mean,
    missing,
    options,
    percentile,
    worst,
)

from mobilebench import files
from mobilebench.thermal.oracle import Greedy, Oracle
from mobilebench.thermal.phones import SCORED_FROM, Weather
from mobilebench.values.policy import Policy, PolicyRule

_S = 1_000_000_000
_WIDTHS = ("full", "0.75", "0.5", "0.35")
_WRONG = {
    "told cool latencies + 10 %": (1.1, True),
    "told cool latencies - 10 %": (0.9, True),
    "told full width + 10 %": (1.1, False),
    "told full width - 10 %": (0.9, False),
}
"""A factor of the cool latencies that a policy is told, and whether of all widths or the widest."""
_TRIED = ((1.05, 60), (1.12, 60), (1.2, 60), (1.12, 10))
"""Settings of the threshold: latency over cool where it acts, and dwell time in seconds."""
_TARGETS = {
    Weather.USUAL: (0.2, 1.0, 0.1, 0.5, 1.5),
    Weather.LOAD_FOLLOWING: (0.5, 1.5, 0.1, 0.5, 2.5),
}
"""Mean and p95 of the regret, frames missed beyond the oracle, mean and p95 of the shifts."""


def _threshold(slow: float, dwell_s: float) -> Policy:
    # It widens again where two thirds of the slowness are gone, as in its defaults.
    parameters = {"slow": slow, "fast": 1 + (slow - 1) / 3, "dwell_ns": dwell_s * _S}
    return Policy(rule=PolicyRule.THRESHOLD, parameters=parameters)


def _name(slow: float, dwell_s: float) -> str:
    return f"threshold {slow:g} x, {dwell_s:g} s"


def job(
    weather: Weather, seed: int, have: frozenset[str], thresholds: Sequence[tuple[float, float]]
) -> list[Row]:
    """Return the rows of a phone that are missing; of one that does not count only the first."""
    case = Case.drawn(weather, seed)
    fresh: list[Row] = []
    if "fixed full" not in have:
        first = case.row("fixed full", case.fixed(0))
        first["counts"] = first["slowdown"] >= THROTTLES
        fresh.append(first)
        if not first["counts"]:
            return fresh
    elif have == {"fixed full"}:
        return fresh
    return fresh + missing(case, _drivers(case, thresholds), have)


def _drivers(case: Case, thresholds: Sequence[tuple[float, float]]) -> Drivers:
    drivers: dict[str, Callable[[], Driver]] = {
        f"fixed {name}": partial(case.fixed, at) for at, name in enumerate(_WIDTHS) if at
    }
    for setting in thresholds:
        drivers[_name(*setting)] = partial(case.by, _threshold(*setting))
    if case.seed < SCORED_FROM:
        return drivers
    deadline = Policy(rule=PolicyRule.DEADLINE)
    drivers["deadline"] = partial(case.by, deadline)
    drivers["plan"] = partial(Oracle, case.phone, case.use)
    drivers["greedy"] = partial(Greedy, case.phone, case.use)
    if case.weather is Weather.USUAL:
        for name, wrong in _WRONG.items():
            drivers[f"deadline, {name}"] = partial(case.by, deadline, *wrong)
    return drivers


def _best(policies: Sequence[dict[str, Row]], names: Sequence[str]) -> str:
    """Return the policy of the greatest mean on-time top-1."""
    return max(names, key=lambda name: mean([each[name] for each in policies], "on_time_top1"))


def _tuned(policies: Sequence[dict[str, Row]]) -> tuple[float, float]:
    """Return the setting of the threshold that was best on the tuning phones."""
    names = {_name(*setting): setting for setting in _TRIED}
    return names[_best(policies, list(names))]


def main() -> None:
    parser = options(__doc__)
    chosen = parser.parse_args()
    until = time.monotonic() + chosen.seconds
    rows = Rows(chosen.rows)
    for weather in Weather:
        settings = _TRIED
        for first in (0, SCORED_FROM):
            work = partial(job, thresholds=settings)
            if not collect(rows, work, weather, first, chosen.phones, until):
                raise SystemExit(f"stopped at {weather}, seeds from {first}; run it again")
            tuned = _tuned(rows.chosen(weather, 0, chosen.phones))
            settings = tuple(dict.fromkeys((_TRIED[1], tuned)))
    page = _page(rows, chosen.phones)
    print(page)
    if chosen.table:
        files.write_text(chosen.table, page)


if __name__ == "__main__":
    main()
