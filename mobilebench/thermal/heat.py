"""How heat flows through a phone: three nodes, exact for constant power.

    C dT/dt = power - (heat that leaves along the resistances)

The nodes are those of `Node`: die, skin, battery. The unit heats the die; everything else (screen,
radio) heats the skin.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mobilebench.values.phone import HeatPaths, Leakage, Node

Matrix = NDArray[np.float64]


def rates(paths: HeatPaths) -> tuple[Matrix, Matrix]:
    """Return what changes the temperatures, a second: `dT/dt = flow @ T + drive @ inputs`.

    `flow` has the shape (3, 3), `drive` (3, 3); the inputs are the power of the unit and of
    everything else in watts, and the temperature of the air in degrees.
    """
    die, skin, battery = Node.DIE.position, Node.SKIN.position, Node.BATTERY.position
    conductance = np.zeros((3, 3))
    for one, other, resistance in (
        (die, skin, paths.die_skin_c_per_w),
        (skin, battery, paths.skin_battery_c_per_w),
    ):
        conductance[one, other] = conductance[other, one] = 1 / resistance
    to_air = np.zeros(3)
    to_air[battery] = 1 / paths.battery_air_c_per_w
    if paths.skin_air_c_per_w is not None:
        to_air[skin] = 1 / paths.skin_air_c_per_w
    capacity = np.array([paths.die_j_per_c, paths.skin_j_per_c, paths.battery_j_per_c])
    flow = conductance - np.diag(conductance.sum(axis=1) + to_air)
    drive = np.zeros((3, 3))
    drive[die, 0] = 1
    drive[skin, 1] = 1
    drive[:, 2] = to_air
    return flow / capacity[:, None], drive / capacity[:, None]


def advance(paths: HeatPaths, seconds: float) -> tuple[Matrix, Matrix]:
    """Return `(keep, add)` of a time step: `T after = keep @ T + add @ inputs`.

    Exact where the inputs of `rates` are constant during the step.
    """
    from scipy.linalg import expm

    flow, drive = rates(paths)
    both = np.zeros((6, 6))
    both[:3, :3] = flow
    both[:3, 3:] = drive
    step = expm(both * seconds)
    return step[:3, :3], step[:3, 3:]


def time_constants_s(paths: HeatPaths) -> tuple[float, float, float]:
    """Return the time constants of the phone in seconds, the shortest first."""
    flow, _ = rates(paths)
    fast, middle, slow = sorted(float(-1 / value.real) for value in np.linalg.eigvals(flow))
    return fast, middle, slow


def resting(paths: HeatPaths, idle_w: float, leakage: Leakage, air_c: float) -> Matrix:
    """Return the temperatures (3,) of a phone that has only idled for a long time."""
    flow, drive = rates(paths)
    temperatures = np.full(3, air_c)
    for _ in range(50):  # the leakage depends on what it causes; it settles after a few turns
        leak = leaked_w(leakage, float(temperatures[0]))
        temperatures = np.linalg.solve(flow, -drive @ np.array([leak, idle_w, air_c]))
    return temperatures


def leaked_w(leakage: Leakage, die_c: float) -> float:
    """Return the power that leaks at a temperature of the die, in watts."""
    if leakage.at_25_w == 0:
        return 0.0
    # A phone is switched off long before; without a limit a wrong file would overflow.
    return leakage.at_25_w * math.pow(2, (min(die_c, 150.0) - 25) / leakage.doubling_c)
