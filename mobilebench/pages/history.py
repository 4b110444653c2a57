"""The page of a cell's history: every run in order, and where the level changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mobilebench.notation.quantities import counted, quantity
from mobilebench.pages.figure import WIDTH, Figure, Table
from mobilebench.pages.templates import Shell, render
from mobilebench.regress.history import History

_HEIGHT = 220


@dataclass(frozen=True)
class Cell:
    """A cell that has a history."""

    record_id: str
    """Its newest record."""
    title: str
    runs: int
    newest: str


def history(
    histories: Sequence[History], shell: Shell, cells: Sequence[Cell] = (), metric: str = ""
) -> str:
    """Return the page of some histories, as HTML, or of the cells to choose from."""
    figures = [chart(each) for each in histories]
    return render(
        "history.html.j2",
        shell,
        page="history",
        heading="History" if len(histories) != 1 else f"History of {histories[0].cell}",
        histories=list(zip(histories, figures, strict=True)),
        cells=cells,
        metric=metric,
        charted=bool(histories),
        quantity=quantity,
    )


def chart(series: History) -> Figure:
    """Return the chart of a history."""
    points = [
        {
            "run": number,
            "created": point.created[:16].replace("T", " "),
            "commit": (point.commit or "not known")[:12],
            "y": point.number,
        }
        for number, point in enumerate(series.points, start=1)
    ]
    created = [point.created for point in series.points]
    steps = [
        {"run": created.index(step.after.created) + 0.5, "text": f"{step.ratio - 1:+.1%}"}
        for step in series.steps
    ]
    changes = "; ".join(
        f"{step.ratio - 1:+.1%} between {step.before.created[:10]} and {step.after.created[:10]}"
        for step in series.steps
    )
    runs = counted(len(series.points), "run")
    return Figure(
        name="history",
        title=f"{series.metric[0].upper()}{series.metric[1:]}",
        summary=(
            f"{runs} from {created[0][:10]} to {created[-1][:10]}. "
            f"{'Changes of level: ' + changes if changes else 'No change of level'}."
        ),
        spec=_spec(
            points, steps, f"{series.metric}, {series.unit}" if series.unit else series.metric
        ),
        table=Table(
            ("measured", "commit", series.metric),
            tuple(
                (
                    point.created[:19].replace("T", " "),
                    (point.commit or "not known")[:12],
                    quantity(point.number, series.unit),
                )
                for point in series.points
            ),
            words=2,
        ),
    )


def _spec(points: list[dict[str, Any]], steps: list[dict[str, Any]], title: str) -> dict[str, Any]:
    run = {
        "field": "run",
        "type": "quantitative",
        "title": "run, in the order of time",
        "scale": {"domain": [0.5, len(points) + 0.5], "nice": False},
        "axis": {"grid": False, "tickMinStep": 1, "format": "d"},
    }
    y = {"field": "y", "type": "quantitative", "title": title, "scale": {"zero": False}}
    tooltip = [
        {"field": "created", "title": "measured"},
        {"field": "commit", "title": "commit"},
        {"field": "y", "title": title, "format": ".4~g"},
    ]
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": points},
            "mark": {"type": "line", "point": {"size": 30}, "strokeWidth": 1},
            "encoding": {"x": run, "y": y, "tooltip": tooltip},
        }
    ]
    if steps:
        layers += [
            {
                "data": {"values": steps},
                "mark": {"type": "rule", "style": "warn", "strokeDash": [4, 3]},
                "encoding": {"x": run},
            },
            {
                "data": {"values": steps},
                "mark": {"type": "text", "style": "label", "align": "left", "dx": 4, "y": 8},
                "encoding": {"x": run, "text": {"field": "text"}},
            },
        ]
    return {"width": WIDTH, "height": _HEIGHT, "layer": layers}
