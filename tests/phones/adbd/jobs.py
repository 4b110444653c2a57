"""Short jobs for phones behind adbd, and what happens while one is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from mobilebench.measuring import job_folder
from mobilebench.values.artifact import Artifact
from mobilebench.values.job import Reporting
from mobilebench.values.record import Record
from mobilebench_device_runners._remote import Patience
from mobilebench_device_runners.adb import AdbRunner
from tests.phones.adbd.phone import APP_DATA, Phone
from tests.protocols import QUICK, job_for

_S = 10**9
ROUNDS = replace(
    QUICK,
    rounds=3,
    inferences=1,
    min_duration_ns=3 * _S // 2,
    max_duration_ns=2 * _S,
    interval_ns=_S // 25,
)
"""Three rounds of a second and a half at 25 frames a second."""
HURRY = Patience(
    start_s=60, look_s=0.3, outside_s=1.5, lost_s=30, record_s=5, overhead_s=90, restarts=2
)


def write_job(artifact: Artifact, folder: Path, **changes: Any) -> Path:
    """Write the folder of a job that is told ten times a second; return it."""
    often = Reporting(every_ns=_S // 10)
    job = replace(
        job_for(artifact, changes.pop("runtime", "onnxruntime")), protocol=ROUNDS, reporting=often
    )
    job_folder.write(artifact, replace(job, **changes), folder)
    return folder


def perform(phone: Phone, folder: Path, patience: Patience = HURRY) -> Record:
    """Do a job on the phone in this process."""
    return AdbRunner(patience).perform(phone.id, folder)


def perform_through(
    phone: Phone, folder: Path, fault: Callable[[], object], patience: Patience = HURRY
) -> Record:
    """Do a job on the phone, and let something happen after the first of its rounds."""
    with ThreadPoolExecutor(1) as pool:
        record = pool.submit(perform, phone, folder, patience)
        try:
            wait_for(lambda: record.done() or "round_ended" in journal(phone), phone)
            assert not record.done(), f"{record.exception()}\n{phone.log}"
            fault()
        except BaseException:
            phone.shut_down()
            raise
        return record.result(timeout=120)


def journal(phone: Phone) -> str:
    """Return what the app wrote into its journal until now; empty where there is none."""
    folder = phone.root / APP_DATA / "files/jobs"
    try:
        return "".join(file.read_text() for file in folder.glob("*/journal.jsonl"))
    except OSError:
        return ""  # the phone is off, or its folder goes at this moment


def wait_for(happened: Callable[[], bool], phone: Phone, limit_s: float = 60) -> None:
    """Wait until something has happened on a phone."""
    until = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < until, f"it did not happen within {limit_s:g} s\n{phone.log}"
        time.sleep(0.05)


def require_clean(phone: Phone) -> None:
    """Require that a phone is as it was found but for the app."""
    state = phone.state
    assert phone.jobs == [] and phone.app_pid is None, phone.log
    assert state["thermal_override"] is None and not state["fixed_performance"]
    assert state["battery"] == state["battery_found"]
    assert state["settings"].get("global stay_on_while_plugged_in", "0") == "0"
