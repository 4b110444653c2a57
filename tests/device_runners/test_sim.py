"""Policies on simulated phones and on this machine, through the ordinary road of a job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench import plugins
from mobilebench.errors import UserError
from mobilebench.measuring import job_folder
from mobilebench.values.artifact import Artifact
from mobilebench.values.device import DeviceKind
from mobilebench.values.event import EventKind
from mobilebench.values.job import Job, Variant, VariantAccuracy
from mobilebench.values.measurement import Measurement, Phase
from mobilebench.values.policy import Aim, Policy, PolicyRule
from mobilebench.values.protocol import Protocol, WarmUp
from mobilebench.values.record import Record
from tests.protocols import job_for

S = 1_000_000_000
HOT = Policy(
    rule=PolicyRule.THRESHOLD, aim=Aim(skin_c=25.0), parameters={"dwell_ns": 0.0, "guarded": 0.0}
)
"""The skin of every simulated phone is warmer than this from the beginning."""


def _paced(seconds: float, fps: int = 20) -> Protocol:
    return Protocol(
        id="test-paced",
        purpose="tests",
        rounds=1,
        warm_up=WarmUp(min_iterations=2, min_duration_ns=0, max_duration_ns=S),
        inferences=1,
        min_duration_ns=int(seconds * S),
        max_duration_ns=int(seconds * S),
        interval_ns=S // fps,
        sense_ns=S // 4,
    )


def _job(artifact: Artifact, protocol: Protocol, policy: Policy) -> Job:
    """Return a job of three widths; one small file stands for all of them."""
    job = replace(job_for(artifact, "onnxruntime"), protocol=protocol)
    variants = tuple(
        Variant(
            name=f"w{width}",
            model_file=f"variants/{width}/{job.model_file}" if width < 1 else job.model_file,
            model_sha256=job.model_sha256,
            width=width,
            accuracy=VariantAccuracy(top1=top1, source="made up for this test", measured=False),
        )
        for width, top1 in ((1.0, 70.0), (0.75, 68.0), (0.5, 64.0))
    )
    return replace(job, variants=variants, policy=policy)


def _run(device: str, artifact: Artifact, job: Job) -> Measurement:
    return (
        plugins.runner(device).run(device, artifact, job, variants=(artifact, artifact)).measurement
    )


@pytest.mark.parametrize("device", ["sim:throttling", "sim:throttling:real"])
def test_a_hot_phone_is_given_narrower_networks(
    device: str, tiny_artifacts: dict[str, Artifact]
) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    measurement = _run(device, artifact, _job(artifact, _paced(2), HOT))
    samples = measurement.samples
    assert samples.width[-1] == 0.5
    shifts = [(e.kind, e.from_width, e.to_width, e.note) for e in measurement.events]
    assert shifts == [
        (EventKind.WIDTH_SHIFT, 1.0, 0.75, "heat"),
        (EventKind.WIDTH_SHIFT, 0.75, 0.5, "heat"),
    ]
    assert all("skin_c" in event.readings for event in measurement.events)
    assert measurement.loads.first_ns > 0
    warm_up = samples.select(Phase.WARM_UP).width
    assert warm_up[-36:] == (0.5,) * 12 + (0.75,) * 12 + (1.0,) * 12, "cool latencies come first"
    assert len(samples.latencies_ns()) == pytest.approx(40, abs=2)
    for state in (measurement.before, *measurement.states, measurement.after):
        assert state.temperatures_c is not None and set(state.temperatures_c) == {"skin", "battery"}


def test_this_machine_follows_a_policy_too(tiny_artifacts: dict[str, Artifact]) -> None:
    """A deadline that no frame can keep takes the narrowest width."""
    artifact = tiny_artifacts["onnx-fp32"]
    impossible = Policy(rule=PolicyRule.DEADLINE, aim=Aim(deadline_ns=1))
    measurement = _run("host", artifact, _job(artifact, _paced(1), impossible))
    assert measurement.samples.select().width[-1] == 0.5
    assert [event.note for event in measurement.events] == ["late"]


def test_half_an_hour_passes_in_simulated_time(tiny_artifacts: dict[str, Artifact]) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    measurement = _run("sim:steady", artifact, _job(artifact, _paced(1800, fps=1), Policy()))
    samples = measurement.samples.select()
    assert samples.t_ns[-1] - samples.t_ns[0] == pytest.approx(1800 * S, abs=2 * S)
    assert samples.width == (), "with a fixed policy there is one network"


def test_a_job_of_widths_is_done_from_its_folder(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    job_folder.write(
        artifact, _job(artifact, _paced(1), HOT), tmp_path / "a job", (artifact, artifact)
    )
    record: Record = plugins.runner("sim:silent").perform("sim:throttling", tmp_path / "a job")
    assert record.device.kind is DeviceKind.SIMULATED and record.device.id == "sim:throttling"
    assert record.job is not None and record.job.choice is not None
    assert record.job.choice.startswith("threshold of 1, 0.75, 0.5, ")
    assert record.cell.choice == record.identity.choice == record.job.choice
    assert record.provenance.transport == "simulation in a local process"


def test_a_lost_variant_is_named(tiny_artifacts: dict[str, Artifact], tmp_path: Path) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    job = job_folder.write(artifact, _job(artifact, _paced(1), HOT), tmp_path, (artifact, artifact))
    (tmp_path / job.variants[2].model_file).unlink()
    with pytest.raises(UserError, match="variants/0.5/"):
        plugins.runner("sim").perform("sim:steady", tmp_path)


@pytest.mark.parametrize("device", ["host", "sim:steady"])
def test_what_a_policy_cannot_follow_is_refused_before_anything_runs(
    device: str, tiny_artifacts: dict[str, Artifact]
) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    job = _job(artifact, _paced(1), Policy(rule=PolicyRule.DEADLINE))
    unknown = tuple(replace(variant, accuracy=None) for variant in job.variants)
    for wrong, words in (
        (replace(job, variants=unknown), "that of w1.0 is not known"),
        (replace(job, protocol=replace(job.protocol, interval_ns=None)), "needs a deadline"),
        (
            replace(job, policy=Policy(rule=PolicyRule.DEADLINE, parameters={"gian": 1.0})),
            "did you mean gain",
        ),
    ):
        with pytest.raises(UserError, match=words):
            _run(device, artifact, wrong)


def test_an_unknown_simulated_phone_is_refused(tiny_artifacts: dict[str, Artifact]) -> None:
    from mobilebench.measuring.setting import find_device

    with pytest.raises(UserError, match="There is no device 'sim:nosuch'.*sim:throttling"):
        find_device("sim:nosuch")
