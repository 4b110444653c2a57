"""A cell: one function call in a fresh Python process, with plain JSON in and out.

Toolkits and runtimes crash, hang, print and leave thread pools behind; in a cell none of that
reaches the caller or the next cell. A `UserError` or `CellFailed` in the cell is raised again in
the caller, word for word; anything else becomes a `CellFailed` with the end of the log.

    python -m mobilebench.cell REQUEST.json RESPONSE.json
"""

from __future__ import annotations

import importlib
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
from typing import Any

from mobilebench import errors, process

Plain = dict[str, Any]


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
    """Call `module:function` with `request` in a fresh process and return what it returns.

    `log_to` keeps what the process printed. Raises `UserError` (as in the cell), or `CellFailed`
    at `stage` for any other error, a crash, or a limit of time or memory that was passed.
    """
    with tempfile.TemporaryDirectory(prefix="mobilebench-cell-") as name:
        folder = Path(name)
        ask, answer, log = folder / "request.json", folder / "response.json", folder / "log.txt"
        ask.write_text(json.dumps({"target": target, "request": request}))
        args = [sys.executable, "-m", "mobilebench.cell", str(ask), str(answer)]
        env = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | _share
        try:
            process.run(
                args,
                log_path=log,
                timeout_s=timeout_s,
                memory_bytes=memory_bytes,
                env=env,
                cancel=cancel,
            )
        except errors.ProcessFailed as error:
            raise errors.CellFailed(
                stage, _REASONS[error.reason], f"its process {error.detail}", error.log_tail
            ) from error
        finally:
            if log_to is not None and log.exists():
                with errors.writing(log_to.parent):
                    log_to.write_bytes(log.read_bytes())
        response: Plain = json.loads(answer.read_text())
        if "error" in response:
            _raise(response["error"], stage, process.tail(log.read_text(errors="replace")))
        result: Plain = response["result"]
        return result


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
        # Not by its constructor: some build their sentence from parts.
        error = kind.__new__(kind)
        error.args = (told["message"],)
        raise error
    raise errors.CellFailed(
        told.get("stage") or stage, told["type"], told["message"], told["traceback"] or log_tail
    )


def main(ask: str, answer: str) -> None:
    """The side of the child: do the call, write the response."""
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    asked = json.loads(Path(ask).read_text())
    module, _, function = asked["target"].partition(":")
    response: Plain
    try:
        response = {"result": getattr(importlib.import_module(module), function)(asked["request"])}
    except errors.CellFailed as error:
        response = {
            "error": {
                "type": error.error,
                "message": error.message,
                "stage": error.stage,
                "traceback": error.log_tail,
            }
        }
    except Exception as error:  # noqa: BLE001 - all of it is passed on to the caller
        traceback.print_exc()
        response = {
            "error": {
                "type": type(error).__name__,
                "message": str(error),
                "stage": None,
                "traceback": process.tail(traceback.format_exc()),
            }
        }
    Path(answer).write_text(json.dumps(response))


def _end_with_parent(parent: int) -> None:
    """End this process when its parent is gone (killed with no chance to clean up)."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
    # Some toolkits crash or hang while they are torn down; the response is written.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
