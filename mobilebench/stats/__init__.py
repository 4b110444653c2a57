"""Statistics: pure functions over sequences of numbers; nothing here knows what they mean."""

from mobilebench.stats.summary import (
    Summary,
    mad,
    percentile,
    summarise,
    trimmed_mean,
    wilson_interval,
)

__all__ = ["Summary", "mad", "percentile", "summarise", "trimmed_mean", "wilson_interval"]
