"""`mobilebench job`: the folder for a device, done here, and what came back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from mobilebench.measuring import job_folder
from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.event import EventKind
from mobilebench.values.job import Job, Limits
from mobilebench.values.measurement import Diagnosis, Measurement
from mobilebench.values.unit import ComputeUnit
from tests.conftest import Ran

Program = Callable[..., Ran]
SMOKE = ("--protocol", "smoke-1")


@pytest.fixture
def folder(mobilebench: Program, tmp_path: Path, tiny_artifacts: dict[str, Artifact]) -> Path:
    """Return the folder of a job that has not been done."""
    done = mobilebench("job", "write", tiny_artifacts["onnx-fp32"].folder, "job", *SMOKE)
    assert done.code == 0 and done.stderr == "written: job\n", done.stderr
    return tmp_path / "job"


def _records(tmp_path: Path) -> RecordStore:
    return RecordStore(tmp_path / "records.sqlite", create=False)


def test_a_folder_holds_a_job_with_what_was_asked_for(
    mobilebench: Program, tmp_path: Path, tiny_artifacts: dict[str, Artifact]
) -> None:
    done = mobilebench(
        "job", "write", tiny_artifacts["onnx-fp32"].folder, "phone", "--runtime", "qnn",
        "--compute-unit", "npu", "-t", "2", "--time-limit", "2.5", "--warmest", "fair",
        "--hottest", "45", "--least-battery", "20",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    job = wire.read(Job, tmp_path / "phone" / "job.json")
    assert (job.runtime, job.compute_unit, job.threads) == ("qnn", ComputeUnit.NPU, 2)
    assert job.protocol.id == "burst-1" and job.parity is not None
    limits = Limits(time_ns=2_500_000_000, warmest="fair", hottest_c=45, least_battery=0.2)  # type: ignore[arg-type]
    assert job.limits == limits
    job_folder.read(tmp_path / "phone").require_files()


def test_a_job_is_done_once_and_its_record_stored_once(
    mobilebench: Program, folder: Path, tmp_path: Path
) -> None:
    done = mobilebench("job", "run", folder, "--json")
    assert done.code == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown == json.loads((folder / "record.json").read_text())
    again = mobilebench("job", "run", folder)
    assert again.code == 2 and "is done" in again.stderr
    read = mobilebench("job", "read", folder)
    assert read.code == 0 and "there already" in read.stderr
    with _records(tmp_path) as store:
        [record] = store.find()
        assert store.problems() == (1, [])
    assert record.record_id == shown["record_id"] and record.signature is not None


def test_the_journal_of_an_app_that_was_ended_is_read_and_the_job_goes_on(
    mobilebench: Program, folder: Path, tmp_path: Path
) -> None:
    assert mobilebench("job", "run", folder, "--store", "other.sqlite").code == 0
    (folder / "record.json").unlink()
    place = folder / "journal.jsonl"
    [*lines, _, last] = place.read_bytes().splitlines(keepends=True)
    place.write_bytes(b"".join(lines) + last[:30])
    for told in ("stored:", "there already:"):
        done = mobilebench("job", "read", folder)
        assert done.code == 0 and told in done.stderr
        assert "journal.jsonl: its last line is cut off after 30 bytes" in done.stderr
        assert "cut off" in done.stdout
    assert not (folder / "record.json").exists(), "the device has not written it"
    assert mobilebench("job", "run", folder).code == 0
    with _records(tmp_path) as store:
        first, second = (record.outcome for record in store.find())
    assert isinstance(first, Measurement) and isinstance(second, Measurement)
    assert Diagnosis.CUT_OFF in first.reasons and Diagnosis.CUT_OFF not in second.reasons


def test_why_a_device_left_no_record_is_told(mobilebench: Program, folder: Path) -> None:
    never = mobilebench("job", "read", folder)
    assert never.code == 2 and "no device has begun with its job" in never.stderr
    (folder / "no-record.txt").write_bytes(b"refused\nNo GPU\x1b[31m;\xff name another unit.\n")
    refused = mobilebench("job", "read", folder)
    assert refused.code == 2 and "\x1b" not in refused.stderr
    assert "holds no measurement. The device says: refused: No GPU" in refused.stderr
    (folder / "no-record.txt").unlink()
    assert mobilebench("job", "run", folder).code == 0
    (folder / "record.json").unlink()
    (folder / "no-record.txt").write_text("cut off\nThe process ended.\n")
    cut = mobilebench("job", "read", folder)
    assert cut.code == 0 and "the device says: cut off: The process ended." in cut.stderr


def test_a_failure_is_stored_and_exit_code_one(
    mobilebench: Program, folder: Path, tmp_path: Path
) -> None:
    from mobilebench.values.artifact import content_sha256

    model = folder / "model.onnx"
    model.write_bytes(b"no model")
    for name, keys in (("job.json", ("model_sha256",)), ("subject.json", ("artifact", "sha256"))):
        plain = json.loads((folder / name).read_text())
        inner = plain
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = content_sha256(model)
        (folder / name).write_text(json.dumps(plain))
    done = mobilebench("job", "run", folder)
    assert done.code == 1, done.stderr
    with _records(tmp_path) as store:
        [record] = store.find()
    assert record.outcome.kind == "failure"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("read", "nowhere"), "nowhere holds no job.json"),
        (("run", "nowhere"), "nowhere holds no job.json"),
        (("read", "job"), "holds neither a record nor a journal"),
        (("run", "job", "--device", "moon:1"), "moon"),
        (("write", "{artifact}", "job"), "job holds a job already"),
        (("write", "{artifact}", "x", "--warmest", "hot"), "no thermal state called 'hot'"),
        (("write", "{artifact}", "x", "--hottest", "3000"), "hottest_c is 3000.0; it has to be"),
        (("write", "{artifact}", "x", "--hottest", "nan"), "A limit is impossible"),
        (("write", "{artifact}", "x", "--least-battery", "101"), "least_battery is 1.01"),
        (("write", "{artifact}", "x", "--time-limit", "0"), "time_ns is 0"),
        (("write", "{artifact}", "x", "--time-limit", "inf"), "A limit is impossible"),
        (("write", "nothing", "x"), "nothing is not an artifact"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_sentence(
    mobilebench: Program, folder: Path, tiny_artifacts: dict[str, Artifact],
    arguments: tuple[str, ...], sentence: str,
) -> None:  # fmt: skip
    given = [word.format(artifact=tiny_artifacts["onnx-fp32"].folder) for word in arguments]
    done = mobilebench("job", *given)
    assert done.code == 2 and "Traceback" not in done.stderr, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentence in line
    assert not (folder.parent / "x").exists()


def test_two_processes_do_not_share_a_journal(mobilebench: Program, folder: Path) -> None:
    with FileLock(folder / ".lock"):
        done = mobilebench("job", "run", folder)
    assert done.code == 2 and "Another process does the job in" in done.stderr
    assert not (folder / "journal.jsonl").exists()
    assert mobilebench("job", "run", folder).code == 0


def test_a_process_that_is_killed_leaves_its_journal_and_the_next_one_goes_on(
    folder: Path, tmp_path: Path
) -> None:
    place = folder / "job.json"
    plain = json.loads(place.read_text())
    plain["protocol"] |= {"rounds": 3, "min_duration_ns": 10**9, "max_duration_ns": 2 * 10**9}
    place.write_text(json.dumps(plain))
    program = [sys.executable, "-m", "mobilebench", "job", "run", str(folder)]
    environment = {**os.environ, "MOBILEBENCH_STORE": str(tmp_path / "records.sqlite")}
    running = subprocess.Popen(program, env=environment, stderr=subprocess.DEVNULL)
    journal = folder / "journal.jsonl"
    deadline = time.monotonic() + 60
    while not (journal.exists() and b'"round_ended":0' in journal.read_bytes()):
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.05)
    for child in psutil.Process(running.pid).children(recursive=True):
        child.kill()
    running.wait(60)
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with _records(tmp_path) as store:
        outcome = store.find()[-1].outcome
    assert isinstance(outcome, Measurement) and not outcome.cut_off
    assert EventKind.RESUMED in {event.kind for event in outcome.events}
    assert {0, 1, 2} == set(outcome.samples.round) and len(outcome.loads.cold_ns) == 1


def test_a_record_of_another_job_is_refused(mobilebench: Program, folder: Path) -> None:
    assert mobilebench("job", "run", folder).code == 0
    job = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps(job | {"threads": 2}))
    done = mobilebench("job", "read", folder)
    assert done.code == 2 and "is not the record of the job beside it" in done.stderr


def test_a_record_that_was_changed_is_refused(mobilebench: Program, folder: Path) -> None:
    assert mobilebench("job", "run", folder, "--store", "other.sqlite").code == 0
    record = folder / "record.json"
    plain = json.loads(record.read_text())
    plain["outcome"]["samples"]["latency_ns"][-1] //= 2
    record.write_text(json.dumps(plain))
    done = mobilebench("job", "read", folder)
    assert done.code == 2 and "does not match its signature" in done.stderr


def test_another_record_with_the_id_of_a_stored_one_is_refused(
    mobilebench: Program, folder: Path, tmp_path: Path
) -> None:
    assert mobilebench("job", "run", folder).code == 0
    record = folder / "record.json"
    plain = json.loads(record.read_text())
    del plain["signature"]
    plain["outcome"]["samples"]["latency_ns"][-1] //= 2
    record.write_text(json.dumps(plain))
    done = mobilebench("job", "read", folder)
    assert done.code == 2 and "holds another record with the id" in done.stderr, done.stderr
    with _records(tmp_path) as store:
        assert store.find()[0].signature is not None
