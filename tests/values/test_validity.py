"""No value exists that a later verb cannot show: each is refused where it is made."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest

from mobilebench.errors import SchemaError, UserError
from mobilebench.values import wire
from mobilebench.values.device import DeviceState
from mobilebench.values.measurement import Measurement, Phase
from mobilebench.values.record import Record
from mobilebench.values.reported import Latency, Reported
from tests.records import failed_export, measured

NOTHING: dict[str, list[Any]] = {"t_ns": [], "latency_ns": [], "phase": [], "round": []}
WARM = {"t_ns": [0], "latency_ns": [5], "phase": ["warm-up"], "round": [0]}
HUGE = {"t_ns": [0], "latency_ns": [10**400], "phase": ["measured"], "round": [0]}
LATE = {"t_ns": [0], "latency_ns": [5], "phase": ["measured"], "round": [2]}
EARLY = {"t_ns": [-1], "latency_ns": [5], "phase": ["measured"], "round": [0]}


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("outcome.samples", NOTHING),
        ("outcome.samples", WARM),
        ("outcome.samples", HUGE),
        ("outcome.samples", LATE),
        ("outcome.samples", EARLY),
        ("outcome.samples.round", [0, 0, 0]),
        ("outcome.samples.latency_ns.1", 0),
        ("outcome.loads.warm_ns", [-1]),
        ("outcome.memory.before_load_bytes", -1),
        ("outcome.runtime.threads", 0),
        ("outcome.before.busy_fraction", 1.5),
        ("outcome.before.load_average", -0.1),
        ("artifact.export_seconds", -1.0),
        ("artifact.parity.0.max_relative_error", -1.0),
        ("artifact.parity.0.top1_agreement", 2.0),
        ("job.protocol.rounds", 0),
        ("job.protocol.interval_ns", 0),
        ("job.protocol.window_ns", 0),
        ("job.protocol.trim", -1),
        ("model.params", -5),
        ("model.macs.conv", -5),
        ("model.inputs", []),
        ("model.inputs.0.shape", [1, 0]),
        ("model.published.0.top1", 101.0),
        ("model.name", "\ud800"),
        ("created", "yesterday"),
        ("created", "2026-02-31T00:00:00.000Z"),
        ("created", "2026-01-02T03:04:05.678+02:00"),
        ("record_id", ""),
        ("record_id", "two words"),
        ("record_id", "a" * 65),
        ("job", None),
        ("artifact", None),
    ],
)
def test_a_record_that_cannot_be_shown_cannot_be_read(place: str, content: object) -> None:
    plain = json.loads(wire.dumps(measured()))
    *way, last = place.split(".")
    inner: Any = plain
    for step in way:
        inner = inner[int(step) if step.isdigit() else step]
    inner[int(last) if last.isdigit() else last] = content
    with pytest.raises(SchemaError, match="the file is not a valid Record"):
        wire.from_plain(Record, plain, "the file")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number_of_a_record_is_nan_or_infinite(number: float) -> None:
    """Walks every float of a record, so that a new field is held too."""
    record = measured()
    assert isinstance(record.outcome, Measurement)
    state = DeviceState(
        t_ns=0,
        temperatures_c={"cpu": 40.0},
        load_average=0.5,
        busy_fraction=0.1,
        cpu_mhz=2000.0,
        battery_fraction=0.5,
    )
    outcome = dataclasses.replace(record.outcome, before=state, states=(state,))
    record = dataclasses.replace(record, outcome=outcome)
    plain = json.loads(wire.dumps(record))
    places = list(_floats(plain, ()))
    assert len(places) > 15
    for *way, last in places:
        inner = plain
        for step in way:
            inner = inner[step]
        good, inner[last] = inner[last], number
        with pytest.raises(SchemaError):
            wire.from_plain(Record, plain)
        inner[last] = good


def _floats(plain: Any, place: tuple[Any, ...]) -> Any:
    if isinstance(plain, float):
        yield place
    elif isinstance(plain, dict | list):
        for key, inner in plain.items() if isinstance(plain, dict) else enumerate(plain):
            yield from _floats(inner, (*place, key))


def test_python_makes_no_such_value_either() -> None:
    record = measured()
    assert isinstance(record.outcome, Measurement)
    samples = record.outcome.samples
    with pytest.raises(ValueError, match="no measured samples"):
        dataclasses.replace(record.outcome, samples=samples.select(Phase.WARM_UP))
    hot = DeviceState(t_ns=0, temperatures_c={"cpu": math.nan})
    with pytest.raises(ValueError, match=r"outcome.before.temperatures_c.cpu is nan"):
        dataclasses.replace(record, outcome=dataclasses.replace(record.outcome, before=hot))
    with pytest.raises(ValueError, match="latency.mean_ns is inf"):
        Reported(report_id="a", source="a", file="a", latency=Latency(mean_ns=math.inf))
    with pytest.raises((ValueError, UserError)):
        dataclasses.replace(failed_export(), created="")
