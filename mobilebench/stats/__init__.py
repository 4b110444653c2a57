"""Statistics: pure functions over sequences of numbers.

Nothing here knows what the numbers mean.
"""

from mobilebench.stats.summary import (
    Summary,
    mad,
    median_interval,
    percentile,
    summarise,
    trimmed_mean,
    wilson_interval,
)

__all__ = [
    "Summary",
    "mad",
    "median_interval",
    "percentile",
    "summarise",
    "trimmed_mean",
    "wilson_interval",
]
