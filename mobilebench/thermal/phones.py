"""Simulated phones: named ones, and any number drawn from a fixed distribution.

The ranges were fixed before any policy was tuned on them; `docs/thermal.md` lists them. Phones with
a seed below `SCORED_FROM` are for tuning, the others for scoring.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import numpy as np

from mobilebench.errors import UnknownName
from mobilebench.values.phone import (
    ClockStep,
    Governor,
    HeatPaths,
    Leakage,
    Node,
    Noise,
    Origin,
    Phone,
    Sensor,
    StateLimits,
)
from mobilebench.values.widths import WidthCost, Widths

SCORED_FROM = 1_000_000
_MS, _S = 1_000_000, 1_000_000_000
_SLIMMABLE = ((1.0, 301, 70.5), (0.75, 209, 68.9), (0.5, 97, 64.4), (0.35, 59, 59.7))
"""Width, million multiply-adds and published top-1 of slimmable MobileNetV2 (Yu et al. 2019)."""
ACCURACY_SOURCE = (
    "published, ImageNet: slimmable MobileNetV2, table 1 of Yu et al. 2019 (Slimmable Neural "
    "Networks)"
)


class Weather(StrEnum):
    """How hard a set of drawn phones is."""

    USUAL = "usual"
    LOAD_FOLLOWING = "load-following"
    """Governors that give a light load no more clock than it needs."""
    SEVERE = "severe"
    """Steps of 0.55 to 0.8, noise of 6 %, and 1 % of the frames at 1.6 times their latency."""


def draw(seed: int, weather: Weather = Weather.USUAL) -> tuple[Phone, float, Widths]:
    """Return a phone, the temperature of its air in degrees, and the widths that it runs."""
    rng = np.random.default_rng([seed, list(Weather).index(weather)])

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    hard = weather is Weather.SEVERE
    speeds = [1.0]
    for _ in range(3):
        speeds.append(speeds[-1] * (between(0.55, 0.8) if hard else between(0.72, 0.9)))
    watts, exponent = between(2, 4.5), between(1.8, 2.6)
    first_trip, apart = between(38, 43), between(0, 1.5)
    lag_s = between(0, 20)
    serious = first_trip + between(-2, 4)
    phone = Phone(
        name=f"drawn-{weather}-{seed}",
        origin=Origin.DRAWN,
        source=f"drawn from the ranges in docs/thermal.md ({weather}), seed {seed}",
        heat=HeatPaths(
            die_j_per_c=between(0.5, 2),
            skin_j_per_c=between(15, 50),
            battery_j_per_c=between(40, 160),
            die_skin_c_per_w=between(2, 6),
            skin_battery_c_per_w=between(1, 4),
            battery_air_c_per_w=between(4, 9),
            skin_air_c_per_w=between(8, 25),
        ),
        steps=tuple(ClockStep(speed=speed, active_w=watts * speed**exponent) for speed in speeds),
        governor=Governor(
            trips_c=tuple(first_trip + apart * at for at in range(3)),
            hysteresis_c=between(0.5, 2),
            reads=Node.SKIN,
            poll_ns=int(between(0.25, 5) * _S),
            least_ns=int(between(2, 20) * _S),
            follows_load=weather is Weather.LOAD_FOLLOWING,
        ),
        idle_w=between(0.4, 1.2),
        leakage=Leakage(at_25_w=between(0, 0.2), doubling_c=between(25, 40)),
        memory_share=between(0, 0.25),
        skin=Sensor(quantum_c=float(rng.choice([0.1, 0.5, 1.0])), lag_ns=int(lag_s * _S)),
        battery=Sensor(quantum_c=float(rng.choice([0.1, 0.5, 1.0])), lag_ns=30 * _S),
        headroom=bool(rng.random() < 0.7),
        states=StateLimits(fair_c=serious - 3, serious_c=serious, critical_c=serious + 3),
        noise=Noise(
            spread=0.06 if hard else between(0.01, 0.03), spike_share=0.01 if hard else 0.0
        ),
    )
    air_c, full_ms, exponent = between(15, 35), between(18, 32), between(0.75, 0.95)
    return phone, air_c, slimmable_widths(full_ms, exponent)


def slimmable_widths(full_ms: float, exponent: float = 0.85) -> Widths:
    """Return the published slimmable accuracies, with latencies of a full network's."""
    _, full_macs, _ = _SLIMMABLE[0]
    return Widths(
        latency_source=f"assumed: {full_ms:.1f} ms x (multiply-adds / full)^{exponent:.2f}",
        accuracy_source=ACCURACY_SOURCE,
        widths=tuple(
            WidthCost(width=width, cool_ms=full_ms * (macs / full_macs) ** exponent, top1=top1)
            for width, macs, top1 in _SLIMMABLE
        ),
    )


_PLAIN = Phone(
    name="steady",
    origin=Origin.NAMED,
    source="chosen by hand: cools well, and its clock is never capped",
    heat=HeatPaths(
        die_j_per_c=1.0,
        skin_j_per_c=30.0,
        battery_j_per_c=90.0,
        die_skin_c_per_w=3.0,
        skin_battery_c_per_w=2.0,
        battery_air_c_per_w=5.0,
        skin_air_c_per_w=12.0,
    ),
    steps=tuple(
        ClockStep(speed=speed, active_w=3.0 * speed**2.2) for speed in (1.0, 0.82, 0.68, 0.55)
    ),
    governor=Governor(trips_c=(60.0, 61.0, 62.0), hysteresis_c=1.0),
    leakage=Leakage(at_25_w=0.1),
    states=StateLimits(fair_c=38.0, serious_c=42.0, critical_c=46.0),
)
_NAMED = (
    _PLAIN,
    replace(
        _PLAIN,
        name="throttling",
        source="chosen by hand: its clock is capped after some minutes of full width",
        governor=Governor(trips_c=(37.0, 38.0, 39.0), hysteresis_c=1.0),
    ),
    replace(
        _PLAIN,
        name="silent",
        source="chosen by hand: capped like `throttling`, while its state never moves and no "
        "temperature can be read",
        governor=Governor(trips_c=(37.0, 38.0, 39.0), hysteresis_c=1.0),
        skin=None,
        battery=None,
        headroom=False,
        states=StateLimits(),
    ),
    replace(
        _PLAIN,
        name="alarmist",
        source="chosen by hand: says `critical` at 30 degrees, long before its clock is capped",
        governor=Governor(trips_c=(39.0, 40.0, 41.0), hysteresis_c=1.0),
        states=StateLimits(fair_c=24.0, serious_c=27.0, critical_c=30.0),
    ),
    replace(
        _PLAIN,
        name="load-following",
        source="chosen by hand: capped like `throttling`, and no clock beyond what the load needs",
        governor=Governor(trips_c=(37.0, 38.0, 39.0), hysteresis_c=1.0, follows_load=True),
    ),
    replace(
        _PLAIN,
        name="quick",
        source="chosen by hand: heat capacities a twelfth of the others', so that it is capped "
        "within a minute",
        heat=replace(_PLAIN.heat, die_j_per_c=0.25, skin_j_per_c=2.5, battery_j_per_c=7.5),
        governor=Governor(
            trips_c=(35.0, 36.0, 37.0), hysteresis_c=0.8, poll_ns=_S // 4, least_ns=4 * _S
        ),
    ),
)


def names() -> tuple[str, ...]:
    """Return the names of the phones that are there without a file."""
    return tuple(phone.name for phone in _NAMED)


def named(name: str) -> Phone:
    """Return the phone with a name; raises `UnknownName` for any other."""
    for phone in _NAMED:
        if phone.name == name:
            return phone
    raise UnknownName.among("simulated phone", name, names())
