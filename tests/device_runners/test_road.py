"""The whole road on this machine: a job goes out, a journal and a record come back."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilebench.errors import BundleError, CellFailed, UserError
from mobilebench.measuring import job_folder, journal
from mobilebench.store import signing
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.event import EventKind
from mobilebench.values.job import Job, Limits, Reporting, Variant
from mobilebench.values.measurement import Diagnosis, Failure, Measurement, Phase, Stop
from mobilebench.values.policy import Policy, PolicyRule
from mobilebench.values.record import Record
from mobilebench_device_runners.host import HostRunner
from tests.protocols import QUICK, job_for

_S = 1_000_000_000
# Three rounds of half a second, told ten times a second.
_ROUNDS = replace(QUICK, rounds=3, inferences=1, min_duration_ns=_S // 2, max_duration_ns=_S)
_OFTEN = Reporting(every_ns=_S // 10)
_FORMATS = [("onnx-fp32", "onnxruntime"), ("tflite-fp32", "litert"), ("tflite-int8", "litert"),
            ("executorch-fp32", "executorch")]  # fmt: skip


def _written(artifact: Artifact, folder: Path, **changes: object) -> Path:
    """Write the folder of a job by the quick protocol, with changes; return the folder."""
    runtime = HostRunner().runtimes(artifact.manifest.recipe.format)[0]
    job = replace(job_for(artifact, runtime), **changes)  # type: ignore[arg-type]
    job_folder.write(artifact, job, folder)
    return folder


def _changed(folder: Path, **changes: object) -> None:
    """Change the job in a folder as a text editor would."""
    place = folder / job_folder.JOB_FILE
    place.write_text(json.dumps(json.loads(place.read_text()) | changes))


@pytest.mark.parametrize(("name", "runtime"), _FORMATS)
def test_a_job_comes_back_as_journal_and_record(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path, name: str, runtime: str
) -> None:
    artifact = tiny_artifacts[name]
    folder = _written(artifact, tmp_path / "job")
    record = HostRunner().perform("host", folder)
    outcome = record.outcome
    assert isinstance(outcome, Measurement)
    assert outcome.runtime.name == runtime and not outcome.cut_off
    assert [outcome.samples.phase.count(phase) for phase in Phase] == [4, 10]
    assert len(outcome.loads.warm_ns) == 2, "the first load is that of the check"
    [checked] = outcome.parity
    assert checked.passed and [each.name for each in checked.outputs] == ["output0"]
    assert record.model == artifact.manifest.model and record.artifact == artifact.manifest.facts
    assert record.job == job_folder.read(folder).job
    given = job_folder.read(folder)
    signing.require_intact(json.loads(given.record_path.read_text()), "the record")
    assert record.signature is not None
    written = journal.read(given.journal_path, given.content)
    assert written.ended and written.remark is None and written.next_round == 2
    states = [state.t_ns for state in (outcome.before, *outcome.states, outcome.after)]
    assert states == sorted(states) and states[0] == 0


def _until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _cut_off(folder: Path) -> None:
    """Perform a job until its second round has samples, then end its process."""
    cancel = threading.Event()
    failures: list[BaseException] = []

    def perform() -> None:
        try:
            HostRunner().perform("host", folder, cancel)
        except BaseException as error:  # noqa: BLE001 - looked at below
            failures.append(error)

    thread = threading.Thread(target=perform)
    thread.start()
    place = folder / "journal.jsonl"
    _until(lambda: place.exists() and b'"round_ended":0}\n' in place.read_bytes())
    size = place.stat().st_size
    _until(lambda: place.stat().st_size > size)
    cancel.set()
    thread.join()
    assert failures, "the process was ended"
    assert not (folder / job_folder.RECORD_FILE).exists()


def test_a_job_that_was_killed_keeps_what_it_has_and_goes_on(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    folder = _written(
        tiny_artifacts["onnx-fp32"], tmp_path / "job", protocol=_ROUNDS, reporting=_OFTEN
    )
    _cut_off(folder)
    given = job_folder.read(folder)
    left = journal.read(given.journal_path, given.content)
    partial = journal.outcome(left, given.job)
    assert isinstance(partial, Measurement) and partial.cut_off
    assert 1 in partial.samples.round and 2 not in partial.samples.round
    whole = partial.samples.select(round_=0)

    with given.journal_path.open("ab") as file:
        file.write(b'{"n":99,"samples":{"t_ns":[1')  # the process was killed while it wrote
    outcome = HostRunner().perform("host", folder).outcome
    assert isinstance(outcome, Measurement) and not outcome.cut_off
    assert outcome.samples.select(round_=0) == whole, "a round that ended is not measured again"
    assert sorted(set(outcome.samples.round)) == [0, 1, 2]
    [resumed] = [event for event in outcome.events if event.kind is EventKind.RESUMED]
    assert outcome.samples.select(round_=1).t_ns[0] >= resumed.t_ns > whole.t_ns[-1]
    assert len(outcome.loads.cold_ns) == 1, "the first load of the process that went on"
    assert (folder / "journal.jsonl.damaged").read_bytes().endswith(b"[1")
    with pytest.raises(
        UserError, match="its record is record.json; store that with `mobilebench job read`"
    ):
        HostRunner().perform("host", folder)


def test_a_device_stops_by_itself_and_keeps_what_it_has(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    limits = Limits(time_ns=_S)
    folder = _written(
        tiny_artifacts["onnx-fp32"], tmp_path / "job", protocol=_ROUNDS, limits=limits
    )
    outcome = HostRunner().perform("host", folder).outcome
    assert isinstance(outcome, Measurement)
    assert outcome.stopped is Stop.TIME and Diagnosis.STOPPED_EARLY in outcome.reasons
    assert 0 in outcome.samples.round and 2 not in outcome.samples.round
    # The limit is looked at after each inference; the last one may follow a slow load.
    assert outcome.samples.t_ns[-2] < _S


def test_a_stop_before_the_first_sample_is_a_failure(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    folder = _written(tiny_artifacts["onnx-fp32"], tmp_path / "job", limits=Limits(time_ns=1))
    with pytest.raises(CellFailed, match="the limit of time of the job was reached before"):
        HostRunner().perform("host", folder)
    record = wire.read(Record, folder / job_folder.RECORD_FILE)
    assert isinstance(record.outcome, Failure)


def test_wrong_outputs_are_diagnosed_before_anything_is_believed(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    folder = _written(tiny_artifacts["onnx-fp32"], tmp_path / "job")
    place = folder / "parity" / "expected.bin"
    wrong = np.frombuffer(place.read_bytes(), "<f4") * np.float32(1.01)
    place.write_bytes(wrong.astype("<f4").tobytes())
    with pytest.raises(BundleError, match="is not the file of the job"):
        HostRunner().perform("host", folder)
    job = json.loads((folder / job_folder.JOB_FILE).read_text())
    job["parity"]["expected_sha256"] = job_folder.content_sha256(place)
    _changed(folder, parity=job["parity"])
    outcome = HostRunner().perform("host", folder).outcome
    assert isinstance(outcome, Measurement) and Diagnosis.OUTPUTS_DIFFER in outcome.reasons
    [output] = outcome.parity[0].outputs
    assert output.max_relative_error == pytest.approx(0.01 / 1.01, rel=1e-2) and not output.passed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"compute_unit": "npu"}, "the compute unit npu, and the device has only cpu"),
        ({"runtime": "coreml"}, "The runtime coreml cannot run a onnx artifact"),
        ({"runtime": "qnn"}, "no runtime on the host called 'qnn'"),
        ({"upload_url": "https://a.example/v1"}, "asks for an upload to https://a.example/v1"),
        ({"upload_url": "https://me:key@a.example"}, "holds a name or a password"),
        ({"upload_url": "ftp://a.example"}, "not an address that begins with https://"),
        ({"schema_version": 3}, "schema version 3, newer than the 2 that this mobilebench reads"),
        ({"colour": "red"}, "colour: Unexpected keyword argument"),
        ({"model_file": "../model.onnx"}, "not a relative path inside the folder"),
        ({"model_file": "/etc/passwd"}, "not a relative path inside the folder"),
        ({"model_sha256": "0" * 64}, "subject.json is about another file: it names sha256"),
        ({"threads": 0}, "at least one thread"),
        ({"policy": {"rule": "deadline"}}, "the policy deadline has no variants"),
        ({"policy": {"rule": "fixed", "parameters": {"x": 1}}}, "has no parameters"),
        ({"limits": {"time_ns": 0}}, "time_ns is 0; it has to be from 1"),
        ({"limits": {"hottest_c": 3000}}, "hottest_c is 3000"),
        ({"limits": {"least_battery": 1.5}}, "least_battery is 1.5"),
        ({"reporting": {"journal_file": "../../x", "every_ns": 1}}, "not a relative path inside"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_be_done_is_refused_in_words(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    folder = _written(tiny_artifacts["onnx-fp32"], tmp_path / "job")
    _changed(folder, **changes)
    with pytest.raises(UserError) as caught:
        HostRunner().perform("host", folder)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert not (folder / "journal.jsonl").exists()


@pytest.mark.parametrize("name", ["model.onnx", "parity/inputs.bin", "parity/expected.bin"])
def test_a_file_that_is_lost_or_is_another_one_is_refused(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path, name: str
) -> None:
    folder = _written(tiny_artifacts["onnx-fp32"], tmp_path / "job")
    file = folder / name
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(BundleError, match=f"{name} is not the file of the job: it has sha256"):
        HostRunner().perform("host", folder)
    file.unlink()
    with pytest.raises(BundleError, match=f"has lost {name}, which its job names"):
        HostRunner().perform("host", folder)
    assert not (folder / "journal.jsonl").exists()


def test_a_policy_without_accuracies_is_refused(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    folder = _written(tiny_artifacts["onnx-fp32"], tmp_path / "job")
    job = job_folder.read(folder).job
    variant = {"name": "full", "model_file": job.model_file, "model_sha256": job.model_sha256,
               "width": 1.0}  # fmt: skip
    _changed(folder, variants=[variant], policy={"rule": "deadline"})
    with pytest.raises(UserError, match="policy deadline weighs accuracies, and that of full is"):
        HostRunner().perform("host", folder)


def test_a_journal_of_another_job_is_refused(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    first = _written(tiny_artifacts["onnx-fp32"], tmp_path / "first")
    HostRunner().perform("host", first)
    second = _written(tiny_artifacts["onnx-fp32"], tmp_path / "second", threads=2)
    os.link(first / "journal.jsonl", second / "journal.jsonl")
    with pytest.raises(UserError, match="is of another job: it names sha256"):
        HostRunner().perform("host", second)
    assert not (second / job_folder.RECORD_FILE).exists()


@pytest.mark.parametrize("name", ["job.json", "subject.json", "model.onnx"])
def test_a_folder_that_lost_a_file_says_which(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path, name: str
) -> None:
    folder = _written(tiny_artifacts["onnx-fp32"], tmp_path / "job")
    (folder / name).unlink()
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        HostRunner().perform("host", folder)


def test_a_folder_takes_one_job(tiny_artifacts: dict[str, Artifact], tmp_path: Path) -> None:
    folder = _written(tiny_artifacts["onnx-fp32"], tmp_path / "job")
    with pytest.raises(UserError, match="holds a job already"):
        _written(tiny_artifacts["onnx-fp32"], folder)


def test_variants_are_in_order_and_begin_with_the_model() -> None:
    def job(*variants: Variant) -> Job:
        return Job(
            model_file="a.onnx", model_sha256="1" * 64, format="onnx", delegate=None,  # type: ignore[arg-type]
            inputs=(), runtime="onnxruntime", protocol=QUICK, variants=variants,
            policy=Policy(rule=PolicyRule.DEADLINE),
        )  # fmt: skip

    full = Variant(name="full", model_file="a.onnx", model_sha256="1" * 64, width=1.0)
    half = replace(full, name="half", width=0.5, entry="narrow=1")
    assert job(full, half).files == {"a.onnx": "1" * 64}
    for variants, words in (
        ((half, full), "not in the order of falling width"),
        ((full, replace(half, name="full")), "the same name"),
        ((replace(full, model_file="b.onnx"), half), "is not the model file of the job"),
    ):
        with pytest.raises(ValueError, match=words):
            job(*variants)
    for width in (0, 2, float("nan")):
        with pytest.raises(ValueError, match="width is"):
            replace(full, width=width)
    with pytest.raises(ValueError, match="schema version 9; this mobilebench reads 1 to 2"):
        replace(job(full), schema_version=9)
