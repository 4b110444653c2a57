"""Records made by hand for the pages: short and long runs, failures, two devices, two commits."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace

from mobilebench.values.device import Device, DeviceKind, DeviceState, ThermalState
from mobilebench.values.event import Event, EventKind
from mobilebench.values.measurement import Diagnosis, Measurement, Phase, Samples, Validity
from mobilebench.values.modelspec import Weights
from mobilebench.values.protocol import protocol
from mobilebench.values.recipe import ExportRecipe, Format, Precision
from mobilebench.values.record import Record
from tests.records import failed_export, measured

_S = 1_000_000_000
_MINUTE = 60 * _S
PHONE = Device(
    id="adb:41fd3a90c7b2", kind=DeviceKind.PHONE, model="Example Phone 9", soc="Example X1",
    os="Android", os_version="16", os_build="BP2A.250605", ram_bytes=12 << 30, cores=8,
)  # fmt: skip
OTHER = replace(PHONE, id="adb:9e01bb27aa10", model="Example Phone 8", soc="Example X0")
SIMULATED = Device(
    id="sim:glass", kind=DeviceKind.SIMULATED, model="Simulated glass phone", os="none",
    os_version="1",
)  # fmt: skip
NETWORKS = {"mobilevig_ti": 75.7, "rapidnet_ti": 76.3, "fastvit_t8": 76.2, "mobilevit_xxs": 69.0}
_TRAINED = Weights(origin="3fa2c1d0" * 8, state_sha256="1" * 64, key="state_dict_ema")


def made(
    model: str,
    *,
    level_ms: float,
    device: Device = PHONE,
    precision: Precision = Precision.FP32,
    number: int = 0,
    top1: float | None = None,
    reasons: tuple[Diagnosis, ...] = (),
    created: str = "2026-03-01T10:00:00.000Z",
    protocol_id: str = "burst-1",
) -> Record:
    """Return a record of short rounds around a latency."""
    record = measured(model=model, protocol_id=protocol_id, reasons=reasons, created=created)
    recipe = ExportRecipe(format=Format.ONNX, precision=precision, target="opset20")
    name = f"{model} {precision} {device.id} {protocol_id} {number}"
    rounds = protocol(protocol_id).rounds
    assert isinstance(record.outcome, Measurement) and record.artifact is not None
    facts = replace(record.artifact, sha256=_digest(f"{model} {precision}"))
    latencies = [
        round(1e6 * level_ms * (1 + 0.02 * math.sin(7 * each) + 0.01 * (each % 5)))
        for each in range(20 * rounds)
    ]
    samples = Samples(
        t_ns=tuple(100_000_000 * each for each in range(len(latencies))),
        latency_ns=tuple(latencies),
        phase=(Phase.MEASURED,) * len(latencies),
        round=tuple(each // 20 for each in range(len(latencies))),
    )
    model_spec = replace(record.model, weights=_TRAINED)
    published = replace(model_spec.published[0], top1=top1 or NETWORKS.get(model, 70.0))
    return replace(
        record,
        record_id=_digest(name)[:32],
        model=replace(model_spec, published=(published,)),
        recipe=recipe,
        artifact=facts,
        device=device,
        outcome=replace(record.outcome, samples=samples),
    )


def hot(
    model: str, *, level_ms: float, slower: float, device: Device = PHONE, widths: bool = False
) -> Record:
    """Return a run of half an hour at 2 frames a second whose latency rises with the heat."""
    record = made(model, level_ms=level_ms, device=device)
    assert isinstance(record.outcome, Measurement) and record.job is not None
    rule = protocol("paced-2fps-30min-1")
    frames = 2 * 1800
    times = [_S // 2 * each for each in range(frames)]
    rise = [min(1.0, t / (20 * _MINUTE)) for t in times]
    narrow = [widths and t > 12 * _MINUTE for t in times]
    latencies = [
        round(
            1e6
            * level_ms
            * (1 + slower * (part > 0.4) * part + 0.02 * math.sin(each))
            * (0.6 if half else 1.0)
        )
        for each, (part, half) in enumerate(zip(rise, narrow, strict=True))
    ]
    states = tuple(
        DeviceState(
            t_ns=10 * _S * each,
            thermal=_thermal(10 * _S * each),
            temperatures_c={
                "skin": round(30 + 14 * min(1.0, each / 120), 1),
                "battery": round(28 + 9 * min(1.0, each / 150), 1),
            },
            cpu_cap_mhz=2800.0 if 10 * _S * each < 9 * _MINUTE else 2100.0,
        )
        for each in range(180)
    )
    return replace(
        record,
        record_id=_digest(f"hot {model} {device.id}")[:32],
        job=replace(record.job, protocol=rule),
        outcome=replace(
            record.outcome,
            samples=Samples(
                t_ns=tuple(times),
                latency_ns=tuple(latencies),
                phase=(Phase.MEASURED,) * frames,
                round=(0,) * frames,
                width=tuple(0.5 if half else 1.0 for half in narrow) if widths else (),
            ),
            states=states,
            events=(
                Event(t_ns=9 * _MINUTE, kind=EventKind.CLOCK_CAP, readings={"cap_mhz": 2100.0}),
            ),
            before=states[0],
            after=states[-1],
            reasons=(Diagnosis.THROTTLED,),
            validity=Validity.SUSPECT,
        ),
    )


def _thermal(t_ns: int) -> ThermalState:
    if t_ns < 6 * _MINUTE:
        return ThermalState.NOMINAL
    return ThermalState.FAIR if t_ns < 9 * _MINUTE else ThermalState.SERIOUS


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def example() -> list[Record]:
    """Return a small laboratory: two phones, a simulated one, heat, doubts and failures."""
    records = [
        made(model, level_ms=level, device=device, precision=precision)
        for device, factor in ((PHONE, 1.0), (OTHER, 1.6))
        for precision, gain in ((Precision.FP32, 1.0), (Precision.FP16, 0.7))
        for model, level in zip(
            NETWORKS, (each * factor * gain for each in (12.0, 14.0, 14.2, 8.0)), strict=True
        )
    ]
    records.append(made("edgenext_xxs", level_ms=11.0, reasons=(Diagnosis.NOISY_SAMPLES,)))
    records += [
        hot("mobilevig_ti", level_ms=12.0, slower=0.8),
        hot("rapidnet_ti", level_ms=14.0, slower=0.2),
        hot("fastvit_t8", level_ms=14.2, slower=0.5),
        hot("mobilevig_ti", level_ms=13.0, slower=0.6, device=SIMULATED, widths=True),
    ]
    return [*records, failed_export(target="opset18"), *runs()]


def runs(levels: Sequence[float] = (9.0,) * 8 + (9.9,) * 8) -> list[Record]:
    """Return a cell that was measured again and again, and became slower once."""
    return [
        replace(
            made(
                "mobilevit_xs",
                level_ms=level * (1 + 0.001 * (number % 3)),
                number=number,
                created=f"2026-02-{number + 1:02}T10:00:00.000Z",
            ),
        )
        for number, level in enumerate(levels)
    ]
