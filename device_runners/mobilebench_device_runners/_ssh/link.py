"""A board at the end of an SSH connection: the `Link` of `_remote`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

from mobilebench.errors import CellFailed, UserError
from mobilebench.measuring.job_folder import JOB_FILE, LEFT_FILES, JobFolder
from mobilebench.observer import Progress
from mobilebench.values.attached import Attached
from mobilebench.values.device import DeviceState
from mobilebench.values.job import Job
from mobilebench.values.measurement import Stage
from mobilebench_device_runners._ssh import environment, scripts
from mobilebench_device_runners._ssh.connection import Connection
from mobilebench_device_runners._ssh.environment import RUNTIMES, Environment
from mobilebench_device_runners._ssh.target import Target
from mobilebench_device_runners._tools import ToolFailed, run_tool

_NO_FILE = 44
_NAME = re.compile(r"[0-9a-z-]+")
_OURS = (*LEFT_FILES, ".lock")
"""Files that a job leaves in its folder, here or on the board."""
_SIGNALS = {9: "killed", 15: "ended by a signal", 11: "a crash", 6: "a crash", 4: "a crash"}

Look = Callable[[Connection, Attached | None], Attached]
"""Reads what a board shows of itself; given what is known of it, in few commands."""


class SshLink:
    """One board, while a job is done on it."""

    transport = "ssh"

    def __init__(self, target: Target, look: Look, cancel: Event | None = None) -> None:
        self._connection = Connection(target, cancel)
        self._look = look
        self._environment: Environment | None = None
        self._identity = ""
        self._known: Attached | None = None
        self._given: JobFolder | None = None

    @property
    def connection(self) -> Connection:
        """Return the connection, which `close` ends."""
        return self._connection

    @property
    def tool(self) -> str:
        return client_version()

    def attached(self) -> Attached:
        self._known = self._look(self._connection, self._known)
        return self._known

    def reading(self) -> DeviceState | None:
        """Return nothing: a board reads the same files itself, without a process in between."""
        return None

    def prepare(self, job: Job, progress: Progress) -> None:
        self.prepare_runtime(job.runtime, progress)

    def prepare_runtime(self, runtime: str, progress: Progress) -> None:
        """Bring the environment of a runtime onto the board, where it is not there yet."""
        if runtime not in RUNTIMES:
            raise UserError(
                f"The runtime {runtime} does not run on boards; those that do: "
                f"{', '.join(RUNTIMES)}."
            )
        self._environment = environment.make(self._connection, runtime, progress)
        self._identity = self._connection.run(scripts.IDENTITY).text.strip()
        if not re.fullmatch(r"[0-9a-f]{12}", self._identity):
            raise UserError(
                f"The board {self._connection.target.name} could not keep an id for its records; "
                f"see to the space in its home folder."
            )

    def put(self, given: JobFolder, name: str) -> None:
        files = {
            path.relative_to(given.path).as_posix(): path
            for path in sorted(given.path.rglob("*"))
            if path.is_file()
            and path != given.journal_path
            and path.relative_to(given.path).as_posix() not in _OURS
        }
        digests = {place: _sha256(path) for place, path in files.items()}
        unique = {digest: files[place] for place, digest in digests.items()}
        missing = self._connection.run(scripts.MISSING, *unique).text.split()
        self._require_space(sum(unique[digest].stat().st_size for digest in missing))
        for digest in missing:
            self._copy(digest, unique[digest])
        last = sorted(digests, key=lambda place: place == JOB_FILE)
        pairs = [word for place in last for word in (digests[place], place)]
        self._connection.run(scripts.LINK, _checked(name), *pairs)
        self._given = given

    def start(self, name: str) -> None:
        if self.alive(name):
            return
        if self._environment is None or self._given is None:
            raise RuntimeError("a job is started after `prepare` and `put`")
        self._put_journal(self._given, name)
        self._connection.run(
            scripts.START,
            _checked(name),
            self._environment.code,
            self._environment.folder,
            self._identity,
        )

    @property
    def settings(self) -> Mapping[str, str]:
        """Return nothing: what would have to be set on a board needs root."""
        return {}

    def alive(self, name: str) -> bool | None:
        return self._connection.run(scripts.ALIVE, _checked(name), good=(0, 1)).rc == 0

    def read(self, name: str, file: str, offset: int = 0) -> bytes | None:
        answer = self._connection.run(
            scripts.READ, _checked(name), file, str(offset + 1), good=(0, _NO_FILE), timeout_s=120.0
        )
        return None if answer.rc == _NO_FILE else answer.stdout

    def death(self, name: str) -> str | None:
        try:
            text = self._connection.run(scripts.DEATH, _checked(name)).text
        except ToolFailed:
            return None
        return explain_death(text)

    def boot(self) -> str | None:
        return self._connection.run(scripts.BOOT).text.strip() or None

    def stop(self, name: str) -> None:
        self._connection.run(scripts.STOP, _checked(name), to_the_end=True)

    def remove(self, name: str) -> None:
        self._connection.run(scripts.REMOVE, _checked(name), to_the_end=True)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def predict(
        self, runtime: str, threads: int, model: Path, inputs: Path, outputs: Path, limit_s: float
    ) -> str:
        """Compute outputs on the board; return the runtime's name with its version."""
        if self._environment is None:
            raise RuntimeError("outputs are computed after `prepare`")
        name = f"predict-{_sha256(inputs)[:16]}"
        connection = self._connection
        try:
            parts = [model, *[part for part in [_weights(model)] if part.is_file()]]
            for part in (*parts, inputs):
                digest = _sha256(part)
                if digest in connection.run(scripts.MISSING, digest).text.split():
                    self._require_space(part.stat().st_size)
                    self._copy(digest, part)
                connection.run(scripts.LINK, name, digest, part.name)
            answer = connection.run(
                scripts.PREDICT,
                name,
                self._environment.code,
                self._environment.folder,
                *(runtime, str(threads), model.name, inputs.name),
                timeout_s=limit_s,
            )
            content = self.read(name, "predicted.npz")
        except ToolFailed as error:
            lines = error.answer.complaint
            raise CellFailed(Stage.RUN, "BoardFailed", str(error), lines) from error
        finally:
            self.remove(name)
        if not content:
            raise CellFailed(Stage.RUN, "BoardFailed", "the board wrote no outputs")
        outputs.write_bytes(content)
        return answer.text.strip().splitlines()[-1]

    def _copy(self, digest: str, path: Path) -> None:
        try:
            self._connection.copy(path, scripts.COPY, digest)
        except ToolFailed as error:
            if re.search(r"No space left|quota", error.answer.complaint):
                raise CellFailed(
                    Stage.RUN,
                    "DiskFull",
                    f"the disk of the board is full: {path.name} has {_mb(path.stat().st_size)} "
                    f"and does not fit; free some space in the home folder of the board",
                ) from error
            raise

    def _require_space(self, size: int) -> None:
        """Raise `CellFailed` where files do not fit, after older models were removed for them."""
        if not size:
            return
        answer = self._connection.run(scripts.SPACE, str(-(-size // 1024))).text.strip()
        if answer.isdigit() and int(answer) * 1024 < size:
            raise CellFailed(
                Stage.RUN,
                "DiskFull",
                f"the disk of the board is too full: the job has {_mb(size)} to copy and "
                f"{_mb(int(answer) * 1024)} are free; free some space in the board's home folder",
            )

    def _put_journal(self, given: JobFolder, name: str) -> None:
        """Copy a journal of which the board has lost the end, as a loss of power may do."""
        here = given.journal_path
        if not here.exists():
            return
        file = given.job.reporting.journal_file
        size = int(self._connection.run(scripts.SIZE, _checked(name), file).text.strip() or 0)
        if size < here.stat().st_size:
            self._connection.copy(here, scripts.JOURNAL, _checked(name), file)


def client_version() -> str:
    """Return the SSH client with its version, such as `OpenSSH_9.2p1 Debian-2+deb12u6`."""
    return run_tool(("ssh", "-V"), 10.0).complaint.partition(",")[0]


def explain_death(text: str) -> str | None:
    """Say why a process of a board ended, from its exit status, its log and the kernel's."""
    words = dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)
    status, log = words.get("exit", ""), words.get("log", "")
    memory = words.get("oom", "")
    if not status.isdigit():
        return "it vanished, as when the board loses power or restarts"
    code = int(status)
    if code > 128:
        number = code - 128
        why = f"it was {_SIGNALS.get(number, 'ended')} (signal {number})"
        if memory:
            return f"{why} for want of memory: {memory}"
        return f"{why}{f': {log}' if log else ''}"
    return f"it ended with exit status {code}{f': {log}' if log else ''}"


def _checked(name: str) -> str:
    """Return the name of a job's folder; a script may remove it as a whole."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a job's folder")
    return name


def _weights(model: Path) -> Path:
    return model.with_name(f"{model.name}.data")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
