"""A job on an Android phone by adb: there, done, and back, with nothing left behind."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.measuring import bench, job_folder
from mobilebench.measuring.setting import Setting, plan
from mobilebench.store import signing
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.device import DeviceKind
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record
from mobilebench_device_runners._adb import apk
from mobilebench_device_runners._remote import Patience
from mobilebench_device_runners.adb import AdbRunner
from tests.conftest import Ran
from tests.phones.packages import write_package
from tests.phones.scripted_phone import Phone
from tests.protocols import QUICK

ID = "adb:PHONE1"
HURRY = Patience(start_s=30, look_s=0.2, outside_s=0.5, lost_s=10, record_s=3, overhead_s=120)
Written = Callable[..., Path]


def runner(**changes: float) -> AdbRunner:
    """Return a runner that waits less than for a real phone."""
    return AdbRunner(replace(HURRY, **changes))


def measured(record: Record) -> Measurement:
    assert isinstance(record.outcome, Measurement)
    return record.outcome


def pushed(phone: Phone) -> list[str]:
    """Return the names of the files that went over the cable, without the small ones of a job."""
    names = [Path(words[3]).name for words in phone.logged() if words[1] == "push"]
    return [name for name in names if not name.endswith(".part")]


def require_clean(phone: Phone) -> None:
    """Require a phone without a job and a process, and with the settings that it had."""
    assert phone.runner() is None
    assert [path.name for path in (phone.files / "jobs").iterdir()] == []
    state = phone.state()
    assert state["settings"]["stay_on_while_plugged_in"] == "0"
    assert "override" not in state and not state.get("fixed_performance")


@pytest.mark.slow
def test_a_job_goes_to_the_phone_and_its_record_comes_back(phone: Phone, job: Written) -> None:
    folder = job()
    record = runner().perform(ID, folder)
    outcome = measured(record)
    assert not outcome.cut_off and sorted(set(outcome.samples.round)) == [0, 1, 2]
    assert outcome.parity[0].passed
    assert record.provenance.transport == "adb"
    assert record.device.kind is DeviceKind.PHONE and record.device.id == "android-0123456789ab"
    given = job_folder.read(folder)
    ours = json.loads(given.record_path.read_text())
    signing.require_intact(ours, "the record")
    theirs = json.loads((folder / "device-record.json").read_text())
    assert theirs["provenance"]["transport"] == "app"
    assert theirs["outcome"]["samples"] == ours["outcome"]["samples"]
    require_clean(phone)


@pytest.mark.slow
def test_the_record_has_what_the_computer_saw(phone: Phone, job: Written) -> None:
    record = runner().perform(ID, job())
    seen = record.seen
    assert seen is not None and seen.by == "adb 34.0.5-scripted"
    assert seen.before.model == "Scripted Phone" and seen.after is not None
    assert "PHONE1" not in wire.dumps(record), "serial numbers stay out of records"
    [reading, *_] = seen.readings
    assert reading.temperatures_c == {"cpu0": 41.5, "skin": 31.25}
    assert reading.battery_fraction == 0.8 and reading.charging is False
    assert 0 <= reading.t_ns < 120e9, "on the clock of the measurement"
    assert seen.clock_uncertainty_ns is not None and seen.clock_uncertainty_ns > 0
    assert seen.settings == {"stay_on_while_plugged_in": "7"}
    assert seen.interruptions == ()


def test_the_app_is_installed_once_and_a_model_is_copied_once(phone: Phone, job: Written) -> None:
    first, second = job("first"), job("second", threads=2)
    runner().perform(ID, first)
    assert pushed(phone).count("model.onnx") == 1
    runner().perform(ID, second)
    assert pushed(phone).count("model.onnx") == 1, "the phone has kept it"
    assert sum(words[1] == "install" for words in phone.logged()) == 1
    require_clean(phone)


def test_another_build_of_the_app_is_installed_over_it(
    phone: Phone, job: Written, tmp_path: Path
) -> None:
    # Builds have one version code; their bytes differ.
    phone.package.parent.mkdir(parents=True)
    write_package(phone.package, version_name="0.0.9")
    runner().perform(ID, job())
    assert phone.package.read_bytes() == (tmp_path / "app.apk").read_bytes()


def test_names_of_files_may_have_any_characters(phone: Phone, job: Written) -> None:
    # Spaces, both quotes, a dollar, a semicolon, a dash in front, letters beyond ASCII.
    name = '- it\'s "a" $HOME; モデル é.onnx'
    folder = job("a folder, with 'quotes' é")
    (folder / "model.onnx").rename(folder / name)
    place = folder / job_folder.JOB_FILE
    place.write_text(json.dumps({**json.loads(place.read_text()), "model_file": name}))
    assert not measured(runner().perform(ID, folder)).cut_off
    assert name in pushed(phone)
    require_clean(phone)


@pytest.mark.slow
def test_a_benchmark_measures_each_artifact_on_the_phone(
    phone: Phone, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobilebench_device_runners.adb.PLUGIN", runner())
    planned = plan([artifact], Setting(device_id=ID, protocol=QUICK, threads=(1, 2)))
    assert [cell.job.runtime for cell in planned.cells] == ["onnxruntime"] * 2
    records = list(bench.measure(planned.cells))
    assert [measured(record).runtime.threads for record in records] == [1, 2]
    assert all(record.seen is not None for record in records)
    assert {record.provenance.transport for record in records} == {"adb"}
    require_clean(phone)


@pytest.mark.slow
def test_the_program_does_a_job_and_stores_its_record(
    phone: Phone, job: Written, mobilebench: Callable[..., Ran]
) -> None:
    done = mobilebench("job", "run", job(), "--device", ID)
    assert done.code == 0, done.stderr
    assert "Nobody Scripted Phone" in done.stdout and "stored: " in done.stderr
    listed = mobilebench("devices")
    assert ID in listed.stdout and "Scripted Phone" in listed.stdout
    require_clean(phone)


@pytest.mark.slow
def test_a_device_is_named_by_its_port_where_others_share_its_number(
    phone: Phone, job: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Phone.make(tmp_path / "other", transport_id=2, usb="1-2")
    monkeypatch.setenv("PHONES", f"{phone.folder}:{other.folder}")
    folder = job()
    with pytest.raises(
        UserError, match="2 devices have the id adb:PHONE1.*adb:usb:1-1, adb:usb:1-2"
    ):
        runner().perform(ID, folder)
    runner().perform("adb:usb:1-2", folder)
    assert other.package.exists() and not phone.package.exists()


@pytest.mark.slow
def test_the_way_to_the_folder_of_the_app_may_be_another_one(phone: Phone, job: Written) -> None:
    (phone.fs / "sdcard/Android").mkdir()
    (phone.fs / "sdcard/Android/data").write_text("closed to the cable")
    place = phone.fs / "storage/emulated/0/Android/data/mobilebench.app/files"
    place.mkdir(parents=True)
    assert not measured(runner().perform(ID, job())).cut_off
    assert [path.name for path in place.iterdir()] == ["jobs", "kept"]


@pytest.mark.slow
def test_answers_may_have_the_line_ends_of_windows(phone: Phone, job: Written) -> None:
    with phone.changed() as state:
        state["faults"]["crlf"] = 1
    assert not measured(runner().perform(ID, job())).cut_off


def test_what_a_package_says_of_itself_is_read(tmp_path: Path) -> None:
    path = write_package(tmp_path / "app.apk", 70_000, "1.2.3-é", "arm64-v8a")
    package = apk.read(path)
    assert (package.version_code, package.version_name) == (70_000, "1.2.3-é")
    assert (package.package, package.abis) == ("mobilebench.app", ("arm64-v8a",))


def test_the_package_of_the_phone_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for abi in ("arm64-v8a", "x86_64"):
        write_package(tmp_path / f"mobilebench-{abi}.apk", abi=abi)
    monkeypatch.setenv("MOBILEBENCH_APK", str(tmp_path))
    package = apk.find(["arm64-v8a", "armeabi-v7a"])
    assert package is not None and package.path.name == "mobilebench-arm64-v8a.apk"
    monkeypatch.delenv("MOBILEBENCH_APK")
    monkeypatch.chdir(tmp_path)
    write_package(tmp_path / "build/android/mobilebench-x86_64.apk")
    package = apk.find(["x86_64"])
    assert package is not None and package.path.is_relative_to(tmp_path)


@pytest.mark.slow
def test_models_that_nobody_used_for_a_week_go(phone: Phone, job: Written) -> None:
    old = phone.files / "kept" / ("0" * 64)
    old.parent.mkdir(parents=True)
    old.write_text("of last month")
    then = time.time() - 30 * 86400

    os.utime(old, (then, then))
    runner().perform(ID, job())
    assert not old.exists() and list(old.parent.iterdir()), "this job's model stays"
