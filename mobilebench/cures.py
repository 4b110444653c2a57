"""Cures: known failures by what they say, and what to do about each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mobilebench.errors import CellFailed


@dataclass(frozen=True)
class Cure:
    """What to do about a failure that is recognised by its words."""

    signature: str
    """A regular expression, looked for in `ERROR: MESSAGE` and in the end of the log."""
    advice: str


GENERAL = (
    Cure(
        "^OutOfMemory: ",
        "allow it more with --memory-limit, or export fewer at a time with --jobs",
    ),
    Cure("^Timeout: ", "allow it more with --time-limit, or export fewer at a time with --jobs"),
    Cure(
        "^Crash: .*SIGKILL",
        "the system ends a process so when its memory is used up: export fewer at a time with "
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
"""Failures that no single toolkit owns."""


def find(error: CellFailed, known: Iterable[Cure]) -> str | None:
    """The advice of the first cure that fits; None where the failure is not known."""
    words = f"{error.error}: {error.message}\n{error.log_tail}"
    fitting = (cure.advice for cure in known if re.search(cure.signature, words))
    return next(fitting, None)
