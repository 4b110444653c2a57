"""What comes of a job when something breaks on its way, behind a real adbd."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record
from tests.conftest import Ran
from tests.phones.adbd.jobs import (
    HURRY,
    journal,
    perform,
    perform_through,
    require_clean,
    wait_for,
    write_job,
)
from tests.phones.adbd.phone import Bench, Phone
from tests.signals import hear_signals

Program = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _begins_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait shortly for the process of an app that was started: here it is there at once."""
    monkeypatch.setattr("mobilebench_device_runners.adb._BEGINS_S", 5.0)


@pytest.fixture
def folder(tmp_path: Path, tiny_artifacts: dict[str, Artifact]) -> Path:
    """The folder of a job of three rounds."""
    return write_job(tiny_artifacts["onnx-fp32"], tmp_path / "job")


def measured(record: Record) -> Measurement:
    assert isinstance(record.outcome, Measurement), record.outcome
    return record.outcome


def require_whole(record: Record) -> None:
    """Require a record with all three rounds, once each."""
    outcome = measured(record)
    assert not outcome.cut_off and sorted(set(outcome.samples.round)) == [0, 1, 2]
    times = list(outcome.samples.t_ns)
    assert times == sorted(times)


def interruptions(record: Record) -> list[str]:
    assert record.seen is not None
    return [each.what for each in record.seen.interruptions]


def test_a_cable_that_is_pulled_and_put_in_again_costs_nothing(phone: Phone, folder: Path) -> None:
    def pull() -> None:
        phone.unplug()
        time.sleep(1.5)
        phone.plug()

    record = perform_through(phone, folder, pull)
    require_whole(record)
    what = interruptions(record)
    assert any("connection lost" in each for each in what) and "connection is back" in what
    assert len(phone.app_starts) == 1, "the app went on without the cable"
    require_clean(phone)


def test_an_adb_server_that_ends_costs_nothing(bench: Bench, phone: Phone, folder: Path) -> None:
    record = perform_through(phone, folder, lambda: bench.adb("kill-server"))
    require_whole(record)
    assert len(phone.app_starts) == 1
    require_clean(phone)


def test_an_app_that_dies_once_goes_on_with_its_round(phone: Phone, folder: Path) -> None:
    record = perform_through(phone, folder, phone.kill_app)
    require_whole(record)
    [again] = [each for each in interruptions(record) if each.startswith("started again")]
    assert "a signal ended it" in again
    assert len(phone.app_starts) == 2
    require_clean(phone)


@pytest.mark.slow
def test_of_an_app_that_always_dies_what_was_measured_is_kept(phone: Phone, folder: Path) -> None:
    done = threading.Event()

    def always() -> None:
        while not done.wait(0.2):
            if phone.app_pid is not None:
                phone.kill_app()

    killer = threading.Thread(target=always)
    try:
        record = perform_through(phone, folder, killer.start)
    finally:
        done.set()
        killer.join()
    outcome = measured(record)
    assert outcome.cut_off and set(outcome.samples.round) >= {0}
    assert len([each for each in interruptions(record) if "started again" in each]) == 2
    assert len(phone.app_starts) == 3
    require_clean(phone)


@pytest.mark.slow
def test_a_phone_that_is_full_keeps_what_was_measured(phone: Phone, folder: Path) -> None:
    record = perform_through(phone, folder, phone.fill)
    outcome = measured(record)
    assert outcome.cut_off and set(outcome.samples.round) >= {0}
    assert any("No space left" in each for each in interruptions(record)), interruptions(record)
    require_clean(phone)


@pytest.mark.slow
def test_a_phone_without_room_for_the_job_gets_one_sentence(phone: Phone, folder: Path) -> None:
    first = shutil.copytree(folder, folder.with_name("first"))
    require_whole(perform(phone, first))
    phone.fill(free_bytes=8192)
    with pytest.raises(UserError, match=r"8\.19 kB free; delete something"):
        perform(phone, folder)
    phone.empty()
    require_clean(phone)


@pytest.mark.slow
def test_a_phone_that_restarts_goes_on(phone: Phone, folder: Path) -> None:
    record = perform_through(phone, folder, phone.reboot)
    require_whole(record)
    assert "the device has restarted" in interruptions(record)
    assert len(phone.app_starts) == 2
    require_clean(phone)


def test_a_phone_that_never_comes_back_leaves_what_was_measured(phone: Phone, folder: Path) -> None:
    record = perform_through(phone, folder, phone.shut_down, replace(HURRY, lost_s=2))
    outcome = measured(record)
    assert outcome.cut_off and set(outcome.samples.round) >= {0}
    assert any("connection lost" in each for each in interruptions(record))


@pytest.mark.slow
def test_an_answer_that_never_comes_is_waited_for_with_a_limit(phone: Phone, folder: Path) -> None:
    record = perform_through(phone, folder, lambda: phone.say(delays={"dumpsys": 60, "pidof": 60}))
    require_whole(record)
    phone.say(delays={})
    require_clean(phone)


def test_an_app_of_another_key_is_refused_in_one_sentence(phone: Phone, folder: Path) -> None:
    phone.install_app("0.0.1", 1, signer="another key")
    with pytest.raises(UserError, match="another key") as caught:
        perform(phone, folder)
    assert "adb uninstall mobilebench.app" in str(caught.value)
    assert phone.state["app"]["version"] == "0.0.1" and phone.app_starts == []
    require_clean(phone)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["job", "bench"])
def test_ctrl_c_ends_the_app_on_the_phone(
    verb: str, phone: Phone, folder: Path, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    artifact = tiny_artifacts["onnx-fp32"].folder
    words = {
        "job": ["job", "run", str(folder), "--device", phone.id],
        "bench": ["bench", str(artifact), "--device", phone.id, "--protocol", "paced-30fps-1"],
    }
    program = subprocess.Popen(
        [sys.executable, "-m", "mobilebench", *words[verb]],
        cwd=tmp_path,
        env={**os.environ, "MOBILEBENCH_STORE": str(tmp_path / "records.sqlite")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,
    )
    wait_for(lambda: '"samples"' in journal(phone) or program.poll() is not None, phone)
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=60)
    assert program.returncode == 130, f"{said}\n{phone.log}"
    assert "Traceback" not in said
    assert phone.app_pid is None
    if verb == "job":
        # Its folder stays, and the next call goes on with it.
        assert len(phone.jobs) == 1
        require_whole(perform(phone, folder))
    require_clean(phone)
