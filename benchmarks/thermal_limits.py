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
    Case,
    Drivers,
    Policies,
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
_AT_C = (0, 38, 39, 40, 41, 42)
"""Temperatures where the plain threshold acts; at 0 it acts on a cap alone."""
_PRICES = Prices(shift=100, capped=10, dwell_ns=60 * _S)
"""Of the limited oracle: on tuning phones it shifts less than `predictive`."""
_RESAMPLES = 2000
_SEED = 20_261_127
_CAPS, _LATE = 2, 0.1
"""Most beginnings of a cap, and the largest share of the time after two minutes that is capped."""
_HEAD = (
    "policy", "on-time top-1", "worst 5 %", "capped", "2 caps or less", "capped for 10 % or less",
    "missed", "shifts a minute", "95 %", "gave up",
)  # fmt: skip
TITLE = "# Policies that keep the clock uncapped, on simulated phones"
EXPLAINED = """\
Written by `benchmarks/thermal_limits.py`. **Simulated**: nothing ran on a phone. The aim is
`uncapped`: the app wants the fastest clock for other work, so that a policy has to be cooler than
the deadline alone asks for. Of {drawn} phones with seeds from 1000000 to {last}, drawn from the
ranges in [thermal.md](thermal.md), those {phones} count whose clock is capped at full width and
never at the smallest; {never} are never capped, and {hopeless} are capped even at the smallest
width. Their use is that of [thermal-simulated.md](thermal-simulated.md). {tuning} phones were for
tuning, seeds 0 to {tuned}.

*Capped* is the mean time with a capped clock, of 1800 s. *2 caps or less* is the share of phones
whose cap begins at most twice, *capped for 10 % or less* that of phones whose clock is capped for
at most a tenth of the time after minute 2. A plain `threshold` acts at the temperature of the skin
that is its number, and on a cap; the one that *learns* acts where the clock was capped first. Every
policy but `fixed` has the deadline as a guard. The *limited oracle* plans with the phone's own
physics; it pays {capped:g} points for each second capped and {shift:g} points times seconds for
each shift, and keeps a width for a minute unless the cap moves; with these it shifts less than
`predictive` on tuning phones. The interval is of
{resamples} resamples of the phones."""
LESS = """\
## Fewer sensors

The same phones, where programs cannot read the temperature of the skin. Without any sensor
`predictive` is `deadline`: it promises no limit."""
HOPELESS = """\
## No width stays uncapped

The {hopeless} phones that are capped even at the smallest width. No policy can keep the limit
there. `predictive` says that it gives up, lets the deadline alone count for ten minutes, and tries
again."""


def _threshold(at_c: float) -> Policy:
    return Policy(rule=PolicyRule.THRESHOLD, aim=_AIM, parameters={"at_c": at_c})


def _name(at_c: float) -> str:
    return f"threshold {at_c:g}"


def job(weather: Weather, seed: int, have: Policies) -> list[Row]:
    """Return the rows of a phone that the file does not have.

    A phone counts where full width is capped and the smallest width never. Where that is capped
    too, it is kept to see what giving up is worth.
    """
    case = Case.drawn(weather, seed)
    fixed = {"fixed full": partial(case.fixed, 0), "fixed 0.35": partial(case.fixed, 3)}
    fresh = missing(case, fixed, have)
    known = dict(have) | {row["policy"]: row for row in fresh}
    full, small = known["fixed full"], known["fixed 0.35"]
    full["counts"] = full["capped_s"] > 0 and small["capped_s"] == 0
    full["hopeless"] = small["capped_s"] > 0
    if full["counts"]:
        fresh += missing(case, _drivers(case), have)
        if seed >= SCORED_FROM:
            for name, phone in _with_less(case.phone).items():
                less = replace(case, phone=phone)
                fresh += missing(less, {name: partial(less.by, _PREDICTIVE)}, have)
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


def _line(policies: Sequence[dict[str, Row]], name: str, shown: str | None = None) -> list[str]:
    """Return a policy's line of a table."""
    own = [each[name] for each in policies]
    return [
        shown or f"`{name}`",
        f"{mean(own, 'on_time_top1'):.2f}",
        f"{worst(own):.2f}",
        f"{mean(own, 'capped_s'):.0f} s",
        f"{np.mean([row['caps'] <= _CAPS for row in own]):.0%}",
        f"{np.mean([row['capped_late'] <= _LATE for row in own]):.0%}",
        f"{100 * mean(own, 'missed_fraction'):.2f} %",
        f"{mean(own, 'shifts_per_minute'):.2f}",
        f"{percentile(own, 'shifts_per_minute', 95):.2f}",
        f"{np.mean([row['gave_up'] > 0 for row in own]):.0%}",
    ]


def _point(policies: Sequence[dict[str, Row]], name: str) -> tuple[float, float]:
    """Return the mean time capped and the mean on-time top-1."""
    own = [each[name] for each in policies]
    return mean(own, "capped_s"), mean(own, "on_time_top1")


def _front(tuning: Sequence[dict[str, Row]]) -> list[str]:
    """Return the plain thresholds that no other beats on the tuning phones, by time capped."""
    points = sorted((*_point(tuning, _name(at_c)), _name(at_c)) for at_c in _AT_C)
    front: list[str] = []
    best = float("-inf")
    for _, on_time, name in points:
        if on_time > best:
            front.append(name)
            best = on_time
    return front


def _above_front(scored: Sequence[dict[str, Row]], front: Sequence[str]) -> float:
    """Return how far `predictive` is above the front at its time capped.

    Between two settings the front is a straight line, as if each ran on a share of the phones.
    """
    points = sorted(_point(scored, name) for name in front)
    capped_s, on_time = _point(scored, "predictive")
    return on_time - float(np.interp(capped_s, *zip(*points, strict=True)))


def _interval(differences: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of a mean, from resampled phones."""
    rng = np.random.default_rng(_SEED)
    picks = rng.integers(0, len(differences), (_RESAMPLES, len(differences)))
    low, high = np.percentile(np.asarray(differences)[picks].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def _verdicts(tuning: Sequence[dict[str, Row]], scored: Sequence[dict[str, Row]]) -> str:
    """Return which targets `predictive` holds."""
    own = [each["predictive"] for each in scored]
    few = float(np.mean([row["caps"] <= _CAPS for row in own]))
    rarely = float(np.mean([row["capped_late"] <= _LATE for row in own]))
    front = _front(tuning)
    above = _above_front(scored, front)
    gains = [each["predictive"]["on_time_top1"] - each["learns"]["on_time_top1"] for each in scored]
    low, high = _interval(gains)
    limited = [each["limited oracle"] for each in scored]
    below = mean(limited, "on_time_top1") - mean(own, "on_time_top1")
    shifts = [mean(rows, "shifts_per_minute") for rows in (limited, own)]
    lines: Sequence[tuple[str, str, str, bool]] = (
        (f"phones with at most {_CAPS} caps", f"{few:.0%}", "at least 95 %", few >= 0.95),
        ("phones capped for 10 % at most", f"{rarely:.0%}", "at least 85 %", rarely >= 0.85),
        ("above the front of the threshold", f"{above:.2f}", "at least 0.5", above >= 0.5),
        (
            "above the threshold that learns",
            f"{np.mean(gains):.2f} ({low:.2f} to {high:.2f})",
            "not below 0",
            high >= 0,
        ),
        (
            f"below the limited oracle, which shifts {shifts[0]:.2f} times a minute "
            f"({shifts[1]:.2f} here)",
            f"{below:.2f}",
            "at most 2",
            below <= 2 and shifts[0] <= shifts[1],
        ),
    )
    text = f"The front has the settings {', '.join(front)} (degrees), by the tuning phones."
    table = tables.markdown(
        ("target of `predictive`", "measured", "target", "held"),
        [
            [name, number, target, "yes" if held else "**no**"]
            for name, number, target, held in lines
        ],
    )
    return f"{tables.filled(text)}\n\n{table}"


def _page(rows: Rows, count: int) -> str:
    tuning, scored = (rows.chosen(Weather.USUAL, first, count) for first in (0, SCORED_FROM))
    last = max(each["predictive"]["seed"] for each in scored)
    drawn = [each for seed, each in rows.of(Weather.USUAL, SCORED_FROM).items() if seed <= last]
    hopeless = [each for each in drawn if each["fixed full"].get("hopeless")]
    never = len(drawn) - len(hopeless) - len(scored)
    names = [
        *(("fixed 0.35", None), ("deadline", None)),
        *((_name(at_c), None if at_c else "`threshold`, on a cap alone") for at_c in _AT_C),
        ("learns", "`threshold` that learns"),
        ("predictive", "**`predictive`**"),
        ("limited oracle", "limited oracle"),
    ]
    less = ("headroom only", "battery only", "no sensor")
    explained = EXPLAINED.format(
        phones=len(scored), last=last, drawn=len(drawn), hopeless=len(hopeless), never=never,
        tuning=len(tuning), tuned=max(each["predictive"]["seed"] for each in tuning),
        shift=_PRICES.shift, capped=_PRICES.capped, resamples=_RESAMPLES,
    )  # fmt: skip
    parts = [
        TITLE,
        tables.filled(explained),
        tables.markdown(_HEAD, [_line(scored, name, shown) for name, shown in names]),
        _verdicts(tuning, scored),
        tables.filled(LESS),
        tables.markdown(
            _HEAD,
            [
                _line(scored, "predictive", "all sensors"),
                *(_line(scored, f"predictive, {name}", name) for name in less),
                _line(scored, "deadline"),
            ],
        ),
        tables.filled(HOPELESS.format(hopeless=len(hopeless))),
        tables.markdown(
            _HEAD, [_line(hopeless, name) for name in ("predictive", "learns", "deadline")]
        ),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


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
