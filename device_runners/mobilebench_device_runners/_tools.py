"""Run one command of this computer that talks to a device: adb, devicectl, go-ios, ssh.

A device that died stays listed, and a command to it then never ends. So each has a time limit, and
what is stopped is the command, never a server that others use.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from mobilebench.errors import Cancelled, MissingToolkit, MobilebenchError

_POLL_S = 0.01
_MOST_SHOWN = 300


@dataclass(frozen=True)
class Answer:
    """What a command answered. On old devices the exit status of a failure is 0 too."""

    args: tuple[str, ...]
    rc: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def text(self) -> str:
        """Return the standard output as text, with one kind of line end."""
        return self.stdout.decode("utf-8", "replace").replace("\r\n", "\n")

    @property
    def complaint(self) -> str:
        """Return what the command says went wrong, in one line."""
        text = (self.stderr.strip() or self.stdout.strip()).decode("utf-8", "replace")
        return " ".join(text.split())[:_MOST_SHOWN]


class ToolFailed(MobilebenchError):
    """A command failed, or did not end in time; nothing is known of what it did."""

    def __init__(self, answer: Answer, why: str) -> None:
        super().__init__(answer, why)
        self.answer = answer
        self.why = why

    def __str__(self) -> str:
        return f"`{shown(self.answer.args)}` {self.why}"


class LinkLost(ToolFailed):
    """The device cannot be reached at the moment: a cable, a network, a restart."""


def run_tool(
    args: Sequence[str],
    timeout_s: float,
    *,
    cancel: Event | None = None,
    stdin: Path | None = None,
    stdout: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Answer:
    """Run a command to its end and return its answer, whatever its exit status.

    `stdin` is a file that it reads; with `stdout` its output goes to that file, and not into the
    answer. Raises `MissingToolkit` where the program is not installed, `LinkLost` where it does
    not end within `timeout_s`, `Cancelled` when the event is set.
    """
    program = _program(args[0])
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        Path(stdin or os.devnull).open("rb") as given,
        Path(stdout or os.devnull).open("wb") as target,
    ):
        child = subprocess.Popen(
            [program, *args[1:]],
            stdin=given,
            stdout=target if stdout is not None else out,
            stderr=err,
            env=None if env is None else {**os.environ, **env},
            start_new_session=True,
        )
        try:
            ended = _wait(child, timeout_s, cancel)
        finally:
            _kill(child)
        out.seek(0)
        err.seek(0)
        answer = Answer(tuple(args), child.returncode, out.read(), err.read())
    if not ended:
        raise LinkLost(answer, f"did not answer within {timeout_s:g} s")
    return answer


def _program(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise MissingToolkit(
            f"The program {name!r} is not installed, or not on the PATH; `mobilebench doctor` says "
            f"how to get it."
        )
    return program


def shown(args: Sequence[str]) -> str:
    """Return a command as text for people, cut where it is long."""
    text = " ".join(args)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _wait(child: subprocess.Popen[bytes], timeout_s: float, cancel: Event | None) -> bool:
    """Wait for the end; return whether it came in time."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=_POLL_S if cancel is not None else until - time.monotonic())
            return True
        if cancel is not None and cancel.is_set():
            raise Cancelled
    return False


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the command with what it started; a server that left its session goes on."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


class Held:
    """A command whose effect lasts while it runs, such as a device condition of go-ios."""

    def __init__(self, args: Sequence[str]) -> None:
        """Start it. Raises `MissingToolkit` where the program is not installed."""
        program = _program(args[0])
        self._args = tuple(args)
        self._child = subprocess.Popen(
            [program, *args[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def runs(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    def end(self) -> None:
        """End it: first as a terminal does, so that it can take back what it did."""
        if self.runs:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGINT)
            _wait(self._child, 5.0, None)
        _kill(self._child)
