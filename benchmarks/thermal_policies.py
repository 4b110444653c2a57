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
from mobilebench.thermal.oracle import Oracle, best_at_cap
from mobilebench.thermal.phones import SCORED_FROM, Weather
from mobilebench.thermal.simulation import Driver
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


_HEAD = (
    "policy", "on-time top-1", "worst 5 %", "regret", "95 %", "most", "missed", "longest",
    "shifts a minute", "95 % ", "capped",
)  # fmt: skip
TITLE = "# Policies that keep a deadline, on simulated phones"
EXPLAINED = """\
Written by `benchmarks/thermal_policies.py`. **Simulated**: nothing ran on a phone. The phones are
drawn from the ranges in [thermal.md](thermal.md), at 15 to 35 degrees; they run 30 frames a second
for 30 minutes, and each frame is due within its 33.3 ms. A phone counts where its capped clock is
slower by 1.3 x or more at full width, as the median of the last five minutes.

*On-time top-1* is the accuracy of a frame that is in time, and 0 for a frame that is late or not
computed, averaged over all frames due. *Worst 5 %* is its mean over the phones where it is lowest.
*Regret* is how far a phone is below its oracle: the mean, 95 % of the phones, and the most. The
oracle is the better, phone by phone, of the plan by dynamic programming and of the greedy choice
that knows the cap; neither is a bound, so that a regret may be negative. *Missed* is the share of
frames late or not computed, *longest* the most of them in a row on any phone. *Shifts a minute* has
the mean and 95 % of the phones. *Capped* is the share of the time with a capped clock.

Accuracies are the published ones of slimmable MobileNetV2 (Yu et al. 2019), not trained here. *Told
... + 10 %* are cool latencies that are wrong: of all widths, or of the full width alone."""


def _threshold(slow: float, dwell_s: float) -> Policy:
    # It widens again where two thirds of the slowness are gone, as in its defaults.
    parameters = {"slow": slow, "fast": 1 + (slow - 1) / 3, "dwell_ns": dwell_s * _S}
    return Policy(rule=PolicyRule.THRESHOLD, parameters=parameters)


def _name(slow: float, dwell_s: float) -> str:
    return f"threshold {slow:g} x, {dwell_s:g} s"


def job(
    weather: Weather, seed: int, have: Policies, thresholds: Sequence[tuple[float, float]]
) -> list[Row]:
    """Return the rows of a phone that are missing; of one that does not count only the first."""
    case = Case.drawn(weather, seed)
    fresh: list[Row] = []
    first = have.get("fixed full")
    if first is None:
        first = case.row("fixed full", case.fixed(0))
        first["counts"] = first["slowdown"] >= THROTTLES
        fresh.append(first)
    return fresh + (missing(case, _drivers(case, thresholds), have) if first["counts"] else [])


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
    drivers["greedy"] = partial(best_at_cap, case.phone, case.use)
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


def _regrets(policies: Sequence[dict[str, Row]], name: str) -> list[float]:
    """Return what a policy is below the better of both oracles, phone by phone."""
    return [
        max(each["plan"]["on_time_top1"], each["greedy"]["on_time_top1"])
        - each[name]["on_time_top1"]
        for each in policies
    ]


def _oracle(each: dict[str, Row]) -> Row:
    return max((each["plan"], each["greedy"]), key=lambda row: float(row["on_time_top1"]))


def _line(policies: Sequence[dict[str, Row]], name: str, shown: str) -> list[str]:
    """Return a policy's line of a table."""
    own = [_oracle(each) if name == "oracle" else each[name] for each in policies]
    regrets = [0.0] if name == "oracle" else _regrets(policies, name)
    return [
        shown,
        f"{mean(own, 'on_time_top1'):.2f}",
        f"{worst(own):.2f}",
        f"{np.mean(regrets):.2f}",
        f"{np.percentile(regrets, 95):.2f}",
        f"{max(regrets):.2f}",
        f"{100 * mean(own, 'missed_fraction'):.2f} %",
        f"{max(row['longest_miss_run'] for row in own)}",
        f"{mean(own, 'shifts_per_minute'):.2f}",
        f"{percentile(own, 'shifts_per_minute', 95):.2f}",
        f"{mean(own, 'capped_s') / (60 * MINUTES):.2f}",
    ]


def _table(rows: Rows, weather: Weather, count: int) -> str:
    """Return the part of a weather."""
    tuning, scored = (rows.chosen(weather, first, count) for first in (0, SCORED_FROM))
    fixed = _best(tuning, [f"fixed {name}" for name in _WIDTHS])
    tuned = _name(*_tuned(tuning))
    lines = [
        _line(scored, "fixed full", "fixed, full width"),
        _line(scored, "fixed 0.35", "fixed, smallest width"),
        _line(scored, fixed, f"best {fixed} of the tuning phones"),
        _line(scored, _name(*_TRIED[1]), "`threshold`, its defaults"),
        _line(scored, tuned, f"`{tuned}`, the best on the tuning phones"),
        _line(scored, "deadline", "**`deadline`**"),
    ]
    if weather is Weather.USUAL:
        lines += [_line(scored, f"deadline, {name}", f"`deadline`, {name}") for name in _WRONG]
    lines.append(_line(scored, "oracle", "oracle"))
    drawn = rows.of(weather, SCORED_FROM)
    last = max(each["deadline"]["seed"] for each in scored)
    text = (
        f"{len(scored)} of the phones with seeds {SCORED_FROM} to {last}; {len(tuning)} for tuning,"
        f" seeds 0 to {max(each['fixed full']['seed'] for each in tuning)}."
    )
    assert last in drawn
    parts = [f"## {weather.capitalize()}", tables.filled(text), tables.markdown(_HEAD, lines)]
    return "\n\n".join(part.rstrip() for part in [*parts, *_verdicts(scored, weather)])


def _verdicts(scored: Sequence[dict[str, Row]], weather: Weather) -> list[str]:
    """Return which targets `deadline` holds, where a weather has targets."""
    if weather not in _TARGETS:
        return []
    own, regrets = [each["deadline"] for each in scored], _regrets(scored, "deadline")
    oracles = [_oracle(each) for each in scored]
    beyond = 100 * (mean(own, "missed_fraction") - mean(oracles, "missed_fraction"))
    numbers = (
        ("regret, mean", float(np.mean(regrets))),
        ("regret, 95 %", float(np.percentile(regrets, 95))),
        ("missed beyond the oracle, points", beyond),
        ("shifts a minute, mean", mean(own, "shifts_per_minute")),
        ("shifts a minute, 95 %", percentile(own, "shifts_per_minute", 95)),
    )
    lines = [
        [name, f"{number:.2f}", f"at most {most:g}", "yes" if number <= most else "**no**"]
        for (name, number), most in zip(numbers, _TARGETS[weather], strict=True)
    ]
    return [tables.markdown(("target of `deadline`", "measured", "target", "held"), lines)]


def _page(rows: Rows, count: int) -> str:
    parts = [TITLE, tables.filled(EXPLAINED)]
    return "\n\n".join([*parts, *(_table(rows, weather, count) for weather in Weather)]) + "\n"


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
