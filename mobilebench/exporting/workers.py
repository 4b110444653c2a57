"""Prepare networks and build bundles for a matrix, in child processes.

On this machine every step that loads torch or a toolkit runs in a child process with limits of time
and memory; what a toolkit prints goes into the bundle.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import NoneType
from typing import Protocol

import psutil

from mobilebench.exporting import bundle
from mobilebench.exporting.bundle import Converted
from mobilebench.exporting.order import Order, Terms
from mobilebench.inputs.source import InputSource
from mobilebench.machine import isolated
from mobilebench.machine.isolated import Function, IsolatedProcess
from mobilebench.observer import Work
from mobilebench.values import value
from mobilebench.values.artifact import LOG_FILE, Artifact
from mobilebench.values.graph import Operation
from mobilebench.values.measurement import Stage
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.request import Request

PREPARE = Function[[Request, tuple[ExportRecipe, ...], InputSource, bool, Path], None](
    "mobilebench.conversion.steps:prepare", NoneType
)
CONVERT = Function[[Request, ExportRecipe, str, InputSource, Path], Converted](
    "mobilebench.conversion.steps:convert", Converted
)


LOCATE = Function[[Request, ExportRecipe, Operation, int, int], str](
    "mobilebench.conversion.steps:locate", str
)


@value
class Limits:
    """Time and memory past which a child process is stopped and its cell fails."""

    seconds: float = 1800.0
    memory_bytes: int | None = None
    """Resident memory of the process and of what it started; None for no limit."""

    @classmethod
    def usual(cls) -> Limits:
        """Return the default: half an hour, and nine tenths of this machine's memory."""
        return cls(memory_bytes=psutil.virtual_memory().total * 9 // 10)


class Workers(Protocol):
    """Prepares networks and builds bundles; called from several threads at once."""

    @property
    def parallel(self) -> int:
        """Return how many tasks it makes sense to run at the same time."""

    def prepare(
        self,
        request: Request,
        recipes: Sequence[ExportRecipe],
        terms: Terms,
        folder: Path,
        cancel: Event,
    ) -> None:
        """Write the preparation of a network for these recipes into an empty folder.

        Raises `UserError` for what the user can fix, `CellFailed` for a crash or a limit.
        """

    def build(self, order: Order, out_dir: Path, work: Work) -> Artifact:
        """Build a bundle at its place in a folder: convert, verify, publish.

        Raises `CellFailed` where the exporter fails or the file does not compute the same network,
        `OutputError` where the folder cannot be written; then no bundle appears.
        """


@dataclass(frozen=True)
class LocalWorkers:
    """Workers that run in child processes of this machine."""

    jobs: int = 1
    limits: Limits = field(default_factory=Limits.usual)

    @property
    def parallel(self) -> int:
        return self.jobs

    def prepare(
        self,
        request: Request,
        recipes: Sequence[ExportRecipe],
        terms: Terms,
        folder: Path,
        cancel: Event,
    ) -> None:
        isolated.call(
            PREPARE(request, tuple(recipes), terms.source, terms.image_input, folder.resolve()),
            stage=Stage.PREFLIGHT,
            timeout_s=self.limits.seconds,
            memory_bytes=self.limits.memory_bytes,
            cancel=cancel,
        )

    def build(self, order: Order, out_dir: Path, work: Work) -> Artifact:
        fingerprint, source = order.prepared.fingerprint, order.terms.source
        with (
            bundle.staging(order, out_dir) as folder,
            IsolatedProcess(memory_bytes=self.limits.memory_bytes, cancel=work.cancel) as process,
        ):
            work.stage("export")
            started = time.monotonic()
            converted = process.call(
                CONVERT(order.request, order.recipe, fingerprint, source, folder.resolve()),
                stage=Stage.EXPORT,
                timeout_s=self.limits.seconds,
                log_to=folder / LOG_FILE,
            )
            seconds = time.monotonic() - started

            def locate(operation: Operation, place: int, places: int) -> str:
                work.stage("find the line of the operation that failed")
                call = LOCATE(order.request, order.recipe, operation, place, places)
                return process.call(call, stage=Stage.EXPORT, timeout_s=self.limits.seconds)

            facts = bundle.verified(order, converted, seconds, folder, work, locate, process)
            widths = bundle.verified_widths(order, converted, facts, folder, work, process)
            return bundle.publish(order, converted, facts, folder, out_dir, widths)
