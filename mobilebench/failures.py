"""Turn a failed cell into a recorded `Failure`, with advice on known failures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mobilebench import plugins
from mobilebench.errors import CellFailed, UserError
from mobilebench.interfaces import Cure
from mobilebench.machine import places
from mobilebench.values.measurement import Failure, Stage
from mobilebench.values.recipe import ExportRecipe, Precision

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


IN_QUANTIZATION = "in quantization to "
"""Begin of the message about a failure that another precision may not have."""
_INACCURATE = ("ParityFailed", "AgreementLow")
_GENTLER = (
    Precision.INT8_IO,
    Precision.INT8,
    Precision.INT8_DYNAMIC,
    Precision.INT8_WEIGHTS,
    Precision.FP16_WEIGHTS,
    Precision.FP16,
)
"""Each of them leaves more in floats than the one before: borders, activations in memory,
all arithmetic, all but rounding."""
_BY_TABLES = (Precision.PALETTE4, Precision.PALETTE6, *_GENTLER[3:])


def failure_of(error: CellFailed | UserError, recipe: ExportRecipe) -> Failure:
    """Return a failed cell as the value to record, with advice where the failure is known."""
    failure = recorded(error, plugins.exporter(recipe.format).cures)
    if failure.advice is not None or isinstance(error, UserError):
        return failure
    return replace(failure, advice="; ".join(_advice(error, recipe)) or None)


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


def _advice(error: CellFailed, recipe: ExportRecipe) -> Iterator[str]:
    """Yield what helps any quantized file, where the failure is not a known one."""
    if not recipe.precision.quantized:
        return
    inaccurate = error.error in _INACCURATE
    if not inaccurate and not error.message.startswith(IN_QUANTIZATION):
        return
    if inaccurate and recipe.calibration is not None and not recipe.calibration.on_images:
        yield "its ranges come from noise: give images like those of the task with --calibration"
    others = _others(recipe)
    if others:
        yield f"{recipe.format} also offers {others}, which round less"
    if inaccurate:
        yield (
            "--allow-parity-failure keeps the file, and `mobilebench compare` shows it beside the "
            "one in fp32"
        )


def _others(recipe: ExportRecipe) -> str:
    """List the precisions on offer that leave more in floats than a recipe's; may be empty."""
    exporter = plugins.exporter(recipe.format)
    offered = exporter.precisions(recipe.target, recipe.delegate)
    order = _GENTLER if recipe.precision in _GENTLER else _BY_TABLES
    # Two that are calibrated have the same operations in 8 bits.
    gentler = [
        each
        for each in order[order.index(recipe.precision) + 1 :]
        if not (each.calibrated and recipe.precision.calibrated)
    ]
    names = [str(each) for each in (*gentler, Precision.FP32) if each in offered]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def shared(failure: Failure) -> Failure:
    """Return a failure as a record states it, without the places of this machine."""
    return replace(
        failure,
        message=places.without(failure.message),
        log_tail=places.without(failure.log_tail),
        file=None if failure.file is None else places.name_alone(failure.file),
    )


def find(error: CellFailed, known: Iterable[Cure]) -> str | None:
    """Return the advice of the first cure that matches; None for an unknown failure."""
    text = f"{error.error}: {error.message}\n{error.log_tail}"
    fitting = (cure.advice for cure in known if re.search(cure.signature, text))
    return next(fitting, None)
