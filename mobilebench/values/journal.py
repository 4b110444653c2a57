"""The journal that a device writes while it measures: what a killed process leaves behind.

A journal is a file of JSON lines. Lines are appended and never changed. Each holds what came since
the line before, so a record is the lines put together.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from mobilebench.values import require_range, value
from mobilebench.values.application import Application, Scheduling
from mobilebench.values.device import Device, DeviceState
from mobilebench.values.event import Event
from mobilebench.values.evidence import PlacedOperation, UnitParity, UnitTiming
from mobilebench.values.measurement import Failure, GateLog, RuntimeInfo, Samples, Stop
from mobilebench.values.power import Power
from mobilebench.values.record import require_utc

JOURNAL_SCHEMA_VERSION = 1


class LoadKind(StrEnum):
    """What a load found in the process and in the system's caches; see `Loads`."""

    FIRST_EVER = "first ever"
    FIRST = "first"
    COLD = "cold"
    WARM = "warm"


@value
class Load:
    """One load of the model."""

    kind: LoadKind
    ns: int

    def __post_init__(self) -> None:
        require_range(self, "ns")


@value
class Start:
    """A process begins to measure: the first one, or one that goes on for another."""

    schema_version: int = JOURNAL_SCHEMA_VERSION
    job_sha256: str
    """sha256 of the bytes of the job's file."""
    created: str
    """UTC, RFC 3339."""
    t_ns: int = 0
    """On the measurement's clock: 0, or later than everything in the journal before."""
    round: int = 0
    """The round that it begins with. What the journal has of this round so far does not count."""
    device: Device
    runtime: RuntimeInfo
    application: Application | None = None
    before: DeviceState
    before_load_bytes: int
    """Resident memory with the runtime loaded and no model."""

    def __post_init__(self) -> None:
        if not 1 <= self.schema_version <= JOURNAL_SCHEMA_VERSION:
            raise ValueError(
                f"the journal has schema version {self.schema_version}, and this mobilebench reads "
                f"1 to {JOURNAL_SCHEMA_VERSION}; update mobilebench"
            )
        require_range(self, "t_ns", "round", "before_load_bytes")
        require_utc(self.created)


@value
class End:
    """The measurement ended, by its protocol, a limit or a failure."""

    after: DeviceState
    stopped: Stop | None = None
    failure: Failure | None = None


@value
class Line:
    """One line: what came since the line before."""

    ABSENT_IS_LEFT_OUT: ClassVar = True

    n: int
    """The number of the line in the file, from 0. A gap shows that lines are missing."""
    start: Start | None = None
    parity: tuple[UnitParity, ...] = ()
    placement: tuple[PlacedOperation, ...] | None = None
    unit_timings: tuple[UnitTiming, ...] = ()
    loads: tuple[Load, ...] = ()
    gates: tuple[GateLog, ...] = ()
    samples: Samples | None = None
    states: tuple[DeviceState, ...] = ()
    events: tuple[Event, ...] = ()
    power: Power | None = None
    scheduling: tuple[Scheduling, ...] = ()
    peak_bytes: int | None = None
    """Largest resident memory of the process so far."""
    round_ended: int | None = None
    """The round that ended; with it, everything of the round is in the journal."""
    end: End | None = None

    def __post_init__(self) -> None:
        require_range(self, "n", "peak_bytes", "round_ended")
        if self.samples is not None:
            if not self.samples.t_ns:
                raise ValueError("the line has columns of samples without a sample")
            if self.peak_bytes is None:
                raise ValueError("the line has samples, and no peak_bytes")
