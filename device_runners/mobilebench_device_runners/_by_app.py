"""What the runners of both apps share: the app does a job by itself on a device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from mobilebench.errors import UnknownName, UserError
from mobilebench.inputs.seeded import Batch
from mobilebench.interfaces import Ran
from mobilebench.measuring import job_folder
from mobilebench.measuring.job_folder import JobFolder
from mobilebench.notation.quantities import size
from mobilebench.observer import Progress
from mobilebench.values.artifact import Artifact
from mobilebench.values.attached import Attached
from mobilebench.values.device import Device
from mobilebench.values.job import Job
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.values.record import Record
from mobilebench_device_runners import _remote
from mobilebench_device_runners._remote import Link, Patience

KEY_FILE = "run.key"
"""With the key in it, a computer may start a job."""
RUNNING_FILE = "running"
"""The app writes it before a run and removes it after."""
_MOST_BYTES = 2_000_000_000
"""Largest job that the apps take (`JobLimits` in `android_app/core`)."""


def require_taken(given: JobFolder, count: int) -> None:
    """Require a job that the app takes, before a long copy; `count` are the bytes of its files.

    Raises `UserError`.
    """
    if count > _MOST_BYTES:
        raise UserError(
            f"The job in {given.path} has {size(count)}, and the app takes jobs of up to "
            f"{size(_MOST_BYTES)}; export the model in a smaller precision."
        )


class AppRunner(ABC):
    """Runs artifacts by the app on the devices of one kind."""

    def __init__(
        self,
        offered: Mapping[str, tuple[Format, tuple[str, ...]]],
        patience: Patience | None = None,
    ) -> None:
        """`offered` are the app's runtimes: the format of each, and the delegates built in."""
        self._offered = offered
        self._patience = patience

    @abstractmethod
    def attached(self, device_id: str | None = None) -> tuple[Attached, ...]:
        """Return the devices, or one, with what stands in the way of each."""

    @abstractmethod
    def _link(self, device_id: str, cancel: Event | None) -> Link:
        """Return the way to a device; raises `UserError` where it is not there."""

    def devices(self) -> tuple[Device, ...]:
        return tuple(replace(each.device, id=each.id) for each in self.attached() if each.usable)

    def runtimes(self, artifact_format: Format, delegate: str | None = None) -> tuple[str, ...]:
        return tuple(
            name
            for name, (format_, delegates) in self._offered.items()
            if format_ == artifact_format and (delegate is None or delegate in delegates)
        )

    def run(
        self,
        device_id: str,
        artifact: Artifact,
        job: Job,
        cancel: Event | None = None,
        progress: Progress | None = None,
        variants: Sequence[Artifact] = (),
    ) -> Ran:
        self._require_runtime(job)
        return _remote.run(
            self._link(device_id, cancel),
            artifact,
            job,
            variants=variants,
            patience=self._patience,
            cancel=cancel,
            progress=progress,
        )

    def perform(
        self,
        device_id: str,
        folder: Path,
        cancel: Event | None = None,
        progress: Progress | None = None,
    ) -> Record:
        self._require_runtime(job_folder.read(folder).job)
        link = self._link(device_id, cancel)
        return _remote.perform(
            link, folder, patience=self._patience, cancel=cancel, progress=progress
        )

    def predict(
        self,
        device_id: str,
        model_path: Path,
        recipe: ExportRecipe,
        runtime: str,
        batches: Sequence[Batch],
        cancel: Event | None = None,
        threads: int = 1,
    ) -> tuple[str, list[Batch]]:
        raise UserError(
            "The app compares the outputs of a network with those of PyTorch before each "
            "measurement, and gives no outputs away; measure with `mobilebench bench "
            f"--device {device_id}`: the record says how far they are off."
        )

    def _require_runtime(self, job: Job) -> None:
        """Raise `UserError` where the app cannot have what a job asks for."""
        if job.runtime not in self._offered:
            raise UnknownName.among("runtime in the app", job.runtime, self._offered)
        offered = self.runtimes(job.format, job.delegate)
        if job.runtime not in offered:
            lowered = f" for {job.delegate}" if job.delegate else ""
            raise UserError(
                f"The runtime {job.runtime} of the app cannot run a {job.format} "
                f"artifact{lowered}; runtimes that can: {', '.join(offered) or 'none'}."
            )
