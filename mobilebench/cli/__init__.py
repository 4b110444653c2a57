"""The command line: one verb, one file. Only this package prints and decides exit codes.

Exit codes: 0 good, 1 a check or a cell failed, 2 the user can fix it, 3 not enough data to decide,
4 the candidate of `gate` cannot be exported or run, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import warnings
from types import FrameType
from typing import Any, TextIO

import typer
from typer.core import TyperGroup

from mobilebench.cli import (
    bench,
    calibrate,
    check,
    compare,
    demo,
    devices,
    diff,
    doctor,
    eval_,
    export,
    gate,
    history,
    import_,
    inspect,
    leaderboard,
    models,
    store,
    verify,
)
from mobilebench.cli.output import complain, tell
from mobilebench.notation import escapes

_UsageError: Any = typer.BadParameter.__base__
"""Typer's error about the words of a command line; it prints the message itself."""


class _Verbs(TyperGroup):
    """Runs a verb and turns our errors into one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        from mobilebench.errors import CellFailed, UserError

        try:
            return super().invoke(ctx)
        except _UsageError as error:
            error.message = escapes.terminal(error.message)
            raise
        except UserError as error:
            complain(str(error))
            raise typer.Exit(2) from error
        except CellFailed as error:
            complain(str(error), error.log_tail)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            complain("Stopped. Finished artifacts and records are kept; nothing is half written.")
            raise typer.Exit(130) from error


app = typer.Typer(
    cls=_Verbs,
    name="mobilebench",
    help="Export vision models to phone formats, verify them, measure them, and rank them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for _module, _name in (
    (models, "models"),
    (export, "export"),
    (inspect, "inspect"),
    (diff, "diff"),
    (compare, "compare"),
    (verify, "verify"),
    (devices, "devices"),
    (doctor, "doctor"),
    (bench, "bench"),
    (check, "check"),
    (gate, "gate"),
    (calibrate, "calibrate"),
    (history, "history"),
    (eval_, "eval"),
    (leaderboard, "leaderboard"),
    (import_, "import"),
    (demo, "demo"),
):
    app.command(_name)(_module.command)
app.add_typer(store.app, name="store")


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if version:
        from mobilebench.machine.host import version as installed

        typer.echo(f"mobilebench {installed()}")
        raise typer.Exit


def _terminated(_: int, __: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    from mobilebench.errors import MobilebenchWarning

    if issubclass(category, MobilebenchWarning):
        tell(f"warning: {message}")


def main() -> None:
    """Run the `mobilebench` program."""
    # Ours are for the user; those that libraries write are for their developers.
    warnings.showwarning = _warned
    # A polite kill unwinds like Ctrl-C does: children end, half-made folders go.
    signal.signal(signal.SIGTERM, _terminated)
    if "MOBILEBENCH_PARENT" in os.environ:
        from mobilebench.machine import process

        process.end_with(int(os.environ.pop(process.PARENT)))
    app()
