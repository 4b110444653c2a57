"""Chart things one below the other, each with points and intervals on one axis of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mobilebench.notation import escapes
from mobilebench.pages.figure import WIDTH

_STEP = 44
"""Height of one thing in pixels: its name, and below it the points."""
_NAME, _ONLY, _FIRST, _SECOND = 0.24, 0.66, 0.6, 0.82
"""Where in it they stand, from its top."""


@dataclass(frozen=True)
class Dot:
    """One number, with the interval around it where there is one."""

    kind: str
    number: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bar:
    """One thing of the chart."""

    name: str
    dots: tuple[Dot, ...]
    address: str | None = None
    """Of its page."""


def bars(things: Sequence[Bar], title: str, kinds: Sequence[str], what: str) -> dict[str, Any]:
    """Return the specification of a chart whose axis begins at 0.

    `kinds` are those of the dots, at most two; `what` names an interval.
    """
    names = [
        {"line": place, "name": escapes.visible(thing.name), "url": thing.address or ""}
        for place, thing in enumerate(things)
    ]
    layers: list[dict[str, Any]] = []
    for number, kind in enumerate(kinds):
        position = _ONLY if len(kinds) == 1 else (_FIRST, _SECOND)[number]
        layers += _layers(things, kind, position, title, kinds, what)
    layers.append(
        {
            "data": {"values": names},
            "mark": {
                "type": "text",
                "style": "label",
                "align": "left",
                "baseline": "middle",
                "limit": WIDTH,
            },
            "encoding": {
                "x": {"value": 0},
                "y": _line(_NAME),
                "text": {"field": "name"},
                **_links(any(thing.address for thing in things)),
            },
        }
    )
    return {"width": WIDTH, "height": _STEP * len(things), "layer": layers}


def _layers(
    things: Sequence[Bar],
    kind: str,
    position: float,
    title: str,
    kinds: Sequence[str],
    what: str,
) -> list[dict[str, Any]]:
    values = [
        {
            "line": place,
            "name": escapes.visible(thing.name),
            "kind": dot.kind,
            "x": dot.number,
            "low": dot.number if dot.low is None else dot.low,
            "high": dot.number if dot.high is None else dot.high,
            "url": thing.address or "",
        }
        for place, thing in enumerate(things)
        for dot in thing.dots
        if dot.kind == kind
    ]
    x = {
        "type": "quantitative",
        "title": title,
        "scale": {"zero": True},
        "axis": {"tickCount": 6, "grid": True},
    }
    legend = {"title": None, "orient": "top", "symbolOpacity": 1} if len(kinds) > 1 else None
    series = {"field": "kind", "type": "nominal", "scale": {"domain": [*kinds]}, "legend": legend}
    symbols = {
        **series,
        "scale": {"domain": [*kinds], "range": ["circle", "diamond"][: len(kinds)]},
    }
    tooltip = [
        {"field": "name", "title": "what"},
        *([{"field": "kind", "title": "when"}] if len(kinds) > 1 else []),
        {"field": "x", "title": title, "format": ".4~g"},
        {"field": "low", "title": f"{what}, from", "format": ".4~g"},
        {"field": "high", "title": "to", "format": ".4~g"},
    ]
    return [
        {
            "data": {"values": values},
            "mark": {"type": "rule", "strokeWidth": 4, "opacity": 0.4, "strokeCap": "round"},
            "encoding": {
                "x": {**x, "field": "low"},
                "x2": {"field": "high"},
                "y": _line(position),
                "color": series,
                "tooltip": tooltip,
            },
        },
        {
            "data": {"values": values},
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {
                "x": {**x, "field": "x"},
                "y": _line(position),
                "color": series,
                "shape": symbols,
                "tooltip": tooltip,
                **_links(any(thing.address for thing in things)),
            },
        },
    ]


def _line(position: float) -> dict[str, Any]:
    return {
        "field": "line",
        "type": "ordinal",
        "axis": None,
        "bandPosition": position,
        "scale": {"type": "band", "padding": 0},
    }


def _links(linked: bool) -> dict[str, Any]:
    return {"href": {"field": "url"}} if linked else {}
