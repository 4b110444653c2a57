"""Give advice on known failures, recognised by their messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mobilebench.errors import CellFailed


@dataclass(frozen=True)
class Cure:
    """Advice on a failure that is recognised by its message."""

    signature: str
    """Regular expression, searched for in `ERROR: MESSAGE` and in the end of the log."""
    advice: str


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
        "the network decides by the values of a tensor, and phones run fixed graphs: compute both "
        "ways and choose with torch.where, or make the value a Python number",
    ),
    Cure(
        r"\.numpy\(\) is not supported for tensor subclasses",
        "forward leaves PyTorch for NumPy, where no exporter can follow: use torch's operations",
    ),
)
"""Failures that are not specific to one toolkit."""


def find(error: CellFailed, known: Iterable[Cure]) -> str | None:
    """Return the advice of the first cure that matches; None for an unknown failure."""
    words = f"{error.error}: {error.message}\n{error.log_tail}"
    fitting = (cure.advice for cure in known if re.search(cure.signature, words))
    return next(fitting, None)
