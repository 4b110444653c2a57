"""The errors of mobilebench.

    MobilebenchError
    ├── UserError                what the user can fix: one sentence, no traceback, exit code 2
    │   ├── UnknownName          a model, format, protocol ... that does not exist
    │   ├── NoSuchModel          a file, function or module that a model reference names in vain
    │   ├── NoRecords            a place of records that does not exist, or holds no record
    │   ├── CheckpointError      a weights file that cannot be loaded into the model
    │   ├── ModelRefused         a model that must not be exported as it is
    │   ├── ImageSizeError       an image size that a network cannot take
    │   ├── RecipeError          an export that no exporter offers
    │   ├── MissingToolkit       a toolkit that is not installed
    │   ├── BundleError          an artifact folder that is not whole
    │   ├── ModelFileError       a model file that cannot be read
    │   ├── SchemaError          a JSON document that this version cannot read
    │   ├── ImageError           an image file that cannot be read
    │   ├── ClusterError         a cluster that cannot be used
    │   ├── ServerAway           a server of records that cannot be reached now
    │   ├── ServerRefused        something that a server of records does not take
    │   └── OutputError          a place that cannot be written
    ├── QuantizationFailed       a toolkit could not quantize a network that it converted
    ├── CellFailed               one cell of a matrix failed; it becomes a recorded `Failure`
    └── ProcessFailed            a child process crashed, hung or exited with an error

    Cancelled                    a KeyboardInterrupt: the caller gave the work up

Everything else that is raised is a bug and keeps its traceback. A message states what was tried,
what was found and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Self

_ALIKE = 0.6
"""Similarity of a name with its typing error; 'nosuch' and 'bench' have 0.55."""
_LISTED = 40
"""Most names that a sentence lists."""


class MobilebenchError(Exception):
    """Root of every error that mobilebench raises on purpose; can be sent between processes."""

    file: str | None = None
    """File of the user's code that the error comes from; None where that is not known."""
    line: int | None = None
    """Line in that file, from 1."""

    def at(self, file: str | None, line: int | None) -> Self:
        """Add the line of the user's code that the error comes from; return the error."""
        self.file, self.line = file, line
        return self


class MobilebenchWarning(UserWarning):
    """The step succeeded, but the user should know this."""


class UserError(MobilebenchError):
    """Something the user can fix."""


class NoRecords(UserError):
    """A place of records that does not exist or holds no record."""


class CheckpointError(UserError):
    """A file that holds no weights, or the weights of another model."""


class ModelRefused(UserError):
    """A model that must not be exported: not deterministic, not finite, not in eval mode."""


class ImageSizeError(UserError):
    """An image of a size that a network, or its deployment form, cannot take."""


class RecipeError(UserError):
    """An export recipe that the exporter does not offer."""


class MissingToolkit(UserError):
    """A toolkit that is not installed; the message names the extra that brings it."""


class BundleError(UserError):
    """An artifact folder that is incomplete or was changed after it was written."""


class ModelFileError(UserError):
    """A model file that is cut off, damaged, or of another kind than its name states."""


class SchemaError(UserError):
    """A JSON document that does not have the form this version reads."""


class ImageError(UserError):
    """An image file that cannot be read."""


class ClusterError(UserError):
    """A cluster that does not answer, has no workers, or has workers that differ."""


class ServerAway(UserError):
    """A server of records that cannot be reached, or cannot answer now: later it may."""


class ServerRefused(UserError):
    """Something that a server of records does not take; the same again is refused again."""

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message, status, code)
        self.message = message
        self.status = status
        """Of HTTP; 0 where there was no answer."""
        self.code = code
        """The server's short word for the reason; empty where it gave none."""

    def __str__(self) -> str:
        return self.message


class OutputError(UserError):
    """A file or folder that cannot be written."""


class UnknownName(UserError):
    """A name that does not exist; the message offers the nearest ones."""

    @classmethod
    def among(cls, noun: str, name: str, names: Iterable[str], prefix: str = "") -> Self:
        """Build the error for a `name` that is not among the known `names` of a `noun`.

        `prefix` is written before each of them, such as `timm:`.
        """
        known = sorted(names)
        near = [
            prefix + other for other in difflib.get_close_matches(name, known, n=3, cutoff=_ALIKE)
        ]
        if near:
            offer = f"did you mean {' or '.join(near)}?"
        elif known:
            more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
            listed = ", ".join(prefix + other for other in known[:_LISTED])
            offer = f"known: {listed}{more}."
        else:
            offer = "there are no others."
        return cls(f"There is no {noun} called {prefix + name!r}; {offer}")


class NoSuchModel(UnknownName):
    """A model reference whose file, function or module does not exist."""


def require_known(noun: str, name: str, names: Iterable[str]) -> None:
    """Raise `UnknownName` unless `name` is one of `names`."""
    known = tuple(names)
    if name not in known:
        raise UnknownName.among(noun, name, known)


class QuantizationFailed(MobilebenchError):
    """A toolkit failed while it quantized a network; the toolkit's error is the cause."""


class CellFailed(MobilebenchError):
    """One cell of a matrix failed at `stage`; the matrix goes on."""

    def __init__(self, stage: str, error: str, message: str, log_tail: str = "") -> None:
        super().__init__(stage, error, message, log_tail)
        self.stage = stage
        self.error = error
        self.message = message
        self.log_tail = log_tail

    def __str__(self) -> str:
        if not self.error:
            return f"{self.stage}: {self.message}"
        return f"{self.stage} failed: {self.error}: {self.message}"


class Cancelled(KeyboardInterrupt):
    """The caller's cancel event was set while a child process ran; the child is gone."""


class ProcessFailed(MobilebenchError):
    """A child process failed; `reason` is `exit`, `signal`, `timeout` or `memory`."""

    def __init__(self, command: str, reason: str, detail: str, log_tail: str) -> None:
        super().__init__(command, reason, detail, log_tail)
        self.command = command
        self.reason = reason
        self.detail = detail
        self.log_tail = log_tail

    def __str__(self) -> str:
        return f"{self.command}: {self.detail}"
