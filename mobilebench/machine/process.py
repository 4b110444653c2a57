"""Run child processes with limits on time and memory, and a log of their output."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import psutil

from mobilebench.errors import Cancelled, ProcessFailed

_POLL_S = 0.02
_MEMORY_POLL_S = 0.2
"""Interval between checks of a child's memory; filling gigabytes takes far longer."""
_PARENT_POLL_S = 0.5
_TAIL_CHARS = 4000
PARENT = "MOBILEBENCH_PARENT"
"""Variable with the id of the process without which a command has no purpose."""


class Child:
    """A running program in its own process session, with its output in `log_path`.

    Ctrl-C reaches this process only. When the context is left, the child and whatever it started
    are killed.
    """

    def __init__(
        self,
        args: Sequence[str],
        *,
        log_path: Path,
        memory_bytes: int | None = None,
        env: Mapping[str, str] | None = None,
        cancel: Event | None = None,
        input_path: Path | None = None,
        errors_path: Path | None = None,
    ) -> None:
        """Start the program. Raises `OSError` where that cannot be done.

        `input_path` is the file that it reads from its standard input; `errors_path` takes what it
        prints to stderr, which is in the log otherwise.
        """
        self._args = args
        self._log_path = log_path
        self._memory_bytes = memory_bytes
        self._cancel = cancel
        with (
            Path(input_path or os.devnull).open("rb") as given,
            log_path.open("wb") as log,
            contextlib.nullcontext() if errors_path is None else errors_path.open("wb") as errors,
        ):
            self._child = subprocess.Popen(
                list(args),
                stdin=given,
                stdout=log,
                stderr=errors or subprocess.STDOUT,
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
        """Wait until `until()` is true or the child ends.

        Returns None where `until()` is true, otherwise the child's exit code. Raises
        `ProcessFailed`, with the end of the log, at the time limit, or when the child and its own
        children use more memory than the limit; `Cancelled` when the event is set.
        """
        started = checked = time.monotonic()
        while not until():
            try:
                return self._child.wait(timeout=_POLL_S)
            except subprocess.TimeoutExpired:
                if self._cancel is not None and self._cancel.is_set():
                    raise Cancelled from None
            now = time.monotonic()
            if now > started + timeout_s:
                raise self._stopped("timeout", f"did not end within {timeout_s:g} s")
            if self._memory_bytes is not None and now - checked > _MEMORY_POLL_S:
                checked = now
                used = _resident_bytes(self._child.pid)
                if used > self._memory_bytes:
                    raise self._stopped(
                        "memory",
                        f"used {used / 1e9:.1f} GB of memory, over its limit of "
                        f"{self._memory_bytes / 1e9:.1f} GB,",
                    )
        return None

    def log(self) -> str:
        """Return what the child has printed, stdout and stderr together, in order."""
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def ended(self, code: int) -> ProcessFailed:
        """Return the error that names the exit code, or the signal, that ended the child."""
        if code < 0:
            return self._failed("signal", f"was ended by the signal {signal_name(-code)}")
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


def signal_name(number: int) -> str:
    """Return the name of a signal; the number of one that has no name."""
    return next((each.name for each in signal.Signals if each == number), f"number {number}")


def end_with(parent: int) -> None:
    """End this process politely, from now on, when its parent is gone.

    A parent that is killed outright cannot end its children itself.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _resident_bytes(pid: int) -> int:
    """Return the resident memory of a process and its children; 0 for one that has ended."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total


def tail(text: str, chars: int = _TAIL_CHARS) -> str:
    """Return the end of a log, cut at the start of a line."""
    if len(text) <= chars:
        return text
    return text[-chars:].partition("\n")[2]
