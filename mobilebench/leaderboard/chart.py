"""Draw the latency of every row: fastest sample, median and 90th percentile."""

from __future__ import annotations

from collections.abc import Sequence

from mobilebench.leaderboard.rows import Row

_INK, _BAR, _DOT = "#1f2933", "#9fb3c8", "#0b6e99"
_ROW_PX = 26
_PADDING = {"left": 90, "right": 40, "top": 5, "bottom": 5}


def latency_svg(rows: Sequence[Row]) -> str | None:
    """Return the chart as SVG; None where no row was measured."""
    measured_rows = [row for row in rows if row.p50_ms is not None]
    if not measured_rows:
        return None
    # Half a second to import, and only pages need them.
    import altair as alt
    import vl_convert

    values = [
        {
            "cell": f"{row.model}, {row.artifact}, {row.runtime}, {_threads(row.threads)}",
            "min": row.min_ms,
            "p50": row.p50_ms,
            "p90": row.p90_ms,
        }
        for row in measured_rows
    ]
    cell = alt.Y("cell:N", sort=[entry["cell"] for entry in values], title=None).axis(
        labelLimit=480, ticks=False, domain=False, offset=6
    )
    base = alt.Chart(alt.Data(values=values)).encode(y=cell)
    span = base.mark_bar(height=8, color=_BAR, cornerRadius=4).encode(
        x=alt.X("min:Q", title="latency, ms: fastest to 90th percentile, dot at the median").scale(
            zero=True
        ),
        x2="p90:Q",
    )
    median = base.mark_circle(size=90, color=_DOT, opacity=1).encode(x="p50:Q")
    label = base.mark_text(align="left", dx=8, color=_INK, fontSize=11).encode(
        x="p90:Q", text=alt.Text("p50:Q", format=".2f")
    )
    chart = (
        (span + median + label)
        .properties(width=520, height=_ROW_PX * len(values), padding=_PADDING)
        # Labels were measured in one font and are drawn in whichever of these the reader has:
        # the padding keeps the wider ones inside the picture.
        .configure(background="transparent", font="Arial, Helvetica, sans-serif")
        .configure_axis(labelColor=_INK, titleColor=_INK, grid=True, gridColor="#e4e7eb")
        .configure_view(stroke=None)
    )
    svg: str = vl_convert.vegalite_to_svg(chart.to_json())
    return svg


def _threads(count: int | None) -> str:
    return f"{count} thread{'' if count == 1 else 's'}"
