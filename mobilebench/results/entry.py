"""Entry: a record without its samples, with the figures that they come to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from mobilebench.results.figures import Figures, figures
from mobilebench.values import value, wire
from mobilebench.values.application import Application
from mobilebench.values.artifact import Agreement, ArtifactFacts, Parity
from mobilebench.values.device import Device
from mobilebench.values.evidence import UnitParity
from mobilebench.values.job import Job
from mobilebench.values.measurement import (
    ComputeUnit,
    Diagnosis,
    Failure,
    GateLog,
    Measurement,
    RuntimeInfo,
    Stop,
    Validity,
)
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.protocol import Protocol
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.record import Identity, Provenance, Record, Session

VERSION = 1
"""Of the derivation: entries of another version are derived from their records anew."""


@value
class FileFacts:
    """What a board says of a model file."""

    sha256: str
    size_bytes: int
    given: bool
    """Whether it was not exported here."""
    unverified: str | None
    """Why no output was compared with PyTorch; None where one was."""
    relative_error: float | None
    """Largest of its parity results; None where one is undefined, the worst case."""
    snr_db: float | None
    """Lowest of them; None where an output is not finite, and where all are bit-equal."""
    finite: bool
    """Whether every output that was compared is finite."""
    failed_parity: tuple[str, ...]
    """Each comparison that failed, in words."""
    on_calibration: bool
    """Whether it was compared on the images that its ranges were taken from."""
    agreement: Agreement | None
    tool_versions: dict[str, str]

    @classmethod
    def of(cls, facts: ArtifactFacts) -> FileFacts:
        """Return what a board says of a file."""
        parities = facts.parity
        finite = all(parity.finite for parity in parities)
        return cls(
            sha256=facts.sha256,
            size_bytes=facts.size_bytes,
            given=facts.given,
            unverified=facts.unverified,
            relative_error=_worst(parities),
            snr_db=_lowest_snr(parities) if finite else None,
            finite=finite,
            failed_parity=tuple(parity.description for parity in parities if not parity.passed),
            on_calibration=any(parity.on_calibration for parity in parities),
            agreement=facts.agreement,
            tool_versions=facts.tool_versions,
        )


def _worst(parities: tuple[Parity, ...]) -> float | None:
    errors = [parity.max_relative_error for parity in parities]
    if any(error is None for error in errors):
        return None
    return max((error for error in errors if error is not None), default=None)


def _lowest_snr(parities: tuple[Parity, ...]) -> float | None:
    ratios = [parity.snr_db for parity in parities]
    return min((ratio for ratio in ratios if ratio is not None), default=None)


@value
class JobFacts:
    """What was asked of a device."""

    runtime: str
    compute_unit: ComputeUnit
    threads: int
    protocol: Protocol
    choice: str | None
    """The policy and the widths that it chose from; None for one network."""
    accuracy_sources: tuple[str, ...]
    """Where the accuracies of the widths come from."""

    @classmethod
    def of(cls, job: Job) -> JobFacts:
        """Return what a board says of a job."""
        sources = {each.accuracy.source for each in job.variants if each.accuracy is not None}
        return cls(
            runtime=job.runtime,
            compute_unit=job.compute_unit,
            threads=job.threads,
            protocol=job.protocol,
            choice=job.choice,
            accuracy_sources=tuple(sorted(sources)),
        )


@value
class Measured:
    """A measurement without its samples, states and events, with what they come to."""

    identity: Identity
    runtime: RuntimeInfo
    figures: Figures
    first_load_ns: int
    peak_memory_bytes: int
    validity: Validity
    reasons: tuple[Diagnosis, ...]
    gates: tuple[GateLog, ...]
    parity: tuple[UnitParity, ...]
    """What the device itself computed before it was timed."""
    application: Application | None
    stopped: Stop | None
    cut_off: bool

    @classmethod
    def of(cls, record: Record, job: Job, measurement: Measurement) -> Measured:
        """Return what a board says of a record's measurement."""
        readings = record.seen.readings if record.seen else ()
        return cls(
            identity=record.identity,
            runtime=measurement.runtime,
            figures=figures(job, measurement, readings),
            first_load_ns=measurement.loads.first_ns,
            peak_memory_bytes=measurement.memory.peak_bytes,
            validity=measurement.validity,
            reasons=measurement.reasons,
            gates=measurement.gates,
            parity=measurement.parity,
            application=measurement.application,
            stopped=measurement.stopped,
            cut_off=measurement.cut_off,
        )


@value
class Entry:
    """Everything that a board says of one record, in a few kilobytes whatever its samples."""

    version: int = VERSION
    record_id: str
    created: str
    title: str
    """The cell in words, for people."""
    cell: str
    """sha256 over the record's cell: records with the same one are the same measurement, taken
    again."""
    network: str
    """sha256 over the network and the recipe that the record is about."""
    model: ModelSpec
    recipe: ExportRecipe
    file: FileFacts | None
    """None where the export itself failed."""
    device: Device
    specimen: str | None
    """Id of the very phone, tablet or board; None for a computer and a simulated phone."""
    job: JobFacts | None
    """None where the export itself failed."""
    measured: Measured | None
    """None for a failure."""
    failure: Failure | None
    """Without the end of its log; None for a measurement."""
    provenance: Provenance
    session: Session | None
    settings: dict[str, str]
    """What a computer set on the device for the run, by the device's own names."""
    wished: dict[str, str]
    """Those of them without which another thing would have been measured."""
    signed: bool

    def __post_init__(self) -> None:
        if (self.measured is None) == (self.failure is None):
            raise ValueError("an entry is of a measurement or of a failure")
        if self.measured is not None and (self.job is None or self.file is None):
            raise ValueError("a measurement needs the file and the job that it is about")

    @classmethod
    def of(cls, record: Record) -> Entry:
        """Derive the entry of a record."""
        outcome, job, facts = record.outcome, record.job, record.artifact
        return cls(
            record_id=record.record_id,
            created=record.created,
            title=record.title,
            cell=digest(record.cell),
            network=digest(record.network),
            model=record.model,
            recipe=record.recipe,
            file=FileFacts.of(facts) if facts else None,
            device=record.device,
            specimen=record.specimen,
            job=JobFacts.of(job) if job else None,
            measured=Measured.of(record, job, outcome)
            if job is not None and isinstance(outcome, Measurement)
            else None,
            failure=replace(outcome, log_tail="") if isinstance(outcome, Failure) else None,
            provenance=record.provenance,
            session=record.session,
            settings=record.seen.settings if record.seen else {},
            wished=record.seen.wished if record.seen else {},
            signed=record.signature is not None,
        )

    @property
    def line(self) -> str:
        """sha256 of what has one line on a board: a cell, with its weights and its settings."""
        label = self.model.weights.label if self.model.weights else None
        parts = [self.cell, label, *self.device_settings]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def device_settings(self) -> tuple[str, ...]:
        """What was set on the device by a wish, `NAME=VALUE`."""
        return tuple(sorted(f"{name}={content}" for name, content in self.wished.items()))

    @property
    def resolution(self) -> str | None:
        """Sizes of the images, `224x224`; None where the first input is no image."""
        size = self.model.resolution
        return None if size is None else f"{size[0]}x{size[1]}"


def digest(part: object) -> str:
    """Return the sha256 over a part of a record, without what is absent.

    A field that a later version adds then changes no digest.
    """
    text = json.dumps(wire.to_sparse(part), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
