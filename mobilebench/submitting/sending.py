"""Send the folder of a job to a server, where devices fetch it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.measuring import job_folder
from mobilebench.measuring.job_folder import JOB_FILE, SUBJECT_FILE, JobFolder
from mobilebench.submitting.client import Server, file_sha256
from mobilebench.values.artifact import file_and_weights


def send(
    server: Server,
    folder: Path,
    device: str | None = None,
    model: str | None = None,
    progress: Callable[[str], object] = str,
) -> str:
    """Upload what the server lacks of a job's files, and queue the job; return its id there.

    `device` is an alias or a pattern of aliases, `model` a pattern of models; None is any.
    Raises `BundleError` for a folder without a whole job, `UserError` for one that is done,
    `ServerAway` and `ServerRefused`.
    """
    given = job_folder.read(folder)
    given.require_files()
    if given.record_path.exists() or given.journal_path.exists():
        raise UserError(
            f"The job in {folder} was begun already; write a new folder to measure it elsewhere."
        )
    files = files_of(given)
    sha256 = {path: file_sha256(file) for path, file in files.items()}
    for path, file in files.items():
        progress(f"uploads {path}")
        server.upload(file, sha256[path])
    return server.add_job(uuid.uuid4().hex, sha256, device, model)


def files_of(given: JobFolder) -> dict[str, Path]:
    """Return every file of a job, by its path in the folder with slashes."""
    files = [given.path / JOB_FILE, given.path / SUBJECT_FILE]
    for name in given.job.files:
        for part in file_and_weights(given.path / name):
            if part.is_dir():
                files += sorted(each for each in part.rglob("*") if each.is_file())
            else:
                files.append(part)
    return {each.relative_to(given.path).as_posix(): each for each in dict.fromkeys(files)}
