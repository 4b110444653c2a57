"""What a phone, the app and the runner refuse: each in a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mobilebench.errors import CellFailed, MissingToolkit, UnknownName, UserError
from mobilebench.leaderboard import rank
from mobilebench.measuring import job_folder
from mobilebench.values.artifact import Artifact
from mobilebench.values.recipe import Format
from mobilebench.values.wishes import Wishes
from mobilebench_device_runners._adb.command import Adb
from mobilebench_device_runners._adb.storage import Storage
from mobilebench_device_runners.adb import AdbRunner
from tests.conftest import Ran
from tests.phones.packages import write_package
from tests.phones.scripted_phone import Phone
from tests.phones.test_adb import HURRY, ID, Written, measured, pushed, require_clean, runner
from tests.phones.test_adb_faults import with_faults

REFUSALS = {
    "INSTALL_FAILED_USER_RESTRICTED: Install canceled by user": "'Install via USB'",
    "INSTALL_FAILED_UPDATE_INCOMPATIBLE: Package mobilebench.app signatures do not match": (
        "another key.* run: adb uninstall mobilebench.app"
    ),
    "INSTALL_FAILED_VERSION_DOWNGRADE": "newer than the package here",
    "INSTALL_FAILED_OLDER_SDK: Requires newer sdk version #26": "needs Android 8",
    "INSTALL_FAILED_NO_MATCHING_ABIS: Failed to extract native libraries": "another kind of proc",
    "INSTALL_FAILED_INSUFFICIENT_STORAGE": "the phone is full",
    "java.io.IOException: Requested internal only, but not enough space": "the phone is full",
    "INSTALL_FAILED_VERIFICATION_FAILURE": "the phone's check of packages refused it",
    "INSTALL_PARSE_FAILED_NO_CERTIFICATES": "is not signed",
    "INSTALL_FAILED_SOMETHING_NEW": "search for this word",
}


@pytest.mark.parametrize(("answer", "advice"), REFUSALS.items(), ids=lambda text: text[:34])
def test_a_refused_installation_says_what_to_do(
    phone: Phone, job: Written, answer: str, advice: str
) -> None:
    with_faults(phone, install=[answer])
    with pytest.raises(UserError, match=rf"(?s)refuses the app with INSTALL_\w+: .*{advice}"):
        runner().perform(ID, job())
    assert pushed(phone) == [], "nothing was copied"
    installs = [words for words in phone.logged() if words[1] == "install"]
    assert len(installs) == 1, "what the phone refuses is not tried again"


def test_an_old_phone_reports_success_for_a_refusal(phone: Phone, job: Written) -> None:
    with_faults(phone, install=["INSTALL_FAILED_USER_RESTRICTED"], old=1)
    with pytest.raises(UserError, match="USER_RESTRICTED"):
        runner().perform(ID, job())


def test_a_phone_that_takes_no_stream_gets_a_copy(phone: Phone, job: Written) -> None:
    with_faults(phone, no_streams=1, locked=1)
    with pytest.raises(UserError, match="is locked, and shows no app then; unlock it"):
        runner().perform(ID, job())
    installs = [words[2:4] for words in phone.logged() if words[1] == "install"]
    assert installs[1][0] == "--no-streaming" and phone.package.exists()


def test_a_check_of_packages_that_waits_is_named(
    phone: Phone, job: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobilebench_device_runners._adb.app.INSTALL_S", 1.0)
    with_faults(phone, install_hangs=1)
    with pytest.raises(UserError, match="did not answer within 1 s.*verifier_verify_adb_installs"):
        runner().perform(ID, job())


def test_no_app_and_no_package_is_one_sentence(
    phone: Phone, job: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job()
    monkeypatch.setattr("mobilebench_device_runners._adb.apk._BUILT", Path("no-such-folder"))
    monkeypatch.delenv("MOBILEBENCH_APK")
    with pytest.raises(UserError, match="run `make apk`.*or name the APK in MOBILEBENCH_APK"):
        runner().perform(ID, folder)
    # A phone that has the app needs no package here.
    phone.package.parent.mkdir(parents=True)
    write_package(phone.package)
    assert not measured(runner().perform(ID, folder)).cut_off


def test_a_package_that_is_none_is_named(
    phone: Phone, job: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job()
    place = tmp_path / "app.apk"
    place.write_bytes(place.read_bytes()[:-40])
    with pytest.raises(UserError, match="app.apk cannot be read as a package of Android"):
        runner().perform(ID, folder)
    write_package(place, abi="armeabi-v7a")
    with pytest.raises(UserError, match="is for armeabi-v7a, and the phone runs x86_64, arm64-v8a"):
        runner().perform(ID, folder)
    monkeypatch.setenv("MOBILEBENCH_APK", str(tmp_path / "nowhere.apk"))
    with pytest.raises(UserError, match="no file .*nowhere.apk; name the APK"):
        runner().perform(ID, folder)


def _old(state: dict[str, Any]) -> None:
    state["props"]["ro.build.version.sdk"] = "25"


def _narrow(state: dict[str, Any]) -> None:
    state["props"]["ro.product.cpu.abilist"] = "armeabi-v7a,armeabi"


def _saving(state: dict[str, Any]) -> None:
    state["settings"]["low_power"] = "1"


def _overridden(state: dict[str, Any]) -> None:
    state["override"] = 3


def _unauthorized(state: dict[str, Any]) -> None:
    state["adb_state"] = "unauthorized"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_old, "older than the app can run on"),
        (_narrow, "32-bit"),
        (_saving, "power saver"),
        (_overridden, "run adb shell cmd thermalservice reset"),
        (_unauthorized, "tap Allow"),
    ],
)
def test_a_phone_that_cannot_be_used_says_why(
    phone: Phone, job: Written, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    with phone.changed() as state:
        change(state)
    with pytest.raises(UserError, match=f"adb:PHONE1 cannot be used now. .*{sentence}"):
        runner().perform(ID, job())


def test_a_device_that_is_not_there_is_named_with_those_that_are(
    phone: Phone, job: Written
) -> None:
    with pytest.raises(UserError, match="There is no device 'adb:OTHER'; adb lists adb:PHONE1"):
        runner().perform("adb:OTHER", job())


def test_adb_that_is_not_installed_is_named(
    job: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert runner().devices() == () and runner().attached() == ()
    with pytest.raises(MissingToolkit, match="'adb' is not installed"):
        runner().perform(ID, folder)


def test_a_runtime_that_the_app_lacks_is_refused_before_the_phone_is_asked(
    phone: Phone, artifact: Artifact, job: Written
) -> None:
    with pytest.raises(UserError, match="runtimes that can: onnxruntime"):
        runner().perform(ID, job("litert", runtime="litert"))
    with pytest.raises(UnknownName, match="did you mean onnxruntime"):
        runner().perform(ID, job("unknown", runtime="onnxruntim"))
    assert runner().runtimes(Format.COREML) == ()
    assert runner().runtimes(Format.EXECUTORCH, "xnnpack") == ("executorch",)
    assert runner().runtimes(Format.EXECUTORCH, "vulkan") == ()
    assert not (phone.folder / "log.jsonl").exists()


def test_what_the_app_refuses_is_told_in_its_words(phone: Phone, job: Written) -> None:
    sentence = "The job asks onnxruntime for the npu: this build has none."
    with_faults(phone, refuses=[sentence])
    with pytest.raises(UserError, match=f"The device does not take the job: {sentence}"):
        runner().perform(ID, job())


def test_a_job_of_two_gigabytes_is_refused_before_it_is_copied(phone: Phone, job: Written) -> None:
    folder = job()
    with (folder / "model.onnx.data").open("wb") as file:
        file.truncate(2_100_000_000)
    given = job_folder.read(folder)
    with pytest.raises(UserError, match=r"has 2.10 GB, and the app takes jobs of up to 2.00 GB"):
        Storage(Adb(("-s", "PHONE1")), "/sdcard").put(given, "job")


@pytest.mark.slow
def test_a_folder_that_no_way_leads_into_is_named(phone: Phone, job: Written) -> None:
    for name in ("sdcard/Android", "storage", "mnt", "data/media"):
        place = phone.fs / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("closed to the cable")
    with pytest.raises(UserError, match="does not let the cable write into the folder of the app"):
        runner().perform(ID, job())


def test_outputs_alone_are_not_to_be_had(phone: Phone, artifact: Artifact) -> None:
    recipe = artifact.manifest.recipe
    with pytest.raises(UserError, match="the record says how far they are off"):
        runner().predict(ID, artifact.model_path, recipe, "onnxruntime", [])


def test_a_wish_that_the_phone_lacks_is_refused_and_taken_back(phone: Phone, job: Written) -> None:
    with_faults(phone, no_fixed_performance=1)
    wishing = AdbRunner(HURRY, Wishes(fixed_performance=True))
    with pytest.raises(UserError, match="asked for fixed performance, and does not offer it"):
        wishing.perform(ID, job())
    assert phone.state()["settings"]["stay_on_while_plugged_in"] == "0"


def test_a_rehearsal_is_in_the_record_and_ends_with_it(phone: Phone, job: Written) -> None:
    wishing = AdbRunner(HURRY, Wishes(fixed_performance=True, thermal_status=3))
    record = wishing.perform(ID, job())
    assert record.seen is not None
    assert record.seen.settings == {
        "stay_on_while_plugged_in": "7", "fixed_performance": "true", "thermal_status": "3",
    }  # fmt: skip
    [row] = rank([record])
    assert "rehearsal: thermal status 3 was set by hand" in row.marks
    assert "in the fixed-performance mode, which lowers the highest clock" in row.marks
    plain = replace(record, seen=replace(record.seen, settings={}))
    assert record.identity.differences(plain.identity) == ("device_settings",)
    later = replace(record, created="2099-01-01T00:00:00.000Z", record_id="0" * 32)
    assert len(rank([plain, later])) == 2, "a rehearsal does not take the place of a real run"
    require_clean(phone)


def test_other_runners_refuse_wishes(job: Written, mobilebench: Callable[..., Ran]) -> None:
    done = mobilebench("job", "run", job(), "--rehearse-status", "3")
    assert done.code == 2 and "Traceback" not in done.stderr
    assert (
        "given for a device of the kind host, and devices of that kind have no such setting"
        in done.stderr
    )


def test_a_failed_copy_is_no_traceback(
    phone: Phone, job: Written, mobilebench: Callable[..., Ran]
) -> None:
    with_faults(phone, push_full=1)
    done = mobilebench("job", "run", job(), "--device", ID)
    assert done.code != 0 and "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr


def test_the_failure_of_a_cell_is_recorded(phone: Phone, job: Written) -> None:
    with_faults(phone, push_full=1)
    with pytest.raises(CellFailed) as failed:
        runner().perform(ID, job())
    assert failed.value.stage == "run"
