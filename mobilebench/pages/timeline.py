"""Chart a run over time: latency, temperature, thermal status, width and clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mobilebench import stats
from mobilebench.notation.quantities import counted, duration
from mobilebench.pages.figure import WIDTH, Figure, Table
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record

_S = 1_000_000_000
_MOST_POINTS = 1200
"""Samples that are drawn one by one; more are drawn as spans of time."""
_SPANS = 300
_LINES = 10
"""Rows of the table beside the chart."""
_MOST_SENSORS = 4
_LATENCY, _PANEL = 180, 70
"""Heights in pixels."""
_AXIS = 52
"""Room for the numbers of every panel's axis, so that the panels stand in line."""
_IN_MINUTES = 180 * _S

Point = dict[str, float | str]


@dataclass(frozen=True)
class _Clock:
    """The time axis: from the first sample, in seconds or minutes."""

    origin_ns: int
    end_ns: int

    @property
    def unit(self) -> str:
        return "minutes" if self.end_ns - self.origin_ns >= _IN_MINUTES else "seconds"

    @property
    def _scale(self) -> int:
        return 60 * _S if self.unit == "minutes" else _S

    def at(self, t_ns: float) -> float:
        return round((t_ns - self.origin_ns) / self._scale, 5)

    @property
    def end(self) -> float:
        return self.at(self.end_ns)

    def axis(self, *, last: bool) -> dict[str, Any]:
        return {
            "field": "t",
            "type": "quantitative",
            "scale": {"domain": [0, self.end], "nice": False},
            "axis": {
                "title": f"{self.unit} since the first measured inference" if last else None,
                "labels": last,
                "ticks": last,
                "grid": False,
            },
        }


@dataclass(frozen=True)
class _Span:
    t: float
    end: float
    count: int
    low_ms: float
    p50_ms: float
    p90_ms: float


def timeline(record: Record) -> Figure | None:
    """Return the chart of a measurement; None for a failure."""
    outcome = record.outcome
    if not isinstance(outcome, Measurement):
        return None
    measured = outcome.samples.select()
    clock = _Clock(measured.t_ns[0], measured.t_ns[-1] + measured.latency_ns[-1])
    readings = record.seen.readings if record.seen else ()
    read = (outcome.before, *outcome.states, *readings, outcome.after)
    states = _during(sorted(read, key=lambda state: state.t_ns), clock)
    sensors = _sensors(states)
    panels = [_latencies(measured.t_ns, measured.latency_ns, clock)]
    panels += [_temperatures(states, sensors, clock)] if sensors else []
    panels += [_statuses(states, clock)] if any(state.thermal for state in states) else []
    panels += [_widths(measured.t_ns, measured.width, clock)] if measured.width else []
    panels += (
        [_caps(states, clock)] if len({state.cpu_cap_mhz for state in states} - {None}) else []
    )
    for panel in panels:
        last = panel is panels[-1]
        panel["width"] = WIDTH
        panel["encoding"] = {"x": clock.axis(last=last), **panel.get("encoding", {})}
    return Figure(
        name="timeline",
        title="Over time",
        summary=_summary(outcome, clock, states),
        spec={
            "vconcat": panels,
            "spacing": 10,
            "resolve": {"scale": {"color": "independent", "strokeDash": "independent"}},
        },
        table=_table(outcome, clock, states, sensors),
    )


def _during(states: Sequence[DeviceState], clock: _Clock) -> list[DeviceState]:
    """Return the states from the first sample to the last; it began in the one before."""
    before = [state for state in states if state.t_ns < clock.origin_ns]
    during = [state for state in states if clock.origin_ns <= state.t_ns <= clock.end_ns]
    return [*(replace(state, t_ns=clock.origin_ns) for state in before[-1:]), *during]


def _summary(outcome: Measurement, clock: _Clock, states: Sequence[DeviceState]) -> str:
    measured = outcome.samples.select()
    spans = _spans(measured.t_ns, measured.latency_ns, clock, _LINES)
    first, last = spans[0], spans[-1]
    sentence = (
        f"Latency of {counted(len(measured.t_ns), 'inference')} over "
        f"{duration(clock.end_ns - clock.origin_ns)}: median {duration(first.p50_ms * 1e6)} in the "
        f"first tenth of the time, {duration(last.p50_ms * 1e6)} in the last."
    )
    warmest = max(
        (state.thermal for state in states if state.thermal), key=lambda s: s.level, default=None
    )
    if warmest is not None:
        began = next(state for state in states if state.thermal is warmest)
        when = f" from {clock.unit[:-1]} {clock.at(began.t_ns):.1f}" if warmest.level else ""
        sentence += f" The warmest thermal status was {warmest}{when}."
    if len(set(measured.width)) > 1:
        widths = ", ".join(f"{width:g}" for width in sorted(set(measured.width), reverse=True))
        sentence += f" The network ran at the widths {widths}."
    return sentence


def _spans(
    times: Sequence[int], latencies: Sequence[int], clock: _Clock, count: int
) -> list[_Span]:
    """Return percentiles of evenly long spans of time; spans without a sample are left out."""
    length = max(1, -(-(clock.end_ns - clock.origin_ns) // count))
    groups: dict[int, list[int]] = {}
    for start, latency in zip(times, latencies, strict=True):
        groups.setdefault((start - clock.origin_ns) // length, []).append(latency)
    return [
        _Span(
            t=clock.at(clock.origin_ns + place * length),
            end=clock.at(min(clock.origin_ns + (place + 1) * length, clock.end_ns)),
            count=len(group),
            low_ms=round(stats.percentile(group, 10) / 1e6, 5),
            p50_ms=round(stats.percentile(group, 50) / 1e6, 5),
            p90_ms=round(stats.percentile(group, 90) / 1e6, 5),
        )
        for place, group in groups.items()
    ]


def _y(title: str, *, zero: bool = False, field: str = "y") -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"zero": zero},
        "axis": {"minExtent": _AXIS, "maxExtent": _AXIS, "tickCount": 4},
    }


def _latencies(times: Sequence[int], latencies: Sequence[int], clock: _Clock) -> dict[str, Any]:
    """Draw each inference; where there are many, the median and the middle 80 % of each span."""
    if len(times) <= _MOST_POINTS:
        points: list[Point] = [
            {"t": clock.at(start), "y": round(latency / 1e6, 5)}
            for start, latency in zip(times, latencies, strict=True)
        ]
        return {
            "height": _LATENCY,
            "data": {"values": points},
            "mark": {"type": "point", "filled": True, "size": 14, "opacity": 0.7},
            "encoding": {
                "y": _y("latency, ms"),
                "tooltip": [
                    {"field": "t", "title": clock.unit, "format": ".2f"},
                    {"field": "y", "title": "latency, ms", "format": ".4~g"},
                ],
            },
        }
    values = [
        {"t": span.t, "low": span.low_ms, "y": span.p50_ms, "high": span.p90_ms}
        for span in _spans(times, latencies, clock, _SPANS)
    ]
    tooltip = [
        {"field": "t", "title": clock.unit, "format": ".2f"},
        {"field": "y", "title": "median, ms", "format": ".4~g"},
        {"field": "low", "title": "10th percentile, ms", "format": ".4~g"},
        {"field": "high", "title": "90th percentile, ms", "format": ".4~g"},
    ]
    return {
        "height": _LATENCY,
        "data": {"values": values},
        "encoding": {"tooltip": tooltip},
        "layer": [
            {
                "mark": {"type": "area", "style": "band"},
                "encoding": {"y": _y("latency, ms", field="low"), "y2": {"field": "high"}},
            },
            {"mark": {"type": "line", "strokeWidth": 1.5}, "encoding": {"y": _y("latency, ms")}},
        ],
    }


def _sensors(states: Sequence[DeviceState]) -> list[str]:
    """Return the sensors to draw: those that moved the most."""
    ranges: dict[str, list[float]] = {}
    for state in states:
        for name, celsius in (state.temperatures_c or {}).items():
            ranges.setdefault(name, []).append(celsius)
    moved = {name: max(each) - min(each) for name, each in ranges.items() if len(each) > 1}
    return sorted(moved, key=lambda name: (-moved[name], name))[:_MOST_SENSORS]


def _temperatures(
    states: Sequence[DeviceState], sensors: Sequence[str], clock: _Clock
) -> dict[str, Any]:
    points: list[Point] = [
        {"t": clock.at(state.t_ns), "y": round(celsius, 2), "sensor": name}
        for state in states
        for name, celsius in (state.temperatures_c or {}).items()
        if name in sensors
    ]
    series = {"field": "sensor", "type": "nominal", "title": None, "scale": {"domain": [*sensors]}}
    return {
        "height": 1.4 * _PANEL,
        "data": {"values": points},
        "mark": {"type": "line", "strokeWidth": 1.5},
        "encoding": {
            "y": _y("temperature, °C"),
            "color": {**series, "legend": {"orient": "top"}},
            "strokeDash": series,
            "tooltip": [
                {"field": "t", "title": clock.unit, "format": ".2f"},
                {"field": "sensor", "title": "sensor"},
                {"field": "y", "title": "°C", "format": ".1f"},
            ],
        },
    }


def _steps(points: Sequence[tuple[float, float]], end: float) -> list[dict[str, float]]:
    """Return the first point and each change, with the last value until the end."""
    steps: list[dict[str, float]] = []
    for t, number in points:
        if not steps or steps[-1]["y"] != number:
            steps.append({"t": t, "y": number})
    return [*steps, {"t": end, "y": steps[-1]["y"]}] if steps else []


def _statuses(states: Sequence[DeviceState], clock: _Clock) -> dict[str, Any]:
    words = [state.value for state in ThermalState]
    points = [(clock.at(state.t_ns), state.thermal.level) for state in states if state.thermal]
    steps = _steps(points, clock.end)
    return {
        "height": _PANEL,
        "data": {"values": [{**step, "word": words[int(step["y"])]} for step in steps]},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {
            "y": {
                "field": "y",
                "type": "quantitative",
                "title": "status",
                "scale": {"domain": [-0.2, len(words) - 0.8], "nice": False},
                "axis": {
                    "minExtent": _AXIS,
                    "maxExtent": _AXIS,
                    "values": [*range(len(words))],
                    "labelExpr": f"{words}[datum.value]",
                },
            },
            "tooltip": [
                {"field": "t", "title": clock.unit, "format": ".2f"},
                {"field": "word", "title": "thermal status"},
            ],
        },
    }


def _widths(times: Sequence[int], widths: Sequence[float], clock: _Clock) -> dict[str, Any]:
    points = [(clock.at(start), width) for start, width in zip(times, widths, strict=True)]
    return _stepped("width", points, clock, sorted(set(widths)))


def _caps(states: Sequence[DeviceState], clock: _Clock) -> dict[str, Any]:
    points = [
        (clock.at(state.t_ns), state.cpu_cap_mhz)
        for state in states
        if state.cpu_cap_mhz is not None
    ]
    return _stepped("clock allowed, MHz", points, clock)


def _stepped(
    title: str,
    points: Sequence[tuple[float, float]],
    clock: _Clock,
    values: Sequence[float] | None = None,
) -> dict[str, Any]:
    y = _y(title)
    if values is not None:
        y["axis"] = {**y["axis"], "values": [*values]}
    return {
        "height": _PANEL,
        "data": {"values": _steps(points, clock.end)},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {
            "y": y,
            "tooltip": [
                {"field": "t", "title": clock.unit, "format": ".2f"},
                {"field": "y", "title": title},
            ],
        },
    }


def _table(
    outcome: Measurement, clock: _Clock, states: Sequence[DeviceState], sensors: Sequence[str]
) -> Table:
    """Return a line for each tenth of the time."""
    measured = outcome.samples.select()
    rows = []
    for span in _spans(measured.t_ns, measured.latency_ns, clock, _LINES):
        here = [state for state in states if span.t <= clock.at(state.t_ns) <= span.end]
        warmest = max(
            (state.thermal for state in here if state.thermal), key=lambda s: s.level, default=None
        )
        hottest = [
            max(
                (c for state in here for n, c in (state.temperatures_c or {}).items() if n == name),
                default=None,
            )
            for name in sensors
        ]
        widths = {
            width
            for start, width in zip(measured.t_ns, measured.width, strict=False)
            if span.t <= clock.at(start) < span.end
        }
        rows.append(
            (
                f"{span.t:.1f} to {span.end:.1f}",
                "–" if warmest is None else str(warmest),  # noqa: RUF001
                str(span.count),
                duration(span.p50_ms * 1e6),
                duration(span.p90_ms * 1e6),
                *("–" if each is None else f"{each:.1f}" for each in hottest),  # noqa: RUF001
                *(
                    [", ".join(f"{w:g}" for w in sorted(widths, reverse=True))]
                    if measured.width
                    else []
                ),
            )
        )
    titles = (clock.unit, "status", "inferences", "median", "p90")
    more = (*(f"{name}, °C" for name in sensors), *(["width"] if measured.width else []))
    return Table(titles=(*titles, *more), rows=tuple(rows), words=2)
