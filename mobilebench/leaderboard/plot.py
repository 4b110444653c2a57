"""Plot the leaderboard as points with their Pareto front, for print."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mobilebench.errors import UserError
from mobilebench.leaderboard import labels
from mobilebench.leaderboard.axes import KINDS, Axes, Quantity, comparable, fronts_of, kind
from mobilebench.leaderboard.groups import groups
from mobilebench.leaderboard.notes import letter, of_numbers, shared_marks
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes
from mobilebench.notation.picture import Picture, require_plots, saved

if TYPE_CHECKING:
    import altair as alt

_WIDTH, _HEIGHT = 480, 320
_LINE = 96
"""Characters of a line of notes below a plot."""
_MARGIN = 0.1
_LOG_FROM = 20.0
"""Ratio of the largest number to the smallest from which an axis is logarithmic."""
_SIGNS = dict(zip(KINDS, ("circle", "diamond"), strict=True))
_BLACK, _GREY = "black", "#777777"


@dataclass(frozen=True)
class Panel:
    """The points of one plot; each device, compute unit and protocol has its own."""

    heading: str
    rows: tuple[Row, ...]


def panels(rows: Sequence[Row], axes: Axes) -> list[Panel]:
    """Return the plots that rows have points for.

    Where no axis is a latency, there is one plot with each file once. Raises `UserError` where no
    row has both numbers.
    """
    with_point = [row for row in rows if axes.point(row) is not None]
    if not with_point:
        raise UserError(
            f"No row has both {axes.x} and {axes.y}, so there is nothing to plot; measure with "
            f"`mobilebench bench`, and accuracy with `mobilebench eval`."
        )
    if axes.timed:
        return [
            Panel(group.heading, tuple(row for _, row in group.rows))
            for group in groups(with_point)
        ]
    files = {row.file_sha256: row for row in reversed(with_point)}
    return [Panel("Files", tuple(reversed(files.values())))]


def without_point(rows: Sequence[Row], axes: Axes) -> str | None:
    """Return a sentence about the rows that a plot leaves out; None where it has all."""
    names = [f"{row.model} {row.artifact}" for row in rows if axes.point(row) is None]
    if not names:
        return None
    return (
        f"Left out: {len(names)} row{'s' * (len(names) != 1)} without {axes.x} or {axes.y}: "
        f"{', '.join(dict.fromkeys(names))}."
    )


def as_picture(rows: Sequence[Row], picture: Picture, axes: Axes | None = None) -> bytes:
    """Return the plots, one below the other, as a file.

    A filled point is on the Pareto front; a diamond is a published accuracy, a circle a measured
    one. Raises `UserError` as `panels` does, `MissingToolkit` without the extra `plots`.
    """
    axes = axes or Axes()
    parts = panels(rows, axes)
    require_plots()
    import altair as alt

    return saved(alt.vconcat(*(_panel(panel, axes) for panel in parts), spacing=40), picture)


@dataclass(frozen=True)
class _Scale:
    """An axis: from numbers to shares of its length, and back."""

    low: float
    high: float
    log: bool

    @classmethod
    def around(cls, numbers: Sequence[float], bounds: tuple[float, float]) -> _Scale:
        least, most = min(numbers), max(numbers)
        if math.isinf(bounds[1]) and least > 0 and most / least >= _LOG_FROM:
            factor = (most / least) ** _MARGIN
            return cls(least / factor, most * factor, log=True)
        room = _MARGIN * ((most - least) or abs(most) or 1.0)
        return cls(max(least - room, bounds[0]), min(most + room, bounds[1]), log=False)

    def share(self, number: float) -> float:
        if self.log:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    def number(self, share: float) -> float:
        if self.log:
            return self.low * math.exp(share * math.log(self.high / self.low))
        return self.low + share * (self.high - self.low)


def _panel(panel: Panel, axes: Axes) -> alt.VConcatChart:
    import altair as alt

    points = [point for row in panel.rows if (point := axes.point(row)) is not None]
    scales = tuple(
        _Scale.around(
            [
                *(point[place] for point in points),
                *(end for row in panel.rows for end in quantity.interval(row) or ()),
            ],
            quantity.bounds,
        )
        for place, quantity in enumerate((axes.x, axes.y))
    )
    x, y = (
        axis(
            name,
            type="quantitative",
            title=quantity.axis_title,
            axis=alt.Axis(grid=not scale.log),
            scale=alt.Scale(
                domain=[scale.low, scale.high], type="log" if scale.log else "linear", nice=False
            ),
        )
        for axis, name, quantity, scale in zip(
            (alt.X, alt.Y), ("x", "y"), (axes.x, axes.y), scales, strict=True
        )
    )
    best = fronts_of(panel.rows, points, axes)
    texts, notes = _texts(panel.rows, axes)
    layers = [
        *(layer for front in best for layer in _front(points, front, axes, x, y)),
        *_intervals(panel.rows, points, axes, x, y),
        _points(panel.rows, points, [place for front in best for place in front], axes, x, y),
        *_labels(panel.rows, points, best, texts, scales, axes, x, y),
    ]
    plot = alt.layer(*layers).properties(
        width=_WIDTH,
        height=_HEIGHT,
        title=alt.TitleParams(
            escapes.visible(panel.heading),
            subtitle=[*_only_model(panel.rows), _legend(panel.rows, axes)],
            anchor="start",
            fontSize=13,
            subtitleFontSize=10,
        ),
    )
    lines = [line for note in notes for line in textwrap.wrap(escapes.visible(note), _LINE)]
    below = alt.TitleParams(
        lines, orient="bottom", anchor="start", fontSize=9, fontWeight="normal", offset=8
    )
    return alt.vconcat(plot).properties(title=below)


def _only_model(rows: Sequence[Row]) -> list[str]:
    """Return the name of the model in lines, where all points are of one and labels lack it."""
    models = {row.model for row in rows}
    if len(models) > 1 or len(rows) == 1:
        return []
    return textwrap.wrap(f"All points: {escapes.visible(*models)}", _LINE)


def _legend(rows: Sequence[Row], axes: Axes) -> str:
    """Return what the signs are, in words that stand a print without colours."""
    kinds = {kind(row) for row in rows} if Quantity.ACCURACY in (axes.x, axes.y) else set()
    signs = [f"{sign}: {name}" for name, sign in _SIGNS.items() if name in kinds]
    several = len({comparable(row) for row in rows}) > 1 and Quantity.ACCURACY in (axes.x, axes.y)
    return "; ".join([*signs, f"filled: on the Pareto front{' of its kind' * several}"])


def _texts(rows: Sequence[Row], axes: Axes) -> tuple[list[str], list[str]]:
    """Return the label of each point, and the notes that the letters in labels are about."""
    parts: list[Callable[[Row], str]] = [
        lambda row: row.model,
        lambda row: row.artifact,
        lambda row: f"{row.threads} thread{'s' * (row.threads != 1)}",
        lambda row: row.runtime or "",
    ]
    chosen = [parts[0]] if len({row.model for row in rows}) > 1 else []
    for part in parts[len(chosen) and 1 :]:
        kinds = len({tuple(each(row) for each in chosen) for row in rows})
        if len({tuple(each(row) for each in [*chosen, part]) for row in rows}) > kinds:
            chosen.append(part)
    chosen = chosen or parts[:1]
    judged = Quantity.ACCURACY in (axes.x, axes.y)
    shared = [mark for mark in shared_marks(rows) if judged or not mark.startswith("top-1")]
    notes: dict[str, str] = {}
    cut: dict[str, None] = {}
    texts = []
    for row in rows:
        about_row = (mark for mark in row.marks if judged or not mark.startswith("top-1"))
        own = [mark for mark in about_row if mark not in shared]
        for mark in own:
            notes.setdefault(mark, letter(len(notes)))
        signs = [sign for mark, sign in notes.items() if mark in own]
        text = ", ".join(each(row) for each in chosen)
        end = f" [{','.join(signs)}]" if signs else ""
        name = escapes.visible(text)
        shown = labels.shortened(name, _WIDTH - labels.width(end))
        if shown != name:
            cut[f"{shown} is {name}."] = None
        texts.append(f"{shown}{end}")
    about = [f"All points: {'; '.join(mark.removesuffix('.') for mark in shared)}."] * bool(shared)
    about += cut
    about += [f"[{sign}] {mark.removesuffix('.')}." for mark, sign in notes.items()]
    about += [
        sentence
        for sentence in of_numbers(rows)
        if (Quantity.LATENCY in (axes.x, axes.y) and "spread:" in sentence)
        or (Quantity.ACCURACY in (axes.x, axes.y) and sentence.startswith("top-1"))
    ]
    if Quantity.ACCURACY in (axes.x, axes.y):
        sources = dict.fromkeys(
            row.published_source
            for row in rows
            if row.measured_top1 is None and row.published_source is not None
        )
        about += [f"published accuracy, not measured here: {'; '.join(sources)}."] * bool(sources)
    return texts, about


def _data(records: Sequence[dict[str, Any]]) -> alt.Data:
    import altair as alt

    return alt.InlineData(values=list(records))


def _front(
    points: Sequence[tuple[float, float]], front: Sequence[int], axes: Axes, x: Any, y: Any
) -> list[alt.Chart]:
    import altair as alt

    # Between two points, what is attainable stays at the cheaper one.
    step: Any = "step-before" if axes.x.best_is_most else "step-after"
    data = _data([{"x": points[place][0], "y": points[place][1]} for place in front])
    line = alt.Chart(data).mark_line(interpolate=step, color=_BLACK, strokeWidth=1)
    return [line.encode(x=x, y=y)] if len(front) > 1 else []


def _intervals(
    rows: Sequence[Row],
    points: Sequence[tuple[float, float]],
    axes: Axes,
    x: Any,
    y: Any,
) -> list[alt.Chart]:
    import altair as alt

    layers = []
    along, up = [], []
    for row, (across, high) in zip(rows, points, strict=True):
        if (ends := axes.x.interval(row)) is not None:
            along.append({"x": ends[0], "x2": ends[1], "y": high})
        if (ends := axes.y.interval(row)) is not None:
            up.append({"x": across, "y": ends[0], "y2": ends[1]})
    for data, end in ((along, {"x2": "x2"}), (up, {"y2": "y2"})):
        if data:
            rule = alt.Chart(_data(data)).mark_rule(color=_GREY, strokeWidth=1)
            layers.append(rule.encode(x=x, y=y, **end))
    return layers


def _points(
    rows: Sequence[Row],
    points: Sequence[tuple[float, float]],
    front: Sequence[int],
    axes: Axes,
    x: Any,
    y: Any,
) -> alt.Chart:
    import altair as alt

    kinds = [kind(row) for row in rows]
    records = [
        {"x": point[0], "y": point[1], "kind": kind, "front": place in front}
        for place, (point, kind) in enumerate(zip(points, kinds, strict=True))
    ]
    judged = Quantity.ACCURACY in (axes.x, axes.y)
    # The legend is in words below the heading: it is the same in every panel and every print.
    scale = alt.Scale(domain=[*_SIGNS], range=[*_SIGNS.values()])
    sign = alt.Shape("kind:N", scale=scale, legend=None)
    mark = alt.Chart(_data(records)).mark_point(
        size=55, stroke=_BLACK, strokeWidth=1.2, filled=False, opacity=1
    )
    chart: alt.Chart = mark.encode(
        x=x,
        y=y,
        shape=sign if judged else alt.value("circle"),
        fill=alt.condition("datum.front", alt.value(_BLACK), alt.value("white")),
    )
    return chart


def _labels(
    rows: Sequence[Row],
    points: Sequence[tuple[float, float]],
    fronts: Sequence[Sequence[int]],
    texts: Sequence[str],
    scales: tuple[_Scale, ...],
    axes: Axes,
    x: Any,
    y: Any,
) -> list[alt.Chart]:
    import altair as alt

    across, up = scales
    pixels = [(_WIDTH * across.share(a), _HEIGHT * (1 - up.share(b))) for a, b in points]
    lines = [box for front in fronts for box in _steps([pixels[place] for place in front])]
    for row, (a, b) in zip(rows, pixels, strict=True):
        if (ends := axes.x.interval(row)) is not None:
            left, right = (_WIDTH * across.share(end) for end in ends)
            lines.append(labels.Box(left, b - 1, right, b + 1))
        if (ends := axes.y.interval(row)) is not None:
            bottom, top = (_HEIGHT * (1 - up.share(end)) for end in ends)
            lines.append(labels.Box(a - 1, top, a + 1, bottom))
    placed = labels.place(pixels, texts, (_WIDTH, _HEIGHT), lines)
    records, leads = [], []
    for point, pixel, text, label in zip(points, pixels, texts, placed, strict=True):
        x_text, y_text = _numbers(label.middle, scales)
        records.append({"x": x_text, "y": y_text, "text": text})
        if label.led:
            x_end, y_end = _numbers(label.edge(pixel), scales)
            leads.append({"x": point[0], "y": point[1], "x2": x_end, "y2": y_end})
    text_mark = alt.Chart(_data(records)).mark_text(
        fontSize=labels.FONT_PX, align="center", baseline="middle", color=_BLACK
    )
    layers = [text_mark.encode(x=x, y=y, text="text:N")]
    if leads:
        rule = alt.Chart(_data(leads)).mark_rule(color=_GREY, strokeWidth=0.5, strokeDash=[2, 2])
        layers.insert(0, rule.encode(x=x, y=y, x2="x2", y2="y2"))
    return layers


def _numbers(pixel: tuple[float, float], scales: tuple[_Scale, ...]) -> tuple[float, float]:
    across, up = scales
    return across.number(pixel[0] / _WIDTH), up.number(1 - pixel[1] / _HEIGHT)


def _steps(pixels: Sequence[tuple[float, float]]) -> list[labels.Box]:
    """Return the lines of the front, a pixel wide, as what labels should not cover."""
    boxes = []
    for (a, b), (c, d) in pairwise(pixels):
        boxes.append(labels.Box(min(a, c), b - 1, max(a, c), b + 1))
        boxes.append(labels.Box(c - 1, min(b, d), c + 1, max(b, d)))
    return boxes
