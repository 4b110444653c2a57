"""Talk to one board by the system's SSH client, over one connection.

The client is OpenSSH's, so that keys, agents, jump hosts and ~/.ssh/config work as they do for
people. It never asks: what needs a person is an error with the command to run. Host keys are
checked, whatever the configuration says.
"""

from __future__ import annotations

import atexit
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

from mobilebench.errors import UserError
from mobilebench_device_runners._ssh.problems import is_of_client, problem
from mobilebench_device_runners._ssh.target import Target
from mobilebench_device_runners._tools import Answer, LinkLost, ToolFailed, run_tool

CONNECT_S = 15
_BEGIN = b"\nmobilebench-answer\n"
"""What files such as ~/.bashrc print comes before it."""
_NO_CONNECTION = 255
_COMMAND_S = 30.0
_SLOWEST = 500_000
"""Bytes a second that a copy may count on: a bad wireless network."""
_OPTIONS = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "ConnectTimeout": f"{CONNECT_S}",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "ControlMaster": "auto",
    "ControlPersist": "60",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "ClearAllForwardings": "yes",
    "PermitLocalCommand": "no",
    "RequestTTY": "no",
    "LogLevel": "ERROR",
}


class Connection:
    """Commands on one board. The first makes the connection, which the others share."""

    def __init__(self, target: Target, cancel: Event | None = None) -> None:
        self.target = target
        self._cancel = cancel
        # A socket's path has about 100 characters at most, so it is not in the user's folders.
        self._folder = Path(tempfile.mkdtemp(prefix="mobilebench-ssh-"))
        atexit.register(self.close)

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the client with its options and the host, without a command."""
        options = {**_OPTIONS, "ControlPath": f"{self._folder}/%C"}
        given = (text for name, value in options.items() for text in ("-o", f"{name}={value}"))
        return ("ssh", *given, *self.target.arguments)

    def run(
        self,
        script: str,
        *arguments: str,
        timeout_s: float = _COMMAND_S,
        stdin: Path | None = None,
        good: Sequence[int] = (0,),
        to_the_end: bool = False,
    ) -> Answer:
        """Run a script of the shell `sh` on the board; `arguments` are its $1, $2 ...

        What is `to_the_end` runs also where the caller has given up, to clean the board. Raises
        `ToolFailed` for an exit status that is not `good`, `LinkLost` where the board cannot be
        reached now, `UserError` where somebody has to do something first.
        """
        cancel = None if to_the_end else self._cancel
        answer = self._ask(script, arguments, timeout_s, stdin, cancel)
        if answer.rc not in good:
            raise ToolFailed(
                answer, f"failed on the board with exit status {answer.rc}: {answer.complaint}"
            )
        return answer

    def ask(self, words: Sequence[str]) -> Answer:
        """Run one plain command, as words for the board's shell; raises as `run` does.

        One that fails has an answer, too.
        """
        args = (*self.arguments, *words)
        answer = self._started(args, _COMMAND_S, None, self._cancel)
        if answer.rc == _NO_CONNECTION and is_of_client(answer):
            raise self._lost(Answer(("ssh", self.target.name, *words), -1, b"", answer.stderr))
        return answer

    def copy(self, source: Path, script: str, *arguments: str) -> Answer:
        """Run a script that reads a file from its standard input; the time goes by its size."""
        timeout_s = _COMMAND_S + source.stat().st_size / _SLOWEST
        return self.run(script, *arguments, timeout_s=timeout_s, stdin=source)

    def close(self) -> None:
        """End the connection that the commands shared."""
        if not self._folder.exists():
            return
        self._drop()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    def _ask(
        self,
        script: str,
        arguments: Sequence[str],
        timeout_s: float,
        stdin: Path | None,
        cancel: Event | None,
    ) -> Answer:
        # Exit status 255 is the client's own, so no command of a board may end with it.
        wrapped = (
            f"printf '\\n%s\\n' {_BEGIN.strip().decode()}; ( {script}\n); rc=$?; "
            f"if [ $rc -eq {_NO_CONNECTION} ]; then rc=254; fi; exit $rc"
        )
        command = shlex.join(("exec", "sh", "-c", wrapped, "mobilebench", *arguments))
        answer = self._started((*self.arguments, command), timeout_s, stdin, cancel)
        short = Answer(
            ("ssh", self.target.name, _first_line(script)),
            answer.rc,
            answer.stdout.partition(_BEGIN)[2],
            answer.stderr,
        )
        if answer.rc == _NO_CONNECTION:
            raise self._lost(short)
        return short

    def _started(
        self, args: Sequence[str], timeout_s: float, stdin: Path | None, cancel: Event | None
    ) -> Answer:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        try:
            return run_tool(args, timeout_s, cancel=cancel, stdin=stdin)
        except LinkLost as error:
            # A connection that hangs would hold up the next command, too.
            self._drop()
            raise LinkLost(
                Answer(("ssh", self.target.name), -1, error.answer.stdout, error.answer.stderr),
                error.why,
            ) from error

    def _lost(self, answer: Answer) -> Exception:
        """Return the error for a connection that cannot be made."""
        why = problem(answer, self.target)
        return LinkLost(answer, why.sentence) if why.passes else UserError(why.sentence)

    def _drop(self) -> None:
        if not any(self._folder.iterdir()):
            return
        with suppress(ToolFailed):
            run_tool((*self.arguments[:-1], "-O", "exit", self.arguments[-1]), 5.0)


def _first_line(script: str) -> str:
    return next((line.strip() for line in script.splitlines() if line.strip()), "")
