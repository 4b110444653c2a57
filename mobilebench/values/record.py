"""Record: one result as a self-contained document that others can check and compare."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator

from mobilebench.notation.quantities import duration
from mobilebench.stats.summary import percentile, summarise
from mobilebench.values import require_finite, require_range, value
from mobilebench.values.artifact import ArtifactFacts
from mobilebench.values.device import Device, DeviceKind
from mobilebench.values.job import Job
from mobilebench.values.measurement import ComputeUnit, Failure, Measurement
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.seen import Seen
from mobilebench.values.tensor import TensorSpec

RECORD_SCHEMA_VERSION = 2
SUBJECT_SCHEMA_VERSION = 1
_SPECIMENS = frozenset({DeviceKind.PHONE, DeviceKind.TABLET, DeviceKind.BOARD})
_ID = re.compile(r"[!-~]{1,64}")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def require_utc(created: str) -> None:
    """Raise `ValueError` for a time that is not in the one form of documents."""
    # Documents are ordered by this text, so all have to be of one form.
    try:
        if _UTC.fullmatch(created):
            datetime.fromisoformat(created[:19])
            return
    except ValueError:  # such as the 31st of February
        pass
    raise ValueError(f"created is {created!r}, not a time in UTC such as 2026-01-02T03:04:05.678Z")


def require_id(id_: str, name: str) -> None:
    """Raise `ValueError` for the id of a document that is not short and visible."""
    if not _ID.fullmatch(id_):
        raise ValueError(f"the {name} {id_!r} is not 1 to 64 visible ASCII characters")


@value
class Provenance:
    """Which harness made a record, and by which way it reached the device."""

    harness_version: str
    git_commit: str | None
    """Of mobilebench itself, where it runs from a checkout."""
    dirty: bool | None
    transport: str
    source_commit: str | None = None
    """Of the repository that the command was run in, which a history is told by."""
    source_dirty: bool | None = None


@value
class Identity:
    """What must be equal before two measurements may be compared."""

    device_model: str
    device_kind: DeviceKind
    soc: str | None
    cores: int | None
    ram_gib: int | None
    """Memory in whole GiB, rounded up: what a system keeps for itself differs between boots."""
    os_build: str | None
    runtime: str
    runtime_version: str
    compute_unit: str
    threads: int
    format: str
    precision: str
    target: str | None
    delegate: str | None
    inputs: tuple[str, ...]
    protocol: str
    charging: bool | None
    start_thermal: str | None
    app_build: str | None
    """`debug` or `release`; None for a program of the host."""
    choice: str | None = None
    """The policy and the widths that it chose from; None for one network."""
    runtime_settings: tuple[str, ...] = ()
    """`NAME=VALUE` for each option of the runtime that the runner set."""
    device_settings: tuple[str, ...] = ()
    """The same for what was set on the device and changes what is measured."""
    device: str | None = None
    """Id of a phone, a tablet or a board: two of one model differ in their chips, their age and
    what keeps them cool. None for a computer, whose id is that of every computer."""

    def differences(self, other: Identity) -> tuple[str, ...]:
        """Names of the fields in which two identities differ, in declared order."""
        return tuple(
            field.name
            for field in fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        )


@value
class Network:
    """A network at its input sizes, by one recipe: what was exported, or should have been."""

    model: str
    inputs: tuple[TensorSpec, ...]
    recipe: ExportRecipe
    stage_widths: tuple[float, ...] = ()
    """Empty for a full network."""


@value
class Subject:
    """What a job is about, beside it in its folder: a device passes it on into its record."""

    schema_version: int = SUBJECT_SCHEMA_VERSION
    model: ModelSpec
    recipe: ExportRecipe
    artifact: ArtifactFacts


@value
class CellKey:
    """What two records share when the second is the same measurement, taken again."""

    network: Network
    file_sha256: str | None = None
    """Of a file that was not exported here: its name says nothing of what it computes."""
    device: str
    """Id of the device."""
    device_model: str
    runtime: str | None = None
    """None, like the fields below, where the export itself failed."""
    compute_unit: ComputeUnit | None = None
    threads: int | None = None
    protocol: str | None = None
    choice: str | None = None
    """The policy and its widths; None for one network."""


@value
class Session:
    """Where a record stands among runs that were measured in turns."""

    id: str
    position: int
    """In the order of running, from 0."""
    pair: int
    side: Literal["A", "B"]

    def __post_init__(self) -> None:
        require_range(self, "position", "pair")


@value
class Signature:
    """Who vouches for a record; see `signing`."""

    algorithm: Literal["ed25519", "ed25519-jcs"]
    """`ed25519-jcs` is over the form of RFC 8785; records of version 1 have `ed25519`, over keys in
    order without spaces."""
    public_key: str
    """Hexadecimal, 32 bytes."""
    value: str
    """Hexadecimal, 64 bytes, over the record's canonical form."""


Outcome = Annotated[Measurement | Failure, Discriminator("kind")]


@value
class Record:
    """One cell of a matrix: what was asked, of what, on what, and what came of it."""

    ABSENT_IS_LEFT_OUT: ClassVar = True
    READS_SINCE: ClassVar = 1

    schema_version: int = RECORD_SCHEMA_VERSION
    record_id: str
    created: str
    """UTC, RFC 3339."""
    model: ModelSpec
    recipe: ExportRecipe
    artifact: ArtifactFacts | None
    """None where the export itself failed."""
    device: Device
    job: Job | None
    """None where the export itself failed."""
    outcome: Outcome
    provenance: Provenance
    session: Session | None = None
    """None for a run by itself."""
    seen: Seen | None = None
    """What a computer saw of the device from outside; None where no computer was beside it."""
    signature: Signature | None = None

    def __post_init__(self) -> None:
        if isinstance(self.outcome, Measurement) and (self.artifact is None or self.job is None):
            raise ValueError("a measurement needs the artifact and the job that it is about")
        require_id(self.record_id, "record_id")
        require_utc(self.created)
        if isinstance(self.outcome, Measurement) and self.job is not None:
            rounds = self.job.protocol.rounds
            if max(self.outcome.samples.round) >= rounds:
                raise ValueError(
                    f"a sample is of round {max(self.outcome.samples.round)}, and the protocol has "
                    f"the rounds 0 to {rounds - 1}"
                )
        require_finite(self)

    def __repr__(self) -> str:
        """Say what the record is about and its result, without the samples."""
        outcome = self.outcome
        if isinstance(outcome, Measurement):
            result = f"p50 {duration(summarise(outcome.samples.latencies_ns()).p50_ns)}"
        else:
            result = f"failed at {outcome.stage}: {outcome.error}"
        protocol = f", {self.job.protocol.id}" if self.job else ""
        return f"<Record {self.title}{protocol}: {result}>"

    @property
    def p50_ms(self) -> float | None:
        """Median latency in milliseconds, without warm-up; None for a failure."""
        return self._ms(50)

    @property
    def p90_ms(self) -> float | None:
        """90th percentile of the latency in milliseconds; None for a failure."""
        return self._ms(90)

    def _ms(self, percent: float) -> float | None:
        if not isinstance(self.outcome, Measurement):
            return None
        return percentile(self.outcome.samples.latencies_ns(), percent) / 1e6

    @property
    def network(self) -> Network:
        """The network and the recipe that the record is about."""
        return Network(
            model=self.model.name,
            inputs=self.model.inputs,
            recipe=self.recipe,
            stage_widths=self.model.stage_widths,
        )

    @property
    def cell(self) -> CellKey:
        """The cell that the record is about; the newest record of a cell is its result."""
        if self.job is None:
            return CellKey(
                network=self.network, device=self.device.id, device_model=self.device.model
            )
        return CellKey(
            network=self.network,
            file_sha256=self.artifact.sha256 if self.artifact and self.artifact.given else None,
            device=self.device.id,
            device_model=self.device.model,
            runtime=self.job.runtime,
            compute_unit=self.job.compute_unit,
            threads=self.job.threads,
            protocol=self.job.protocol.id,
            choice=self.job.choice,
        )

    @property
    def title(self) -> str:
        """The cell in words, for people."""
        name = f"{self.model.title} {self.recipe.label}"
        if self.job is None:
            return name
        choice = f", {self.job.choice}" if self.job.choice else ""
        return f"{name}{choice}, {self.job.title}, {self.device.model}"

    @property
    def identity(self) -> Identity:
        """The fields that two records must share to be compared; only measurements have one."""
        measurement = self.outcome
        if not isinstance(measurement, Measurement) or self.job is None:
            raise ValueError("a failure has no identity: there is nothing to compare")
        runtime = measurement.runtime
        thermal = measurement.before.thermal
        return Identity(
            device_model=self.device.model,
            device_kind=self.device.kind,
            soc=self.device.soc,
            cores=self.device.cores,
            ram_gib=None if self.device.ram_bytes is None else -(-self.device.ram_bytes >> 30),
            os_build=self.device.os_build,
            runtime=runtime.name,
            runtime_version=runtime.version,
            compute_unit=runtime.compute_unit_requested,
            threads=runtime.threads,
            format=self.recipe.format,
            precision=self.recipe.precision,
            target=self.recipe.target,
            delegate=self.recipe.delegate,
            inputs=tuple(str(tensor) for tensor in self.job.inputs),
            protocol=self.job.protocol.id,
            charging=measurement.before.charging,
            start_thermal=thermal,
            app_build=measurement.application.build if measurement.application else None,
            choice=self.job.choice,
            runtime_settings=tuple(
                sorted(f"{name}={value}" for name, value in runtime.settings.items())
            ),
            device_settings=self.device_settings,
            device=self.specimen,
        )

    @property
    def specimen(self) -> str | None:
        """Id of the very phone, tablet or board; None for a computer and a simulated phone."""
        return self.device.id if self.device.kind in _SPECIMENS else None

    @property
    def device_settings(self) -> tuple[str, ...]:
        """What was set on the device by a wish, `NAME=VALUE`; a rehearsal is no real run."""
        wished = self.seen.wished if self.seen else {}
        return tuple(sorted(f"{name}={value}" for name, value in wished.items()))
