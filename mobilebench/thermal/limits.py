"""How far a device is beyond the limits on heat that an aim states.

    excess = the largest of: temperature - limit, 30 x (headroom - limit), state, cap, energy

It is in degrees, or something like degrees: 0 at the limit, more beyond it. A state or a cap is
beyond by one, at the limit, or far below it, since it has no finer steps.
"""

from __future__ import annotations

from mobilebench.thermal.observation import Reading
from mobilebench.values.policy import Aim

DEGREES_OF_HEADROOM = 30.0
"""Android defines the headroom so that 30 degrees below severe throttling are 0."""
HEAT_SOURCES = (("skin_c", 1.0), ("headroom", DEGREES_OF_HEADROOM), ("battery_c", 1.0))
"""What says how warm a device is, the best first, and the degrees that one of it is."""
_DEGREES_OF_ENERGY = 10.0
_FAR = -10.0


def has_limit(aim: Aim) -> bool:
    """Return whether an aim says anything about heat."""
    limits = (aim.warmest, aim.headroom, aim.skin_c, aim.battery_c, aim.energy_mj)
    return aim.uncapped or any(limit is not None for limit in limits)


def warmth(reading: Reading) -> tuple[str, float] | None:
    """Return the best source of a reading, and degrees by it; None where it has no source.

    The degrees of different sources cannot be compared.
    """
    known = reading.known()
    for name, degrees in HEAT_SOURCES:
        if name in known:
            return name, degrees * known[name]
    return None


def excess(aim: Aim, reading: Reading, capped: bool) -> float | None:
    """Return how far a reading is beyond the limits; None where no limited quantity is known."""
    known = reading.known()
    beyond = [
        known[name] - limit
        for name, limit in (("skin_c", aim.skin_c), ("battery_c", aim.battery_c))
        if limit is not None and name in known
    ]
    if aim.headroom is not None and "headroom" in known:
        beyond.append(DEGREES_OF_HEADROOM * (known["headroom"] - aim.headroom))
    if aim.warmest is not None and "state" in known:
        steps = known["state"] - aim.warmest.level
        beyond.append(steps if steps >= 0 else _FAR)
    if aim.energy_mj and "energy_mj" in known:
        beyond.append(_DEGREES_OF_ENERGY * (known["energy_mj"] / aim.energy_mj - 1))
    if aim.uncapped:
        beyond.append(1.0 if capped else _FAR)
    return max(beyond, default=None)
