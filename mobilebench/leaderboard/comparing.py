"""Compare two models on one device, or two devices on one model, and say what else differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mobilebench.errors import UserError
from mobilebench.leaderboard.groups import CONDITIONS, Condition
from mobilebench.leaderboard.rows import NO_INTERVAL, Row
from mobilebench.regress.rule import Rule

_OF_DEVICE = (
    "specimen",
    "device_model",
    "device_kind",
    "soc",
    "cores",
    "ram_gib",
    "os",
    "os_build",
)
"""Conditions in which two devices may differ: they are what is compared."""
_OF_FILE = ("artifact", "weights")
_UNKNOWN = "not known"


class Outcome(StrEnum):
    """What two results show about each other."""

    FIRST = "the first is faster"
    SECOND = "the second is faster"
    EQUAL = "equal"
    """The whole interval of their ratio lies within the tolerance."""
    OPEN = "not told apart"
    """Their intervals overlap, and are too wide to call them equal."""
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True)
class Difference:
    """One thing in which two rows differ, besides what is compared."""

    title: str
    first: str
    second: str


@dataclass(frozen=True)
class Pair:
    """Two rows side by side, with what their numbers show."""

    first: Row
    second: Row
    differences: tuple[Difference, ...]
    ratio: float | None
    """Result of the second over that of the first."""
    interval: tuple[float, float] | None
    """From the intervals of both, at their opposite ends: wider than it has to be."""
    outcome: Outcome
    reason: str
    """A sentence that says why."""


def models(rows: Sequence[Row], first: str, second: str, rule: Rule | None = None) -> list[Pair]:
    """Return the rows of two models, in pairs of one group.

    Rows of one recipe are paired; where a group has no recipe of both, the fastest row of each,
    and the pair says that their files differ. Raises `UserError` for a model that has no row, and
    where no group has both.
    """
    sides = _sides(rows, "model", first, second, lambda row: (row.model,))
    pairs = []
    for group in dict.fromkeys(row.group for row in rows):
        own = [[row for row in side if row.group == group] for side in sides]
        if group is None or not all(own):
            continue
        shared = [row.artifact for row in own[0] if row.artifact in {r.artifact for r in own[1]}]
        if shared:
            for name in dict.fromkeys(shared):
                one, other = (_best(row for row in side if row.artifact == name) for side in own)
                pairs.append(_pair(one, other, rule))
        else:
            pairs.append(_pair(_best(own[0]), _best(own[1]), rule))
    if not pairs:
        raise UserError(
            f"{first} and {second} were never measured under the same conditions; measure both on "
            f"one device, with one runtime and protocol."
        )
    return pairs


def devices(rows: Sequence[Row], first: str, second: str, rule: Rule | None = None) -> list[Pair]:
    """Return the rows of two devices, by model or by id, in pairs of one network and recipe.

    Of several rows that could be the second of a pair, it is the one whose other conditions differ
    in the fewest. Raises `UserError` for a device that has no row, and where both have measured
    nothing alike.
    """
    sides = _sides(rows, "device", first, second, lambda row: (row.device_model, row.device))
    pairs = []
    for row in sides[0]:
        alike = [other for other in sides[1] if _subject(other) == _subject(row)]
        if alike:
            nearest = min(
                alike, key=lambda other: (len(_apart(row, other, _OF_DEVICE)), other.name)
            )
            pairs.append(_pair(row, nearest, rule, _OF_DEVICE))
    if not pairs:
        raise UserError(
            f"{first} and {second} have measured no network by the same recipe and protocol; "
            f"measure one file on both."
        )
    return pairs


def _sides(
    rows: Sequence[Row], noun: str, first: str, second: str, names: Callable[[Row], Sequence[str]]
) -> list[list[Row]]:
    known = dict.fromkeys(name for row in rows for name in names(row)[:1])
    sides = []
    for name in (first, second):
        own = [row for row in rows if name in names(row) and row.group is not None]
        if not own:
            raise UserError(
                f"No row is about the {noun} {name!r}; there are: {', '.join(known) or 'none'}."
            )
        sides.append(own)
    return sides


def _subject(row: Row) -> tuple[object, ...]:
    """Return what two devices measure alike."""
    return (row.model, row.artifact, row.resolution, row.protocol, row.weights)


def _best(rows: Iterable[Row]) -> Row:
    """Return the fastest row that is ranked, else the fastest of all."""
    return min(
        rows,
        key=lambda row: (row.unranked is not None, row.result_ms is None, row.result_ms or 0.0),
    )


def _apart(first: Row, second: Row, compared: Sequence[str] = ()) -> list[Condition]:
    return [
        condition
        for condition in CONDITIONS
        if condition.field not in compared
        and getattr(first, condition.field) != getattr(second, condition.field)
    ]


def _pair(first: Row, second: Row, rule: Rule | None, compared: Sequence[str] = ()) -> Pair:
    apart = _apart(first, second, compared)
    differences = [
        Difference(each.title, each.text(first) or _UNKNOWN, each.text(second) or _UNKNOWN)
        for each in apart
    ]
    fields = [field for field in _OF_FILE if field != "weights" or first.model == second.model]
    fields += [] if compared else ["device"]
    others = [
        Difference(field, getattr(first, field) or _UNKNOWN, getattr(second, field) or _UNKNOWN)
        for field in fields
        if getattr(first, field) != getattr(second, field)
    ]
    ratio, interval = _ratio(first, second)
    outcome, reason = _judged(first, second, apart, ratio, interval, rule or Rule())
    return Pair(
        first=first,
        second=second,
        differences=(*differences, *others),
        ratio=ratio,
        interval=interval,
        outcome=outcome,
        reason=reason,
    )


def _ratio(first: Row, second: Row) -> tuple[float | None, tuple[float, float] | None]:
    """Return the second result over the first, with an interval that holds all of both."""
    if first.result_ms is None or second.result_ms is None or first.result_ms == 0:
        return None, None
    ratio = second.result_ms / first.result_ms
    ends = (first.result_low_ms, first.result_high_ms, second.result_low_ms, second.result_high_ms)
    first_low, first_high, low, high = ends
    if not first_low or not first_high or low is None or high is None:
        return ratio, None
    return ratio, (low / first_high, high / first_low)


def _judged(
    first: Row,
    second: Row,
    apart: Sequence[Condition],
    ratio: float | None,
    interval: tuple[float, float] | None,
    rule: Rule,
) -> tuple[Outcome, str]:
    for row, which in ((first, "first"), (second, "second")):
        if row.unranked not in (None, NO_INTERVAL):
            return Outcome.NOT_COMPARABLE, f"The {which} has no result to compare: {row.unranked}."
    if apart:
        titles = ", ".join(condition.title for condition in apart)
        return Outcome.NOT_COMPARABLE, f"They differ in more than what is compared: {titles}."
    if ratio is None or interval is None:
        return Outcome.OPEN, "One of them has no interval, so nothing is shown."
    low, high = interval
    if 1 - rule.tolerance <= low and high <= 1 + rule.tolerance:
        return Outcome.EQUAL, f"The whole interval of the ratio is within {rule.tolerance:.0%}."
    if low > 1:
        return Outcome.FIRST, "Their intervals do not overlap."
    if high < 1:
        return Outcome.SECOND, "Their intervals do not overlap."
    return (
        Outcome.OPEN,
        f"Their intervals overlap, and the ratio is not within {rule.tolerance:.0%} for certain.",
    )
