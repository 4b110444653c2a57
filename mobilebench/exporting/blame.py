"""Name the operation, and its source line, that a runtime cannot run in a new file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from mobilebench import plugins
from mobilebench.errors import CellFailed, ModelFileError, UserError
from mobilebench.failures import IN_QUANTIZATION
from mobilebench.interfaces import Exporter
from mobilebench.values.graph import Operation
from mobilebench.values.recipe import ExportRecipe

_OF_PROCESSES = ("Timeout", "OutOfMemory", "Crash", "Exit", "NoRuntime")
"""Errors that no operation is to blame for."""


class Locate(Protocol):
    """Finds the source line of an operation of a network's file."""

    def __call__(self, operation: Operation, place: int, places: int) -> str:
        """Return `FILE, line N: CODE`, or an empty text where the line is not known.

        The operation is the one at `place` of the `places` of its kind in its layer.
        """


def named(error: CellFailed, model_path: Path, recipe: ExportRecipe, locate: Locate) -> CellFailed:
    """Return a runtime's error with the operation that it names, and that operation's line."""
    if error.error in _OF_PROCESSES:
        return error
    message = error.message.strip()
    exporter = plugins.exporter(recipe.format)
    name = exporter.operation_in(error.message) or exporter.operation_in(error.log_tail)
    operations = () if name is None else _operations(model_path, exporter)
    operation = next((each for each in operations if name in (each.name, each.kind)), None)
    if operation is not None:
        line = _line(operation, operations, locate)
        layer = f" in the layer {operation.layer}" if operation.layer else ""
        place = f" (from {line})" if line else ""
        message = f"{operation.name}{layer} cannot run: {message}{place}"
    if recipe.precision.quantized:
        message = f"{IN_QUANTIZATION}{recipe.precision}: {message}"
    return CellFailed(error.stage, error.error, message, error.log_tail)


def _operations(model_path: Path, exporter: Exporter) -> Sequence[Operation]:
    """Return the operations of a file; none of one that cannot be read."""
    try:
        return exporter.graph(model_path).operations
    except ModelFileError:
        return ()


def _line(operation: Operation, operations: Sequence[Operation], locate: Locate) -> str:
    alike = [
        other.name
        for other in operations
        if (other.kind, other.layer) == (operation.kind, operation.layer)
    ]
    try:
        return locate(operation, alike.index(operation.name), len(alike))
    except (CellFailed, UserError):  # the error that is explained matters more than its line
        return ""
