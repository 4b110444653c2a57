"""A job that this computer has taken for one of its devices, in a folder on its disk.

The folder has the same name whenever the same job comes for the same device: an agent that was
killed goes on with it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from mobilebench.errors import BundleError
from mobilebench.files import writing
from mobilebench.measuring import job_folder
from mobilebench.measuring.job_folder import JOB_FILE, LEFT_FILES, JobFolder
from mobilebench.submitting.answers import Lease
from mobilebench.submitting.cache import Cache
from mobilebench.submitting.client import Server, file_sha256

_LOCK = ".lock"


@dataclass(frozen=True)
class Errand:
    """The folder of a job, and the lease under which it is done."""

    lease: Lease
    folder: Path

    @classmethod
    def of(cls, lease: Lease, root: Path) -> Errand:
        """Return the folder of a lease, below a folder for all of them; nothing is written."""
        digest = hashlib.sha256(f"{lease.job}\0{lease.device}".encode()).hexdigest()[:16]
        return cls(lease, root / f"{lease.device}-{digest}")

    @property
    def is_begun(self) -> bool:
        """Whether an earlier agent has begun to measure."""
        return any(self.folder.glob("*.jsonl")) or self.has_record

    @property
    def has_record(self) -> bool:
        """Whether the measurement is done, and only has to be sent."""
        return (self.folder / job_folder.RECORD_FILE).is_file()

    def fill(
        self, server: Server, cache: Cache, stage: Callable[[str], object], cancel: Event
    ) -> JobFolder:
        """Bring the files of the job into its folder; return the job.

        Raises `ServerAway` and `ServerRefused` as `Server.download` does, `OutputError` for a full
        disk, `BundleError` and `SchemaError` for a job that cannot be done anywhere.
        """
        for path in self.lease.files:
            if path in LEFT_FILES or path.split("/")[0] == _LOCK:
                raise BundleError(f"The job has a file {path}, which only a device writes.")
        # The job's own file comes last: a folder with it is whole.
        for path in sorted(self.lease.files, key=lambda path: (path == JOB_FILE, path)):
            wanted = self.lease.files[path]
            place = self.folder / path
            if place.is_file() and file_sha256(place) == wanted.sha256:
                continue
            stage(f"downloads {path}")
            _put(cache.file(server, wanted, cancel=cancel), place)
        given = job_folder.read(self.folder)
        if given.job.reporting.journal_file in self.lease.files:
            raise BundleError("The job comes with a journal, which only a device writes.")
        given.require_files()
        return given

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _put(source: Path, place: Path) -> None:
    """Link a file of the cache into a folder, or copy it to another disk."""
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        neighbour = place.with_name(f".{place.name}.part")
        neighbour.unlink(missing_ok=True)
        try:
            os.link(source, neighbour)
        except OSError:
            shutil.copyfile(source, neighbour)
        neighbour.replace(place)


def sweep(root: Path, device: str, keep: Errand | None) -> list[Path]:
    """Remove folders of a device's earlier jobs, except one; return those that were begun."""
    begun = []
    if root.is_dir():
        for folder in root.glob(f"{device}-" + "?" * 16):
            if keep is not None and folder == keep.folder:
                continue
            if any(folder.glob("*.jsonl")):
                begun.append(folder)
            shutil.rmtree(folder, ignore_errors=True)
    return begun
