"""Workers: who prepares networks and makes bundles for a matrix.

On this machine every step that loads torch or a toolkit is a cell, a process of its own with limits
of time and memory; what a toolkit prints goes into the bundle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Protocol

import psutil

from mobilebench.exporting import bundle, preparation
from mobilebench.exporting.bundle import Evidence, Made, Make, Order
from mobilebench.exporting.preparation import Needs, Prepared
from mobilebench.inputs.source import Samples
from mobilebench.interfaces import Structure
from mobilebench.machine import isolated
from mobilebench.machine.isolated import Cell
from mobilebench.observer import Step
from mobilebench.values import value, wire
from mobilebench.values.artifact import LOG_FILE, Artifact
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.request import Request


@value
class Limits:
    """What a cell may take before it is stopped and counted as failed."""

    seconds: float = 1800.0
    memory_bytes: int | None = None
    """Resident memory of its process and of what that started; None for no limit."""

    @classmethod
    def usual(cls) -> Limits:
        """Half an hour, and nine tenths of this machine's memory."""
        return cls(memory_bytes=psutil.virtual_memory().total * 9 // 10)


@dataclass(frozen=True)
class Task:
    """One bundle to be made."""

    request: Request
    order: Order
    preparation: Path
    prepared: Prepared
    samples: Samples
    class_labels: tuple[str, ...]
    allow_parity_failure: bool

    def build(
        self,
        out_dir: Path,
        make: Make,
        step: Step,
        cancel: Event,
        process: Cell | None = None,
    ) -> Artifact:
        """Make the bundle at its place, as `bundle.build` does."""
        evidence = Evidence(
            self.prepared.preflight,
            preparation.reference(self.preparation),
            self.prepared.classes,
            self.class_labels,
        )
        return bundle.build(
            self.order,
            evidence,
            out_dir,
            make,
            step,
            cancel,
            samples=self.samples,
            allow_parity_failure=self.allow_parity_failure,
            process=process,
        )


class Workers(Protocol):
    """Makes what a matrix asks for; called from several threads at once."""

    @property
    def parallel(self) -> int:
        """How many tasks make sense at a time."""

    def prepare(
        self, request: Request, needs: Needs, samples: Samples, folder: Path, cancel: Event
    ) -> None:
        """Write a preparation into an empty folder.

        Raises `UserError` for what the user can mend, `CellFailed` for a crash or a limit.
        """

    def build(self, task: Task, out_dir: Path, step: Step, cancel: Event) -> Artifact:
        """Make a bundle at its place in a folder; raises as `bundle.build` does."""


@dataclass(frozen=True)
class LocalWorkers:
    """Processes of this machine."""

    jobs: int = 1
    limits: Limits = field(default_factory=Limits.usual)

    @property
    def parallel(self) -> int:
        return self.jobs

    def prepare(
        self, request: Request, needs: Needs, samples: Samples, folder: Path, cancel: Event
    ) -> None:
        isolated.call(
            "mobilebench.conversion.steps:prepare",
            {
                "request": wire.to_plain(request),
                "needs": wire.to_plain(needs),
                "images": _path(samples.folder),
                "folder": str(folder.resolve()),
            },
            stage="preflight",
            timeout_s=self.limits.seconds,
            memory_bytes=self.limits.memory_bytes,
            cancel=cancel,
        )

    def build(self, task: Task, out_dir: Path, step: Step, cancel: Event) -> Artifact:
        def make(recipe: ExportRecipe, folder: Path, cancel: Event) -> Made:
            answer = process.call(
                "mobilebench.conversion.steps:export",
                {
                    "request": wire.to_plain(task.request),
                    "recipe": wire.to_plain(recipe),
                    "fingerprint": task.prepared.fingerprint,
                    "folder": str(folder.resolve()),
                    "images": _path(task.samples.folder),
                },
                stage="export",
                timeout_s=self.limits.seconds,
                log_to=folder / LOG_FILE,
            )
            return Made(
                folder / answer["model_file"],
                wire.from_plain(Structure, answer["structure"], "the cell's answer"),
                answer["peak_memory_bytes"],
            )

        with Cell(memory_bytes=self.limits.memory_bytes, cancel=cancel) as process:
            return task.build(out_dir, make, step, cancel, process)


def _path(folder: Path | None) -> str | None:
    return None if folder is None else str(folder.resolve())
