"""The page of two models, or of two devices, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mobilebench.errors import UserError
from mobilebench.leaderboard import comparing
from mobilebench.leaderboard.comparing import Outcome, Pair
from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import counted, duration
from mobilebench.pages.bars import Bar, Dot, bars
from mobilebench.pages.figure import Figure, Table
from mobilebench.pages.templates import Shell, render

_MOST = 60
_PARTS = 6


class Side(StrEnum):
    """What a comparison has two of."""

    MODEL = "model"
    DEVICE = "device"


def names(rows: Sequence[Row], kind: Side) -> list[str]:
    """Return the models or the devices that can be compared.

    A device has the name of its model, and its alias where others of the model are there.
    """
    ranked = [row for row in rows if row.group is not None]
    if kind is Side.MODEL:
        return sorted({row.model for row in ranked})
    aliases: dict[str, set[str]] = {}
    for row in ranked:
        aliases.setdefault(row.device_model, set()).add(row.device)
    several = {alias for own in aliases.values() if len(own) > 1 for alias in own}
    return sorted({*aliases, *several})


def comparable(rows: Sequence[Row], kind: Side) -> list[tuple[str, str]]:
    """Return every two models, or devices, that have something to compare."""
    together: dict[object, set[str]] = {}
    for row in rows:
        if row.group is None:
            continue
        if kind is Side.MODEL:
            together.setdefault(row.group, set()).add(row.model)
        else:
            subject = (row.model, row.artifact, row.resolution, row.protocol, row.weights)
            together.setdefault(subject, set()).add(row.device_model)
    return sorted({(a, b) for each in together.values() for a in each for b in each if a < b})


def pairs(rows: Sequence[Row], kind: Side, a: str, b: str) -> list[Pair]:
    """Return the pairs of two models or two devices.

    Raises `UserError` for a name that is not there, and where nothing was measured on both sides.
    """
    compare_them = comparing.models if kind is Side.MODEL else comparing.devices
    return compare_them(rows, a, b)


@dataclass(frozen=True)
class Choice:
    """One model or device of a folder, and the pages that compare it with others."""

    name: str
    others: tuple[tuple[str, str], ...]
    """Each with the address of the page."""


def compare(
    rows: Sequence[Row], kind: Side, a: str, b: str, shell: Shell, *, left_out: int = 0
) -> str:
    """Return the page of a comparison, as HTML; where nothing can be compared it says why.

    Without two names it offers what can be compared. `left_out` is how many comparisons of a
    folder have no page.
    """
    shown: list[Pair] = []
    why = ""
    if a and b:
        try:
            shown = pairs(rows, kind, a, b)
        except UserError as error:
            why = str(error)
    figure = chart(shown, kind, a, b)
    common, own_titles = titles(shown, kind)
    return render(
        "compare.html.j2",
        shell,
        page="compare",
        heading=f"{a} and {b}" if a and b else "Compare",
        kind=kind,
        a=a,
        b=b,
        sides={each: names(rows, each) for each in Side},
        pairs=shown,
        common=common,
        titles=own_titles,
        verdict=verdict,
        why=why,
        left_out=left_out,
        duration=duration,
        figure=figure,
        charted=figure is not None,
        choices=[] if shell.links.live or a else _choices(rows, shell),
    )


def _parts(pair: Pair, kind: Side) -> list[str]:
    """Return what both sides of a pair have in common, in words."""
    row = pair.first
    place = row.device_model if kind is Side.MODEL else row.model
    files = dict.fromkeys((pair.first.artifact, pair.second.artifact))
    how = (row.runtime, row.compute_unit, row.resolution, row.protocol)
    return [part or "" for part in (place, " and ".join(files), *how)]


def titles(pairs: Sequence[Pair], kind: Side) -> tuple[str, list[str]]:
    """Return what all pairs have in common, and what tells each from the others."""
    parts = [_parts(pair, kind) for pair in pairs]
    shared = [place for place in range(1, _PARTS) if len({own[place] for own in parts}) == 1]
    common = ", ".join(filter(None, (parts[0][place] for place in shared))) if parts else ""
    return common, [
        ", ".join(filter(None, (own[place] for place in range(_PARTS) if place not in shared)))
        for own in parts
    ]


def verdict(pair: Pair, a: str, b: str) -> str:
    """Say in words what the numbers of a pair show."""
    if pair.outcome in (Outcome.FIRST, Outcome.SECOND) and pair.ratio:
        faster, factor = (a, pair.ratio) if pair.outcome is Outcome.FIRST else (b, 1 / pair.ratio)
        return f"{faster} is {factor:.2f} times as fast"
    return pair.outcome


def _choices(rows: Sequence[Row], shell: Shell) -> list[tuple[Side, list[Choice]]]:
    """Return the comparisons that a folder has pages of."""
    kinds = []
    for kind in Side:
        by_first: dict[str, list[tuple[str, str]]] = {}
        for a, b in comparable(rows, kind):
            address = shell.links.compare(kind, a, b)
            if address is not None:
                by_first.setdefault(a, []).append((b, address))
        own = [Choice(name, tuple(others)) for name, others in by_first.items()]
        kinds += [(kind, own)] if own else []
    return kinds


def chart(pairs: Sequence[Pair], kind: Side, a: str, b: str) -> Figure | None:
    """Return the chart of a comparison; None where nothing was measured on both sides."""
    things, lines = [], []
    _, names_of = titles(pairs, kind)
    for pair, shared in zip(pairs, names_of, strict=True):
        first, second = pair.first, pair.second
        if first.result_ms is None or second.result_ms is None:
            continue
        dots = tuple(
            Dot(name, row.result_ms, row.result_low_ms, row.result_high_ms)
            for name, row in ((a, first), (b, second))
            if row.result_ms is not None
        )
        things.append(Bar(shared, dots))
        medians = (duration(first.result_ms * 1e6), duration(second.result_ms * 1e6))
        lines.append((shared, *medians, "–" if pair.ratio is None else f"{pair.ratio:.3g}"))  # noqa: RUF001
    if not things:
        return None
    more = f" The first {_MOST} of {len(things)} are drawn." if len(things) > _MOST else ""
    ranked = "" if kind is Side.MODEL else " Two devices are never ranked with each other."
    return Figure(
        name="compare",
        title="Medians side by side",
        summary=(
            f"{counted(len(things), 'measurement')} of both, each median with its interval."
            f"{ranked}{more}"
        ),
        spec=bars(things[:_MOST], "latency, median, ms", [a, b], "interval"),
        table=Table(("measured alike", f"median of {a}", f"median of {b}", "ratio"), tuple(lines)),
    )
