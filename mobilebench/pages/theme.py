"""How charts look: one set of colours on white paper and light pages, one on dark pages."""

from __future__ import annotations

from typing import Any

_FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"
_PRINT = "sans-serif"


def config(*, dark: bool = False, printed: bool = False) -> dict[str, Any]:
    """Return the configuration of Vega-Lite; specifications name styles, and no colours.

    Series differ by their shape or their dashes too, so that colours are never needed to read one.
    """
    ink, soft, line = (
        ("#e4e7eb", "#9aa5b1", "#2f3944") if dark else ("#1f2933", "#52606d", "#d9dee4")
    )
    series = (
        ["#6cc4ee", "#ffb066", "#8fd694", "#d8a6ff", "#ff9b9b", "#e6d96b"]
        if dark
        else ["#0b6e99", "#b85300", "#2f7d32", "#7b3fa0", "#b3261e", "#6b6200"]
    )
    warn = "#ff9b76" if dark else "#a4330d"
    label = {"labelColor": soft, "titleColor": ink, "titleFontWeight": "normal"}
    return {
        # Nothing in a chart is announced by itself: the figure has its text and its table.
        "aria": False,
        "background": "white" if printed else "transparent",
        "font": _PRINT if printed else _FONT,
        "axis": {"gridColor": line, "domainColor": soft, "tickColor": soft, **label},
        "legend": {"labelColor": ink, "titleColor": soft, "orient": "top", "labelLimit": 320},
        "title": {"color": ink, "subtitleColor": soft, "anchor": "start", "fontSize": 13},
        "header": {"labelColor": ink, "titleColor": ink},
        "view": {"stroke": line},
        "mark": {"color": series[0]},
        "range": {"category": series, "symbol": ["circle", "diamond", "square", "triangle-up"]},
        "style": {
            "soft": {"color": soft},
            "ink": {"color": ink},
            "label": {"color": ink, "fontSize": 11},
            "warn": {"color": warn},
            "band": {"fillOpacity": 0.25},
        },
    }
