"""Run functions in a fresh Python process, with typed values in and out.

Toolkits and runtimes crash, hang, print and leave thread pools behind; in a child process none of
that reaches the caller or the next call. A `UserError` or `CellFailed` of the function is raised
again in the caller, word for word; anything else becomes a `CellFailed` with the end of the log.

Most processes answer one call. One that has loaded a toolkit, which takes seconds, can answer more.

    python -m mobilebench.machine.isolated FOLDER PARENT

takes FOLDER/1.request, writes FOLDER/1.response, and so on for as long as PARENT lives.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import os
import sys
import tempfile
import threading
import time
import traceback
import typing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Generic, ParamSpec, Self, TypeVar

from mobilebench import errors, files
from mobilebench.machine import places, process
from mobilebench.values import wire
from mobilebench.values.measurement import Stage
from mobilebench.values.wire import Plain

P = ParamSpec("P")
A = TypeVar("A")

_POLL_S = 0.005


@dataclass(frozen=True)
class IsolatedCall(Generic[A]):
    """A function with its arguments, ready to run in a child process."""

    place: str
    arguments: Sequence[Plain]
    answer: type[A]


class Function(Generic[P, A]):
    """A function that only child processes import, declared with its types.

    `Function[[Request, Path], Answer]("module:function", Answer)`; the function itself has the
    same types in its own annotations, by which the child reads the arguments.
    """

    def __init__(self, place: str, answer: type[A]) -> None:
        self.place = place
        """`module:function`."""
        self.answer = answer

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> IsolatedCall[A]:
        """Return the call of the function with these arguments; nothing runs yet."""
        if kwargs:
            raise TypeError(f"{self.place} takes its arguments by position")
        return IsolatedCall(self.place, [wire.to_plain(argument) for argument in args], self.answer)


class IsolatedProcess:
    """A Python process that answers calls one after another.

    It lives until the context is left, or a call has failed by a crash or a limit.
    """

    def __init__(self, *, memory_bytes: int | None = None, cancel: Event | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mobilebench-process-")
        self._calls = 0
        self._log_read = 0
        self._child = process.Child(
            [sys.executable, "-m", __spec__.name, self._folder.name, str(os.getpid())],
            log_path=Path(self._folder.name) / "log.txt",
            memory_bytes=memory_bytes,
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | _share,
            cancel=cancel,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._child.__exit__(*error)
        self._folder.cleanup()

    def call(
        self,
        call: IsolatedCall[A],
        *,
        stage: Stage,
        timeout_s: float,
        log_to: Path | None = None,
        watch: Callable[[], None] = lambda: None,
    ) -> A:
        """Run a call in the process and return its answer.

        `log_to` receives what the process printed meanwhile, without the places of this machine;
        `watch` is called again and again
        until the answer is there. Raises `UserError` (as the function
        did), or `CellFailed` at `stage` for any other error, a crash, or a limit of time or memory
        that was passed.
        """
        self._calls += 1
        request, response = _files(Path(self._folder.name), self._calls)
        content = {"place": call.place, "arguments": call.arguments}
        files.write_text(request, json.dumps(content))

        def answered() -> bool:
            watch()
            return response.exists()

        try:
            code = self._child.wait(timeout_s, answered)
            if code is not None:
                raise self._child.ended(code)
        except errors.ProcessFailed as error:
            raise errors.CellFailed(
                stage, _REASONS[error.reason], f"its process {error.detail}", error.log_tail
            ) from error
        finally:
            log = self._new_log()
            if log_to is not None:
                with files.writing(log_to.parent):
                    log_to.write_text(places.without(log), encoding="utf-8")
        answer = json.loads(response.read_text())
        if "error" in answer:
            _raise(answer["error"], stage, process.tail(log))
        return wire.from_plain(call.answer, answer["result"], f"the answer of {call.place}")

    def _new_log(self) -> str:
        log = self._child.log()
        new, self._log_read = log[self._log_read :], len(log)
        return new


def call(
    call: IsolatedCall[A],
    *,
    stage: Stage,
    timeout_s: float,
    memory_bytes: int | None = None,
    cancel: Event | None = None,
    log_to: Path | None = None,
    watch: Callable[[], None] = lambda: None,
) -> A:
    """Run one call in a separate process; otherwise as `IsolatedProcess.call`."""
    with IsolatedProcess(memory_bytes=memory_bytes, cancel=cancel) as process:
        return process.call(call, stage=stage, timeout_s=timeout_s, log_to=log_to, watch=watch)


def _files(folder: Path, number: int) -> tuple[Path, Path]:
    """Return the files of a call: the request and the response."""
    return folder / f"{number}.request", folder / f"{number}.response"


_share: dict[str, str] = {}


@contextmanager
def sharing(processes: int) -> Iterator[None]:
    """Divide the cores among processes that run at once, while the context lasts.

    Each would otherwise start a thread for every core and wait for it actively, so that
    two networks computed side by side take far longer than one after the other.
    """
    if processes > 1:
        _share["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // processes))
    try:
        yield
    finally:
        _share.clear()


_REASONS = {"timeout": "Timeout", "memory": "OutOfMemory", "signal": "Crash", "exit": "Exit"}


@dataclass(frozen=True)
class _Error:
    """An error that a function raised in the child."""

    type: str
    message: str
    stage: str | None
    traceback: str
    file: str | None
    line: int | None


def _raise(plain: Plain, stage: Stage, log_tail: str) -> None:
    error = wire.from_plain(_Error, plain, "the error of a child process")
    kind = getattr(errors, error.type, None)
    if isinstance(kind, type) and issubclass(kind, errors.UserError):
        raise kind(error.message).at(error.file, error.line)
    raise errors.CellFailed(
        error.stage or stage, error.type, error.message, error.traceback or log_tail
    ).at(error.file, error.line)


def main(folder: str, parent: str) -> None:
    """Answer every request as it appears, in the child, until the parent ends it."""
    # The parent's id is an argument, because the parent may be gone already.
    threading.Thread(target=_end_with_parent, args=(int(parent),), daemon=True).start()
    for number in itertools.count(1):
        request, response = _files(Path(folder), number)
        while not request.exists():
            time.sleep(_POLL_S)
        answer = _answer(**json.loads(request.read_text()))
        sys.stdout.flush()
        sys.stderr.flush()
        files.write_text(response, json.dumps(answer))


def _answer(place: str, arguments: list[Plain]) -> dict[str, Plain]:
    try:
        return {"result": _run(place, arguments)}
    except errors.CellFailed as error:
        failure = _Error(
            error.error, error.message, error.stage, error.log_tail, error.file, error.line
        )
    except Exception as error:  # noqa: BLE001 - all of it is passed on to the caller
        traceback.print_exc()
        trace = process.tail(traceback.format_exc())
        file, line = None, None
        if isinstance(error, errors.MobilebenchError):
            file, line = error.file, error.line
        failure = _Error(type(error).__name__, str(error), None, trace, file, line)
    return {"error": wire.to_plain(failure)}


def _run(place: str, arguments: list[Plain]) -> Plain:
    """Run a function with arguments read by its own annotations."""
    module, _, name = place.partition(":")
    function = getattr(importlib.import_module(module), name)
    types = typing.get_type_hints(function)
    values = [
        wire.from_plain(types[parameter], argument, f"the {parameter} of {place}")
        for parameter, argument in zip(
            inspect.signature(function).parameters, arguments, strict=True
        )
    ]
    return wire.to_plain(function(*values))


def _end_with_parent(parent: int) -> None:
    """End this process when its parent is gone (killed with no chance to clean up)."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
