"""Draw one run or two on one time axis: latency, width, clock, temperature, thermal state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mobilebench.notation import escapes
from mobilebench.notation.picture import Picture, require_plots, saved
from mobilebench.thermal.score import score
from mobilebench.thermal.simulation import TICK_NS, Run, state
from mobilebench.values.device import ThermalState
from mobilebench.values.phone import Node, Phone

if TYPE_CHECKING:
    import altair as alt

_WIDTH, _HEIGHT = 560, 66
_S = 1_000_000_000
_MINUTE_NS = 60 * _S
_COLOURS = ("black", "#c44e00")
_DASHES = ([1, 0], [6, 3])
"""Both runs differ by colour and by dashes, so that a print without colours tells them apart."""
_RED = "#b00020"

Point = dict[str, float | str]


def draw(runs: Sequence[tuple[str, Run]], phone: Phone, picture: Picture) -> bytes:
    """Return the picture of one run or two on a phone, each with the name of its policy.

    The panels are, from the top: latency of the frames of each second (p50 thick, p90 thin) with
    the deadline, width, clock that the governor allows, temperature of the skin, thermal state.
    Raises `MissingToolkit` without the extra `plots`, `ValueError` for another number of runs.
    """
    if not 1 <= len(runs) <= len(_COLOURS):
        raise ValueError(f"a timeline has one run or two, not {len(runs)}")
    require_plots()
    import altair as alt

    use = runs[0][1].use
    widths = _Levels([cost.width for cost in use.widths])
    clocks = _Levels([step.speed for step in phone.steps])
    states = _Levels([state.level for state in ThermalState], list(ThermalState))
    panels = (
        _latency(runs),
        _steps("width", runs, _widths, widths),
        _steps("clock allowed", runs, lambda run: _clocks(run, phone), clocks),
        _steps("skin, °C", runs, _skin),
        _steps("state", runs, lambda run: _states(run, phone), states, last=True),
    )
    chart = alt.vconcat(*panels, spacing=8).resolve_scale(color="shared", strokeDash="shared")
    title = f"{phone.name}, simulated: {use.air_c:g} °C around it, a frame every "
    title += f"{use.interval_ns / 1e6:.1f} ms"
    lines = [_summary(name, run) for name, run in runs]
    heading = alt.TitleParams(
        escapes.visible(title),
        subtitle=[escapes.visible(line) for line in lines],
        anchor="start",
        fontSize=13,
        subtitleFontSize=10,
    )
    return saved(chart.properties(title=heading), picture)


def _summary(name: str, run: Run) -> str:
    worth = score(run, name)
    return (
        f"{name}: on-time top-1 {worth.on_time_top1:.1f} %, missed "
        f"{100 * worth.missed_fraction:.2f} % of the frames, {worth.shifts_per_minute:.1f} shifts "
        f"a minute, clock capped for {worth.capped_s:.0f} s"
    )


def by_second(run: Run) -> list[tuple[float, float, float]]:
    """Return (minute, p50, p90) of the latencies in milliseconds of each second with frames."""
    seconds = run.start_ns // _S
    starts = np.flatnonzero(np.diff(seconds, prepend=-1))
    points = []
    for start, latencies in zip(starts, np.split(run.latency_ns, starts[1:]), strict=True):
        p50, p90 = np.percentile(latencies, (50, 90)) / 1e6
        points.append((float(seconds[start] / 60), float(p50), float(p90)))
    return points


@dataclass(frozen=True)
class _Levels:
    """The values that a panel can show, and their words where they are not numbers."""

    values: Sequence[float]
    words: Sequence[str] = ()

    def axis(self) -> dict[str, Any]:
        words = (
            f"{[*map(str, self.words)]}[datum.value]"
            if self.words
            else "format(datum.value, '.2~f')"
        )
        return {"values": [*self.values], "labelExpr": words, "labelOverlap": "greedy"}

    def domain(self) -> list[float]:
        room = 0.1 * (max(self.values) - min(self.values) or 1)
        return [min(self.values) - room, max(self.values) + room]


def _latency(runs: Sequence[tuple[str, Run]]) -> alt.LayerChart:
    """Draw the latencies, and the deadline as a line with its name."""
    import altair as alt

    deadline_ms = runs[0][1].use.deadline_ns / 1e6
    seconds = [(name, by_second(run)) for name, run in runs]
    most = max(deadline_ms, *(p90 for _, points in seconds for _, _, p90 in points))
    least = min(p50 for _, points in seconds for _, p50, _ in points)
    scale = alt.Scale(domain=[0.9 * least, 1.1 * most], nice=False)
    layers: list[alt.Chart] = []
    for place, thickness in ((2, 0.5), (1, 1.4)):
        points: list[Point] = [
            {"minute": point[0], "y": point[place], "run": name}
            for name, own in seconds
            for point in own
        ]
        mark = alt.Chart(_data(points)).mark_line(strokeWidth=thickness)
        layers.append(_encoded(mark, runs, alt.Y("y:Q", title="latency, ms", scale=scale)))
    at = _data([{"y": deadline_ms, "minute": 0.0, "text": "deadline"}])
    rule = alt.Chart(at).mark_rule(color=_RED, strokeWidth=1, strokeDash=[2, 2])
    name = alt.Chart(at).mark_text(
        align="left", baseline="bottom", dx=4, dy=-1, fontSize=10, color=_RED
    )
    layers.append(rule.encode(y="y:Q"))
    layers.append(name.encode(x=_time(runs, last=False), y="y:Q", text="text:N"))
    drawn = cast("alt.LayerChart", alt.layer(*layers))
    return drawn.properties(width=_WIDTH, height=2 * _HEIGHT)


def _steps(
    title: str,
    runs: Sequence[tuple[str, Run]],
    points_of: Callable[[Run], list[tuple[float, float]]],
    levels: _Levels | None = None,
    last: bool = False,
) -> alt.Chart:
    """Draw what holds until it changes; without levels, numbers of any size."""
    import altair as alt

    points: list[Point] = [
        {"minute": minute, "y": number, "run": name}
        for name, run in runs
        for minute, number in points_of(run)
    ]
    mark = alt.Chart(_data(points)).mark_line(interpolate="step-after", strokeWidth=1.4)
    axis = {"tickCount": 3} if levels is None else levels.axis()
    scale = {"zero": False} if levels is None else {"domain": levels.domain(), "nice": False}
    y = alt.Y("y:Q", title=title, axis=alt.Axis(**axis), scale=alt.Scale(**scale))
    return _encoded(mark, runs, y, last).properties(width=_WIDTH, height=_HEIGHT)


def _encoded(
    mark: alt.Chart, runs: Sequence[tuple[str, Run]], y: alt.Y, last: bool = False
) -> alt.Chart:
    import altair as alt

    names = [name for name, _ in runs]
    key = alt.Legend(title=None, orient="top", labelLimit=_WIDTH, symbolSize=400)
    legend = key if len(runs) > 1 else None
    colours = alt.Scale(domain=names, range=_COLOURS[: len(names)])
    dashes = alt.Scale(domain=names, range=_DASHES[: len(names)])
    chart: alt.Chart = mark.encode(
        x=_time(runs, last),
        y=y,
        color=alt.Color("run:N", scale=colours, legend=legend),
        strokeDash=alt.StrokeDash("run:N", scale=dashes, legend=legend),
    )
    return chart


def _time(runs: Sequence[tuple[str, Run]], last: bool) -> alt.X:
    """Return the time axis; only the last panel names it."""
    import altair as alt

    end = max(run.use.duration_ns for _, run in runs) / _MINUTE_NS
    axis = alt.Axis(labels=last, ticks=last, title="minutes" if last else None)
    return alt.X("minute:Q", axis=axis, scale=alt.Scale(domain=[0, end], nice=False))


def _data(points: Sequence[Point]) -> alt.Data:
    import altair as alt

    return alt.InlineData(values=list(points))


def _changes(times: Sequence[float], numbers: Sequence[float]) -> list[tuple[float, float]]:
    """Return the first point, each change, and the last point."""
    last = len(numbers) - 1
    return [
        (float(times[at]), float(numbers[at]))
        for at in range(len(numbers))
        if at in (0, last) or numbers[at] != numbers[at - 1]
    ]


def _widths(run: Run) -> list[tuple[float, float]]:
    widths = [run.use.widths[index].width for index in run.index]
    return _changes(list(run.start_ns / _MINUTE_NS), widths)


def _minutes(run: Run) -> list[float]:
    return [(at + 1) * TICK_NS / _MINUTE_NS for at in range(len(run.seconds))]


def _clocks(run: Run, phone: Phone) -> list[tuple[float, float]]:
    return _changes(_minutes(run), [phone.steps[int(cap)].speed for cap in run.seconds[:, 3]])


def _skin(run: Run) -> list[tuple[float, float]]:
    every = _S // TICK_NS
    skin = run.seconds[:, Node.SKIN.position]
    return list(zip(_minutes(run)[::every], map(float, skin[::every]), strict=True))


def _states(run: Run, phone: Phone) -> list[tuple[float, float]]:
    skin = run.seconds[:, Node.SKIN.position]
    return _changes(_minutes(run), [state(phone.states, float(c)).level for c in skin])
