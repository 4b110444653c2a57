"""Save charts of altair as pictures, in the formats that papers and pages take."""

from __future__ import annotations

import io
from enum import StrEnum
from typing import Any

from mobilebench.errors import MissingToolkit


class Picture(StrEnum):
    """Formats of a plot."""

    SVG = "svg"
    PDF = "pdf"
    PNG = "png"


def require_plots() -> None:
    """Raise `MissingToolkit` where the packages of the extra `plots` are not installed."""
    try:
        import altair  # noqa: F401 - only looked for
        import vl_convert  # noqa: F401 - altair finds it by itself, with another message
    except ModuleNotFoundError as error:
        raise MissingToolkit(
            f"Plots need the package {error.name!r}, which is not installed; run: "
            f"pip install 'mobilebench[plots]'"
        ) from error


def saved(chart: Any, picture: Picture) -> bytes:
    """Return a chart as a file, black on white; a PNG has three pixels for each of the chart."""
    chart = chart.configure(font="sans-serif", background="white")
    if picture is Picture.SVG:
        text = io.StringIO()
        chart.save(text, format="svg")
        return text.getvalue().encode()
    content = io.BytesIO()
    chart.save(content, format=picture.value, scale_factor=3 if picture is Picture.PNG else 1)
    return content.getvalue()


def converted(spec: dict[str, Any], picture: Picture) -> bytes:
    """Return a Vega-Lite specification as a file; a PNG has three pixels for each of the chart.

    Raises `MissingToolkit` without the extra `plots`.
    """
    require_plots()
    import vl_convert

    match picture:
        case Picture.SVG:
            text: str = vl_convert.vegalite_to_svg(spec)
            return text.encode()
        case Picture.PDF:
            return bytes(vl_convert.vegalite_to_pdf(spec))
        case Picture.PNG:
            return bytes(vl_convert.vegalite_to_png(spec, scale=3))
