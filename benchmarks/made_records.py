"""Make records of a laboratory of phones that exists only here.

Everything that one says is as a phone's says it: the facts of the export, its checks, a state
of the device for each second, latencies with the noise of a real clock. The numbers mean nothing.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from mobilebench.values.application import Application, Build, Scheduling
from mobilebench.values.artifact import ArtifactFacts, Drawn, Parity, ParityLimits, Preflight
from mobilebench.values.device import Device, DeviceKind, DeviceState, ThermalState
from mobilebench.values.job import Job
from mobilebench.values.measurement import (
    ComputeUnit,
    GateLog,
    Loads,
    Measurement,
    Memory,
    Phase,
    RuntimeInfo,
    Samples,
    UnitEvidence,
)
from mobilebench.values.modelspec import Macs, ModelSpec, Preprocessing, Published, Weights
from mobilebench.values.protocol import protocol
from mobilebench.values.recipe import ExportRecipe, Form, Format, Precision
from mobilebench.values.record import Provenance, Record
from mobilebench.values.tensor import TensorSpec

NETWORKS = tuple(
    f"{family}_{size}"
    for family in (
        "mobilevig",
        "mobilevigv2",
        "fastvit",
        "efficientformer",
        "rapidnet",
        "mobileone",
    )
    for size in ("ti", "s", "m", "b")
)
PHONES = tuple(
    (f"{maker} {number}{kind}", soc)
    for maker, soc in (("Pixel", "Tensor"), ("Galaxy S", "SM8650"), ("Redmi Note ", "MT6897"))
    for number in range(8, 16)
    for kind in ("", " Pro")
)
_RECIPES = (
    (Format.TFLITE, Precision.FP32, "litert", "2.3.0"),
    (Format.TFLITE, Precision.FP16, "litert", "2.3.0"),
    (Format.TFLITE, Precision.FP16_WEIGHTS, "litert", "2.3.0"),
    (Format.ONNX, Precision.FP32, "onnxruntime", "1.24.1"),
    (Format.EXECUTORCH, Precision.FP32, "executorch", "1.5.1"),
)
_UNITS = ((ComputeUnit.CPU, 1), (ComputeUnit.CPU, 4), (ComputeUnit.GPU, 1))
_PROTOCOLS = ("burst-1", "sustained-1")
_START = datetime(2025, 1, 1, tzinfo=UTC)
_MS = 1_000_000
CELLS = len(NETWORKS) * len(PHONES) * len(_RECIPES) * len(_UNITS) * len(_PROTOCOLS)


@cache
def _model(name: str) -> ModelSpec:
    chance = random.Random(f"model {name}")
    return ModelSpec(
        name=name,
        inputs=(TensorSpec(name="image", shape=(1, 3, 224, 224)),),
        params=chance.randrange(3_000_000, 30_000_000),
        macs=Macs(conv=chance.randrange(300_000_000, 5_000_000_000)),
        preprocessing=Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
        published=(Published(source="a paper, table 2", top1=round(chance.uniform(70, 83), 1)),),
        weights=Weights(origin=chance.randbytes(32).hex(), state_sha256=chance.randbytes(32).hex()),
    )


@cache
def _facts(name: str, choice: int) -> ArtifactFacts:
    chance = random.Random(f"facts {name} {choice}")
    error = chance.uniform(1e-7, 9e-6)
    return ArtifactFacts(
        key=chance.randbytes(32).hex(),
        sha256=chance.randbytes(32).hex(),
        size_bytes=chance.randrange(5_000_000, 90_000_000),
        tool_versions={"torch": "2.13.0+cpu", _RECIPES[choice][2]: _RECIPES[choice][3]},
        preflight=Preflight(
            checks=(
                "eval mode",
                "weights loaded and finite",
                "takes the inputs of its spec",
                "draws no random numbers",
                "two passes bit-equal",
                "outputs finite",
            ),
            outputs=(TensorSpec(name="output0", shape=(1, 1000)),),
            fingerprint=chance.randbytes(32).hex(),
            torch_version="2.13.0+cpu",
            seeds=tuple(range(1000, 1016)),
            drawn=Drawn.PIXELS,
            passed_over=(),
        ),
        parity=(
            Parity(
                evaluated_by=f"{_RECIPES[choice][2]} {_RECIPES[choice][3]}",
                inputs=16,
                max_abs_error=error * 3,
                max_relative_error=error,
                snr_db=chance.uniform(100, 130),
                cosine=1 - chance.uniform(0, 1e-12),
                top1_agreement=1.0,
                limits=ParityLimits(
                    max_relative_error=1e-05,
                    min_snr_db=100.0,
                    min_cosine=0.999999,
                    min_top1_agreement=1.0,
                    reason="float32 sums in another order differ by about 1e-6 of the largest "
                    "output over a network of this depth; the smallest real mistake seen, a tanh "
                    "GELU, is 1e-4",
                ),
                passed=True,
            ),
        ),
        op_histogram={
            operation: chance.randrange(1, 200)
            for operation in (
                "Add",
                "AveragePool",
                "Conv",
                "Gelu",
                "Gemm",
                "Concat",
                "Mul",
                "Slice",
            )
        },
        structure={"opset": "20", "inputs": "1"},
        export_seconds=round(chance.uniform(3, 60), 3),
    )


def record(number: int, samples: int, cells: int = CELLS) -> Record:
    """Return a record of the cell `number % cells`, the same for the same number.

    `samples` counts the warm-up, which is a tenth of them.
    """
    chance = random.Random(f"record {number}")
    cell = number % cells
    cell, which = divmod(cell, len(NETWORKS))
    cell, choice = divmod(cell, len(_RECIPES))
    cell, on = divmod(cell, len(_UNITS))
    cell, phone = divmod(cell, len(PHONES))
    rule = protocol(_PROTOCOLS[cell % len(_PROTOCOLS)])
    name, (unit, threads) = NETWORKS[which], _UNITS[on]
    format_, precision, runtime, version = _RECIPES[choice]
    recipe = ExportRecipe(format=format_, precision=precision, form=Form.DEPLOYED)
    facts, model = _facts(name, choice), _model(name)
    taken = _samples(chance, samples, rule.rounds)
    states = _states(chance, taken.t_ns[-1])
    return Record(
        record_id=chance.randbytes(16).hex(),
        created=(_START + timedelta(seconds=30 * number + chance.randrange(30))).strftime(
            "%Y-%m-%dT%H:%M:%S.123Z"
        ),
        model=model,
        recipe=recipe,
        artifact=facts,
        device=Device(
            id=f"adb:{phone:012x}",
            kind=DeviceKind.PHONE,
            model=PHONES[phone][0],
            soc=PHONES[phone][1],
            os="Android",
            os_version="16",
            os_build=f"BP2A.{250605 + phone}.005",
            ram_bytes=12 << 30,
            cores=8,
            boot_age_ns=chance.randrange(10**15),
        ),
        job=Job(
            model_file="model.bin",
            model_sha256=facts.sha256,
            format=format_,
            delegate=None,
            inputs=model.inputs,
            runtime=runtime,
            compute_unit=unit,
            threads=threads,
            protocol=rule,
        ),
        outcome=Measurement(
            runtime=RuntimeInfo(
                name=runtime,
                version=version,
                compute_unit_requested=unit,
                compute_unit_evidence=UnitEvidence.CONFIRMED,
                delegate=None,
                threads=threads,
            ),
            samples=taken,
            loads=Loads(first_ns=chance.randrange(10**9), warm_ns=(chance.randrange(10**8),)),
            memory=Memory(peak_bytes=chance.randrange(1 << 28), before_load_bytes=1 << 20),
            before=states[0],
            after=states[-1],
            gates=(
                GateLog(waited_ns=chance.randrange(10**9), start=ThermalState.NOMINAL, open=True),
            ),
            states=states,
            scheduling=(Scheduling(t_ns=0, foreground=True, screen_on=True, cpuset="top-app"),),
            application=Application(name="mobilebench", version="0.1.0", build=Build.RELEASE),
        ),
        provenance=Provenance(
            harness_version="0.1.0",
            git_commit=None,
            dirty=None,
            transport="adb",
            source_commit=f"{number // 500:040x}",
            source_dirty=False,
        ),
    )


def _samples(chance: random.Random, count: int, rounds: int) -> Samples:
    level = chance.uniform(3, 40) * _MS
    latencies = [int(level * chance.lognormvariate(0, 0.03)) + 1 for _ in range(count)]
    t_ns, now = [], chance.randrange(10 * _MS)
    for latency in latencies:
        t_ns.append(now)
        now += latency + chance.randrange(3_000, 40_000)
    warm = max(count // 10, 1)
    measured = count - warm
    turns = [index * rounds // measured for index in range(measured)]
    return Samples(
        t_ns=tuple(t_ns),
        latency_ns=tuple(latencies),
        phase=(Phase.WARM_UP,) * warm + (Phase.MEASURED,) * measured,
        round=(0,) * warm + tuple(turns),
    )


def _states(chance: random.Random, until_ns: int) -> tuple[DeviceState, ...]:
    """Return a state for each second, as an Android phone gives them."""
    warmth, states = chance.uniform(25, 35), []
    for t_ns in range(0, until_ns + 1, 1000 * _MS):
        warmth += chance.uniform(-0.1, 0.3)
        states.append(
            DeviceState(
                t_ns=t_ns + chance.randrange(3 * _MS),
                thermal=ThermalState.NOMINAL,
                temperatures_c={"battery": round(warmth, 1), "skin": round(warmth + 1.3, 1)},
                headroom=round(min(0.4 + warmth / 200, 1), 3),
                cpu_mhz=float(chance.randrange(300, 3000)),
                battery_fraction=0.8,
                charging=False,
            )
        )
    return tuple(states)


def again(of: Record, number: int) -> Record:
    """Return the same measurement under another id and a later time."""
    chance = random.Random(f"again {number}")
    later = (_START + timedelta(seconds=30 * number)).strftime("%Y-%m-%dT%H:%M:%S.456Z")
    return replace(of, record_id=chance.randbytes(16).hex(), created=later)
