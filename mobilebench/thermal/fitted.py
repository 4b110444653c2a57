"""Express a fit as a phone of the simulator, with what was assumed and not seen."""

from __future__ import annotations

from mobilebench.thermal.degrees import has_temperatures
from mobilebench.thermal.equals import Equals
from mobilebench.thermal.ladders import (
    DIE_S,
    DIE_SHARE,
    FASTEST_W,
    IDLE_W,
    POLL_S,
    Array,
    Parameters,
    ladder,
)
from mobilebench.values.phone import (
    ClockStep,
    Governor,
    HeatPaths,
    Node,
    Noise,
    Origin,
    Phone,
    Sensor,
)

_HOTTEST_TRIP_C = 150.0
_S = 1_000_000_000


def phone_of(result: Equals, name: str) -> Phone:
    """Return the best phone of a fit.

    Simulated back to back from its start temperature, with every part at that temperature, it gives
    the minutes of the fit.
    """
    fit, numbers = result.fit, result.numbers
    minutes = fit.recorded.count
    files = ", ".join(series.file for series in fit.recorded.series)
    speeds = numbers.levels_ms[0, 0] / numbers.levels_ms[0]
    exponent = float(numbers.exponent[0, 0])
    return Phone(
        name=name,
        origin=Origin.FITTED,
        source=f"fitted to {minutes} reported minutes of {files}; a fit is not a forecast",
        heat=_paths(result),
        steps=tuple(
            # The first is 1 by definition, and a quotient of equal numbers is exactly 1.
            ClockStep(speed=float(speed), active_w=FASTEST_W * float(speed) ** exponent)
            for speed in speeds
        ),
        governor=Governor(
            # One that is never reached is as good as any other.
            trips_c=tuple(min(float(trip), _HOTTEST_TRIP_C) for trip in numbers.trips_c[0]),
            hysteresis_c=float(numbers.hysteresis_c[0, 0]),
            reads=Node.SKIN,
            poll_ns=POLL_S * _S,
            least_ns=int(numbers.least_s[0, 0]) * _S,
        ),
        idle_w=IDLE_W,
        skin=Sensor() if has_temperatures(fit.recorded) else None,
        noise=Noise(spread=fit.recorded.spread),
        assumptions=assumptions(result),
    )


def _paths(result: Equals) -> HeatPaths:
    best = result.fit.best
    parts = ladder(Parameters.of(best.vectors, result.fit.steps))
    rise = float(result.numbers.rise_c[0, 0])

    def one(array: Array, factor: float) -> float:
        return float(array[0]) * factor

    return HeatPaths(
        die_j_per_c=one(parts.die_j, 1 / rise),
        skin_j_per_c=one(parts.skin_j, 1 / rise),
        battery_j_per_c=one(parts.battery_j, 1 / rise),
        die_skin_c_per_w=one(parts.die_skin, rise),
        skin_battery_c_per_w=one(parts.skin_battery, rise),
        battery_air_c_per_w=one(parts.battery_air, rise),
    )


def assumptions(result: Equals) -> tuple[str, ...]:
    """Say what was assumed and not seen, a sentence each."""
    fit, numbers = result.fit, result.numbers
    air, rise = float(numbers.air_c[0, 0]), float(numbers.rise_c[0, 0])
    degrees = f"The air has {air:.3g} C, and the skin is {rise:.3g} C warmer in the end"
    sentences = [
        f"The unit draws {FASTEST_W:g} W at its fastest step; latencies say nothing of watts.",
        f"Everything else draws {IDLE_W:g} W. The series have no pause, so what the phone does in "
        f"paced use is an assumption.",
        (
            f"{degrees}: least squares through the battery's temperatures, which are late and "
            f"coarse."
            if has_temperatures(fit.recorded)
            else f"{degrees}: no temperatures were recorded."
        ),
        "The governor reads the skin, whose temperature was not recorded.",
        f"The governor looks every {POLL_S} s; the die has {DIE_SHARE:.0%} of the heat capacity of "
        f"the skin, and follows it in {DIE_S:g} s.",
        "The latency is inverse to the clock, and the power of a step is a power of its clock.",
    ]
    if not fit.recorded.spread_is_known:
        sentences.append(f"Frames vary by {fit.recorded.spread:.0%}; no p90 was recorded.")
    if result.not_identified:
        sentences.append(f"Not identified by the series: {', '.join(result.not_identified)}.")
    return tuple(sentences)
