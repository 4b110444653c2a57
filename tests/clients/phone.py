"""A simulated phone: a client of one of the apps, as a process that says what it does."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Line = dict[str, Any]
_LONGEST_S = 120


class Phone:
    """A client, and the folder that outlives its processes."""

    def __init__(self, folder: Path, command: Callable[[list[str]], list[str]]) -> None:
        self.folder = folder
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self.lines: list[Line] = []
        """What the process said."""

    def do(self, *words: str) -> tuple[int, list[Line]]:
        """Run it to its end; return its exit code and what it said."""
        self.start(*words)
        return self.wait(), self.lines

    def start(self, *words: str) -> None:
        """Run it, without waiting."""
        self.lines = []
        self._process = process = subprocess.Popen(
            self._command(list(words)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(process, self.lines), daemon=True),
            threading.Thread(target=self._read_errors, args=(process,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, process: subprocess.Popen[str], lines: list[Line]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(json.loads(line))

    def _read_errors(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self._errors.extend(process.stderr)

    def wait(self) -> int:
        """Return its exit code when it has ended."""
        assert self._process is not None
        code = self._process.wait(_LONGEST_S)
        self._close()
        assert code in (0, 1, 2), "".join(self._errors)
        return code

    def _close(self) -> None:
        for reader in self._readers:
            reader.join(5)
        for pipe in (self._process.stdout, self._process.stderr) if self._process else ():
            if pipe is not None:
                pipe.close()

    def until(self, **fields: str) -> Line:
        """Return the first line with those fields; wait for it."""
        deadline = time.monotonic() + _LONGEST_S
        goes_on = True
        while goes_on and time.monotonic() < deadline:
            goes_on = self._readers[0].is_alive()
            for line in list(self.lines):
                if all(line.get(name) == value for name, value in fields.items()):
                    return line
            time.sleep(0.01)
        raise AssertionError(f"{fields} was not said: {self.lines} {self._errors}")

    def kill(self) -> None:
        """End the process at once, as the system does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def steps(self) -> list[str]:
        """Return what its steps came to, in order."""
        return [line["step"] for line in self.lines if "step" in line]

    def jobs(self) -> Iterator[Path]:
        """Yield the folders of jobs on it."""
        folder = self.folder / "jobs"
        yield from sorted(path for path in folder.iterdir() if not path.name.startswith("."))

    def record(self) -> Line:
        """Return the record of its only job."""
        [job] = self.jobs()
        record: Line = json.loads((job / "record.json").read_text(encoding="utf-8"))
        return record
