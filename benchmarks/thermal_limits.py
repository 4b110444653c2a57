"""Compare policies that keep the clock uncapped, on simulated phones.

    python benchmarks/thermal_limits.py --rows rows.jsonl --table docs/thermal-limits-simulated.md

Phones with seeds from 0 are for tuning, those from `phones.SCORED_FROM` for scoring. It stops after
some minutes; run it again until it writes the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import tables
from thermal_runs import (
    MINUTES,
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
from mobilebench.thermal.oracle import Oracle, Prices
from mobilebench.thermal.phones import SCORED_FROM, Weather
from mobilebench.thermal.simulation import Driver
from mobilebench.values.phone import Phone, StateLimits
from mobilebench.values.policy import Aim, Policy, PolicyRule

_S = 1_000_000_000
_AIM = Aim(uncapped=True)
_PREDICTIVE = Policy(rule=PolicyRule.PREDICTIVE, aim=_AIM)
_LEARNS = Policy(rule=PolicyRule.THRESHOLD, aim=_AIM, parameters={"learns": 1})
_AT_C = (0, 37, 38, 39, 40, 41, 42)
"""Temperatures where the plain threshold acts; at 0 it acts on a cap alone."""
_QUICK = (39, 40, 41)
"""Temperatures where a quicker one acts: dwell 20 s, release 1 degree."""
_PRICES = Prices(shift=100, capped=10)
"""Of the limited oracle: on tuning phones it shifts less than `predictive`."""
_RESAMPLES = 2000


def _threshold(at_c: float, quick: bool = False) -> Policy:
    parameters = {"at_c": at_c, **({"dwell_ns": 20 * _S, "release_c": 1} if quick else {})}
    return Policy(rule=PolicyRule.THRESHOLD, aim=_AIM, parameters=parameters)


def _name(at_c: float, quick: bool = False) -> str:
    return f"threshold {at_c:g}{', quick' * quick}"


def job(weather: Weather, seed: int, have: frozenset[str]) -> list[Row]:
    """Return the rows of a phone that the file does not have.

    A phone counts where full width is capped and the smallest width never. Where that is capped
    too, it is kept to see what giving up is worth.
    """
    if have:
        return []
    case = Case.drawn(weather, seed)
    full, small = case.row("fixed full", case.fixed(0)), case.row("fixed 0.35", case.fixed(3))
    full["counts"] = full["capped_s"] > 0 and small["capped_s"] == 0
    full["hopeless"] = small["capped_s"] > 0
    fresh = [full, small]
    if full["counts"]:
        fresh += missing(case, _drivers(case), have)
        if seed >= SCORED_FROM:
            for name, phone in _with_less(case.phone).items():
                less = replace(case, phone=phone)
                fresh.append(less.row(name, less.by(_PREDICTIVE)))
    elif full["hopeless"] and seed >= SCORED_FROM:
        fresh += missing(case, _of_all(case), have)
    return fresh


def _of_all(case: Case) -> Drivers:
    return {
        "predictive": partial(case.by, _PREDICTIVE),
        "learns": partial(case.by, _LEARNS),
        "deadline": partial(case.by, Policy(rule=PolicyRule.DEADLINE)),
    }


def _drivers(case: Case) -> Drivers:
    drivers: dict[str, Callable[[], Driver]] = {
        _name(at_c): partial(case.by, _threshold(at_c)) for at_c in _AT_C
    }
    drivers |= {_name(at_c, True): partial(case.by, _threshold(at_c, True)) for at_c in _QUICK}
    if case.seed >= SCORED_FROM:
        drivers["limited oracle"] = partial(Oracle, case.phone, case.use, _PRICES)
    return drivers | dict(_of_all(case))


def _with_less(phone: Phone) -> dict[str, Phone]:
    """Return the phone with fewer sensors."""
    no_skin = replace(phone, skin=None, states=StateLimits())
    return {
        "predictive, headroom only": replace(no_skin, headroom=True, battery=None),
        "predictive, battery only": replace(no_skin, headroom=False),
        "predictive, no sensor": replace(no_skin, headroom=False, battery=None),
    }


def main() -> None:
    chosen = options(__doc__).parse_args()
    until = time.monotonic() + chosen.seconds
    rows = Rows(chosen.rows)
    for first in (0, SCORED_FROM):
        if not collect(rows, job, Weather.USUAL, first, chosen.phones, until):
            raise SystemExit(f"stopped at seeds from {first}; run it again")
    page = _page(rows, chosen.phones)
    print(page)
    if chosen.table:
        files.write_text(chosen.table, page)


if __name__ == "__main__":
    main()
