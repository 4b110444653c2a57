"""In the app's place on a scripted phone: does a real job by this machine's engine.

python -m tests.phones.scripted_app PHONE FOLDER
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

from mobilebench.errors import MobilebenchError
from mobilebench.measuring import job_folder, performing
from mobilebench.measuring.place import Host
from mobilebench.values.device import Device, DeviceKind
from mobilebench_device_runners._host_process import runtime_at
from mobilebench_device_runners.host import RUNTIMES
from tests.phones.scripted_phone import Phone


class PhonePlace(Host):
    """This machine, described as a phone."""

    def device(self) -> Device:
        return Device(
            id="android-0123456789ab",
            kind=DeviceKind.PHONE,
            model="Nobody Scripted Phone",
            os="Android",
            os_version="14",
            os_build="nobody/phone/phone:14/A/1:user/release-keys",
            boot_age_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        )


def main(phone: Phone, folder: Path, described: type[Host] = PhonePlace) -> None:
    """Do the job in a folder, on a place described as the phone that it is."""
    given = job_folder.read(folder)
    place = RUNTIMES[given.job.runtime].place
    refusal = phone.fault("refuses")
    if refusal:
        (folder / "no-record.txt").write_text(f"refused\n{refusal}\n")
        return
    for fault, sign in (("dies", signal.SIGKILL), ("crashes", signal.SIGSEGV)):
        if phone.fault(fault):
            _die_in(given.journal_path, phone, sign)
    if most := phone.fault("run_full"):
        # The system has no room for more than this.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        performing.perform(folder, lambda: runtime_at(place), described())
    except (MobilebenchError, OSError) as error:
        with (phone.folder / "logcat").open("a") as log:
            log.write(f"I/mobilebench( 123): {folder.name}: {error}\n")
        if not given.journal_path.exists() or not given.journal().ended:
            return
    performing.write_record(given, "app")
    _spoil_record(given.record_path, phone)
    (folder / "running").unlink(missing_ok=True)


def _die_in(journal: Path, phone: Phone, sign: signal.Signals) -> None:
    """End this process when it has measured something more."""
    size = journal.stat().st_size if journal.exists() else 0

    def wait() -> None:
        while not journal.exists() or b'"samples"' not in journal.read_bytes()[size:]:
            time.sleep(0.02)
        reason = 5 if sign is signal.SIGSEGV else 3
        phone.note_exit(reason)
        os.kill(os.getpid(), sign)

    threading.Thread(target=wait, daemon=True).start()


def _spoil_record(record: Path, phone: Phone) -> None:
    whole = record.read_bytes()
    if seconds := phone.fault("slow_record"):
        record.write_bytes(whole[: len(whole) // 2])
        time.sleep(seconds)
        record.write_bytes(whole)
    if phone.fault("cut_record"):
        record.write_bytes(whole[: len(whole) // 2])
    if phone.fault("newer_record"):
        record.write_bytes(whole.replace(b'"schema_version":2', b'"schema_version":99', 1))


if __name__ == "__main__":
    main(Phone(Path(sys.argv[1])), Path(sys.argv[2]))
