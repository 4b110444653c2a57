"""`deadline`: as many accurate frames in time as the clock allows, from latency alone.

    value of a width = its accuracy x the chance that it is in time at the pace seen now

A narrower width of greater value is taken at once. A wider one has to be of greater value for a
quiet time without a break; the time doubles for a width that failed soon after it was taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from mobilebench.thermal.observation import Decision, Observation, Reason
from mobilebench.thermal.pace import Pace
from mobilebench.thermal.parameters import Parameter
from mobilebench.values.widths import WidthCost

_S = 1_000_000_000
PARAMETERS = (
    Parameter("quiet_ns", 10 * _S, least=0, about="time that a wider width has to be in reach"),
    Parameter(
        "longest_quiet_ns", 640 * _S, least=0, about="the longest that it becomes by doubling"
    ),
    Parameter(
        "trial_ns", 60 * _S, least=0, about="a width that is left within this time has failed"
    ),
    Parameter(
        "gain", 0.01, least=0, most=1, about="share by which another width has to be better"
    ),
)
