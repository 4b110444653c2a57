"""Everything that a phone can know has its place in a record, within its range."""

from __future__ import annotations

import dataclasses
import json
import random
from itertools import pairwise
from typing import Any

import pytest

from mobilebench.errors import SchemaError
from mobilebench.values import wire
from mobilebench.values.application import Application, Build, Scheduling
from mobilebench.values.device import Cores, DeviceState, ThermalState, Unreadable
from mobilebench.values.event import Event, EventKind
from mobilebench.values.evidence import OutputParity, PlacedOperation, UnitParity, UnitTiming
from mobilebench.values.measurement import Loads, Measurement, Phase, Samples, Stop
from mobilebench.values.power import CurrentUnit, Discharging, Power
from mobilebench.values.record import Record
from mobilebench.values.unit import ComputeUnit
from tests.records import measured

FRAMES = 54_000
"""Half an hour at 30 frames a second."""
_S = 1_000_000_000


def _phone() -> Record:
    """Return half an hour of a phone that changes its width, as a device writes it."""
    rng = random.Random(0)
    widths = [rng.choice([1.0, 0.75, 0.5]) for _ in range(45)]
    samples = Samples(
        t_ns=tuple(index * _S // 30 + rng.randrange(50_000) for index in range(FRAMES)),
        latency_ns=tuple(rng.randrange(14_000_000, 32_000_000) for _ in range(FRAMES)),
        phase=(Phase.WARM_UP,) * 60 + (Phase.MEASURED,) * (FRAMES - 60),
        round=(0,) * FRAMES,
        width=tuple(widths[index // 1200] for index in range(FRAMES)),
    )
    states = tuple(
        DeviceState(
            t_ns=second * _S,
            thermal=ThermalState.FAIR,
            headroom=round(rng.random(), 3),
            headroom_age_ns=400_000_000,
            temperatures_c={
                name: round(rng.uniform(30, 50), 1) for name in ("skin", "battery", "cpu", "gpu")
            },
            cpu_mhz=2401.0,
            cpu_cap_mhz=2803.0,
            battery_fraction=0.77,
            charging=False,
            low_power_mode=False,
            unreadable={"busy_fraction": Unreadable.DENIED, "governor": Unreadable.ABSENT},
        )
        for second in range(1800)
    )
    shifts = tuple(
        Event(
            t_ns=40 * index * _S,
            kind=EventKind.WIDTH_SHIFT,
            from_width=before,
            to_width=after,
            readings={"slack_ms": -1.25, "skin_c": 41.5},
        )
        for index, (before, after) in enumerate(pairwise(widths), start=1)
    )
    record = measured()
    assert isinstance(record.outcome, Measurement)
    outcome = dataclasses.replace(
        record.outcome,
        samples=samples,
        states=states,
        loads=Loads(first_ns=20, warm_ns=(5, 5), first_ever_ns=90_000, cold_ns=(21, 19)),
        events=(*shifts, Event(t_ns=1799 * _S, kind=EventKind.CALL, note="incoming")),
        power=Power(
            t_ns=tuple(second * _S for second in range(1800)),
            level=(0.77,) * 1800,
            current=tuple(-rng.randrange(10**6) for _ in range(1800)),
            voltage_mv=(3900,) * 1799 + (None,),
            charging=(False,) * 1800,
            current_unit=CurrentUnit.MICROAMPERE,
            discharging=Discharging.NEGATIVE,
            counter_trusted=False,
            doubts=("the charge counter equals the level",),
        ),
        scheduling=(
            Scheduling(
                t_ns=0, foreground=True, screen_on=True, importance="foreground", cpuset="top-app",
                affinity=(4, 5, 6, 7), priority=-10, fixed_performance=False,
            ),
            Scheduling(t_ns=1800 * _S, foreground=True, qos="user interactive"),
        ),
        application=Application(name="harness", version="1", build=Build.RELEASE),
        parity=(
            UnitParity(
                unit=ComputeUnit.NPU,
                outputs=(OutputParity(name="scores", max_relative_error=0.001, limit=0.01),),
            ),
        ),
        placement=(
            PlacedOperation(name="conv1", kind="conv", unit=ComputeUnit.NPU, cost=0.9,
                            possible=(ComputeUnit.CPU, ComputeUnit.NPU)),
            PlacedOperation(name="topk", kind="topk", unit=None),
        ),
        unit_timings=(UnitTiming(unit=ComputeUnit.CPU, p50_ns=2.5e7, samples=50),),
        stopped=Stop.BATTERY,
        cut_off=True,
    )  # fmt: skip
    device = dataclasses.replace(
        record.device,
        soc="SM8650",
        clusters=(Cores(count=4, max_mhz=2016.0), Cores(count=4, max_mhz=3302.0)),
        boot_age_ns=3600 * _S,
    )
    return dataclasses.replace(record, outcome=outcome, device=device)


def test_half_an_hour_of_frames_survives_the_trip_in_two_megabytes() -> None:
    record = _phone()
    text = wire.dumps(record)
    assert wire.loads(Record, text) == record
    assert len(text.encode()) < 2_000_000


def test_what_is_not_known_is_left_out() -> None:
    plain = wire.to_plain(measured())
    assert plain["outcome"]["before"] == {"t_ns": 0}
    assert "session" not in plain and "power" not in plain["outcome"]
    assert plain["job"]["delegate"] is None, "the schema asks for it"
    assert wire.from_plain(Record, plain) == measured()


def _change(plain: Any, path: str, content: Any) -> None:
    *place, last = path.split(".")
    for name in place:
        plain = plain[int(name) if name.isdigit() else name]
    plain[last] = content


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("before.temperatures_c", {"skin": 3000}, "the sensor skin reads 3000"),
        ("before.temperatures_c", {"skin": -127.0}, "the sensor skin reads -127"),
        ("before.headroom", -0.1, "headroom is -0.1"),
        ("before.cpu_mhz", 2_401_000_000, "cpu_mhz is 2401000000"),
        ("before.unreadable", {"thermal": "no idea"}, "'absent', 'denied' or 'not ready'"),
        ("before.battery_fraction", 77, "battery_fraction is 77"),
        ("power", {"t_ns": [0], "level": [77], "current": [1], "voltage_mv": [3900],
                   "charging": [True]}, "level is 77"),
        ("power", {"t_ns": [0], "level": [0.5], "current": [1], "voltage_mv": [3_900_000],
                   "charging": [True]}, "voltage_mv is 3900000"),
        ("power", {"t_ns": [0, 1], "level": [0.5], "current": [1], "voltage_mv": [None],
                   "charging": [True]}, "power columns differ in length"),
        ("events", [{"t_ns": 0, "kind": "width shift"}], "has the widths before and after"),
        ("events", [{"t_ns": 0, "kind": "call", "from_width": 1.0, "to_width": 0.5}], "no other"),
        ("events", [{"t_ns": 0, "kind": "width shift", "from_width": 1.0, "to_width": 2.0}],
         "to_width is 2.0"),
        ("events", [{"t_ns": 5, "kind": "call"}, {"t_ns": 4, "kind": "call"}],
         "events are not in the order of time"),
        ("scheduling", [{"t_ns": 0, "priority": 99}], "priority is 99"),
        ("parity", [{"unit": "tpu", "outputs": []}], "'cpu', 'gpu', 'npu' or 'all'"),
        ("unit_timings", [{"unit": "cpu", "p50_ns": 0.0, "samples": 5}], "larger than 0"),
        ("placement", [{"name": "a", "kind": "b", "unit": None, "cost": 1.5}], "cost is 1.5"),
        ("samples.latency_ns", [20, 0, 30, 40], "a latency is zero or negative"),
        ("samples.width", [{"count": 3, "value": 1}], "columns differ in length"),
        ("loads.first_ever_ns", -1, "first_ever_ns is -1"),
        ("stopped", "boredom", "'time', 'heat' or 'battery'"),
        ("weather", "fine", "weather"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_place(path: str, content: Any, words: str) -> None:
    plain = json.loads(wire.dumps(measured()))
    _change(plain["outcome"], path, content)
    with pytest.raises(SchemaError) as raised:
        wire.from_plain(Record, plain, "run.json")
    assert words in str(raised.value)


def test_a_million_samples_are_read() -> None:
    plain = json.loads(wire.dumps(measured()))
    plain["outcome"]["samples"] = {
        "t_ns": list(range(0, 10**7, 10)),
        "latency_ns": [5] * 10**6,
        "phase": [{"count": 10**6, "value": "measured"}],
        "round": [{"count": 10**6, "value": 0}],
    }
    record = wire.loads(Record, json.dumps(plain))
    assert isinstance(record.outcome, Measurement)
    assert len(record.outcome.samples.latencies_ns()) == 10**6


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(SchemaError, match="is not JSON"):
        wire.loads(Record, "[" * 100_000)
