"""What a series comes to without any model: what a fit has to be held against.

All errors are mean absolute errors as a share of the latency. The pieces and the constant are
chosen with the whole series in view, as a fit is; the last value looks only back.
"""

from __future__ import annotations

from statistics import fmean, median

import numpy as np

from mobilebench.thermal.series import Series


def constant_error(series: Series) -> float:
    """Return the error of the median of all minutes."""
    middle = median(series.medians_ms)
    return fmean(abs(middle / value - 1) for value in series.medians_ms)


def last_value_error(series: Series) -> float | None:
    """Return the error of the previous minute's value; None where no minute has a previous one."""
    values = {minute.index: minute.median_ms for minute in series.minutes}
    errors = [
        abs(values[index - 1] / value - 1) for index, value in values.items() if index - 1 in values
    ]
    return fmean(errors) if errors else None


def pieces_error(series: Series, count: int) -> float:
    """Return the error of the best constant in each of `count` stretches of the series.

    Exact, by dynamic programming over the ends of the stretches. The best constant of a
    stretch is one of the values in it, so the values are the constants tried.
    """
    values = np.asarray(series.medians_ms)
    size = len(values)
    # sums[c, j]: error of the constant c over the first j minutes
    errors = np.abs(np.unique(values)[:, None] / values - 1)
    sums = np.concatenate([np.zeros((len(errors), 1)), errors.cumsum(axis=1)], axis=1)
    least = sums.min(axis=0)
    for _ in range(min(count, size) - 1):
        # The last stretch begins at i and ends before j.
        best = least.copy()
        for start in range(1, size):
            ends = slice(start + 1, size + 1)
            cost = (sums[:, ends] - sums[:, start, None]).min(axis=0)
            best[ends] = np.minimum(best[ends], least[start] + cost)
        least = best
    return float(least[size] / size)
