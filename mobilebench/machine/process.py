"""The one wrapper around child processes: a list of arguments, limits, a kept log."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import psutil

from mobilebench.errors import Cancelled, ProcessFailed

_POLL_S = 0.02
_WEIGH_S = 0.2
"""How often a child's memory is looked at: far shorter than filling gigabytes takes."""
_TAIL_CHARS = 4000


class Child:
    """A program at work in a session of its own, its output going to `log_path`.

    Ctrl-C reaches this process only, which ends the child and whatever the child started when the
    context is left.
    """

    def __init__(
        self,
        args: Sequence[str],
        *,
        log_path: Path,
        memory_bytes: int | None = None,
        env: Mapping[str, str] | None = None,
        cancel: Event | None = None,
    ) -> None:
        self._args = args
        self._log_path = log_path
        self._memory_bytes = memory_bytes
        self._cancel = cancel
        with log_path.open("wb") as log:
            self._child = subprocess.Popen(
                list(args),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if env is None else {**os.environ, **env},
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kill()

    def wait(self, timeout_s: float, until: Callable[[], bool] = lambda: False) -> int | None:
        """Wait until something has come true, and return None, or until the child ends, and return
        its exit code.

        Raises `ProcessFailed`, with the end of the log, at the time limit, or when the child with
        its own children holds more memory than it may; `Cancelled` when the event is set.
        """
        started = weighed = time.monotonic()
        while not until():
            try:
                return self._child.wait(timeout=_POLL_S)
            except subprocess.TimeoutExpired:
                if self._cancel is not None and self._cancel.is_set():
                    raise Cancelled from None
            now = time.monotonic()
            if now > started + timeout_s:
                raise self._stopped("timeout", f"did not end within {timeout_s:g} s")
            if self._memory_bytes is not None and now - weighed > _WEIGH_S:
                weighed = now
                held = _held_bytes(self._child.pid)
                if held > self._memory_bytes:
                    raise self._stopped(
                        "memory",
                        f"held {held / 1e9:.1f} GB of memory, more than the "
                        f"{self._memory_bytes / 1e9:.1f} GB it may,",
                    )
        return None

    def log(self) -> str:
        """What the child has printed, stdout and stderr together, in the order they came."""
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def ended(self, code: int) -> ProcessFailed:
        """The error that says with which exit code, or by which signal, the child ended."""
        if code < 0:
            name = signal.Signals(-code).name
            return self._failed("signal", f"was ended by the signal {name}")
        return self._failed("exit", f"ended with exit code {code}")

    def _stopped(self, reason: str, detail: str) -> ProcessFailed:
        self._kill()
        return self._failed(reason, f"{detail} and was stopped")

    def _failed(self, reason: str, detail: str) -> ProcessFailed:
        return ProcessFailed(" ".join(self._args), reason, detail, tail(self.log()))

    def _kill(self) -> None:
        if self._child.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it ended between the two lines
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


def _held_bytes(pid: int) -> int:
    """Resident memory of a process and of what it started; 0 for one that has just ended."""
    held = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                held += process.memory_info().rss
    return held


def tail(text: str, chars: int = _TAIL_CHARS) -> str:
    """The end of a log, cut at a line."""
    if len(text) <= chars:
        return text
    return text[-chars:].partition("\n")[2]
