"""One job with everything in it, and its record: the documents that vectors are made from."""

from __future__ import annotations

from dataclasses import replace

from mobilebench.measuring import diagnoses
from mobilebench.values.application import Application, Build, Scheduling
from mobilebench.values.artifact import ArtifactFacts
from mobilebench.values.device import Device, DeviceKind, DeviceState, ThermalState, Unreadable
from mobilebench.values.event import Event, EventKind
from mobilebench.values.evidence import OutputParity, UnitParity, UnitTiming
from mobilebench.values.job import (
    ExpectedOutput,
    Job,
    Limits,
    ParityCheck,
    Reporting,
    Variant,
    VariantAccuracy,
)
from mobilebench.values.measurement import (
    GateLog,
    Loads,
    Measurement,
    Memory,
    Phase,
    RuntimeInfo,
    Samples,
    UnitEvidence,
)
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.policy import Aim, Policy, PolicyRule
from mobilebench.values.protocol import Gate, Protocol, WarmUp
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.values.record import Provenance, Record
from mobilebench.values.tensor import TensorSpec
from mobilebench.values.unit import ComputeUnit

MS, S = 1_000_000, 1_000_000_000
INPUT = TensorSpec(name="image", shape=(1, 3, 8, 8))
OUTPUT = TensorSpec(name="scores", shape=(1, 10))
FULL, NARROW = "a1" * 32, "b2" * 32
RULE = Protocol(
    id="vector",
    purpose="vectors: two short rounds behind a gate",
    rounds=2,
    warm_up=WarmUp(min_iterations=1, min_duration_ns=0, max_duration_ns=S),
    inferences=2,
    min_duration_ns=0,
    max_duration_ns=S,
    gate=Gate(poll_ns=MS, max_wait_ns=5 * MS),
)
DEVICE = Device(
    id="sim:vectors",
    kind=DeviceKind.SIMULATED,
    model="Scripted device",
    os="none",
    os_version="0",
    soc="no chip",
    cores=6,
    ram_bytes=8 << 30,
)
PLAIN = Job(
    model_file="model.onnx",
    model_sha256=FULL,
    format=Format.ONNX,
    delegate=None,
    inputs=(INPUT,),
    runtime="onnxruntime",
    protocol=RULE,
)
"""A job in which everything that may be left out is."""
COMPLETE = replace(
    PLAIN,
    delegate="qnn",
    compute_unit=ComputeUnit.NPU,
    threads=2,
    variants=(
        Variant(
            name="full",
            model_file="model.onnx",
            model_sha256=FULL,
            width=1.0,
            entry="narrow=0",
            accuracy=VariantAccuracy(top1=71.5, source="validation images", measured=True),
        ),
        Variant(name="half", model_file="half/model.onnx", model_sha256=NARROW, width=0.5),
    ),
    policy=Policy(
        rule=PolicyRule.DEADLINE,
        aim=Aim(deadline_ns=33 * MS, warmest=ThermalState.FAIR),
        parameters={"margin": 0.1, "quiet_ns": 2e9},
    ),
    parity=ParityCheck(
        batches=2,
        seeds=(1000, 1001),
        inputs_file="parity/inputs.bin",
        inputs_sha256="c3" * 32,
        expected_file="parity/expected.bin",
        expected_sha256="d4" * 32,
        outputs=(ExpectedOutput(tensor=OUTPUT, limit=1e-4, half_limit=0.01),),
    ),
    limits=Limits(
        time_ns=600 * S, warmest=ThermalState.SERIOUS, hottest_c=60.0, least_battery=0.15
    ),
    reporting=Reporting(every_ns=S // 2),
    upload_url="https://lab.example/api/v1/records",
)
"""A job that uses every field."""
BEFORE = DeviceState(
    t_ns=0,
    thermal=ThermalState.NOMINAL,
    temperatures_c={"skin": 30.5},
    unreadable={"headroom": Unreadable.NOT_READY},
    charging=False,
    battery_fraction=0.75,
)
IN_FRONT = Scheduling(t_ns=0, foreground=True, screen_on=True)
APPLICATION = Application(name="harness", version="1", build=Build.RELEASE)
RUNTIME = RuntimeInfo(
    name="onnxruntime",
    version="1.0",
    compute_unit_requested=ComputeUnit.NPU,
    compute_unit_evidence=UnitEvidence.LIKELY,
    delegate="qnn",
    threads=2,
    settings={"session.intra_op.allow_spinning": "0"},
)
PARITY = UnitParity(
    unit=ComputeUnit.NPU,
    outputs=(OutputParity(name="scores", max_relative_error=0.002, limit=0.01),),
)


def record() -> Record:
    """Return a record of the complete job, unsigned."""
    shift = Event(
        t_ns=9 * MS,
        kind=EventKind.WIDTH_SHIFT,
        from_width=1.0,
        to_width=0.5,
        readings={"slack_ms": -1.25},
    )
    measurement = Measurement(
        runtime=RUNTIME,
        samples=Samples(
            t_ns=(3 * MS, 5 * MS, 7 * MS, 11 * MS, 13 * MS, 15 * MS),
            latency_ns=(MS, MS + 1, MS + 2, MS + 3, MS // 2, MS // 2 + 1),
            phase=(Phase.WARM_UP, Phase.MEASURED, Phase.MEASURED) * 2,
            round=(0, 0, 0, 1, 1, 1),
            width=(1.0, 1.0, 1.0, 1.0, 0.5, 0.5),
        ),
        loads=Loads(first_ns=40 * MS, warm_ns=(2 * MS,), first_ever_ns=80 * MS, cold_ns=(41 * MS,)),
        memory=Memory(peak_bytes=90_000_000, before_load_bytes=50_000_000),
        before=BEFORE,
        after=replace(BEFORE, t_ns=17 * MS, temperatures_c={"skin": 31.0}),
        gates=(GateLog(waited_ns=0, start=ThermalState.NOMINAL, open=True),) * 2,
        events=(shift,),
        scheduling=(IN_FRONT,),
        application=APPLICATION,
        parity=(PARITY,),
        unit_timings=(UnitTiming(unit=ComputeUnit.CPU, p50_ns=3.0 * MS, samples=20),),
    )
    return Record(
        record_id="0123456789abcdef" * 2,
        created="2026-01-02T03:04:05.678Z",
        model=ModelSpec(name="vectors", inputs=(INPUT,)),
        recipe=ExportRecipe(format=Format.ONNX, target="opset20"),
        artifact=ArtifactFacts(
            key="e5" * 32,
            sha256=FULL,
            size_bytes=4096,
            tool_versions={"onnx": "1.0"},
            preflight=None,
            parity=(),
            op_histogram={"Conv": 3},
            structure={"opset": "20"},
            export_seconds=0.5,
        ),
        device=DEVICE,
        job=COMPLETE,
        outcome=diagnoses.diagnose(measurement, RULE, DEVICE),
        provenance=Provenance(
            harness_version="0", git_commit=None, dirty=None, transport="scripted"
        ),
    )
