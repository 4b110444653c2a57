"""The folder of a program of others on a phone: copy, start, look, stop, tidy up.

The program runs apart from adb, so that a cable may be pulled. What it prints goes to a file.
"""

from __future__ import annotations

import re
import shlex
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.notation.quantities import size as size_in_words
from mobilebench.values.tool import FOLDER
from mobilebench_device_runners._adb import storage
from mobilebench_device_runners._adb.command import QUICK_S, Adb, quoted
from mobilebench_device_runners._adb.storage import File
from mobilebench_device_runners._tools import Answer, ToolFailed

PLACE = "/data/local/tmp/mobilebench-tool"
PROFILE = "MaxPerformance"
"""Task profile that puts a process among those of the app in front (Android 13 and newer)."""
_NAME = PLACE.rpartition("/")[2]
_RUN = ".run"
_SCRIPT, _OUTPUT, _END, _ABOUT = "run.sh", "output", "end", "about"
_PID, _CHILD = "pid", "child"
"""Of the script, which leads a session where the phone has `setsid`, and of the program."""
_SPARE_BYTES = 64_000_000
"""What the phone needs beside the files: the output, and what the program writes."""
_HASHED_BYTES_S = 50_000_000
_READ_S = 120.0
_STOP_S = 5.0
_LINE = re.compile(r"^(?P<size>\d+)(?: (?P<sha256>[0-9a-f]{64}))?")


@dataclass(frozen=True)
class Look:
    """Where a program is, at one moment."""

    runs: bool
    exit_code: int | None = None
    """None while it runs, and where it went without an end."""


@dataclass(frozen=True)
class About:
    """Where the system put the process."""

    profile: str | None
    refusal: str | None
    cpuset: str | None


class ToolFolder:
    """The folder on one phone, while it is claimed."""

    def __init__(self, adb: Adb) -> None:
        self._adb = adb
        self._there: dict[str, File] = {}

    def begin(self) -> None:
        """Make the folder anew, without what an earlier run left. Raises `ToolFailed`."""
        self.remove()
        self._adb.require(quoted("mkdir", "-p", f"{PLACE}/{_RUN}"))

    def put(self, sources: Sequence[Path], executable: Path) -> None:
        """Copy files that are not there, and remove those that are no longer needed.

        Raises `UserError` where there is no room, `ToolFailed` where a file does not arrive.
        """
        files = {path.name: _file(path) for path in sources}
        gone = [name for name, file in self._there.items() if files.get(name) != file]
        if gone:
            self._adb.require(quoted("rm", "-f", *(f"{PLACE}/{name}" for name in gone)))
            self._there = {name: self._there[name] for name in self._there if name not in gone}
        missing = [file for name, file in files.items() if name not in self._there]
        self._require_room(sum(file.size for file in missing))
        for file in missing:
            self._adb.push(file.source, f"{PLACE}/{file.name}")
            self._require_whole(file)
            self._there[file.name] = file
        place = quoted(f"{PLACE}/{executable.name}")
        # Computers with Windows copy no right to execute.
        if not self._adb.shell(f"chmod 755 {place} && [ -x {place} ]").ok:
            answer = Answer(("adb", "shell", "chmod"), 1)
            raise ToolFailed(answer, f"does not make {executable.name} a program that can run")

    def start(self, program: str, arguments: Sequence[str]) -> None:
        """Start the program apart from adb."""
        with tempfile.TemporaryDirectory(prefix="mobilebench-") as folder:
            source = Path(folder) / _SCRIPT
            source.write_text(script(program, arguments), encoding="utf-8")
            self._adb.push(source, f"{PLACE}/{_RUN}/{_SCRIPT}")
        place = quoted(f"{PLACE}/{_RUN}/{_SCRIPT}")
        apart = f"sh {place} </dev/null >/dev/null 2>&1 &"
        self._adb.require(
            f"cd {quoted(f'{PLACE}/{_RUN}')} && rm -f {_PID} {_CHILD} {_OUTPUT} "
            f"{_END} {_ABOUT}\n"
            f"if command -v setsid >/dev/null 2>&1; then setsid {apart} else nohup {apart} fi"
            "\ntrue"
        )

    def look(self) -> Look | None:
        """Return where the program is; None where it has not begun. Raises `LinkLost`."""
        text = self._adb.require(
            f"cd {quoted(f'{PLACE}/{_RUN}')} && "
            f"if [ -f {_END} ]; then cat {_END}; "
            f'elif p=$(cat {_PID} 2>/dev/null) && [ -n "$p" ]; then '
            f'if grep -q {_NAME} "/proc/$p/cmdline" 2>/dev/null; then echo runs; '
            f"elif [ -f {_END} ]; then cat {_END}; else echo gone; fi; else echo none; fi"
        ).strip()
        if text == "none":
            return None
        return Look(runs=text == "runs", exit_code=int(text) if text.isdigit() else None)

    def about(self) -> About:
        """Return where the system put the process."""
        content = self._adb.read(f"{PLACE}/{_RUN}/{_ABOUT}") or b""
        complaint, _, rest = content.decode("utf-8", "replace").replace("\r", "").partition("=")
        code, _, cpuset = rest.partition("\n")
        refusal = " ".join(complaint.split()) or f"it ended with {code}"
        taken = code == "0" and not complaint.strip()
        return About(PROFILE if taken else None, None if taken else refusal, cpuset.strip() or None)

    def output(self) -> bytes:
        """Return all that was printed. Raises `LinkLost`."""
        return self._adb.read(f"{PLACE}/{_RUN}/{_OUTPUT}", timeout_s=_READ_S) or b""

    def stop(self) -> None:
        """End the program with what it started, also one of an earlier run."""
        kill = (
            f"for f in {_PID} {_CHILD}; do p=$(cat {quoted(f'{PLACE}/{_RUN}')}/$f 2>/dev/null); "
            f'[ -n "$p" ] && grep -q {_NAME} "/proc/$p/cmdline" 2>/dev/null && '
            '{ kill -SIGNAL -- "-$p" 2>/dev/null || kill -SIGNAL "$p"; }; done'
        )
        self._adb.shell(kill.replace("SIGNAL", "TERM"))
        until = time.monotonic() + _STOP_S
        while time.monotonic() < until and self._runs():
            time.sleep(0.1)
        self._adb.shell(kill.replace("SIGNAL", "KILL"))

    def remove(self) -> None:
        """Stop what runs, and remove the folder."""
        self.stop()
        self._adb.shell(quoted("rm", "-rf", PLACE), timeout_s=60)
        self._there = {}

    def _runs(self) -> bool:
        with suppress(ToolFailed):
            look = self.look()
            return look is not None and look.runs
        return False

    def _require_whole(self, file: File) -> None:
        place = quoted(f"{PLACE}/{file.name}")
        text = self._adb.shell(
            f'echo "$(wc -c < {place}) $(sha256sum < {place} 2>/dev/null)"',
            timeout_s=QUICK_S + file.size / _HASHED_BYTES_S,
        ).text.strip()
        match = _LINE.match(text)
        if (
            match is None
            or int(match["size"]) != file.size
            or (match["sha256"] not in (None, file.sha256))
        ):
            answer = Answer(("adb", "push", file.name), 0)
            raise ToolFailed(answer, "ended well, and the phone has other bytes; check the cable")

    def _require_room(self, size: int) -> None:
        free = storage.free(self._adb, PLACE) if size else None
        if free is not None and free < size + _SPARE_BYTES:
            raise UserError(
                f"The files need {size_in_words(size + _SPARE_BYTES)} on the phone, which has "
                f"{size_in_words(free)} free; delete something on it."
            )


def script(program: str, arguments: Sequence[str]) -> str:
    """Return what the phone's shell does: profile, command, program, exit code."""
    command = " ".join(
        [f'"$here"/{shlex.quote(program)}', *(_argument(argument) for argument in arguments)]
    )
    shown = shlex.join([f"./{program}", *arguments])
    return (
        f'cd "$(dirname "$0")/.." || exit 1\n'
        f"here=$PWD\n"
        f'export LD_LIBRARY_PATH="$here" ADSP_LIBRARY_PATH="$here"\n'
        f"echo $$ >{_RUN}/{_PID}\n"
        f'{{ settaskprofile $$ {PROFILE}; echo "=$?"; cat /proc/$$/cpuset 2>/dev/null; }} '
        f">{_RUN}/{_ABOUT} 2>&1\n"
        f"printf '%s\\n' {shlex.quote(f'+ {shown}')} >{_RUN}/{_OUTPUT}\n"
        f"{command} >>{_RUN}/{_OUTPUT} 2>&1 </dev/null &\n"
        f"echo $! >{_RUN}/{_CHILD}\n"
        f"wait $!\n"
        f"echo $? >{_RUN}/{_END}.part && mv {_RUN}/{_END}.part {_RUN}/{_END}\n"
    )


def _argument(argument: str) -> str:
    """Write an argument for the shell, with the folder in the place of its name."""
    return '"$here"'.join(shlex.quote(part) if part else "" for part in argument.split(FOLDER)) or (
        "''"
    )


def _file(path: Path) -> File:
    return File(path.name, path, path.stat().st_size, storage.sha256_of(path))
