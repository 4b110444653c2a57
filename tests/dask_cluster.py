"""A real dask scheduler and real workers, as subprocesses on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

START_S = 60.0
"""How long a process may take to be there, on a machine that is busy with other tests."""


def until(
    holds: Callable[[], bool], what: str, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Return as soon as a condition holds."""
    deadline = time.monotonic() + START_S
    while not holds():
        assert process is None or process.poll() is None, f"ended while waiting for: {what}"
        assert time.monotonic() < deadline, f"not within {START_S} s: {what}"
        time.sleep(0.02)


class DaskCluster:
    """A scheduler and the workers that were started for it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.scheduler = self._start("scheduler", "--port", "0")
        # Not only that it exists: the scheduler may be writing it.
        until(self._address, "the scheduler's address", self.scheduler)
        self.address: str = self._address()

    def _address(self) -> str:
        try:
            address: str = json.loads(self._file.read_text())["address"]
        except (FileNotFoundError, json.JSONDecodeError):
            return ""
        return address

    @property
    def _file(self) -> Path:
        return self._folder / "scheduler.json"

    def worker(
        self, name: str, env: Mapping[str, str] = {}, resources: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a worker that is killed as one process, with a thread for each resource."""
        declared = ("--resources", " ".join(f"{each}=1" for each in resources))
        process = self._start(
            "worker", "--no-nanny", "--nthreads", str(len(resources) or 1), "--name", name,
            "--local-directory", str(self._folder / name), *(declared if resources else ()),
            name=name, env=env,
        )  # fmt: skip
        log = self._folder / f"{name}.log"
        until(lambda: b"Registered to" in log.read_bytes(), f"worker {name}", process)
        return process

    def _start(
        self, kind: str, *arguments: str, name: str = "scheduler", env: Mapping[str, str] = {}
    ) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context((self._folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            [
                sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1",
                "--no-dashboard", "--scheduler-file", str(self._file), *arguments,
            ],
            cwd=self._folder,  # `-m` would import from where the tests are run
            stdout=log,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                # One that lost its worker is run again once, not three times.
                "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
                **env,
            },
        )  # fmt: skip
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def dask_cluster(folder: Path) -> Iterator[DaskCluster]:
    """Start a scheduler without workers; all it starts ends with the block."""
    with ExitStack() as stack:
        yield DaskCluster(folder, stack)
