"""Fit simulated phones to real and to simulated series, beside what needs no model.

    python benchmarks/thermal_fits.py --out DIR --part real --part pixel --part forecast
    python benchmarks/thermal_fits.py --out DIR --part drawn --table docs/thermal-fits.md

Each line takes 5 to 20 seconds. What was fitted is kept in DIR and not repeated, so the parts can
be run one after the other; the page needs all of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tables

from mobilebench import files
from mobilebench.thermal import baselines, fitting, population
from mobilebench.thermal.equals import Equals, equally_good
from mobilebench.thermal.ladders import Array, Parameters, ladder, modes, ranges
from mobilebench.thermal.recorded import SPREAD, Candidates, Recorded
from mobilebench.thermal.series import Minute, Series, read_series

DATA = Path(__file__).resolve().parent.parent / "tests" / "data" / "thermal"
COLD, WARM = "pixel8pro-tensor-g3-1280", "pixel8pro-tensor-g3-1280-warm-start"
NAMES = ("galaxym53-dimensity900-1280", "galaxyzfold-sm8850-1280", COLD, WARM)
STEPS = (2, 3, 4)
PARTS = ("real", "pixel", "forecast", "drawn")
PHONES = 20
FIRST_MINUTES = 12
SEED = 20261127
NOISE = 0.006
LEAST_MINUTES = 3
TITLE = "# Phones fitted to recorded series"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", dest="parts", choices=PARTS, action="append", help="only this")
    parser.add_argument("--table", type=Path, help="write the page here, as Markdown")
    options = parser.parse_args()
    journal = options.out / "fits.json"
    results: dict[str, Any] = json.loads(journal.read_text()) if journal.exists() else {}
    for name, work in _plan():
        if name.partition(" ")[0] in (options.parts or PARTS) and name not in results:
            results[name] = work()
            files.write_text(journal, json.dumps(results, indent=1))
            print(name, results[name], flush=True)
    if options.table:
        files.write_text(options.table, _page(results))
        print(_page(results))


def _plan() -> list[tuple[str, Callable[[], Any]]]:
    plan: list[tuple[str, Callable[[], Any]]] = []
    plan += [(f"real {name}", partial(_real, name)) for name in NAMES]
    plan += [(f"pixel {name}", partial(_joint, name)) for name in FALSIFIED]
    plan += [(f"forecast {name}", partial(_forecast, name)) for name in NAMES[:3]]
    plan += [(f"drawn {number}", partial(_drawn, number)) for number in range(PHONES)]
    return plan


def _series(name: str) -> Series:
    return read_series(DATA / f"{name}.csv")


def _real(name: str) -> dict[str, Any]:
    """Fit one series with each number of steps, in order and shuffled."""
    series = _series(name)
    fits = fitting.fits([series])
    chosen = fitting.choose(fits)
    return {
        "minutes": len(series.minutes),
        "constant": baselines.constant_error(series),
        "last": baselines.last_value_error(series),
        "chosen": chosen.steps,
        "fits": [
            {
                "steps": fit.steps,
                "error": fit.error,
                "shuffled": fitting.shuffled(fit).error,
                "pieces": baselines.pieces_error(series, fit.steps + 1),
                "four": baselines.pieces_error(series, 4),
                "levels": [float(level) for level in fit.best.levels[0]],
            }
            for fit in fits
        ],
        "equals": _spans(equally_good(fitting.searched_on(chosen))),
    }


def _spans(result: Equals) -> dict[str, Any]:
    return {
        "error": result.fit.error,
        "limit": result.most_error,
        "count": result.count,
        "times": result.time_constants_s,
        "best_times": [float(time) for time in result.numbers.time_constants_s[0]],
        "trips": result.trips_c,
        "vague": result.not_identified,
        "all": 2 + len(result.trips_c) + 3 + len(result.levels_ms),
    }


def _late(medians: Sequence[float]) -> list[float]:
    """Return the warm run with its last step two minutes later."""
    return [*medians[:4], medians[3], medians[3], medians[4]]


def _never(medians: Sequence[float]) -> list[float]:
    """Return the warm run without its last step."""
    return [*medians[:4], *[medians[3]] * 3]


FALSIFIED: dict[str, Callable[[Sequence[float]], list[float]]] = {
    "as recorded": list,
    "last step two minutes late": _late,
    "last step never": _never,
}


def _joint(name: str) -> dict[str, Any]:
    """Fit the cold run together with the warm one, true or falsified."""
    warm = _series(WARM)
    medians = FALSIFIED[name](warm.medians_ms)
    minutes = tuple(
        replace(minute, median_ms=median, p90_ms=None)
        for minute, median in zip(warm.minutes, medians, strict=True)
    )
    fits = fitting.fits([_series(COLD), replace(warm, minutes=minutes)])
    return {
        "chosen": fitting.choose(fits).steps,
        "fits": [[fit.steps, fit.error, *fit.errors] for fit in fits],
    }


def _forecast(name: str) -> dict[str, Any]:
    """Fit the first minutes, and compare the rest with what the fit and the last value say."""
    series = _series(name)
    first = replace(series, minutes=series.minutes[:FIRST_MINUTES])
    rest = replace(series, minutes=series.minutes[FIRST_MINUTES:])
    fits = fitting.fits([first])
    chosen = fitting.choose(fits)
    recorded = replace(Recorded.of([rest]), spread=chosen.recorded.spread)
    last = first.minutes[-1].median_ms
    held = [abs(last / value - 1) for value in rest.medians_ms]
    searched = fitting.searched_on(chosen)
    near = searched.others
    errors = chosen.recorded.error(near.predicted(chosen.recorded))
    good = errors <= equally_good(searched).most_error
    foretold = Candidates(near.vectors[good], near.levels[good]).predicted(recorded)
    latest = foretold[rest.minutes[-1].index, :, 0]
    return {
        "good": int(good.sum()),
        "rest_interval": spread_of(recorded.error(foretold)),
        "last_minute_ms": [*spread_of(latest), rest.medians_ms[-1]],
        "fit": chosen.error,
        "steps": chosen.steps,
        "rest": float(recorded.error(chosen.best.predicted(recorded))[0]),
        "held": float(np.mean(held)),
    }


def spread_of(numbers: Array) -> list[float]:
    """Return the least and the most."""
    return [float(numbers.min()), float(numbers.max())]


@dataclass(frozen=True)
class Drawn:
    """A simulated phone and a series of it."""

    series: Series
    levels: Array
    time_constants_s: Array
    trips_c: Array


def draw(number: int) -> Drawn:
    """Draw a phone of the model itself, each step of which is in force for some whole minutes."""
    random = np.random.default_rng([SEED, number])
    while True:
        steps = int(random.integers(2, 5))
        least, most = np.array(ranges(steps, 1)).T
        vector = random.uniform(least, most)[None]
        vector[0, -1 - (steps - 2) : -1] = random.uniform(0.02, 0.2, steps - 2)
        slower = np.cumprod([1.0, *random.uniform(1.08, 1.4, steps - 1)])
        levels = (random.uniform(14, 60) * slower)[None]
        phone = Parameters.of(vector, steps)
        course = population.simulate(phone, levels[:, :1] / levels, 30)
        whole = [int((course.steps == step).all(axis=1).sum()) for step in range(steps)]
        if min(whole) >= LEAST_MINUTES:
            break
    medians = population.medians(course.steps, levels, SPREAD)[:, 0, 0]
    medians *= np.exp(random.normal(0, NOISE, len(medians)))
    air, rise = random.uniform(18, 28), random.uniform(12, 40)
    battery = np.round(air + rise * course.battery[:, 0, 0], 1)
    minutes = tuple(
        Minute(index, float(median), battery_c=float(temperature))
        for index, (median, temperature) in enumerate(zip(medians, battery, strict=True))
    )
    return Drawn(
        Series(f"phone {number}", minutes, ()),
        levels[0],
        modes(ladder(phone)).time_constants_s[0, 1:],
        air + rise * phone.trips[0],
    )


def _drawn(number: int) -> dict[str, Any]:
    """Fit a drawn phone, and compare the fit with the truth."""
    truth = draw(number)
    chosen = fitting.choose(fitting.fits([truth.series]))
    result = equally_good(fitting.searched_on(chosen))
    levels = result.numbers.levels_ms[0]
    nearest = [float(np.abs(levels / level - 1).min()) for level in truth.levels]
    same = chosen.steps == len(truth.levels)
    best = result.numbers.time_constants_s[0]
    return {
        "steps": len(truth.levels),
        "chosen": chosen.steps,
        "error": result.fit.error,
        "level_error": max(nearest),
        "times_off": np.abs(best / truth.time_constants_s - 1).tolist(),
        "times_covered": _covered(truth.time_constants_s, result.time_constants_s),
        # Trips of another number of steps are not the same trips.
        "trips_covered": _covered(truth.trips_c, result.trips_c)
        if same
        else [False] * len(truth.trips_c),
        "identified": [most <= 2 * least for least, most in result.time_constants_s],
    }


def _covered(truth: Array, spans: Sequence[tuple[float, float]]) -> list[bool]:
    return [bool(a <= x <= b) for x, (a, b) in zip(truth, spans, strict=True)]


def _share(number: float) -> str:
    return f"{number:.1%}"


def _page(results: dict[str, Any]) -> str:
    """Write the page of all parts."""
    missing = [name for name, _ in _plan() if name not in results]
    if missing:
        raise SystemExit(f"not fitted yet: {', '.join(missing)}")
    real = {name: results[f"real {name}"] for name in NAMES}
    drawn = [results[f"drawn {number}"] for number in range(PHONES)]
    sections = [
        TITLE,
        tables.filled(EXPLAINED),
        tables.markdown(REAL_TITLES, _real_lines(real)),
        tables.filled(READ),
        "## How far the numbers can move",
        tables.filled(MOVE),
        tables.markdown(SPAN_TITLES, _span_lines(real)),
        "## Two runs of one phone, one of them falsified",
        tables.filled(JOINT),
        tables.markdown(JOINT_TITLES, _joint_lines(results)),
        "## The minutes to come",
        tables.filled(FORECAST),
        tables.markdown(FORECAST_TITLES, _forecast_lines(results)),
        "## Simulated phones of the model itself",
        tables.filled(_drawn_text(drawn)),
    ]
    return "\n\n".join(section.rstrip("\n") for section in sections) + "\n"


EXPLAINED = """\
Written by `benchmarks/thermal_fits.py`, seed 0. The four series are **reported** by others
(DaedricKnight/megadetector-int8-ptq, MIT licence, 2026 Artem Khateev; `tests/data/thermal/`), not
measured here: one detector, back to back for 30 minutes (the warm start: 7), by the minute.
`mobilebench thermal fit` fits a simulated phone to such a series. Errors are mean absolute errors
of the median by the minute, as a share of it. *Constant* is the median of all minutes, *last
value* the value of the minute before. *Constants* are the best in as many stretches of the run,
with the whole run in view. *Shuffled* is the same fit to the same minutes in random order."""
REAL_TITLES = (
    "series",
    "minutes",
    "constant",
    "last value",
    "steps",
    "fit",
    "shuffled",
    "steps + 1 constants",
    "4 constants",
    "chosen",
)
READ = """\
**A small error is a smoke test, never a validation.** It shows that the model can bend that far.
A few constants bend as far: in several lines they beat the fit with the same number of steps, and
they know nothing of heat. The number of steps is chosen by Schwarz's criterion, 2 n ln(error) +
k ln(n) for n minutes and k fitted numbers (10, 12 and 14 for two, three and four steps), among the
fits whose steps are at least 3 % apart. The run of 7 minutes has fewer minutes than fitted numbers,
and the program says so."""
MOVE = """\
A phone is *as good* where its error is at most the least error times exp(chi2 / 2n), the
likelihood-ratio region of 95 % for all fitted numbers together and errors with Laplace's
distribution. A crowd of phones walks through that region, and for each end of a time constant or
trip another one is pushed towards it; the ends of the walk are the intervals. *Not identified* is a
time that spans more than a factor of two, a trip of more than 5 degrees, a latency of more than
5 %. Degrees rest on the battery's temperatures alone, and on watts that are assumed."""
SPAN_TITLES = (
    "series",
    "steps",
    "fit",
    "as good up to",
    "fast time constant, s",
    "as good from-to",
    "slow, s",
    "as good from-to",
    "trips as good from-to, C",
    "not identified",
)
JOINT = """\
The cold run of the Pixel and its warm start share one phone; each has a separate start temperature.
In the falsified runs the last step of the warm start comes two minutes late, or never. Where the
falsified runs are fitted as well as the true one, the fit to both is no evidence for the model."""
JOINT_TITLES = ("warm run", "steps", "both", "cold", "warm", "chosen")
FORECAST = """\
Fitted to the first 12 minutes, and simulated on. *As good fits* are the least and the most of the
phones of the search that fit these minutes as well: of the error of the rest, and of the latency
that they foretell for the last minute, beside the one recorded. *Held* keeps the value of minute
12. **A step that was not yet seen cannot be foretold**: none of these phones has it, so that the
interval may miss it too; and the numbers that would say when it comes are not identified."""
FORECAST_TITLES = (
    "series", "steps", "fit, minutes 1-12", "the rest", "as good fits", "the rest, held",
    "last minute, ms, as good fits", "recorded",
)  # fmt: skip


def _real_lines(real: dict[str, Any]) -> list[list[str]]:
    lines = []
    for name, result in real.items():
        for place, fit in enumerate(result["fits"]):
            head = [
                name,
                str(result["minutes"]),
                *map(_share, (result["constant"], result["last"])),
            ]
            lines.append(
                [
                    *(head if place == 0 else [""] * 4),
                    str(fit["steps"]),
                    *(_share(fit[key]) for key in ("error", "shuffled", "pieces", "four")),
                    "chosen" if fit["steps"] == result["chosen"] else "",
                ]
            )
    return lines


def _span_lines(real: dict[str, Any]) -> list[list[str]]:
    return [
        [
            name,
            str(result["chosen"]),
            _share(result["equals"]["error"]),
            _share(result["equals"]["limit"]),
            *(
                cell
                for best, (least, most) in zip(
                    result["equals"]["best_times"], result["equals"]["times"], strict=True
                )
                for cell in (f"{best:.0f}", f"{least:.0f}-{most:.0f}")
            ),
            ", ".join(f"{least:.0f}-{most:.0f}" for least, most in result["equals"]["trips"]),
            f"{len(result['equals']['vague'])} of {result['equals']['all']}",
        ]
        for name, result in real.items()
    ]


def _joint_lines(results: dict[str, Any]) -> list[list[str]]:
    return [
        [
            name if place == 0 else "",
            str(steps),
            *map(_share, errors),
            "chosen" if steps == results[f"pixel {name}"]["chosen"] else "",
        ]
        for name in FALSIFIED
        for place, (steps, *errors) in enumerate(results[f"pixel {name}"]["fits"])
    ]


def _forecast_lines(results: dict[str, Any]) -> list[list[str]]:
    return [
        [
            name,
            str(line["steps"]),
            _share(line["fit"]),
            _share(line["rest"]),
            "-".join(map(_share, line["rest_interval"])),
            _share(line["held"]),
            "{:.0f}-{:.0f}".format(*line["last_minute_ms"]),
            f"{line['last_minute_ms'][2]:.0f}",
        ]
        for name in NAMES[:3]
        for line in [results[f"forecast {name}"]]
    ]


def _drawn_text(drawn: Sequence[dict[str, Any]]) -> str:
    def count(of: Callable[[dict[str, Any]], bool]) -> int:
        return sum(map(of, drawn))

    times = [covered for phone in drawn for covered in phone["times_covered"]]
    trips = [covered for phone in drawn for covered in phone["trips_covered"]]
    both = count(lambda phone: all([*phone["times_covered"], *phone["trips_covered"]]))
    off = np.median([phone["times_off"] for phone in drawn], axis=0)
    known = sum(sum(phone["identified"]) for phone in drawn)
    return f"""\
{len(drawn)} phones of the model, drawn from the ranges of the fit with seed {SEED}, each step in
force for at least {LEAST_MINUTES} whole minutes of 30; medians with a noise of {NOISE:.1%}, the
battery's temperature in tenths of a degree, no p90. **Simulated.**

The number of steps is right in {count(lambda p: p["chosen"] == p["steps"])} of {len(drawn)}. Every
level of the latency has a fitted one within 1 % in
{count(lambda p: p["level_error"] <= 0.01)} (the worst is {max(p["level_error"] for p in drawn):.2%}
off). The intervals cover {sum(times)} of {len(times)} time constants and {sum(trips)} of
{len(trips)} trips, where the trips of a phone with a wrong number of steps count as not covered; in
{both} of {len(drawn)} phones they cover all of them. The best fit's own time constants are off by
{off[0]:.0%} (fast) and {off[1]:.0%} (slow) in the middle, although these series hold nothing that
the model lacks; {known} of {2 * len(drawn)} time constants count as identified. A real phone
differs from the model as well, so its intervals cover less often than these.

What a fitted phone does in **paced use** is an assumption: series recorded back to back have no
partial load, so they say nothing of the power at idle, and watts are assumed throughout."""


if __name__ == "__main__":
    main()
