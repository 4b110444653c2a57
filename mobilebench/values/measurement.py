"""Measurement and Failure: the two things that can come back from a runner.

Samples are kept as they were taken, in integer nanoseconds of one monotonic clock; statistics
are computed from them when they are shown, and never stored instead.
"""

from __future__ import annotations

import operator
from dataclasses import field
from enum import StrEnum
from itertools import compress
from typing import Annotated, ClassVar, Literal

from mobilebench.values import require_range, value
from mobilebench.values.application import Application, Scheduling
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.event import MIN_WIDTH, Event
from mobilebench.values.evidence import PlacedOperation, UnitParity, UnitTiming
from mobilebench.values.power import Power
from mobilebench.values.spans import SPANS
from mobilebench.values.unit import ComputeUnit as ComputeUnit
from mobilebench.values.unit import UnitEvidence as UnitEvidence


class Phase(StrEnum):
    """What a sample counts as."""

    WARM_UP = "warm-up"
    MEASURED = "measured"


class Validity(StrEnum):
    """Whether a measurement may be read as a result."""

    VALID = "valid"
    SUSPECT = "suspect"


class Diagnosis(StrEnum):
    """What can be wrong with a measurement, the most serious first."""

    TOO_FEW_SAMPLES = "too few samples"
    TIMER_TOO_COARSE = "timer too coarse"
    OUTPUTS_DIFFER = "outputs differ"
    OTHER_UNIT = "not on the unit asked for"
    DEBUG_BUILD = "debug build"
    NOT_IN_FRONT = "not in front"
    STOPPED_EARLY = "stopped early"
    CUT_OFF = "cut off"
    NOT_GATED = "not gated"
    THROTTLED = "throttled"
    CLOCK_CAPPED = "clock capped"
    DRIFT_WITH_TEMPERATURE = "drift with temperature"
    BURST_NOT_SUSTAINED = "burst mistaken for sustained"
    NOT_CONVERGED = "not converged"
    BACKGROUND_LOAD = "background load"
    MORE_THREADS_THAN_CORES = "more threads than cores"
    LOW_POWER_MODE = "low power mode"
    MEMORY_SHORT = "memory short"
    CHARGER_CHANGED = "charger changed"
    NOISY_SAMPLES = "noisy samples"
    BIMODAL_LATENCY = "bimodal latency"
    THERMAL_STATE_CHANGED = "thermal state changed"
    SLOW_FIRST_RUN = "slow first run"


class Stage(StrEnum):
    """Where a cell of a matrix can fail."""

    PREFLIGHT = "preflight"
    EXPORT = "export"
    PARITY = "parity"
    LOAD = "load"
    RUN = "run"
    EVAL = "eval"
    CLUSTER = "cluster"


@value
class RuntimeInfo:
    """The software that ran the artifact, with what it was asked for."""

    LEFT_OUT_WHERE_ABSENT: ClassVar = ("settings",)

    name: str
    version: str
    compute_unit_requested: ComputeUnit
    compute_unit_evidence: UnitEvidence
    delegate: str | None
    threads: int
    settings: dict[str, str] = field(default_factory=dict)
    """Options of the runtime that the runner set, by the runtime's own names."""

    def __post_init__(self) -> None:
        require_range(self, "threads", least=1)


@value
class Samples:
    """One inference per entry, in the order they ran; all columns have the same length."""

    t_ns: tuple[int, ...]
    """Start of each inference on the measurement's clock, which starts at 0."""
    latency_ns: tuple[int, ...]
    phase: Annotated[tuple[Phase, ...], SPANS]
    round: Annotated[tuple[int, ...], SPANS]
    width: Annotated[tuple[float, ...], SPANS] = ()
    """Width of the network in each inference, as a share of its channels. Empty where it was the
    full one throughout."""

    def __post_init__(self) -> None:
        lengths = {len(self.t_ns), len(self.latency_ns), len(self.phase), len(self.round)}
        if self.width:
            lengths.add(len(self.width))
        if len(lengths) != 1:
            raise ValueError(f"sample columns differ in length: {sorted(lengths)}")
        if min(self.latency_ns, default=1) <= 0:
            raise ValueError("a latency is zero or negative: the clock is broken or too coarse")
        if not all(map(operator.le, self.t_ns, self.t_ns[1:])):
            raise ValueError("samples are not in the order of time: the clock went backwards")
        require_range(self, "t_ns", "latency_ns", "round")
        require_range(self, "width", least=MIN_WIDTH, most=1)

    def __repr__(self) -> str:
        """Count the samples; the columns are thousands of numbers."""
        return f"<Samples: {self.phase.count(Phase.MEASURED)} measured of {len(self.phase)}>"

    def select(self, phase: Phase = Phase.MEASURED, round_: int | None = None) -> Samples:
        """Return the samples of one phase, of one round or of all, in order."""
        chosen = self._chosen(phase, round_)
        if all(chosen):
            return self
        return Samples(
            t_ns=tuple(compress(self.t_ns, chosen)),
            latency_ns=tuple(compress(self.latency_ns, chosen)),
            phase=(phase,) * sum(chosen),
            round=tuple(compress(self.round, chosen)),
            width=tuple(compress(self.width, chosen)) if self.width else (),
        )

    def _chosen(self, phase: Phase, round_: int | None) -> list[bool]:
        """Return for each sample whether it is of a phase, and of a round where one is given."""
        if round_ is None:
            return [each == phase for each in self.phase]
        pairs = zip(self.phase, self.round, strict=True)
        return [of_round == round_ and each == phase for each, of_round in pairs]

    def latencies_ns(
        self, phase: Phase = Phase.MEASURED, round_: int | None = None
    ) -> tuple[int, ...]:
        """Return the latencies of one phase, of one round or of all, in order."""
        return tuple(compress(self.latency_ns, self._chosen(phase, round_)))


@value
class Loads:
    """Time from the file to a session that can run, per round.

    `first_ns` is the first load of a fresh process; the operating system may hold the file in
    its cache already. `warm_ns` are the loads of later rounds in the same process.
    """

    first_ns: int
    warm_ns: tuple[int, ...] = ()
    first_ever_ns: int | None = None
    """The load after the app or the system was installed anew, or its caches emptied: some devices
    compile the model then, for minutes. None where it was not measured."""
    cold_ns: tuple[int, ...] = ()
    """First loads of other fresh processes, with whatever the system has compiled and kept."""

    def __post_init__(self) -> None:
        require_range(self, "first_ns", "warm_ns", "first_ever_ns", "cold_ns")


@value
class GateLog:
    """How one round came through the gate of its protocol."""

    waited_ns: int
    start: ThermalState | None
    """The thermal state that the round began in; None where the device does not tell."""
    open: bool
    """The device was as cool as the gate asks for; False also where it does not tell."""

    def __post_init__(self) -> None:
        require_range(self, "waited_ns")


@value
class Memory:
    """Resident memory of the measuring process."""

    peak_bytes: int
    before_load_bytes: int
    """With the runtime imported and no artifact loaded: subtract it for the artifact's share."""

    def __post_init__(self) -> None:
        require_range(self, "peak_bytes")
        require_range(self, "before_load_bytes")


class Stop(StrEnum):
    """Which limit of its job ended a measurement early."""

    TIME = "time"
    HEAT = "heat"
    BATTERY = "battery"


@value
class Measurement:
    """What one runner measured for one job."""

    kind: Literal["measurement"] = "measurement"
    runtime: RuntimeInfo
    samples: Samples
    loads: Loads
    memory: Memory
    before: DeviceState
    after: DeviceState
    gates: tuple[GateLog, ...] = ()
    """One for each round of a protocol with a gate."""
    states: tuple[DeviceState, ...] = ()
    """The device's state while it was measured, on the samples' clock."""
    events: tuple[Event, ...] = ()
    """What happened meanwhile, in the order of time."""
    power: Power | None = None
    scheduling: tuple[Scheduling, ...] = ()
    """How the system treated the process, at least at the start and at the end."""
    application: Application | None = None
    """None for a program of the host."""
    parity: tuple[UnitParity, ...] = ()
    """What the device computed before it was timed, by unit."""
    placement: tuple[PlacedOperation, ...] | None = None
    """The device's own plan of where operations run; None where it tells none."""
    unit_timings: tuple[UnitTiming, ...] = ()
    """The same model with other units asked for."""
    stopped: Stop | None = None
    """The limit that ended it; None where it ran to its end."""
    cut_off: bool = False
    """True where it was read from the journal of a run that did not end."""
    validity: Validity = Validity.VALID
    reasons: tuple[Diagnosis, ...] = ()
    """The diagnoses that decide the validity; empty until `diagnoses.diagnose` has seen it."""

    def __repr__(self) -> str:
        return f"<Measurement by {self.runtime.name}, {self.validity}: {self.samples!r}>"

    def __post_init__(self) -> None:
        if Phase.MEASURED not in self.samples.phase:
            raise ValueError(
                "the measurement has no measured samples; what measured nothing is a failure"
            )
        for name in ("events", "scheduling", "states"):
            times = [entry.t_ns for entry in getattr(self, name)]
            if times != sorted(times):
                raise ValueError(f"{name} are not in the order of time")


@value
class Failure:
    """Why one cell of a matrix has no measurement."""

    kind: Literal["failure"] = "failure"
    stage: Stage
    """Where it stopped."""
    error: str
    message: str
    log_tail: str = ""
    advice: str | None = None
    """What to do about it, where the failure is a known one."""
    file: str | None = None
    """File of the network's code that it comes from, where that is known; None in old documents."""
    line: int | None = None
    """Line in that file, from 1."""

    @property
    def description(self) -> str:
        """The failure in a clause: `export failed: KeyError: no such operator`."""
        return f"{self.stage} failed: {self.error}: {self.message}"
