"""The page of two models, or of two devices, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import counted, duration
from mobilebench.pages.bars import Bar, Dot, bars
from mobilebench.pages.figure import Figure, Table
from mobilebench.pages.templates import Shell, render

_MOST = 60


class Side(StrEnum):
    """What a comparison has two of."""

    MODEL = "model"
    DEVICE = "device"

    def of(self, row: Row) -> str:
        """Return the name of a row's model or device."""
        return row.model if self is Side.MODEL else device_name(row)


def device_name(row: Row) -> str:
    """Return a device as pages name it: its model, and what tells it from others of the model."""
    return f"{row.device_model} ({row.device})"


@dataclass(frozen=True)
class Pair:
    """Two rows that differ in their model or their device, and in nothing else."""

    what: str
    """What both have in common."""
    a: Row
    b: Row

    @property
    def ratio(self) -> float | None:
        """Median of b over that of a; None where one failed."""
        if self.a.p50_ms is None or self.b.p50_ms is None:
            return None
        return self.b.p50_ms / self.a.p50_ms

    @property
    def apart(self) -> bool | None:
        """Whether the intervals of the medians do not overlap; None where one is not known."""
        ends = (
            self.a.spread_low_ms, self.a.spread_high_ms, self.b.spread_low_ms, self.b.spread_high_ms,
        )  # fmt: skip
        if None in ends:
            return None
        a_low, a_high, b_low, b_high = (end for end in ends if end is not None)
        return a_high < b_low or b_high < a_low

    def verdict(self, a: str, b: str) -> str:
        """Say in words which one is faster, as far as these numbers can."""
        ratio = self.ratio
        if ratio is None:
            return "one of them failed"
        if self.apart is None:
            return "no interval, so nothing is shown"
        if not self.apart:
            return "no difference shown: the intervals overlap"
        faster, factor = (a, ratio) if ratio > 1 else (b, 1 / ratio)
        return f"{faster} is {100 * (1 - 1 / factor):.1f} % faster"


def pairs(rows: Sequence[Row], kind: Side, a: str, b: str) -> list[Pair]:
    """Return the rows of two models, or devices, that are otherwise measured alike."""
    sides: dict[tuple[object, ...], dict[str, Row]] = {}
    for row in rows:
        if (name := kind.of(row)) in (a, b) and row.protocol is not None:
            sides.setdefault(_alike(row, kind), {})[name] = row
    return [
        Pair(_words(both[a], kind), both[a], both[b]) for both in sides.values() if len(both) == 2
    ]


def _alike(row: Row, kind: Side) -> tuple[object, ...]:
    shared = (row.artifact, row.runtime, row.compute_unit, row.threads, row.protocol)
    if kind is Side.MODEL:
        return (*shared, row.group)
    return (*shared, row.model, row.inputs, row.weights)


def _words(row: Row, kind: Side) -> str:
    parts = [row.artifact, row.runtime, row.compute_unit, f"{row.threads} threads", row.protocol]
    first = device_name(row) if kind is Side.MODEL else row.model
    return ", ".join(filter(None, [first, *parts]))


def names(rows: Sequence[Row], kind: Side) -> list[str]:
    """Return the models or the devices that can be compared."""
    return sorted({kind.of(row) for row in rows if row.protocol is not None})


def comparable(rows: Sequence[Row], kind: Side) -> list[tuple[str, str]]:
    """Return every two models, or devices, that have at least one measurement alike."""
    together: dict[tuple[object, ...], set[str]] = {}
    for row in rows:
        if row.protocol is not None:
            together.setdefault(_alike(row, kind), set()).add(kind.of(row))
    both = {(a, b) for each in together.values() for a in each for b in each if a < b}
    return sorted(both)


def compare(
    rows: Sequence[Row], kind: Side, a: str, b: str, shell: Shell, *, left_out: int = 0
) -> str:
    """Return the page of a comparison, as HTML; without a common measurement it says so.

    Without two names it offers what can be compared. `left_out` is how many comparisons of a
    folder have no page.
    """
    found_pairs = pairs(rows, kind, a, b)
    figure = chart(found_pairs, kind, a, b)
    return render(
        "compare.html.j2",
        shell,
        page="compare",
        heading=f"{a} and {b}" if a and b else f"Compare two {kind}s",
        kind=kind,
        a=a,
        b=b,
        sides={each: names(rows, each) for each in Side},
        pairs=found_pairs,
        left_out=left_out,
        duration=duration,
        figure=figure,
        charted=figure is not None,
        choices=() if shell.links.live else _choices(rows, shell),
    )


def _choices(
    rows: Sequence[Row], shell: Shell
) -> list[tuple[Side, list[tuple[str, list[tuple[str, str]]]]]]:
    """Return the comparisons that a folder has pages of, by kind and first name."""
    kinds = []
    for kind in Side:
        by_first: dict[str, list[tuple[str, str]]] = {}
        for a, b in comparable(rows, kind):
            address = shell.links.compare(kind, a, b)
            if address is not None:
                by_first.setdefault(a, []).append((b, address))
        kinds.append((kind, list(by_first.items())))
    return kinds


def chart(pairs: Sequence[Pair], kind: Side, a: str, b: str) -> Figure | None:
    """Return the chart of a comparison; None where nothing was measured on both sides."""
    things, lines = [], []
    for pair in pairs:
        ratio = pair.ratio
        if ratio is None or pair.a.p50_ms is None or pair.b.p50_ms is None:
            continue
        dots = (
            Dot(a, pair.a.p50_ms, pair.a.spread_low_ms, pair.a.spread_high_ms),
            Dot(b, pair.b.p50_ms, pair.b.spread_low_ms, pair.b.spread_high_ms),
        )
        things.append(Bar(pair.what, dots))
        medians = (duration(pair.a.p50_ms * 1e6), duration(pair.b.p50_ms * 1e6))
        lines.append((pair.what, *medians, f"{ratio:.3g}"))
    if not things:
        return None
    more = f" The first {_MOST} of {len(things)} are drawn." if len(things) > _MOST else ""
    ranked = "" if kind is Side.MODEL else " Two devices are never ranked with each other."
    return Figure(
        name="compare",
        title=f"{a} and {b}",
        summary=(
            f"Medians of {counted(len(things), 'measurement')} that both have, with the spread of "
            f"each median.{ranked}{more}"
        ),
        spec=bars(things[:_MOST], "latency, median, ms", [a, b], "spread of the median"),
        table=Table(("measured alike", f"median of {a}", f"median of {b}", "ratio"), tuple(lines)),
    )
