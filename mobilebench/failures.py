"""Turn a failed cell into a recorded `Failure`, with advice on known failures."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mobilebench import plugins
from mobilebench.errors import CellFailed, UserError
from mobilebench.interfaces import Cure
from mobilebench.values.measurement import Failure, Stage
from mobilebench.values.recipe import ExportRecipe

GENERAL = (
    Cure(
        "^OutOfMemory: ",
        "raise the limit with --memory-limit, or export fewer at a time with --jobs",
    ),
    Cure("^Timeout: ", "raise the limit with --time-limit, or export fewer at a time with --jobs"),
    Cure(
        "^Crash: .*SIGKILL",
        "the system kills a process this way when memory runs out: export fewer at a time with "
        "--jobs",
    ),
    Cure(
        r"data-dependent expression",
        "the network branches on the values of a tensor, and phones run fixed graphs: compute both "
        "branches and choose with torch.where, or make the value a Python number",
    ),
    Cure(
        r"\.numpy\(\) is not supported for tensor subclasses",
        "forward leaves PyTorch for NumPy, where no exporter can follow: use torch's operations",
    ),
)
"""Failures that are not specific to one toolkit."""


def failure_of(error: CellFailed | UserError, recipe: ExportRecipe) -> Failure:
    """Return a failed cell as the value to record, with advice where the failure is known."""
    return recorded(error, plugins.exporter(recipe.format).cures)


def recorded(error: CellFailed | UserError, cures: Iterable[Cure] = ()) -> Failure:
    """Return an error as the value to record, with advice from general cures and these."""
    if isinstance(error, UserError):
        return Failure(
            stage=Stage.PREFLIGHT,
            error=type(error).__name__,
            message=str(error),
            file=error.file,
            line=error.line,
        )
    return Failure(
        stage=Stage(error.stage),
        error=error.error,
        message=error.message,
        log_tail=error.log_tail,
        advice=find(error, (*GENERAL, *cures)),
        file=error.file,
        line=error.line,
    )


def find(error: CellFailed, known: Iterable[Cure]) -> str | None:
    """Return the advice of the first cure that matches; None for an unknown failure."""
    text = f"{error.error}: {error.message}\n{error.log_tail}"
    fitting = (cure.advice for cure in known if re.search(cure.signature, text))
    return next(fitting, None)
