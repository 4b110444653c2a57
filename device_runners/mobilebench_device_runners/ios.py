"""The runner of iPhones and iPads: `ios:UDID`, with the app that measures on them.

A job goes into the app's folder, the app is launched with the key that lies beside the job, and
does it by itself (docs/ios.md). devicectl brings it there and back on macOS, go-ios elsewhere.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from mobilebench.errors import Cancelled, UserError
from mobilebench.interfaces import Runner
from mobilebench.measuring.job_folder import JOB_FILE, LEFT_FILES, NO_RECORD_FILE, JobFolder
from mobilebench.notation.quantities import size as size_in_words
from mobilebench.observer import Progress, SilentProgress
from mobilebench.values.attached import Attached, IosTool
from mobilebench.values.device import Device, DeviceState
from mobilebench.values.job import Job
from mobilebench.values.need import Need
from mobilebench.values.obstacles import Obstacle
from mobilebench.values.recipe import Format
from mobilebench.values.wishes import Wishes
from mobilebench_device_runners import _remote
from mobilebench_device_runners._by_app import KEY_FILE, RUNNING_FILE, AppRunner, require_taken
from mobilebench_device_runners._ios import app as apps
from mobilebench_device_runners._ios import needs
from mobilebench_device_runners._ios.app import App
from mobilebench_device_runners._ios.conditions import Conditions
from mobilebench_device_runners._ios.tools import (
    GO_IOS,
    QUICK_S,
    XCRUN,
    GoIos,
    Refused,
    Tool,
    tool_of,
)
from mobilebench_device_runners._reading import ios
from mobilebench_device_runners._reading.devicectl import Cause
from mobilebench_device_runners._remote import Patience
from mobilebench_device_runners._tools import Answer, LinkLost, ToolFailed, run_tool

RUNTIMES: Mapping[str, tuple[Format, tuple[str, ...]]] = {
    "coreml": (Format.COREML, ()),
    "onnxruntime": (Format.ONNX, ()),
    "executorch": (Format.EXECUTORCH, ("xnnpack",)),
}
"""What the app can have, by the names in its jobs; all but Core ML are built in where wanted."""
PATIENCE = Patience(look_s=5.0, outside_s=60.0)
"""Each look copies the whole journal: devicectl cannot read the end of a file."""
_STAYS = (*LEFT_FILES, RUNNING_FILE, KEY_FILE, "plan.json")
"""Files of a job's folder that do not go to the phone."""
_UNLOCK_S = 120.0
"""For somebody to unlock the phone."""
_UNLOCK_LOOK_S = 2.0
_JOBS = "Documents/jobs"
_WORTH_EMPTYING = 1_000_000
"""Bytes of a file whose room on the phone is given back where nothing can be removed."""


class IosLink:
    """One iPhone, while a job is done on it. See `_remote.Link`."""

    def __init__(self, device_id: str, wishes: Wishes, cancel: Event | None = None) -> None:
        self._id = device_id
        self._cancel = cancel
        self._known = one(device_id, cancel)
        facts = self._known.apple
        assert facts is not None, "a device of Apple"
        by_devicectl = facts.by is IosTool.DEVICECTL
        device = (facts.id if by_devicectl else None) or facts.udid or ""
        self._tool: Tool = tool_of(by_devicectl, device, cancel)
        self._udid = facts.udid
        self._conditions = Conditions(facts.udid, wishes)
        self._version: str | None = None
        self._app: App | None = None
        self._key = secrets.token_hex(16)
        self._progress: Progress = SilentProgress()
        self._sent: dict[str, int] = {}
        self._earlier: bytes | None = None
        self._fresh = True

    @property
    def transport(self) -> str:
        return self._tool.transport

    @property
    def tool(self) -> str:
        if self._version is None:
            self._version = self._tool.version()
        return self._version

    @property
    def settings(self) -> Mapping[str, str]:
        return self._conditions.settings

    def attached(self) -> Attached:
        if self._fresh:
            self._fresh = False  # asked for a moment ago
            return self._known
        try:
            self._known = one(self._id, self._tool.cancel)
        except UserError as error:
            raise LinkLost(Answer((self.transport, "list"), 1), "does not list it") from error
        return self._known

    def reading(self) -> DeviceState | None:
        # Neither tool tells how long the phone has been up, or its heat; the app records that.
        return None

    def prepare(self, job: Job, progress: Progress) -> None:
        self._progress = progress
        self._conditions.require()
        # First: the name in the record, while the phone is idle.
        _ = self.tool
        here = apps.find()
        there = self._installed(here)
        if here is not None and (there is None or not there.is_same(here)):
            self._install(here, there)
            there = here
        if there is None:
            raise UserError(
                f"The app is not on the phone, and none is here to install; build it as "
                f"docs/ios.md says, or name its folder {apps.NAME} in {apps.VARIABLE}."
            )
        self._app = there

    def put(self, given: JobFolder, name: str) -> None:
        files = _files(given)
        require_taken(given, sum(path.stat().st_size for path in files.values()))
        noted = self._noted(name)
        hashes = {file: _sha256(path) for file, path in files.items()}
        for file, path in files.items():
            self._sent[file] = path.stat().st_size
            if noted.get(file) != hashes[file]:
                self._push(path, self._of(name, file))
        # The tools cannot hash on the phone: this says what arrived there.
        lines = [f"{sha256} {file}\n" for file, sha256 in hashes.items()]
        self._write("".join(lines).encode(), self._of(name, ".noted"))
        self._write(self._key.encode(), self._of(name, KEY_FILE))
        # Last: the app lists a folder with a job, and a folder with one is whole.
        self._write(given.content, self._of(name, JOB_FILE))

    def start(self, name: str) -> None:
        self._conditions.set(self._cancel)
        self._earlier = self._tool.pull(self._there, self._of(name, NO_RECORD_FILE))
        if self._is_under_way(name):
            return
        self._launch(("--job", name, "--key", self._key))

    def alive(self, name: str) -> bool | None:
        if not self._tool.pids(self._there):
            return False
        # The app stays open after a run; this file says that one has ended.
        why = self._tool.pull(self._there, self._of(name, NO_RECORD_FILE))
        return not why or why == self._earlier

    def read(self, name: str, file: str, offset: int = 0) -> bytes | None:
        content = self._tool.pull(self._there, self._of(name, file))
        if content is None:
            return None
        if len(content) < offset:
            answer = Answer((self.transport, "copy", file), 0)
            raise LinkLost(answer, f"was cut off after {len(content)} bytes")
        return content[offset:]

    def death(self, name: str) -> str | None:
        return None  # iOS tells nobody

    def boot(self) -> str | None:
        self._tool.pids(self._there)
        return None

    def stop(self, name: str) -> None:
        self._tool.cancel = None  # what is left to do is done also after Ctrl-C
        try:
            self._conditions.take_back()
        finally:
            if self._app is not None:
                self._tool.end(self._app)

    def remove(self, name: str) -> None:
        if self._app is None:
            return
        if self._tool.remove(self._there, self._of(name)):
            return
        if self._udid and shutil.which(GO_IOS) is not None:
            try:
                GoIos(self._udid).remove(self._there, self._of(name))
                return
            except ToolFailed:
                pass
        for file, size in self._sent.items():
            if size >= _WORTH_EMPTYING:
                self._write(b"", self._of(name, file))

    @property
    def _there(self) -> App:
        assert self._app is not None, "prepared"
        return self._app

    def _of(self, name: str, file: str = "") -> str:
        return f"{_JOBS}/{name}" + (f"/{file}" if file else "")

    def _installed(self, here: App | None) -> App | None:
        """Return the app on the phone, by its identifier where that is known, or by its name."""
        every = self._tool.apps()
        for each in every:
            if here is not None and each.bundle_id == here.bundle_id:
                return each
        named = [each for each in every if here is None and each.name == apps.NAME]
        if len(named) > 1:
            ids = ", ".join(each.bundle_id for each in named)
            raise UserError(
                f"The phone has several builds of the app ({ids}); remove all but one, or name the "
                f"one to use in {apps.VARIABLE}."
            )
        return named[0] if named else None

    def _install(self, here: App, there: App | None) -> None:
        assert here.path is not None, "on this computer"
        self._progress.stage("update the app" if there else "install the app")
        try:
            # Over the one that is there: without it, its jobs and the trust in it are lost.
            self._tool.install(here.path)
        except Refused as error:
            raise UserError(f"The app cannot be installed on the phone: {error}") from error

    def _launch(self, arguments: Sequence[str]) -> None:
        """Launch the app; wait for somebody to unlock the phone. Raises `UserError`."""
        until = time.monotonic() + _UNLOCK_S
        while True:
            try:
                self._tool.launch(self._there, arguments)
                return
            except Refused as error:
                if error.cause is not Cause.LOCKED or time.monotonic() > until:
                    raise UserError(
                        f"The app cannot be started on the phone: {error.cause.sentence} ({error})"
                    ) from error
            self._progress.stage("wait for the phone to be unlocked")
            if (self._tool.cancel or Event()).wait(_UNLOCK_LOOK_S):
                raise Cancelled

    def _is_under_way(self, name: str) -> bool:
        """Whether the app does this job already, for a computer that was ended meanwhile."""
        if not self._tool.pids(self._there):
            return False
        return self._tool.pull(self._there, self._of(name, RUNNING_FILE)) is not None

    def _noted(self, name: str) -> dict[str, str]:
        content = self._tool.pull(self._there, self._of(name, ".noted")) or b""
        lines = [line.split(" ", 1) for line in content.decode("utf-8", "replace").split("\n")]
        return {line[1]: line[0] for line in lines if len(line) == 2}

    def _write(self, content: bytes, target: str) -> None:
        with tempfile.TemporaryDirectory(prefix="mobilebench-") as folder:
            source = Path(folder) / Path(target).name
            source.write_bytes(content)
            self._push(source, target)

    def _push(self, source: Path, target: str) -> None:
        try:
            self._tool.push(self._there, source, target)
        except Refused as error:
            if error.full:
                raise UserError(
                    f"The phone has no room for {source.name}, "
                    f"{size_in_words(source.stat().st_size)}; delete something on it."
                ) from error
            raise


class IosRunner(AppRunner):
    """Runs artifacts on iPhones and iPads, by the app."""

    scheme = "ios"

    def __init__(self, patience: Patience | None = None, wishes: Wishes | None = None) -> None:
        super().__init__(RUNTIMES, patience or PATIENCE)
        self._wishes = wishes or Wishes()

    @property
    def transport(self) -> str:
        return "devicectl" if shutil.which(XCRUN) is not None else "go-ios"

    def wishing(self, wishes: Wishes) -> Runner:
        return IosRunner(self._patience, wishes)

    def attached(self, device_id: str | None = None) -> tuple[Attached, ...]:
        # The tools list all of them in one answer.
        return tuple(each for each in listed() if device_id in (None, each.id))

    def reach(self, device_id: str) -> Device:
        """Describe one device. Raises `UserError`, with what to do, where it cannot be used now."""
        attached = one(device_id)
        _remote.require_usable(attached)
        return replace(attached.device, id=device_id)

    def needs(self) -> tuple[Need, ...]:
        """Return the tools, the certificate, the phone and the app, as they are here."""
        return needs.all_needs(self.attached)

    def _link(self, device_id: str, cancel: Event | None) -> IosLink:
        return IosLink(device_id, self._wishes, cancel)


def listed(cancel: Event | None = None) -> tuple[Attached, ...]:
    """Return every device of Apple that the tools list, with what stands in its way.

    A tool that does not answer lists none.
    """
    devicectl, go = shutil.which(XCRUN) is not None, shutil.which(GO_IOS) is not None

    def ask(words: Sequence[str]) -> Answer:
        try:
            return run_tool(words, QUICK_S, cancel=cancel)
        except LinkLost as error:
            return replace(error.answer, rc=error.answer.rc or 1)

    return ios.listed(ask, devicectl, go) if devicectl or go else ()


def one(device_id: str, cancel: Event | None = None) -> Attached:
    """Return one device, by its id or by devicectl's identifier. Raises `UserError`."""
    every = listed(cancel)
    for each in every:
        identifier = f"ios:{each.apple.id}" if each.apple and each.apple.id else None
        if device_id in (each.id, identifier):
            return each
    if shutil.which(XCRUN) is None and shutil.which(GO_IOS) is None:
        raise UserError(
            f"The device {device_id!r} cannot be reached: neither devicectl (Xcode 15, macOS) nor "
            f"go-ios is on the PATH; `mobilebench doctor` says how to get them."
        )
    phones = [each.id for each in every if Obstacle.NOT_A_PHONE not in each.why_not]
    raise UserError(
        f"There is no device {device_id!r}; the tools list {', '.join(phones) or 'no iPhone'}. "
        f"Plug it in, unlock it and trust this computer; `mobilebench devices` shows what is there."
    )


def _files(given: JobFolder) -> dict[str, Path]:
    """Return the files of a folder that go to the phone, without the job's own file."""
    result = {}
    for path in sorted(given.path.rglob("*")):
        name = path.relative_to(given.path).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        stays = hidden or name in (*_STAYS, JOB_FILE) or name.endswith(".damaged")
        if path.is_file() and not stays:
            result[name] = path
    return result


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


PLUGIN: Runner = IosRunner()
