"""Find change points, where the level of a series changes.

The method is circular binary segmentation (Olshen, Venkatraman, Lucito and Wigler, Biostatistics 5,
2004). It compares every arc of the series with the rest, so that a bump is found as well as a step.
The strongest arc is kept if shuffling the series rarely gives one as strong. The search then
continues in each part. Levels are means of values clipped at a few deviations from the median, so
that single outliers do not count as levels. Where neighbours within segments stay alike, the
shuffled series wander as much, so that a wander is no level either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from typing import Any

import numpy as np
from numpy.random import Generator

Array = np.ndarray[Any, Any]
LEAST = 3
"""Entries of the shortest segment by default."""
_CLIP = 4.0
"""Deviations from the median beyond which a value is clipped."""
_ALL_LENGTHS = 256
"""Up to this size of a segment arcs of every length are tried; above, of fewer."""
_AT_ONCE = 1 << 21
"""Numbers that one step holds in memory."""
_ALIKE = 1.645
"""Deviations by which the correlation of neighbours has to be above 0 to count."""
_MOST_ALIKE = 0.95
_FIRST = 50
"""Shuffles of the first step; many segments are decided by them."""
_HINT = 5.0
"""Factor of alpha up to which the end of a series is worth a remark."""


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """Change of the level of a series at `index`."""

    index: int
    before: float
    """Median of the segment that ends at `index`."""
    after: float
    p_value: float

    @property
    def ratio(self) -> float:
        """Return the median after the change over the median before it."""
        return self.after / self.before


def changes(
    series: Sequence[float],
    alpha: float = 0.01,
    least: int = LEAST,
    shuffles: int = 999,
    seed: int = 0,
) -> tuple[ChangePoint, ...]:
    """Find the change points of a series, in order; segments have at least `least` entries.

    `alpha` is the share of series without a change for which one is reported. Raises `ValueError`
    for a series with a number that is not finite.
    """
    values = _finite(series)
    limits = (least, alpha, shuffles)
    p_values = _search(values, 0.0, limits, np.random.default_rng(seed))
    alike = _alikeness(values, sorted(p_values)) if p_values else 0.0
    if alike:
        p_values = _search(values, alike, limits, np.random.default_rng(seed))
    edges = sorted(p_values)
    return tuple(_change(values, edges, at, p_values[at]) for at in edges)


def _search(
    values: Array, alike: float, limits: tuple[int, float, int], rng: Generator
) -> dict[int, float]:
    """Return the changes of a series with their p-values.

    `alike` and `limits` are those of `_p_value`.
    """
    least, alpha, _ = limits
    p_values: dict[int, float] = {}
    segments = [(0, values.size)]
    while segments:
        low, high = segments.pop()
        if high - low < 2 * least:
            continue
        segment = _centred(values[low:high])
        strength, start, end = _strongest(segment, least)
        if strength <= 0:
            continue
        p_value = _p_value(segment, strength, alike, limits, rng)
        if p_value < alpha:
            edges = [low, *(low + at for at in (start, end) if 0 < at < high - low), high]
            p_values |= dict.fromkeys(edges[1:-1], p_value)
            segments += pairwise(edges)
    return {at: p_values[at] for at in _lasting(values, sorted(p_values), alpha)}


def undecided(
    series: Sequence[float],
    alpha: float = 0.01,
    least: int = LEAST,
    shuffles: int = 999,
    seed: int = 0,
) -> ChangePoint | None:
    """Return where a series without a change may have begun to change shortly before its end.

    At least two and at most twice `least` entries lie there on another level, with a p-value below
    five times `alpha`. None where nothing is suspicious.
    """
    values = _finite(series)
    lengths = np.arange(2, min(2 * least, values.size // 2) + 1)
    if not lengths.size:
        return None
    segment = _centred(values)
    rng = np.random.default_rng(seed)
    ends = _ends(np.stack([segment, *_shuffled(segment, shuffles, rng)]), lengths)
    strengths = ends.max(axis=1)
    p_value = float((strengths >= strengths[0] * (1 - 1e-12)).mean())
    if strengths[0] <= 0 or p_value >= _HINT * alpha:
        return None
    at = values.size - int(lengths[ends[0].argmax()])
    return _change(values, [at], at, p_value)


def _ends(rows: Array, lengths: Array) -> Array:
    """Return how far the last values of each row lie from the rest, for each length."""
    size = rows.shape[1]
    sums = rows[:, ::-1].cumsum(axis=1)[:, lengths - 1]
    scaled: Array = np.abs(sums) / np.sqrt(lengths * (size - lengths) / size)
    return scaled


def _change(values: Array, edges: Sequence[int], at: int, p_value: float) -> ChangePoint:
    bounds = [0, *edges, values.size]
    place = bounds.index(at, 1)
    return ChangePoint(
        index=at,
        before=float(np.median(values[bounds[place - 1] : at])),
        after=float(np.median(values[at : bounds[place + 1]])),
        p_value=p_value,
    )


def _lasting(values: Array, edges: list[int], alpha: float) -> list[int]:
    """Return the edges without those whose neighbouring segments do not differ.

    The strongest arc has two edges, and one of them may be there by chance. Student's t-test takes
    the noise from all segments, so that it serves for the shortest ones too.
    """
    while edges:
        parts = [_clipped(part) for part in np.split(values, edges)]
        squares = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
        freedom = max(values.size - len(parts), 1)
        chances = [
            _chance(first, second, squares / freedom, freedom) for first, second in pairwise(parts)
        ]
        worst = int(np.argmax(chances))
        if chances[worst] < alpha:
            break
        del edges[worst]
    return edges


def _chance(first: Array, second: Array, variance: float, freedom: int) -> float:
    """Return the two-sided p-value of two segments having the same level."""
    from scipy import stats as scipy_stats

    apart = abs(float(second.mean() - first.mean()))
    error = sqrt(variance * (1 / first.size + 1 / second.size))
    if error == 0:
        return float(apart == 0)
    return float(2 * scipy_stats.t.sf(apart / error, freedom))


def _clipped(values: Array) -> Array:
    """Return values clipped at some deviations from their median."""
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    if spread == 0:
        return values
    clipped: Array = np.clip(values, middle - _CLIP * spread, middle + _CLIP * spread)
    return clipped


def _centred(values: Array) -> Array:
    """Return clipped values about their mean."""
    clipped = _clipped(values)
    centred: Array = clipped - clipped.mean()
    return centred


def _alikeness(values: Array, edges: list[int]) -> float:
    """Return the correlation of neighbours within segments; 0 where chance explains it.

    Runs that wander from one to the next make changes by themselves.
    """
    rest = np.concatenate([_centred(part) for part in np.split(values, edges)])
    squares = float(rest @ rest)
    if squares == 0:
        return 0.0
    # Each fitted mean lowers the correlation by about 1 / n.
    correlation = float(rest[1:] @ rest[:-1]) / squares + (len(edges) + 1) / rest.size
    chance = correlation * sqrt(rest.size) < _ALIKE
    return 0.0 if chance else min(correlation, _MOST_ALIKE)


def _p_value(
    segment: Array, strength: float, alike: float, limits: tuple[int, float, int], rng: Generator
) -> float:
    """Return how often a shuffled segment has an arc as strong; the observed one counts too.

    With `alike` the shuffled values wander with that correlation of neighbours. `limits` are
    `least`, `alpha` and `shuffles`. It ends early, with at least `alpha`, once that is certain.
    """
    from scipy.signal import lfilter

    least, alpha, shuffles = limits
    enough = ceil(alpha * (1 + shuffles))
    as_strong, done, step = 1, 0, _FIRST
    while done < shuffles and as_strong < enough:
        step = min(step, shuffles - done, max(1, _AT_ONCE // segment.size))
        rows = _shuffled(segment, step, rng)
        if alike:
            rows[:, 1:] *= sqrt(1 - alike**2)
            rows = lfilter([1.0], [1.0, -alike], rows, axis=1)
            rows -= rows.mean(axis=1, keepdims=True)
        strengths = _strengths(rows, least)
        as_strong += int(np.count_nonzero(strengths >= strength * (1 - 1e-12)))
        done += step
        step *= 4
    return as_strong / (1 + done)


def _shuffled(segment: Array, shuffles: int, rng: Generator) -> Array:
    return rng.permuted(np.tile(segment, (shuffles, 1)), axis=1)


def _strengths(rows: Array, least: int) -> Array:
    """Return the strength of the strongest arc of each row."""
    sums, size = _running(rows), rows.shape[1]
    steps = np.arange(least, size - least + 1)
    best: Array = (np.abs(sums[:, steps]) / _scale(steps, size)).max(axis=1)
    for length, low, high in _inner(size, least):
        rises = np.abs(sums[:, low + length : high + length] - sums[:, low:high]).max(axis=1)
        np.maximum(best, rises / _scale(length, size), out=best)
    return best


def _strongest(segment: Array, least: int) -> tuple[float, int, int]:
    """Return the strength, start and end of the arc that differs most from the rest."""
    sums, size = _running(segment[None])[0], segment.size
    steps = np.arange(least, size - least + 1)
    strengths = np.abs(sums[steps]) / _scale(steps, size)
    best = (float(strengths.max()), 0, int(steps[strengths.argmax()]))
    for length, low, high in _inner(size, least):
        rises = np.abs(sums[low + length : high + length] - sums[low:high])
        start = int(rises.argmax())
        strength = float(rises[start] / _scale(length, size))
        if strength > best[0]:
            best = (strength, low + start, low + start + length)
    return best


def _scale(length: Any, size: int) -> Any:
    """Return the deviation of the sum of an arc in units of that of one value."""
    return np.sqrt(length * (size - length) / size)


def _inner(size: int, least: int) -> Iterator[tuple[int, int, int]]:
    """Yield the lengths of arcs inside a segment, with the range of their starts.

    They have `least` entries on both sides. All other arcs begin at 0, as the part before a step
    does; the part after it is their rest.
    """
    length = least
    while length <= size - 2 * least:
        yield length, least, size - least - length + 1
        length += 1 if size <= _ALL_LENGTHS else max(1, length // 16)


def _running(rows: Array) -> Array:
    sums = np.zeros((rows.shape[0], rows.shape[1] + 1))
    rows.cumsum(axis=1, out=sums[:, 1:])
    return sums


def _finite(series: Sequence[float]) -> Array:
    values = np.asarray(series, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a series with a number that is not finite has no change points")
    return values


def steady_from(series: Sequence[float], tolerance: float = 0.05, **options: Any) -> int | None:
    """Return the index from which a series stays on one level; None where it never does.

    It does where the segment after the last change point holds at least four entries and a quarter
    of the series, and the medians of its halves lie within `tolerance` of each other. `options` go
    to `changes`.
    """
    values = np.asarray(series, dtype=np.float64)
    points = changes(series, **options)
    start = points[-1].index if points else 0
    last = values[start:]
    if last.size < 4 or last.size * 4 < values.size:
        return None
    first, second = (float(np.median(half)) for half in np.array_split(last, 2))
    return start if abs(second / first - 1) <= tolerance else None
