"""What can happen to a phone in the middle of a job: it goes on, or what was measured stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mobilebench.errors import CellFailed, UserError
from mobilebench.measuring import bench, job_folder, journal
from mobilebench.measuring.setting import Setting, plan
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.event import EventKind
from mobilebench.values.measurement import Diagnosis, Failure, Measurement
from mobilebench.values.record import Record
from mobilebench.values.wishes import Wishes
from mobilebench_device_runners import _claims
from mobilebench_device_runners.adb import AdbRunner
from tests.phones.conftest import ROUNDS
from tests.phones.scripted_phone import Phone
from tests.phones.test_adb import HURRY, ID, Written, measured, pushed, require_clean, runner
from tests.protocols import QUICK
from tests.signals import hear_signals

twice = pytest.mark.slow if sys.platform == "linux" else pytest.mark.usefixtures()
"""The same fault is injected behind a real adbd, in `tests/phones/adbd`, which needs Linux."""


def with_faults(phone: Phone, **faults: Any) -> None:
    """Let things go wrong on a phone."""
    with phone.changed() as state:
        state["faults"] |= faults


def interruptions(record: Record) -> list[str]:
    assert record.seen is not None
    return [each.what for each in record.seen.interruptions]


def require_whole(record: Record) -> None:
    """Require a measurement of all rounds."""
    outcome = measured(record)
    assert not outcome.cut_off and sorted(set(outcome.samples.round)) == [0, 1, 2]


@twice
def test_a_cable_that_is_put_back_costs_nothing(phone: Phone, job: Written) -> None:
    with_faults(phone, unplugged=[2])
    record = runner().perform(ID, job())
    require_whole(record)
    assert interruptions(record)[0].startswith("connection lost: ")
    assert interruptions(record)[-1] == "connection is back"
    assert "PHONE1" not in wire.dumps(record), "serial numbers stay out of records"
    events = [event.kind for event in measured(record).events]
    assert EventKind.RESUMED not in events, "the phone has measured meanwhile"
    require_clean(phone)


def test_a_cable_that_stays_away_leaves_what_was_measured(phone: Phone, job: Written) -> None:
    with_faults(phone, unplugged=[600])
    folder = job()
    record = runner(lost_s=2).perform(ID, folder)
    outcome = measured(record)
    assert outcome.cut_off and Diagnosis.CUT_OFF in outcome.reasons
    assert record.seen is not None and record.seen.after is None
    assert job_folder.read(folder).record_path.exists()


def test_a_failure_on_a_phone_names_no_serial_number_and_no_folder(
    phone: Phone, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_faults(phone, push_full=9)
    monkeypatch.setattr("mobilebench_device_runners.adb.PLUGIN", runner())
    planned = plan([artifact], Setting(device_id=ID, protocol=QUICK, threads=(1,)))
    [record] = bench.measure(planned.cells)
    failure = record.outcome
    assert isinstance(failure, Failure), "a push that fails"
    assert "PHONE1" not in wire.dumps(record) and str(phone.folder.parent) not in wire.dumps(record)
    assert "failed" in failure.message, "what went wrong is still said"


def test_a_phone_that_hangs_is_a_failure_without_its_serial_number(
    phone: Phone, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobilebench_device_runners.adb.PLUGIN", runner())
    planned = plan([artifact], Setting(device_id=ID, protocol=QUICK, threads=(1,)))
    with_faults(phone, hangs=1)
    monkeypatch.setattr("mobilebench_device_runners._adb.command.QUICK_S", 3.0)
    [record] = bench.measure(planned.cells)
    failure = record.outcome
    assert isinstance(failure, Failure) and "did not answer within 3 s" in failure.message
    assert "PHONE1" not in wire.dumps(record)


@twice
def test_a_phone_that_restarts_goes_on(phone: Phone, job: Written) -> None:
    with_faults(phone, restarts=[1])
    record = runner().perform(ID, job())
    require_whole(record)
    assert "the device has restarted" in interruptions(record)
    assert [event.kind for event in measured(record).events] == [EventKind.RESUMED]
    require_clean(phone)


@twice
def test_an_app_that_dies_goes_on_and_the_record_says_why(phone: Phone, job: Written) -> None:
    with_faults(phone, dies=1)
    record = runner().perform(ID, job())
    require_whole(record)
    assert interruptions(record) == ["started again: the phone was short of memory"]
    assert [event.kind for event in measured(record).events] == [EventKind.RESUMED]
    require_clean(phone)


@twice
def test_an_app_that_always_dies_leaves_what_was_measured(phone: Phone, job: Written) -> None:
    with_faults(phone, crashes=9)
    record = runner(restarts=1).perform(ID, job())
    assert measured(record).cut_off
    assert interruptions(record)[0] == "started again: it crashed in native code"
    require_clean(phone)


@twice
def test_a_server_of_adb_that_restarts_costs_nothing(
    phone: Phone, job: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two phones share a number, so that this one is known by a number that changes then.
    other = Phone.make(tmp_path / "other", transport_id=7, usb="1-2")
    monkeypatch.setenv("PHONES", f"{phone.folder}:{other.folder}")
    with_faults(phone, server=1)
    record = runner().perform("adb:usb:1-1", job())
    require_whole(record)
    assert "connection lost" in interruptions(record)[0]
    require_clean(phone)


def test_an_answer_that_is_cut_is_asked_for_again(phone: Phone, job: Written) -> None:
    with_faults(phone, cut=2)
    record = runner().perform(ID, job())
    require_whole(record)
    assert "was cut off after" in interruptions(record)[0]


def test_a_phone_that_does_not_answer_is_given_up(
    phone: Phone, job: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_faults(phone, hangs=1)
    monkeypatch.setattr("mobilebench_device_runners._adb.command.QUICK_S", 3.0)
    with pytest.raises(CellFailed, match="did not answer within 3 s"):
        runner().perform(ID, job())


@twice
def test_a_phone_that_becomes_full_while_it_measures_is_a_failure(
    phone: Phone, job: Written
) -> None:
    with_faults(phone, run_full=[6000, 6000, 6000])
    folder = job()
    try:
        record = runner(restarts=1).perform(ID, folder)
    except CellFailed as error:
        assert "Could not write" in error.message
    else:
        assert measured(record).cut_off
        assert "Could not write" in interruptions(record)[0]
    require_clean(phone)


@twice
def test_a_phone_that_is_full_gets_nothing(phone: Phone, job: Written) -> None:
    with phone.changed() as state:
        state["free_kib"] = 1000
    with pytest.raises(UserError, match=r"needs 64.* on the phone, which has 1.* free; delete"):
        runner().perform(ID, job())
    assert pushed(phone) == []


@pytest.mark.slow
def test_a_copy_that_fills_the_phone_is_a_failure_and_goes_on_later(
    phone: Phone, job: Written
) -> None:
    with_faults(phone, push_full=1)
    folder = job()
    with pytest.raises(CellFailed, match="No space left on device"):
        runner().perform(ID, folder)
    require_whole(runner().perform(ID, folder))
    require_clean(phone)


def test_a_file_that_arrives_damaged_is_not_measured(phone: Phone, job: Written) -> None:
    with_faults(phone, push_damaged=1)
    with pytest.raises(CellFailed, match="the phone has other bytes; check the cable"):
        runner().perform(ID, job())


def test_a_record_that_is_half_written_is_fetched_again(phone: Phone, job: Written) -> None:
    with_faults(phone, slow_record=[1])
    folder = job()
    record = runner(record_s=10).perform(ID, folder)
    require_whole(record)
    assert interruptions(record) == []
    assert job_folder.read(folder).document("device-record.json").record.outcome


@pytest.mark.parametrize("fault", ["cut_record", "newer_record"])
def test_a_record_that_cannot_be_read_is_left_out(phone: Phone, job: Written, fault: str) -> None:
    with_faults(phone, **{fault: 1})
    record = runner(record_s=1).perform(ID, job())
    require_whole(record)
    assert interruptions(record)[0].startswith("the record of the device is left out: ")


def test_a_journal_of_a_newer_app_is_refused_in_words(phone: Phone, job: Written) -> None:
    with_faults(phone, newer_journal=1)
    with pytest.raises(UserError, match="from_the_future"):
        runner().perform(ID, job())
    assert phone.runner() is None


def test_an_app_that_never_begins_is_a_failure_with_advice(phone: Phone, job: Written) -> None:
    (phone.files / "jobs").mkdir(parents=True)
    with_faults(phone, asleep=1)
    with pytest.raises(CellFailed, match="unlock the device, and look at its screen"):
        runner(start_s=2).perform(ID, job())


def test_ctrl_c_ends_the_app_and_leaves_the_phone_as_it_was(phone: Phone, job: Written) -> None:
    cancel = threading.Event()
    folder = job(protocol=replace(ROUNDS, min_duration_ns=60 * 10**9, max_duration_ns=90 * 10**9))
    wishing = AdbRunner(HURRY, Wishes(thermal_status=3, fixed_performance=True))

    def when_it_measures() -> None:
        place = folder / "journal.jsonl"
        while not place.exists() or b"samples" not in place.read_bytes():
            time.sleep(0.05)
        assert phone.state()["override"] == 3 and phone.state()["fixed_performance"]
        cancel.set()

    thread = threading.Thread(target=when_it_measures)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        wishing.perform(ID, folder, cancel)
    thread.join()
    assert phone.runner() is None
    state = phone.state()
    assert "override" not in state and not state["fixed_performance"]
    assert state["settings"]["stay_on_while_plugged_in"] == "0"
    given = job_folder.read(folder)
    outcome = journal.outcome(given.journal(), given.job)
    assert isinstance(outcome, Measurement) and outcome.cut_off, "what was measured stays"


def _program(*args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mobilebench", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        preexec_fn=hear_signals,
    )


def _until_measured(folder: Path, child: subprocess.Popen[str]) -> None:
    place = folder / "journal.jsonl"
    while not place.exists() or b"samples" not in place.read_bytes():
        assert child.poll() is None, child.communicate()
        time.sleep(0.05)


@pytest.mark.slow
def test_a_program_that_was_killed_finds_its_job_under_way(
    phone: Phone, job: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOBILEBENCH_STORE", str(tmp_path / "records.sqlite"))
    folder = job(protocol=replace(ROUNDS, min_duration_ns=4 * 10**9, max_duration_ns=5 * 10**9))
    child = _program("job", "run", folder, "--device", ID)
    _until_measured(folder, child)
    with pytest.raises(UserError, match=rf"in use by process {child.pid} \(onnxruntime 1 thread\)"):
        runner().perform(ID, folder)
    child.kill()
    child.communicate()
    process = phone.runner()
    assert process is not None, "the phone goes on by itself"
    record = runner().perform(ID, folder)
    require_whole(record)
    assert EventKind.RESUMED not in [event.kind for event in measured(record).events]
    require_clean(phone)


@twice
def test_ctrl_c_in_the_program_ends_the_app(
    phone: Phone, job: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOBILEBENCH_STORE", str(tmp_path / "records.sqlite"))
    folder = job(protocol=replace(ROUNDS, min_duration_ns=60 * 10**9, max_duration_ns=90 * 10**9))
    child = _program("job", "run", folder, "--device", ID, "--rehearse-status", 2)
    _until_measured(folder, child)
    assert phone.state()["override"] == 2
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 130
    assert phone.runner() is None and "override" not in phone.state()


def test_a_device_is_free_again_after_a_failure(phone: Phone, job: Written) -> None:
    with_faults(phone, locked=1)
    with pytest.raises(UserError):
        runner().perform(ID, job())
    assert _claims.holder("adb:PHONE1") is None
