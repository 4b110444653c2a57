"""The folder that a device gets: the job, the files that it names, and what they are.

The device writes its journal and its record into the same folder. A phone, a board and this machine
get the same folder; only the way there differs.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mobilebench.errors import BundleError, SchemaError, UserError
from mobilebench.files import writing
from mobilebench.inputs.seeded import Array, Batch
from mobilebench.measuring import journal
from mobilebench.measuring.journal import Journal
from mobilebench.values import wire
from mobilebench.values.artifact import REFERENCE_FILE, Artifact, content_sha256, file_and_weights
from mobilebench.values.job import ExpectedOutput, Job, ParityCheck
from mobilebench.values.recipe import Precision
from mobilebench.values.record import Subject
from mobilebench.values.tensor import TensorSpec
from mobilebench.verifying import parity
from mobilebench.verifying.reference import Reference

if TYPE_CHECKING:
    from mobilebench.store.documents import Document

JOB_FILE = "job.json"
SUBJECT_FILE = "subject.json"
RECORD_FILE = "record.json"
NO_RECORD_FILE = "no-record.txt"
"""In it, an app says why a run left no record: a word, and a sentence in the line below."""
DEVICE_RECORD_FILE = "device-record.json"
"""The record that another device signed, beside the one with what a computer saw of it."""
LEFT_FILES = (RECORD_FILE, DEVICE_RECORD_FILE, NO_RECORD_FILE)
"""What a run leaves besides its journal; none of it goes to a device."""
_INPUTS_FILE, _EXPECTED_FILE = "parity/inputs.bin", "parity/expected.bin"
_CHECKED = 2
"""Inputs that a device computes before it is timed: the file was verified on more when it was
exported, and a unit that computes something else does so on any."""


def why_no_record(content: bytes) -> tuple[str, str]:
    """Read `NO_RECORD_FILE`: the word and the sentence in which a device says why."""
    word, sentence, *_ = [*content.decode("utf-8", "replace").splitlines(), "", ""]
    return word.strip(), sentence.strip()


@dataclass(frozen=True)
class JobFolder:
    """A folder with a job."""

    path: Path
    job: Job
    content: bytes
    """Of the job's file; a journal names its job by the sha256 of these."""
    subject: Subject

    @property
    def model_path(self) -> Path:
        """The model file."""
        return self.path / self.job.model_file

    @property
    def journal_path(self) -> Path:
        """Where the device writes while it measures."""
        return self.path / self.job.reporting.journal_file

    @property
    def record_path(self) -> Path:
        """Where the device writes its record."""
        return self.path / RECORD_FILE

    def require_files(self) -> None:
        """Require that the files are those that the job names. Raises `BundleError`."""
        for name, sha256 in self.job.files.items():
            file = self.path / name
            if not file.exists():
                raise BundleError(
                    f"{self.path} has lost {name}, which its job names; copy it again."
                )
            actual = content_sha256(file)
            if actual != sha256:
                raise BundleError(
                    f"{file} is not the file of the job: it has sha256 {actual[:12]}, the job "
                    f"names {sha256[:12]}; copy it again."
                )

    def journal(self) -> Journal:
        """Read the journal of the device.

        Raises as `journal.read` does, and `UserError` where the device has not measured.
        """
        if self.journal_path.exists():
            return journal.read(self.journal_path, self.content)
        reason = self.no_record()
        if reason is None:
            raise UserError(
                f"{self.path} holds neither a record nor a journal, so no device has begun with "
                f"its job; run it, and copy the folder back."
            )
        raise UserError(f"{self.path} holds no measurement. The device says: {reason}")

    def no_record(self) -> str | None:
        """Return why an app says that there is no record, such as `refused: ...`; None where not.

        Only its first 10,000 bytes are read.
        """
        try:
            with (self.path / NO_RECORD_FILE).open("rb") as file:
                reason = why_no_record(file.read(10_000))
        except OSError:
            return None
        return ": ".join(filter(None, reason)) or None

    def document(self, name: str = RECORD_FILE) -> Document:
        """Read a record in the folder, as it was written.

        Raises `SchemaError` for a record that was changed, and for one of another job.
        """
        from mobilebench.store.documents import read_documents

        path = self.path / name
        documents = read_documents(path)
        if len(documents) != 1 or documents[0].record.job != self.job:
            raise SchemaError(
                f"{path} is not the record of the job beside it; take it from where it "
                f"was measured, or remove it."
            )
        return documents[0]

    def parity_batches(self) -> tuple[list[Batch], list[Batch]]:
        """Return inputs and expected outputs; both empty where the job has no parity check."""
        check = self.job.parity
        if check is None:
            return [], []
        outputs = [output.tensor for output in check.outputs]
        count = check.batches
        return (
            _arrays(self.path / check.inputs_file, self.job.inputs, count),
            _arrays(self.path / check.expected_file, outputs, count),
        )


def write(
    artifact: Artifact,
    job: Job,
    folder: Path,
    variants: Sequence[Artifact] = (),
    *,
    link: bool = False,
    checked: bool = True,
) -> Job:
    """Write the folder of a job; return the job, with its parity check where it is `checked`.

    `variants` are the artifacts of the job's variants after the first, in their order. With `link`,
    models are links to the artifacts' files. Raises `OutputError` where the folder
    cannot be written, `UserError` where it holds another job.
    """
    if (folder / JOB_FILE).exists():
        raise UserError(f"{folder} holds a job already; name a new folder, or remove that one.")
    with writing(folder):
        # Variants that are in the file of the first have no separate artifact.
        others = [each.model_file for each in job.variants if each.model_file != job.model_file]
        files = zip((job.model_file, *others), (artifact, *variants), strict=True)
        for file, source in files:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            for part in file_and_weights(source.model_path):
                _put(part.resolve(), target.with_name(part.name), link=link)
        # The reference is for the inputs that the file has, and a job may state others.
        if checked and job.inputs == artifact.manifest.inputs:
            job = replace(job, parity=_write_parity(artifact, folder))
    manifest = artifact.manifest
    subject = Subject(model=manifest.model, recipe=manifest.recipe, artifact=manifest.facts)
    wire.write(folder / SUBJECT_FILE, subject)
    # Last: a folder with a job is whole.
    wire.write(folder / JOB_FILE, job)
    return job


@contextmanager
def temporary(
    artifact: Artifact, job: Job, variants: Sequence[Artifact] = (), *, checked: bool = False
) -> Iterator[Path]:
    """Write the folder of a job; it is removed when the context ends.

    For this machine it has no check of outputs: the file was verified when it was exported, and a
    load before the first one would show in load time and memory. Another device is `checked`.
    """
    with tempfile.TemporaryDirectory(prefix="mobilebench-job-") as name:
        write(artifact, job, Path(name), variants, link=True, checked=checked)
        yield Path(name)


def read(folder: Path) -> JobFolder:
    """Read the folder of a job.

    Raises `SchemaError` for a job that this version cannot read, `BundleError` for a folder without
    one.
    """
    place = folder / JOB_FILE
    if not place.is_file():
        raise BundleError(f"{folder} holds no {JOB_FILE}, so it is not the folder of a job.")
    content = place.read_bytes()
    job = wire.loads(Job, content, str(place))
    if not (folder / SUBJECT_FILE).is_file():
        raise BundleError(
            f"{folder} has lost its {SUBJECT_FILE}, which says what the model is; write the folder "
            f"again."
        )
    subject = wire.read(Subject, folder / SUBJECT_FILE)
    if subject.artifact.sha256 != job.model_sha256:
        raise SchemaError(
            f"{folder / SUBJECT_FILE} is about another file: it names sha256 "
            f"{subject.artifact.sha256[:12]}, and the job {job.model_sha256[:12]}."
        )
    return JobFolder(folder, job, content, subject)


def _put(source: Path, target: Path, *, link: bool) -> None:
    if link:
        target.symlink_to(source)
    elif source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _write_parity(artifact: Artifact, folder: Path) -> ParityCheck | None:
    """Write the first reference inputs and outputs; None for a file without a reference."""
    facts = artifact.manifest.facts
    # A bundle that has lost it can be measured all the same; `mobilebench verify` names the loss.
    if facts.preflight is None or not (artifact.folder / REFERENCE_FILE).is_file():
        return None
    reference = Reference.of_bundle(artifact, _CHECKED)
    inputs, outputs = reference.inputs, reference.outputs
    half = facts.preflight.half_precision_error
    precision = artifact.manifest.recipe.precision
    limits = facts.parity[0].limits if facts.parity else parity.limits(precision, half)
    on_half = parity.limits(Precision.FP16, half).max_relative_error
    expected = tuple(
        ExpectedOutput(
            tensor=tensor,
            limit=limits.max_relative_error,
            half_limit=max(limits.max_relative_error, on_half),
        )
        for tensor in facts.preflight.outputs
    )
    return ParityCheck(
        seeds=() if reference.images else facts.preflight.seeds[:_CHECKED],
        batches=len(outputs),
        inputs_file=_INPUTS_FILE,
        inputs_sha256=_write_arrays(folder / _INPUTS_FILE, inputs),
        expected_file=_EXPECTED_FILE,
        expected_sha256=_write_arrays(folder / _EXPECTED_FILE, outputs),
        outputs=expected,
    )


def _write_arrays(path: Path, batches: Sequence[Batch]) -> str:
    """Write plain little-endian arrays, one after the other; return their sha256."""
    content = b"".join(
        array.astype(array.dtype.newbyteorder("<"), order="C").tobytes()
        for batch in batches
        for array in batch
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _arrays(path: Path, tensors: Sequence[TensorSpec], count: int) -> list[Batch]:
    """Read `count` batches of plain arrays. Raises `SchemaError` for a file of another size."""
    content = path.read_bytes()
    sizes = [np.dtype(tensor.dtype).itemsize * tensor.elements for tensor in tensors]
    if len(content) != count * sum(sizes):
        raise SchemaError(
            f"{path} has {len(content)} bytes, and {count} batches of "
            f"{', '.join(map(str, tensors))} have {count * sum(sizes)}."
        )
    place = 0
    batches: list[Batch] = []
    for _ in range(count):
        batch: list[Array] = []
        for tensor, size in zip(tensors, sizes, strict=True):
            kind = np.dtype(tensor.dtype).newbyteorder("<")
            flat = np.frombuffer(content[place : place + size], kind)
            batch.append(flat.astype(tensor.dtype).reshape(tensor.shape))
            place += size
        batches.append(batch)
    return batches
