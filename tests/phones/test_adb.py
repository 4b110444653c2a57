"""Jobs on a phone at the end of an adb that follows a script, and what can go wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mobilebench import plugins
from mobilebench.measuring import job_folder
from mobilebench.store import signing
from mobilebench.values.artifact import Artifact
from mobilebench.values.device import DeviceKind
from mobilebench.values.job import Reporting
from mobilebench.values.measurement import Measurement
from mobilebench.values.recipe import Precision
from mobilebench.values.record import Record
from mobilebench.values.request import Request
from mobilebench.values.tensor import parse_tensor
from mobilebench_device_runners._remote import Patience
from mobilebench_device_runners.adb import AdbRunner
from tests.conftest import TINY, export_quickly, shared_folder
from tests.phones.packages import write_package
from tests.phones.scripted_phone import Phone, write_adb
from tests.protocols import QUICK, job_for

_S = 1_000_000_000
ID = "adb:PHONE1"
# Three rounds of half a second, told ten times a second.
ROUNDS = replace(QUICK, rounds=3, inferences=1, min_duration_ns=_S // 2, max_duration_ns=_S)
OFTEN = Reporting(every_ns=_S // 10)
HURRY = Patience(
    start_s=20, look_s=0.2, outside_s=0.5, lost_s=10, record_s=3, overhead_s=60, restarts=2
)


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Return the tiny network in one file, with the outputs that are expected of it."""
    request = Request(reference=TINY, inputs=(parse_tensor("1x3x32x32"),))
    recipe = plugins.exporter("onnx").recipe(Precision.FP32)
    with shared_folder(tmp_path_factory, "phones-artifact") as out:
        [exported] = export_quickly(request, [recipe], out)
    assert isinstance(exported.outcome, Artifact), exported.outcome
    return exported.outcome


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    """Return a phone that nothing is wrong with, the only one that adb lists."""
    phone = Phone.make(tmp_path / "phone")
    programs = write_adb(tmp_path / "programs")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("PHONES", str(phone.folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MOBILEBENCH_APK", str(write_package(tmp_path / "app.apk")))
    yield phone
    phone.kill()


def runner() -> AdbRunner:
    return AdbRunner(HURRY)


def written(artifact: Artifact, folder: Path, **changes: Any) -> Path:
    """Write the folder of a job that takes two seconds; return it."""
    job = replace(job_for(artifact, "onnxruntime"), protocol=ROUNDS, reporting=OFTEN)
    job_folder.write(artifact, replace(job, **changes), folder)
    return folder


def with_faults(phone: Phone, **faults: Any) -> None:
    with phone.changed() as state:
        state["faults"] |= faults


def test_a_job_goes_to_the_phone_and_its_record_comes_back(
    phone: Phone, artifact: Artifact, tmp_path: Path
) -> None:
    folder = written(artifact, tmp_path / "job")
    record = runner().perform(ID, folder)
    outcome = record.outcome
    assert isinstance(outcome, Measurement) and not outcome.cut_off
    assert sorted(set(outcome.samples.round)) == [0, 1, 2]
    assert outcome.parity[0].passed
    assert record.provenance.transport == "adb"
    assert record.device.kind is DeviceKind.PHONE
    assert record.device.id == "android-0123456789ab"
    given = job_folder.read(folder)
    signing.require_intact(json.loads(given.record_path.read_text()), "the record")
    theirs = json.loads((folder / "device-record.json").read_text())
    assert theirs["provenance"]["transport"] == "app"
    assert (
        theirs["outcome"]["samples"]
        == json.loads(given.record_path.read_text())["outcome"]["samples"]
    )
    _require_seen(record)
    # Left clean: no job, no process, and the settings that it had.
    assert phone.runner() is None
    assert list((phone.files / "jobs").iterdir()) == []
    assert phone.state()["settings"]["stay_on_while_plugged_in"] == "0"


def _require_seen(record: Record) -> None:
    seen = record.seen
    assert seen is not None and seen.by == "adb 34.0.5-scripted"
    assert seen.before.model == "Scripted Phone" and seen.after is not None
    assert "PHONE1" not in json.dumps(repr(seen)), "serial numbers stay out of records"
    assert seen.readings and seen.readings[0].temperatures_c == {"cpu0": 41.5, "skin": 31.25}
    assert seen.clock_uncertainty_ns is not None and seen.clock_uncertainty_ns > 0
    assert seen.settings == {"stay_on_while_plugged_in": "7"}
    assert seen.interruptions == ()
