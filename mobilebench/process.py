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

from mobilebench.errors import ProcessFailed

_POLL_S = 0.02
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
    env: Mapping[str, str] | None = None,
    cancel: Event | None = None,
) -> Completed:
    """Run a program to its end, its output going to `log_path`.

    The child gets a session of its own: Ctrl-C reaches this process, which then ends the child
    and whatever the child started. Raises `ProcessFailed` on a non-zero exit, a signal or the
    time limit, with the end of the log; `Cancelled` when `cancel` is set.
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
            code = _wait(child, started + timeout_s, cancel)
        except BaseException:
            _kill_group(child)
            raise
    text = log_path.read_text(encoding="utf-8", errors="replace")
    if code is None:
        raise ProcessFailed(
            args, "timeout", f"did not end within {timeout_s:g} s and was stopped", tail(text)
        )
    if code < 0:
        name = signal.Signals(-code).name
        raise ProcessFailed(args, "signal", f"was ended by the signal {name}", tail(text))
    if code > 0:
        raise ProcessFailed(args, "exit", f"ended with exit code {code}", tail(text))
    return Completed(log=text, seconds=time.monotonic() - started)


def _wait(child: subprocess.Popen[bytes], deadline: float, cancel: Event | None) -> int | None:
    """The exit code, or None when the deadline passed and the child was killed."""
    while True:
        try:
            return child.wait(timeout=_POLL_S)
        except subprocess.TimeoutExpired:
            if cancel is not None and cancel.is_set():
                raise Cancelled from None
            if time.monotonic() > deadline:
                _kill_group(child)
                return None


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
