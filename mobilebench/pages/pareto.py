"""Chart accuracy against latency, with the Pareto front, for one device and protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mobilebench.leaderboard.axes import KINDS, Axes, Quantity, fronts_of, kind
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes
from mobilebench.notation.quantities import counted
from mobilebench.pages.figure import WIDTH, Figure, Table
from mobilebench.pages.links import Links

_HEIGHT = 300
_SIGNS = dict(zip(KINDS, ("circle", "diamond"), strict=True))
_AXES = Axes(Quantity.LATENCY, Quantity.ACCURACY)


def pareto(rows: Sequence[Row], links: Links) -> Figure | None:
    """Return the chart; None where fewer than two rows have both numbers."""
    shown = [row for row in rows if _AXES.point(row) is not None]
    if len(shown) < 2:
        return None
    points = [point for row in shown if (point := _AXES.point(row)) is not None]
    best = fronts_of(shown, points, _AXES)
    front = {place for each in best for place in each}
    alike = len({row.artifact for row in shown}) == 1
    texts = [row.model if alike else f"{row.model} {row.artifact}" for row in shown]
    names = [texts[place] for each in best for place in each]
    table = Table(
        titles=("network", "accuracy", "on the front", "median, ms", "top-1, %"),
        rows=tuple(
            (
                f"{row.model} {row.artifact}",
                kind(row),
                "yes" if place in front else "no",
                f"{point[0]:.4g}",
                f"{point[1]:.1f}",
            )
            for place, (row, point) in enumerate(zip(shown, points, strict=True))
        ),
        words=3,
    )
    left_out = len(rows) - len(shown)
    missing = f" {counted(left_out, 'row')} without one of the numbers "
    missing += f"{'is' if left_out == 1 else 'are'} not drawn." if left_out else ""
    return Figure(
        name="pareto",
        title="Accuracy against latency",
        summary=(
            f"Filled: on the Pareto front of the rows shown, where no other is both faster and "
            f"more accurate: {', '.join(dict.fromkeys(names))}.{missing if left_out else ''}"
        ),
        spec=_spec(shown, points, best, texts, links),
        table=table,
    )


def _spec(
    rows: Sequence[Row],
    points: Sequence[tuple[float, float]],
    best: Sequence[Sequence[int]],
    texts: Sequence[str],
    links: Links,
) -> dict[str, Any]:
    front = {place for each in best for place in each}
    middle = (min(x for x, _ in points) + max(x for x, _ in points)) / 2
    kinds = [each for each in KINDS if any(kind(row) == each for row in rows)]
    values = [
        {
            "x": point[0],
            "y": point[1],
            "name": escapes.visible(f"{row.model} {row.artifact}"),
            "precision": escapes.visible(row.precision),
            "text": escapes.visible(texts[place]),
            "kind": kind(row),
            "front": place in front,
            "late": point[0] > middle,
            "p50": f"{point[0]:.4g} ms",
            "url": links.record(row.record_id) or "",
        }
        for place, (row, point) in enumerate(zip(rows, points, strict=True))
    ]
    steps = [
        {"x": points[place][0], "y": points[place][1], "of": kind(rows[each[0]])}
        for each in best
        for place in each
    ]
    intervals = [
        {"x": point[0], "low": ends[0], "high": ends[1]}
        for row, point in zip(rows, points, strict=True)
        if (ends := Quantity.ACCURACY.interval(row)) is not None
    ]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": Quantity.LATENCY.axis_title,
        "scale": {"zero": False, "padding": 24},
        "axis": {"tickCount": 6},
    }
    y = {**x, "field": "y", "title": Quantity.ACCURACY.axis_title}
    series = {
        "field": "precision",
        "type": "nominal",
        "legend": {"title": None, "orient": "top", "symbolOpacity": 1}
        if len({row.precision for row in rows}) > 1
        else None,
    }
    signs = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": kinds, "range": [_SIGNS[each] for each in kinds]},
        "legend": {"title": None, "orient": "top"},
    }
    linked = any(value["url"] for value in values)
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": steps},
            "mark": {
                "type": "line",
                "interpolate": "step-after",
                "style": "soft",
                "strokeWidth": 1,
            },
            "encoding": {"x": x, "y": y, "detail": {"field": "of"}},
        }
    ]
    if intervals:
        layers.append(
            {
                "data": {"values": intervals},
                "mark": {"type": "rule", "style": "soft", "strokeWidth": 1},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            }
        )
    layers.append(
        {
            "data": {"values": values},
            "mark": {"type": "point", "size": 80, "strokeWidth": 1.5, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                "stroke": series,
                "fill": series,
                "fillOpacity": {"condition": {"test": "datum.front", "value": 1}, "value": 0},
                "shape": signs,
                "tooltip": [
                    {"field": "name", "title": "network"},
                    {"field": "p50", "title": "median"},
                    {"field": "y", "title": "top-1, %", "format": ".1f"},
                    {"field": "kind", "title": "accuracy"},
                ],
                **({"href": {"field": "url"}} if linked else {}),
            },
        }
    )
    for late, align, dx in ((False, "left", 8), (True, "right", -8)):
        own = [value for value in values if value["front"] and value["late"] is late]
        if not own:
            continue
        layers.append(
            {
                "data": {"values": own},
                "mark": {"type": "text", "style": "label", "align": align, "dx": dx, "dy": -9},
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            }
        )
    return {"width": WIDTH, "height": _HEIGHT, "layer": layers}
