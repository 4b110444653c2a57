"""The runner of Android phones: `adb:SERIAL`, with the app that measures on them.

A job goes into the app's folder, the app is started by an intent with the key that lies beside the
job, and does it by itself (docs/android.md). adb is needed to bring it there and back.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from threading import Event

from mobilebench.errors import MissingToolkit, UserError
from mobilebench.interfaces import Runner, ToolCall, ToolRan
from mobilebench.measuring.job_folder import NO_RECORD_FILE, JobFolder
from mobilebench.observer import Progress
from mobilebench.values.attached import Attached
from mobilebench.values.device import Device, DeviceState
from mobilebench.values.job import Job
from mobilebench.values.need import Need
from mobilebench.values.recipe import Format
from mobilebench.values.wishes import Wishes
from mobilebench_device_runners import _remote
from mobilebench_device_runners._adb import apk, app, ending, listing, needs, storage, tool_runs
from mobilebench_device_runners._adb.app import Owner
from mobilebench_device_runners._adb.command import Adb, quoted
from mobilebench_device_runners._adb.conditions import Conditions
from mobilebench_device_runners._adb.storage import Storage
from mobilebench_device_runners._adb.tool_runs import Waiting
from mobilebench_device_runners._by_app import RUNNING_FILE, AppRunner
from mobilebench_device_runners._reading import android
from mobilebench_device_runners._reading.adb_listing import Row, rows_of
from mobilebench_device_runners._reading.asking import Ask, decimal
from mobilebench_device_runners._remote import Patience
from mobilebench_device_runners._tools import Answer, LinkLost

RUNTIMES: Mapping[str, tuple[Format, tuple[str, ...]]] = {
    "onnxruntime": (Format.ONNX, ()),
    "litert": (Format.TFLITE, ()),
    "executorch": (Format.EXECUTORCH, ("xnnpack",)),
}
"""What the app has, by the names in its jobs: the format, and the delegates that are built in."""
_FIRST_START_S = 20.0
"""Until the app has made its folder after its first start."""
_BEGINS_S = 30.0
"""Until the process that measures is there: the app hashes the model first."""
_POLL_S = 0.5
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class AdbLink:
    """One Android device, while a job is done on it. See `_remote.Link`."""

    transport = "adb"

    def __init__(self, device_id: str, wishes: Wishes, cancel: Event | None = None) -> None:
        self._id = device_id
        self._row, address = listing.row(device_id, cancel)
        self._adb = Adb(address, cancel)
        self._conditions = Conditions(self._adb, wishes)
        self._user = Owner(0, alone=True)
        self._storage: Storage | None = None
        self._known: Attached | None = None
        self._started: float | None = None
        self._since: ending.Start | None = None
        self._seen = False

    @property
    def tool(self) -> str:
        return listing.version()

    @property
    def settings(self) -> Mapping[str, str]:
        return self._conditions.settings

    def attached(self) -> Attached:
        if self._row.obstacle is not None:
            return android.of_row(self._row)
        self._known = android.read(self._ask, self._row)
        return self._known

    def reading(self) -> DeviceState | None:
        seconds = decimal(self._adb.shell("cat /proc/uptime").text.partition(" ")[0])
        if seconds is None or self._known is None:
            return None
        return android.sample(self._ask, self._known).state(round(seconds * 1e9))

    def prepare(self, job: Job, progress: Progress) -> None:
        self._user = app.owner(self._adb)
        abis = self._adb.shell("getprop ro.product.cpu.abilist").text.strip().split(",")
        package = apk.find([abi for abi in abis if abi])
        app.require(self._adb, self._user, package, lambda: progress.stage("install the app"))
        self._conditions.wake()
        self._require_unlocked()
        if not storage.exists(self._adb, self._user):
            progress.stage("start the app for the first time")
            self._start_for_its_folder()
        self._storage = storage.find(self._adb, self._user)

    def put(self, given: JobFolder, name: str) -> None:
        self._there.put(given, name)

    def start(self, name: str) -> None:
        self._conditions.set()
        if self._is_under_way(name):
            self._seen = True
            return
        if not self._adb.shell(f"[ -d {quoted(self._there.of(name))} ]").ok:
            raise LinkLost(
                Answer(("adb", "shell", "..."), 1),
                "does not reach the storage of the phone; unlock it once after its restart",
            )
        self._stop_app()
        self._there.remove_refusal(name, NO_RECORD_FILE)
        self._since = ending.start(self._adb)
        extras = ("--es", "job", name, "--es", "key", self._there.key)
        self._start_activity(*extras)
        self._started, self._seen = time.monotonic(), False

    def alive(self, name: str) -> bool | None:
        if self._has_process(app.RUNNER):
            self._seen = True
            return True
        began = self._started is not None and time.monotonic() - self._started < _BEGINS_S
        # Until it was seen, it may be on its way: the app checks the files first.
        return None if began and not self._seen else False

    def read(self, name: str, file: str, offset: int = 0) -> bytes | None:
        content = self._adb.read(self._there.of(name, file), offset)
        if content and self._started is not None:
            self._seen = True  # something wrote it since the start
        return content

    def death(self, name: str) -> str | None:
        return ending.why(self._adb, self._since, name)

    def boot(self) -> str | None:
        self._adb.readdress(listing.found_again(self._id, self._adb.cancel))
        text = self._adb.shell(f"getprop sys.boot_completed; cat {_BOOT_ID} 2>/dev/null").text
        completed, _, boot_id = text.partition("\n")
        if completed.strip() != "1":
            answer = Answer(("adb", "shell", "getprop sys.boot_completed"), 0, text.encode())
            raise LinkLost(answer, "says that the phone has not finished its start")
        return boot_id.strip() or None

    def stop(self, name: str) -> None:
        self._adb.cancel = None  # what is left to do is done also after Ctrl-C
        try:
            self._conditions.take_back()
        finally:
            self._stop_app()

    def remove(self, name: str) -> None:
        self._there.remove(name)

    @property
    def _there(self) -> Storage:
        assert self._storage is not None, "prepared"
        return self._storage

    def _ask(self, words: Sequence[str]) -> Answer:
        return self._adb.run("shell", *words)

    def _require_unlocked(self) -> None:
        """Require a phone that shows apps. Raises `UserError` for a locked one.

        `am start` reports success there, too.
        """
        text = self._adb.shell("dumpsys trust").text
        current = [line for line in text.split("\n") if "(current)" in line]
        if any("deviceLocked=1" in line for line in current):
            raise UserError(
                f"The phone {self._id} is locked, and shows no app then; unlock it, and set its "
                f"screen lock to none or its timeout to the longest for the run."
            )

    def _start_for_its_folder(self) -> None:
        """Start the app, so that it makes its folder: what a cable makes, it may not write into."""
        self._start_activity()
        until = time.monotonic() + _FIRST_START_S
        while time.monotonic() < until:
            if storage.exists(self._adb, self._user):
                return
            time.sleep(_POLL_S)

    def _start_activity(self, *extras: str) -> None:
        user = ("--user", str(self._user.id))
        text = self._adb.shell(quoted("am", "start", *user, "-n", app.ACTIVITY, *extras)).text
        wrong = [line for line in text.split("\n") if "Error" in line or "Exception" in line]
        if wrong:
            raise UserError(
                f"The app cannot be started on the phone: {wrong[0].strip()}; look at its screen, "
                f"and open the app there once."
            )

    def _stop_app(self) -> None:
        self._adb.shell(quoted("am", "force-stop", "--user", str(self._user.id), app.PACKAGE))

    def _is_under_way(self, name: str) -> bool:
        """Whether the app does this job already, for a computer that was ended meanwhile."""
        if not self._has_process(app.RUNNER):
            return False
        return self._adb.shell(f"[ -e {quoted(self._there.of(name, RUNNING_FILE))} ]").ok

    def _has_process(self, process: str) -> bool:
        answered = self._adb.shell(f"pidof {quoted(process)} || ps -A 2>/dev/null")
        words = answered.text.split()
        # Without pidof, the list of processes has the name in its last column.
        return process in words or bool(words and all(word.isdigit() for word in words))


class AdbRunner(AppRunner):
    """Runs artifacts on Android devices, by the app."""

    scheme = "adb"
    transport = "adb"

    def __init__(
        self,
        patience: Patience | None = None,
        wishes: Wishes | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        super().__init__(RUNTIMES, patience)
        self._wishes = wishes or Wishes()
        self._waiting = waiting

    def wishing(self, wishes: Wishes) -> Runner:
        return AdbRunner(self._patience, wishes, self._waiting)

    def attached(self, device_id: str | None = None) -> tuple[Attached, ...]:
        """Return every device that adb lists, or one, with what stands in the way of each."""
        try:
            answer = listing.listing()
        except MissingToolkit:
            return ()
        rows = rows_of(answer)
        if device_id is not None:
            return tuple(
                AdbLink(device_id, Wishes()).attached()
                for row in rows
                if device_id in listing.ids_of(row, rows)
            )

        def ask_of(row: Row) -> Ask:
            adb = Adb(listing.address_of(row, rows))
            return lambda words: adb.run("shell", *words)

        return android.listed(answer, ask_of)

    def reach(self, device_id: str) -> Device:
        """Describe one device, without disturbing others.

        Raises `UserError`, with what to do, where it cannot be used now.
        """
        attached = AdbLink(device_id, Wishes()).attached()
        _remote.require_usable(attached)
        return replace(attached.device, id=device_id)

    def needs(self) -> tuple[Need, ...]:
        """Return adb, its server, a device and the app's package, as they are here."""
        return needs.all_needs(self.attached)

    def _link(self, device_id: str, cancel: Event | None) -> AdbLink:
        return AdbLink(device_id, self._wishes, cancel)

    def run_tools(
        self,
        device_id: str,
        calls: Sequence[ToolCall],
        time_limit_s: float,
        cancel: Event | None = None,
        progress: Progress | None = None,
    ) -> Generator[ToolRan, None, None]:
        """Run a program of others in the phone's shell, without the app."""
        return tool_runs.run(
            device_id,
            calls,
            time_limit_s,
            wishes=self._wishes,
            waiting=self._waiting,
            cancel=cancel,
            progress=progress,
        )


PLUGIN: Runner = AdbRunner()
