"""Evaluate saved Core ML ML Programs with torch; importing it registers all operations."""

from mobilebench_exporters import _coremltools  # noqa: F401 - before anything imports coremltools
from mobilebench_exporters._mlprogram import (  # noqa: F401 - each registers its operations
    compressed,
    elementwise,
    images,
    shapes,
    windows,
)
from mobilebench_exporters._mlprogram.call import OPERATIONS, Call, EvaluationError, operation
from mobilebench_exporters._mlprogram.program import MLProgram, UnknownOperation

__all__ = [
    "OPERATIONS",
    "Call",
    "EvaluationError",
    "MLProgram",
    "UnknownOperation",
    "operation",
]
