"""A cell: function calls in a fresh Python process, with plain JSON in and out.

Toolkits and runtimes crash, hang, print and leave thread pools behind; in a cell none of that
reaches the caller or the next cell. A `UserError` or `CellFailed` in the cell is raised again in
the caller, word for word; anything else becomes a `CellFailed` with the end of the log.

Most cells answer one call. One that has loaded a toolkit, which takes seconds, can answer more.

    python -m mobilebench.machine.isolated FOLDER PARENT

takes FOLDER/1.request, writes FOLDER/1.response, and so on for as long as PARENT lives.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Self

from mobilebench import errors, files
from mobilebench.machine import process

Plain = dict[str, Any]

_POLL_S = 0.005


class Cell:
    """A Python process that answers calls one after another, until the context is left or a call
    has failed by a crash or a limit."""

    def __init__(self, *, memory_bytes: int | None = None, cancel: Event | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mobilebench-cell-")
        self._calls = 0
        self._log_read = 0
        self._child = process.Child(
            [
                sys.executable,
                "-m",
                "mobilebench.machine.isolated",
                self._folder.name,
                str(os.getpid()),
            ],
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
        target: str,
        request: Plain,
        *,
        stage: str,
        timeout_s: float,
        log_to: Path | None = None,
    ) -> Plain:
        """Call `module:function` with `request` in the process and return what it returns.

        `log_to` keeps what the process printed meanwhile. Raises `UserError` (as in the cell), or
        `CellFailed` at `stage` for any other error, a crash, or a limit of time or memory that was
        passed.
        """
        self._calls += 1
        ask, answer = _files(Path(self._folder.name), self._calls)
        files.write_text(ask, json.dumps({"target": target, "request": request}))
        try:
            code = self._child.wait(timeout_s, answer.exists)
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
                    log_to.write_text(log)
        response: Plain = json.loads(answer.read_text())
        if "error" in response:
            _raise(response["error"], stage, process.tail(log))
        result: Plain = response["result"]
        return result

    def _new_log(self) -> str:
        log = self._child.log()
        new, self._log_read = log[self._log_read :], len(log)
        return new


def call(
    target: str,
    request: Plain,
    *,
    stage: str,
    timeout_s: float,
    memory_bytes: int | None = None,
    cancel: Event | None = None,
    log_to: Path | None = None,
) -> Plain:
    """One call in a process of its own; as `Cell.call`."""
    with Cell(memory_bytes=memory_bytes, cancel=cancel) as cell:
        return cell.call(target, request, stage=stage, timeout_s=timeout_s, log_to=log_to)


def _files(folder: Path, number: int) -> tuple[Path, Path]:
    """Of a call: what is asked, and the answer."""
    return folder / f"{number}.request", folder / f"{number}.response"


_share: dict[str, str] = {}


@contextmanager
def sharing(cells: int) -> Iterator[None]:
    """Divide the cores among as many cells as run at once, for as long as the context lasts.

    Each would otherwise start a thread for every core and wait for it actively, so that
    two networks computed side by side take far longer than one after the other.
    """
    if cells > 1:
        _share["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // cells))
    try:
        yield
    finally:
        _share.clear()


_REASONS = {"timeout": "Timeout", "memory": "OutOfMemory", "signal": "Crash", "exit": "Exit"}


def _raise(told: Plain, stage: str, log_tail: str) -> None:
    kind = getattr(errors, told["type"], None)
    if isinstance(kind, type) and issubclass(kind, errors.UserError):
        raise kind(told["message"])
    raise errors.CellFailed(
        told.get("stage") or stage, told["type"], told["message"], told["traceback"] or log_tail
    )


def main(folder: str, parent: str) -> None:
    """The side of the child: answer every request as it appears. The parent ends it."""
    # By the number that it was given: the parent may be gone already.
    threading.Thread(target=_end_with_parent, args=(int(parent),), daemon=True).start()
    for number in itertools.count(1):
        ask, answer = _files(Path(folder), number)
        while not ask.exists():
            time.sleep(_POLL_S)
        response = _answer(json.loads(ask.read_text()))
        sys.stdout.flush()
        sys.stderr.flush()
        files.write_text(answer, json.dumps(response))


def _answer(asked: Plain) -> Plain:
    module, _, function = asked["target"].partition(":")
    try:
        return {"result": getattr(importlib.import_module(module), function)(asked["request"])}
    except errors.CellFailed as error:
        return {
            "error": {
                "type": error.error,
                "message": error.message,
                "stage": error.stage,
                "traceback": error.log_tail,
            }
        }
    except Exception as error:  # noqa: BLE001 - all of it is passed on to the caller
        traceback.print_exc()
        return {
            "error": {
                "type": type(error).__name__,
                "message": str(error),
                "stage": None,
                "traceback": process.tail(traceback.format_exc()),
            }
        }


def _end_with_parent(parent: int) -> None:
    """End this process when its parent is gone (killed with no chance to clean up)."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
