"""Run commands on one Android device through adb, and believe only answers that are whole.

A phone that dies stays listed, an old one reports success for what failed, and a cable that is
pulled ends an answer anywhere. So every command has a time limit, and prints a mark when it ends.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from mobilebench_device_runners._tools import Answer, LinkLost, ToolFailed, run_tool

ADB = "adb"
QUICK_S = 20.0
"""Limit of a command that answers at once on a phone that lives; the slowest seen is `dumpsys`."""
_SLOWEST_BYTES_S = 2_000_000
"""Slowest copy that is waited for: USB 2 gives ten times that, a poor network about this."""
_MARK = "mobilebench-end:"
_ENDED = re.compile(rb"^" + _MARK.encode() + rb"(\d+)\r?\n?\Z", re.MULTILINE)
_LOST = re.compile(
    r"device '[^']*' not found|device offline|device unauthorized|still authorizing|"
    r"no devices(/emulators)? found|no device with transport id|unknown (host )?service|"
    r"error: closed|protocol fault|cannot connect to daemon|failed to get feature set|"
    r"connection reset|couldn't read from device|failed to read copy response|"
    r"broken pipe|connect failed|transport",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Said:
    """What a shell command on the device printed, whole."""

    rc: int
    text: str
    """Standard output and standard error, with one kind of line end."""

    @property
    def ok(self) -> bool:
        """Whether it ended with 0, which on old devices says little."""
        return self.rc == 0


class Adb:
    """adb with the device that it talks to; `address` is `-s SERIAL` or `-t TRANSPORT_ID`."""

    def __init__(self, address: Sequence[str], cancel: Event | None = None) -> None:
        self._address = tuple(address)
        self.cancel = cancel
        """Ends a command that runs; None while the device is left as it was found."""

    def readdress(self, address: Sequence[str]) -> None:
        """Talk to the device by another address: transport ids change with each connection."""
        self._address = tuple(address)

    def run(self, *args: str, timeout_s: float | None = None, stdout: Path | None = None) -> Answer:
        """Run adb with the device's address; raises `LinkLost` where the device is gone."""
        answer = run_tool(
            (ADB, *self._address, *args), timeout_s or QUICK_S, cancel=self.cancel, stdout=stdout
        )
        complaint = answer.stderr.decode("utf-8", "replace")
        if answer.rc != 0 and _LOST.search(complaint):
            raise LinkLost(answer, f"says: {answer.complaint}")
        return answer

    def shell(self, line: str, timeout_s: float | None = None) -> Said:
        """Run a line of the device's shell.

        Raises `LinkLost` where the answer is not whole.
        """
        answer = self.run("shell", f"{line}\necho {_MARK}$?", timeout_s=timeout_s)
        ended = _ENDED.search(answer.stdout)
        if ended is None:
            raise LinkLost(answer, f"was cut off: {answer.complaint or 'it said nothing'}")
        text = answer.stdout[: ended.start()] + answer.stderr
        return Said(int(ended[1]), text.decode("utf-8", "replace").replace("\r\n", "\n"))

    def require(self, line: str, timeout_s: float | None = None) -> str:
        """Run a line that has to succeed; return what it printed. Raises `ToolFailed`."""
        answered = self.shell(line, timeout_s)
        if not answered.ok:
            answer = Answer(("adb", "shell", line), answered.rc, answered.text.encode())
            raise ToolFailed(answer, f"failed with {answered.rc}: {answer.complaint}")
        return answered.text

    def read(self, file: str, offset: int = 0, timeout_s: float | None = None) -> bytes | None:
        """Return a file's bytes from one on, as they are; None where there is no such file.

        Raises `LinkLost` where fewer came than the device said there are.
        """
        word = shlex.quote(file)
        line = (
            f"if [ -f {word} ]; then wc -c < {word}; tail -c +{offset + 1} {word}; "
            f"else echo none; fi"
        )
        answer = self.run("exec-out", line, timeout_s=timeout_s)
        head, newline, content = answer.stdout.partition(b"\n")
        if head.strip() == b"none":
            return None
        size = head.strip()
        if not newline or not size.isdigit() or len(content) < int(size) - offset:
            raise LinkLost(answer, f"was cut off after {len(content)} bytes: {answer.complaint}")
        return content

    def push(self, source: Path, target: str) -> None:
        """Copy a file onto the device. Raises `ToolFailed`, `LinkLost`."""
        size = source.stat().st_size
        # A link is what adb would copy as a link.
        answer = self.run(
            "push", str(source.resolve()), target, timeout_s=60 + size / _SLOWEST_BYTES_S
        )
        if answer.rc != 0:
            raise ToolFailed(answer, f"failed: {answer.complaint}")


def quoted(*words: str) -> str:
    """Write words for the device's shell, whatever characters they have."""
    return shlex.join(words)
