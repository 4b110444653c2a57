"""Records made by hand, for tests that measure nothing."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

from mobilebench.values.accuracy import Accuracy, ClassCount, DataSet
from mobilebench.values.artifact import ArtifactFacts, Parity, Preflight
from mobilebench.values.device import Device, DeviceKind, DeviceState
from mobilebench.values.event import Event
from mobilebench.values.job import Job
from mobilebench.values.measurement import (
    ComputeUnit,
    Diagnosis,
    Failure,
    Loads,
    Measurement,
    Memory,
    Phase,
    RuntimeInfo,
    Samples,
    Stage,
    UnitEvidence,
    Validity,
)
from mobilebench.values.modelspec import (
    RANDOM,
    Macs,
    ModelSpec,
    Preprocessing,
    Published,
    Weights,
)
from mobilebench.values.protocol import protocol
from mobilebench.values.recipe import ExportRecipe, Format, Precision
from mobilebench.values.record import Provenance, Record, Session
from mobilebench.values.tensor import TensorSpec
from mobilebench.verifying.parity import limits

INPUT = TensorSpec(name="image", shape=(1, 3, 224, 224))
MEDIAN = ["latency p50"]
PHONE = Device(
    id="ios:0000",
    kind=DeviceKind.SIMULATED,
    model="Made-up phone",
    os="iOS",
    os_version="26.1",
    os_build="23B85",
    ram_bytes=8 << 30,
    cores=6,
)


def _model(name: str, resolution: int = 224) -> ModelSpec:
    return ModelSpec(
        name=name,
        inputs=(TensorSpec(name="image", shape=(1, 3, resolution, resolution)),),
        params=5_271_074,
        macs=Macs(conv=662_142_336),
        published=(Published(source="a paper", top1=75.7),),
        weights=Weights(origin=RANDOM, state_sha256="0" * 64),
    )


def _parity() -> Parity:
    return Parity(
        evaluated_by="onnxruntime 1.0",
        inputs=16,
        max_abs_error=1e-6,
        max_relative_error=5e-7,
        snr_db=125.0,
        cosine=1.0,
        top1_agreement=1.0,
        limits=limits(Precision.FP32),
        passed=True,
    )


def measured(
    *,
    record_id: str = "a" * 32,
    created: str = "2026-01-02T03:04:05.678Z",
    model: str = "mobilevig_ti",
    resolution: int = 224,
    latencies_ns: Sequence[int] = (20_000_000, 10_000_000, 11_000_000, 12_000_000),
    protocol_id: str = "smoke-1",
    threads: int = 1,
    reasons: tuple[Diagnosis, ...] = (),
) -> Record:
    """Return a record whose first sample is warm-up and the rest measured."""
    count = len(latencies_ns)
    state = DeviceState(t_ns=0)
    recipe = ExportRecipe(format=Format.ONNX, target="opset20")
    return Record(
        record_id=record_id,
        created=created,
        model=_model(model, resolution),
        recipe=recipe,
        artifact=ArtifactFacts(
            key="1" * 64,
            sha256="2" * 64,
            size_bytes=21_225_214,
            tool_versions={"onnx": "1.0"},
            preflight=Preflight(
                checks=("eval mode",),
                outputs=(TensorSpec(name="output0", shape=(1, 1000)),),
                fingerprint="3" * 64,
                torch_version="2.0",
                seeds=tuple(range(1000, 1016)),
                passed_over=(),
            ),
            parity=(_parity(),),
            op_histogram={"Conv": 48},
            structure={"opset": "20"},
            export_seconds=3.0,
        ),
        device=PHONE,
        job=Job(
            model_file="model.onnx",
            model_sha256="2" * 64,
            format=recipe.format,
            delegate=None,
            inputs=(INPUT,),
            runtime="onnxruntime",
            threads=threads,
            protocol=protocol(protocol_id),
        ),
        outcome=Measurement(
            runtime=RuntimeInfo(
                name="onnxruntime",
                version="1.0",
                compute_unit_requested=ComputeUnit.CPU,
                compute_unit_evidence=UnitEvidence.CONFIRMED,
                delegate=None,
                threads=threads,
            ),
            samples=Samples(
                t_ns=tuple(index * 30_000_000 for index in range(count)),
                latency_ns=tuple(latencies_ns),
                phase=(Phase.WARM_UP, *[Phase.MEASURED] * (count - 1)),
                round=(0,) * count,
            ),
            loads=Loads(first_ns=50_000_000, warm_ns=(40_000_000,)),
            memory=Memory(peak_bytes=200_000_000, before_load_bytes=60_000_000),
            before=state,
            after=state,
            validity=Validity.SUSPECT if reasons else Validity.VALID,
            reasons=reasons,
        ),
        provenance=Provenance(
            harness_version="0.1", git_commit=None, dirty=None, transport="by hand"
        ),
    )


def sustained(
    minutes_ms: Sequence[float],
    *,
    states: Sequence[DeviceState] = (),
    events: Sequence[Event] = (),
    protocol_id: str = "paced-1fps-30min-1",
    **changes: object,
) -> Record:
    """Return a record of a frame a second, whose latency is another one in each minute.

    Within a minute, the frames vary by up to 2 % about its number.
    """
    record = measured(protocol_id=protocol_id, **changes)  # type: ignore[arg-type]
    outcome = record.outcome
    assert isinstance(outcome, Measurement)
    frames = range(60 * len(minutes_ms))
    samples = Samples(
        t_ns=(0, *(frame * 1_000_000_000 + 500_000_000 for frame in frames)),
        latency_ns=(
            20_000_000,
            *(round(minutes_ms[at // 60] * 1e6 * (1 + (at * 7 % 5 - 2) / 100)) for at in frames),
        ),
        phase=(Phase.WARM_UP, *[Phase.MEASURED] * len(frames)),
        round=(0,) * (len(frames) + 1),
    )
    outcome = dataclasses.replace(
        outcome, samples=samples, states=tuple(states), events=tuple(events)
    )
    return dataclasses.replace(record, outcome=outcome)


def judged(
    record: Record,
    hits: int,
    images: int = 100,
    *,
    available: int | None = None,
    folder: str = "val",
    accuracy_id: str = "c" * 32,
    created: str = "2026-01-03T00:00:00.000Z",
) -> Accuracy:
    """Return the accuracy of a record's file on a folder of two classes, all in the second."""
    facts = record.artifact
    assert facts is not None
    return Accuracy(
        accuracy_id=accuracy_id,
        created=created,
        model=record.model,
        recipe=record.recipe,
        artifact=facts,
        data=DataSet(
            folder=folder,
            sha256=hashlib.sha256(f"{folder} {images}".encode()).hexdigest(),
            images=images,
            available=available or images,
            class_names_sha256="5" * 64,
        ),
        preprocessing=Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        resolution=(224, 224),
        evaluated_by="onnxruntime 1.0",
        threads=1,
        versions={},
        provenance=record.provenance,
        outputs=2,
        not_finite=0,
        classes=(ClassCount(index=1, name="cat", images=images, top1=hits, top5=None),),
    )


def failed_export(
    *, record_id: str = "b" * 32, created: str = "2026-01-02T03:04:06.000Z", target: str = "opset20"
) -> Record:
    """Return a record of an export that failed."""
    return Record(
        record_id=record_id,
        created=created,
        model=_model("mobilevig_ti"),
        recipe=ExportRecipe(format=Format.ONNX, target=target),
        artifact=None,
        device=PHONE,
        job=None,
        outcome=Failure(stage=Stage.EXPORT, error="Unsupported", message="no such operator"),
        provenance=Provenance(
            harness_version="0.1", git_commit=None, dirty=None, transport="by hand"
        ),
    )


def runs(
    levels_ms: Sequence[float], side: str = "", seed: int = 0, **changes: object
) -> list[Record]:
    """Return one record for each level, with iterations that vary by 2 %.

    Where a side is given, the records are in pairs.
    """
    rng = np.random.default_rng([seed, ord(side or "-")])
    records = []
    for pair, level in enumerate(levels_ms):
        latencies = (level * 1e6 * np.exp(rng.normal(0, 0.02, 61))).astype(int).tolist()
        record = measured(
            record_id=f"{seed:08x}{ord(side or '-'):04x}{pair:04x}".ljust(32, "0"),
            latencies_ns=latencies,
            **changes,  # type: ignore[arg-type]
        )
        if side:
            place = Session(id="s", position=pair, pair=pair, side="A" if side == "A" else "B")
            record = dataclasses.replace(record, session=place)
        records.append(record)
    return records


def levels(count: int, between: float, seed: int = 7) -> np.ndarray:
    """Return levels about 10 ms that vary from run to run."""
    return 10 * np.exp(np.random.default_rng(seed).normal(0, between, count))
