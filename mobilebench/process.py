"""The one wrapper around child processes: a list of arguments, a time limit, a kept log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import psutil

from mobilebench.errors import ProcessFailed

_POLL_S = 0.02
_WEIGH_S = 0.2
"""How often a child's memory is looked at: far shorter than filling gigabytes takes."""
_TAIL_CHARS = 4000


@dataclass(frozen=True)
class Completed:
    """A child process that ended well."""

    log: str
    """stdout and stderr together, in the order they came."""
    seconds: float


class Cancelled(KeyboardInterrupt):
    """The caller's cancel event was set while a child ran; the child is gone."""


def run(
    args: Sequence[str],
    *,
    log_path: Path,
    timeout_s: float,
    memory_bytes: int | None = None,
    env: Mapping[str, str] | None = None,
    cancel: Event | None = None,
) -> Completed:
    """Run a program to its end, its output going to `log_path`.

    The child gets a session of its own: Ctrl-C reaches this process, which then ends the child
    and whatever the child started. Raises `ProcessFailed` on a non-zero exit, a signal, the time
    limit, or when the child with its own children holds more memory than `memory_bytes`, with the
    end of the log; `Cancelled` when `cancel` is set.
    """
    started = time.monotonic()
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            list(args),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=None if env is None else {**os.environ, **env},
            start_new_session=True,
        )
        try:
            code = _wait(child, started, timeout_s, memory_bytes, cancel)
        except _Stopped as stopped:
            raise ProcessFailed(args, stopped.reason, stopped.detail, _tail_of(log_path)) from None
        except BaseException:
            _kill_group(child)
            raise
    text = log_path.read_text(encoding="utf-8", errors="replace")
    if code < 0:
        name = signal.Signals(-code).name
        raise ProcessFailed(args, "signal", f"was ended by the signal {name}", tail(text))
    if code > 0:
        raise ProcessFailed(args, "exit", f"ended with exit code {code}", tail(text))
    return Completed(log=text, seconds=time.monotonic() - started)


class _Stopped(Exception):
    """The child went past a limit and is gone."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def _wait(
    child: subprocess.Popen[bytes],
    started: float,
    timeout_s: float,
    memory_bytes: int | None,
    cancel: Event | None,
) -> int:
    """The exit code; raises `_Stopped` where the child was killed for a limit."""
    weighed = started
    while True:
        try:
            return child.wait(timeout=_POLL_S)
        except subprocess.TimeoutExpired:
            if cancel is not None and cancel.is_set():
                raise Cancelled from None
        now = time.monotonic()
        if now > started + timeout_s:
            _kill_group(child)
            raise _Stopped("timeout", f"did not end within {timeout_s:g} s and was stopped")
        if memory_bytes is not None and now - weighed > _WEIGH_S:
            weighed = now
            held = _held_bytes(child.pid)
            if held > memory_bytes:
                _kill_group(child)
                raise _Stopped(
                    "memory",
                    f"held {held / 1e9:.1f} GB of memory, more than the {memory_bytes / 1e9:.1f} "
                    f"GB it may, and was stopped",
                )


def _held_bytes(pid: int) -> int:
    """Resident memory of a process and of what it started; 0 for one that has just ended."""
    held = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                held += process.memory_info().rss
    return held


def _tail_of(log_path: Path) -> str:
    return tail(log_path.read_text(encoding="utf-8", errors="replace"))


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):  # it ended between the two lines
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def tail(text: str, chars: int = _TAIL_CHARS) -> str:
    """The end of a log, cut at a line."""
    if len(text) <= chars:
        return text
    return text[-chars:].partition("\n")[2]
