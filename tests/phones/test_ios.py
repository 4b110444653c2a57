"""A job on an iPhone by devicectl and by go-ios: there, done, and back; and what can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mobilebench.errors import UserError
from mobilebench.measuring import bench, job_folder
from mobilebench.measuring.setting import Setting, plan
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.event import EventKind
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record
from mobilebench.values.wishes import Wishes
from mobilebench_device_runners import ios as runner_of_ios
from mobilebench_device_runners._reading.devicectl import Cause
from mobilebench_device_runners._remote import Patience
from mobilebench_device_runners.ios import IosRunner
from tests.conftest import Ran
from tests.phones import replay
from tests.phones.scripted_iphone import UDID, IPhone, write_app, write_tools
from tests.protocols import QUICK
from tests.signals import hear_signals

ID = f"ios:{UDID}"
HURRY = Patience(start_s=30, look_s=0.3, outside_s=0.5, lost_s=10, record_s=3, overhead_s=120)
Written = Callable[..., Path]
# Programs of this machine that the tests need; a real `ios` or `xcrun` of it is left out.
_SYSTEM = "/usr/bin:/bin"


def runner(wishes: Wishes | None = None, **changes: float) -> IosRunner:
    """Return a runner that waits less than for a real phone."""
    return IosRunner(replace(HURRY, **changes), wishes)


_LINUX = sys.platform == "linux"


@pytest.fixture(
    params=[
        pytest.param("devicectl", marks=[pytest.mark.slow] if _LINUX else []),
        pytest.param("go-ios", marks=[] if _LINUX else [pytest.mark.slow]),
    ]
)
def iphone(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[IPhone]:
    """Return an iPhone that nothing is wrong with; by the tool of another system, a slow test."""
    phone = IPhone.make(tmp_path / "iphone")
    tool = "xcrun" if request.param == "devicectl" else "ios"
    programs = write_tools(tmp_path / "programs", phone, [tool])
    monkeypatch.setenv("PATH", f"{programs}:{_SYSTEM}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    app = write_app(tmp_path / "a folder" / "MobileBench.app")
    monkeypatch.setenv("MOBILEBENCH_IOS_APP", str(app))
    yield phone
    phone.kill()


by_devicectl = pytest.mark.parametrize("iphone", ["devicectl"], indirect=True)
by_both = pytest.mark.parametrize("iphone", ["devicectl", "go-ios"], indirect=True)
by_go_ios = pytest.mark.parametrize("iphone", ["go-ios"], indirect=True)


def with_faults(phone: IPhone, **faults: Any) -> None:
    """Let things go wrong on a phone."""
    with phone.changed() as state:
        state["faults"] |= faults


def measured(record: Record) -> Measurement:
    assert isinstance(record.outcome, Measurement)
    return record.outcome


def require_whole(record: Record) -> None:
    """Require a measurement of all rounds."""
    outcome = measured(record)
    assert not outcome.cut_off and sorted(set(outcome.samples.round)) == [0, 1, 2]


def interruptions(record: Record) -> list[str]:
    assert record.seen is not None
    return [each.what for each in record.seen.interruptions]


def launches(phone: IPhone) -> int:
    return sum(words[0] == "launch" for words in phone.logged())


@by_both
def test_a_job_goes_to_the_phone_and_its_record_comes_back(iphone: IPhone, job: Written) -> None:
    folder = job()
    record = runner().perform(ID, folder)
    require_whole(record)
    assert measured(record).parity[0].passed
    assert record.device.id == "ios-0123456789ab"
    seen = record.seen
    assert seen is not None and seen.before.model == "iPhone16,1" and seen.after is not None
    assert (record.provenance.transport, seen.by) in (
        ("devicectl", "devicectl 397.21"),
        ("go-ios", "go-ios 1.0.999"),
    )
    assert UDID not in wire.dumps(record) and "Somebody" not in wire.dumps(record)
    assert (folder / "device-record.json").exists()
    assert iphone.runner() is None, "the app is closed after the run"


def test_a_benchmark_installs_the_app_once(
    iphone: IPhone, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_of_ios, "PLUGIN", runner())
    planned = plan([artifact], Setting(device_id=ID, protocol=QUICK, threads=(1, 2)))
    records = list(bench.measure(planned.cells))
    assert [measured(record).runtime.threads for record in records] == [1, 2]
    assert sum(words[0] == "install" for words in iphone.logged()) == 1


def test_another_version_of_the_app_is_installed_over_it(iphone: IPhone, job: Written) -> None:
    write_app(iphone.app, version="0.0.9")
    runner().perform(ID, job())
    assert b"0.1.0" in (iphone.app / "Info.plist").read_bytes()


@by_go_ios
def test_nothing_stays_where_the_tool_can_remove(iphone: IPhone, job: Written) -> None:
    runner().perform(ID, job())
    assert list((iphone.files / "jobs").iterdir()) == []


@by_devicectl
def test_go_ios_removes_what_devicectl_cannot(iphone: IPhone, job: Written, tmp_path: Path) -> None:
    write_tools(tmp_path / "programs", iphone, ["ios"])
    record = runner().perform(ID, job())
    assert record.provenance.transport == "devicectl"
    assert list((iphone.files / "jobs").iterdir()) == []


@by_both
def test_the_program_does_a_job_and_lists_the_phone(
    iphone: IPhone, job: Written, mobilebench: Callable[..., Ran]
) -> None:
    done = mobilebench("job", "run", job(), "--device", ID)
    assert done.code == 0, done.stderr
    assert "Apple iPhone16,1" in done.stdout and "stored: " in done.stderr
    assert ID in mobilebench("devices").stdout
    doctor = mobilebench("doctor").stdout
    assert "iOS app" in doctor and "go-ios" in doctor


def test_a_cable_that_is_put_back_costs_nothing(iphone: IPhone, job: Written) -> None:
    with_faults(iphone, unplugged=[2])
    record = runner().perform(ID, job())
    require_whole(record)
    assert interruptions(record)[0].startswith("connection lost: ")
    assert interruptions(record)[-1] == "connection is back"
    assert launches(iphone) == 1, "the phone has measured meanwhile"


@by_devicectl
def test_a_cable_that_stays_away_leaves_what_was_measured(iphone: IPhone, job: Written) -> None:
    with_faults(iphone, unplugged=[600])
    folder = job()
    record = runner(lost_s=2).perform(ID, folder)
    assert measured(record).cut_off
    assert record.seen is not None and record.seen.after is None
    assert job_folder.read(folder).record_path.exists()


def test_an_app_that_dies_goes_on(iphone: IPhone, job: Written) -> None:
    with_faults(iphone, dies=1)
    record = runner().perform(ID, job())
    require_whole(record)
    assert interruptions(record)[0].startswith("started again: ")
    assert [event.kind for event in measured(record).events] == [EventKind.RESUMED]
    assert launches(iphone) == 2


def test_an_app_that_refuses_says_why(iphone: IPhone, job: Written) -> None:
    with_faults(iphone, refuses=["This app has no litert."])
    with pytest.raises(UserError, match="does not take the job: This app has no litert"):
        runner().perform(ID, job())


@by_devicectl
def test_a_launch_waits_for_a_phone_that_locked_itself(
    iphone: IPhone, job: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_of_ios, "_UNLOCK_LOOK_S", 0.1)
    with_faults(iphone, locked_launch=2)
    require_whole(runner().perform(ID, job()))
    assert launches(iphone) == 3


@by_devicectl
def test_a_launch_that_nobody_allows_ends(
    iphone: IPhone, job: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_of_ios, "_UNLOCK_LOOK_S", 0.1)
    monkeypatch.setattr(runner_of_ios, "_UNLOCK_S", 0.5)
    with_faults(iphone, locked_launch=900)
    with pytest.raises(UserError, match="unlock the phone"):
        runner().perform(ID, job())


@by_devicectl
def test_a_developer_who_is_not_trusted_is_tried_once(iphone: IPhone, job: Written) -> None:
    with_faults(iphone, not_trusted=9)
    with pytest.raises(UserError, match="VPN & Device Management: trust"):
        runner().perform(ID, job())
    assert launches(iphone) == 1


@by_devicectl
def test_a_locked_phone_is_refused_before_anything(iphone: IPhone, job: Written) -> None:
    with_faults(iphone, locked=9)
    with pytest.raises(UserError, match=f"The device {ID} cannot be used now"):
        runner().perform(ID, job())
    assert not iphone.app.exists()


@pytest.mark.parametrize("fault", ["developer_mode_off", "tunnel_down"])
def test_what_stands_in_the_way_is_said(iphone: IPhone, job: Written, fault: str) -> None:
    with_faults(iphone, **{fault: 1})
    words = {"developer_mode_off": "Developer Mode", "tunnel_down": "(?i)tunnel"}
    with pytest.raises(UserError, match=words[fault]):
        runner().perform(ID, job())
    assert not iphone.app.exists()


def test_a_phone_without_room_gets_nothing(iphone: IPhone, job: Written) -> None:
    write_app(iphone.app)
    with_faults(iphone, full=9)
    with pytest.raises(UserError, match="has no room for .*; delete something"):
        runner().perform(ID, job())


def test_an_app_that_is_nowhere_is_asked_for(
    iphone: IPhone, job: Written, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MOBILEBENCH_IOS_APP")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="The app is not on the phone, and none is here"):
        runner().perform(ID, job())
    monkeypatch.setenv("MOBILEBENCH_IOS_APP", str(tmp_path))
    with pytest.raises(UserError, match="cannot be read as an app of iOS"):
        runner().perform(ID, job("second"))


def test_an_unknown_phone_is_named(iphone: IPhone, job: Written) -> None:
    with pytest.raises(UserError, match=f"no device 'ios:nobody'; the tools list {ID}"):
        runner().perform("ios:nobody", job())


@by_go_ios
def test_a_thermal_state_lasts_for_the_run(iphone: IPhone, job: Written) -> None:
    record = runner(Wishes(thermal_status=3)).perform(ID, job())
    assert record.seen is not None
    assert record.seen.settings == {"thermal_status": "ThermalSerious"}
    assert ["condition", "ThermalCondition", "ThermalSerious"] in iphone.logged()
    assert not (iphone.folder / "condition").exists(), "taken back"


@by_devicectl
@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes(fixed_performance=True), "no mode of fixed performance"),
        (Wishes(thermal_status=0), "cannot be made to report that it is cool"),
        (Wishes(thermal_status=3), "go-ios, which is not on the PATH"),
    ],
)
def test_a_wish_that_cannot_be_had_is_refused(
    iphone: IPhone, job: Written, wishes: Wishes, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        runner(wishes).perform(ID, job())
    assert not iphone.app.exists()


@by_devicectl
def test_ctrl_c_closes_the_app(iphone: IPhone, job: Written, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "mobilebench", "job", "run", str(job()), "--device", ID]
    with (tmp_path / "said").open("wb") as said:
        child = subprocess.Popen(words, stdout=said, stderr=said, preexec_fn=hear_signals)
    until = time.monotonic() + 60
    while iphone.runner() is None and time.monotonic() < until and child.poll() is None:
        time.sleep(0.05)
    assert iphone.runner() is not None, (tmp_path / "said").read_text()
    child.send_signal(signal.SIGINT)
    assert child.wait(60) != 0
    assert iphone.runner() is None


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("i03-developer-mode-off", Cause.DEVELOPER_MODE_OFF),
        ("i04-locked", Cause.LOCKED),
    ],
)
def test_a_recorded_phone_says_why_no_app_starts(
    name: str, cause: Cause, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Written
) -> None:
    programs = replay.tools(tmp_path / "programs", replay.recorded(name), ["xcrun"])
    monkeypatch.setenv("PATH", f"{programs}:{_SYSTEM}")
    [attached] = runner_of_ios.listed()
    with pytest.raises(UserError, match="cannot be used now") as raised:
        runner().perform(attached.id, job())
    assert [word.value for word in attached.why_not] == [cause.value]
    assert os.linesep not in str(raised.value)
