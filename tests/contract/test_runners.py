"""Verify every sentence of `interfaces.Runner`, for every runner that has a device here."""

from __future__ import annotations

import dataclasses

import pytest

from mobilebench import plugins
from mobilebench.errors import UserError
from mobilebench.inputs import seeded
from mobilebench.interfaces import Runner
from mobilebench.values.artifact import REFERENCE_FILE, Artifact
from mobilebench.values.measurement import Phase
from mobilebench.values.recipe import Format
from tests.doubles import Followed
from tests.protocols import job_for


@pytest.fixture(params=plugins.runner_names())
def runner(request: pytest.FixtureRequest) -> Runner:
    candidate = plugins.runner(request.param)
    if not candidate.devices():
        pytest.skip(f"no {request.param} device is attached; attach one and run `-m device`")
    return candidate


def _pairs(runner: Runner) -> list[tuple[Format, str]]:
    return [(format_, name) for format_ in Format for name in runner.runtimes(format_)]


def test_its_devices_have_ids_of_its_scheme(runner: Runner) -> None:
    for device in runner.devices():
        assert device.id == runner.scheme or device.id.startswith(f"{runner.scheme}:")


def test_what_is_attached_and_can_be_used_are_its_devices(runner: Runner) -> None:
    usable = [each.id for each in runner.attached() if each.usable]
    assert usable == [device.id for device in runner.devices()]


def test_a_device_can_be_read_alone(runner: Runner) -> None:
    ids = [attached.id for attached in runner.attached()]
    assert len(set(ids)) == len(ids)
    for id_ in ids[:2]:
        assert [attached.id for attached in runner.attached(id_)] == [id_]
    assert runner.attached(f"{runner.scheme}:nosuch") == ()


def test_it_states_its_transport(runner: Runner) -> None:
    assert runner.transport


def test_it_runs_some_format(runner: Runner) -> None:
    assert _pairs(runner)


def test_a_measurement_holds_every_sample_of_the_protocol(
    runner: Runner, tiny_artifacts: dict[str, Artifact]
) -> None:
    device = runner.devices()[0]
    for format_, runtime in _pairs(runner):
        artifact = tiny_artifacts[f"{format_}-fp32"]
        measurement = runner.run(
            device.id, artifact, job_for(artifact, runtime, threads=2)
        ).measurement
        assert len(measurement.samples.latencies_ns()) == 10
        assert len(measurement.samples.latencies_ns(Phase.WARM_UP)) == 4
        assert measurement.runtime.name == runtime
        assert measurement.runtime.version[0].isdigit() or "macOS" in measurement.runtime.version
        assert measurement.runtime.threads == 2
        assert measurement.loads.first_ns > 0 and len(measurement.loads.warm_ns) == 1
        assert measurement.memory.peak_bytes >= measurement.memory.before_load_bytes > 0


def test_rounds_are_stages_of_the_progress(
    runner: Runner, tiny_artifacts: dict[str, Artifact]
) -> None:
    # The last is one whose time is ours; rounds in simulated time are too short to be seen.
    device = runner.devices()[-1]
    for format_, runtime in _pairs(runner):
        artifact = tiny_artifacts[f"{format_}-fp32"]
        job = job_for(artifact, runtime)
        long = dataclasses.replace(job.protocol, min_duration_ns=10**9, max_duration_ns=10**10)
        followed = Followed()
        runner.run(
            device.id,
            artifact,
            dataclasses.replace(job, protocol=long),
            progress=followed.started("cell"),
        )
        assert followed.stages == ["round 1 of 2", "round 2 of 2"]
        assert followed.outcomes == [], "the caller ends its progress"


def test_predictions_are_those_of_pytorch(
    runner: Runner, tiny_artifacts: dict[str, Artifact]
) -> None:
    device = runner.devices()[0]
    for format_, runtime in _pairs(runner):
        artifact = tiny_artifacts[f"{format_}-fp32"]
        batches = seeded.samples(artifact.manifest.model.inputs, 3, 1000)
        name, outputs = runner.predict(
            device.id, artifact.model_path, artifact.manifest.recipe, runtime, batches
        )
        assert name.startswith(runtime)
        expected = seeded.load_batches(artifact.folder / REFERENCE_FILE)[:3]
        for batch, reference in zip(outputs, expected, strict=True):
            # float32 rounding of a five-layer network is below 1e-6 of outputs near 1.
            assert abs(batch[0] - reference[0]).max() <= 1e-5


def test_a_runtime_of_another_format_is_refused(
    runner: Runner, tiny_artifacts: dict[str, Artifact]
) -> None:
    device = runner.devices()[0]
    pairs = _pairs(runner)
    for format_, _ in pairs:
        other = next(name for other_format, name in pairs if other_format != format_)
        artifact = tiny_artifacts[f"{format_}-fp32"]
        with pytest.raises(UserError, match="runtimes that can"):
            runner.run(device.id, artifact, job_for(artifact, other))


def test_an_unknown_runtime_is_refused(runner: Runner, tiny_artifacts: dict[str, Artifact]) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    job = dataclasses.replace(job_for(artifact, "onnxruntime"), runtime="onnxruntim")
    with pytest.raises(UserError, match="did you mean onnxruntime"):
        runner.run(runner.devices()[0].id, artifact, job)
