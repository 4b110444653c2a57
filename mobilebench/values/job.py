"""The job that is sent to a runner or an app; complete except for the files that it names."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import field
from itertools import pairwise
from typing import ClassVar
from urllib.parse import urlsplit

from mobilebench.values import require_finite, require_range, value
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.event import MIN_WIDTH
from mobilebench.values.measurement import ComputeUnit, Stop
from mobilebench.values.policy import Policy, PolicyRule
from mobilebench.values.protocol import Protocol
from mobilebench.values.recipe import Format
from mobilebench.values.tensor import TensorSpec

JOB_SCHEMA_VERSION = 2
_DOCUMENTS = ("job.json", "subject.json", "record.json")
"""What else is in the folder of a job."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_S = 1_000_000_000


@value
class VariantAccuracy:
    """The accuracy of a variant, and where it comes from."""

    top1: float
    """In per cent."""
    source: str
    """The data set that it was measured on, or who published it."""
    measured: bool
    """True where this file was evaluated; False where the number is of others."""

    def __post_init__(self) -> None:
        require_range(self, "top1", most=100)


@value
class Variant:
    """One network of several between which a policy chooses."""

    name: str
    model_file: str
    """Relative to the folder of the job; several variants may be in one file."""
    model_sha256: str
    width: float
    """As a share of the channels of the full network."""
    entry: str | None = None
    """What chooses it in a file of several: a method (ExecuTorch), a function (Core ML), a
    signature (TFLite), or an input and its value, `narrow=1` (ONNX)."""
    accuracy: VariantAccuracy | None = None

    def __post_init__(self) -> None:
        _require_file(self.model_file, self.model_sha256)
        require_range(self, "width", least=MIN_WIDTH, most=1)


@value
class ExpectedOutput:
    """One output of the network, and how far a device may be off."""

    tensor: TensorSpec
    limit: float
    """Largest difference over the largest expected value of the output."""
    half_limit: float
    """The same, on units that compute in half precision: all but the CPU."""

    def __post_init__(self) -> None:
        require_range(self, "limit", "half_limit")

    def limit_on(self, unit: ComputeUnit) -> float:
        """Return the limit on a unit."""
        return self.limit if unit is ComputeUnit.CPU else self.half_limit


@value
class ParityCheck:
    """Inputs with expected outputs, which a device computes before it is timed.

    Both files hold plain arrays without any header: batch after batch, in each the tensors in their
    order, row by row, little-endian; a bool is a byte of 0 or 1.
    """

    batches: int
    seeds: tuple[int, ...] = ()
    """What the inputs of each batch were drawn from; empty where they are images."""
    inputs_file: str
    inputs_sha256: str
    expected_file: str
    expected_sha256: str
    outputs: tuple[ExpectedOutput, ...]

    def __post_init__(self) -> None:
        _require_file(self.inputs_file, self.inputs_sha256)
        _require_file(self.expected_file, self.expected_sha256)
        require_range(self, "batches", least=1)
        if not self.outputs:
            raise ValueError("a parity check has at least one output")
        if self.seeds and len(self.seeds) != self.batches:
            raise ValueError(f"there are {len(self.seeds)} seeds for {self.batches} batches")


@value
class Limits:
    """Where a device stops by itself and keeps what it has; None is no limit."""

    time_ns: int | None = None
    """Since the measurement began."""
    warmest: ThermalState | None = None
    """Stops in a warmer state than this."""
    hottest_c: float | None = None
    """Stops where any temperature that the device gives is higher."""
    least_battery: float | None = None
    """Stops where the charge is lower, 0 to 1, and no charger is connected."""

    def __post_init__(self) -> None:
        require_range(self, "time_ns", least=1)
        require_range(self, "hottest_c", most=150)
        require_range(self, "least_battery", most=1)

    def passed_by(self, state: DeviceState) -> Stop | None:
        """Return the limit that a reading is beyond; None where it is within all of them."""
        warmth = -1 if self.warmest is None or state.thermal is None else state.thermal.level
        if self.warmest is not None and warmth > self.warmest.level:
            return Stop.HEAT
        hottest = max((state.temperatures_c or {}).values(), default=-math.inf)
        if self.hottest_c is not None and hottest > self.hottest_c:
            return Stop.HEAT
        charge = 1.0 if state.battery_fraction is None or state.charging else state.battery_fraction
        if self.least_battery is not None and charge < self.least_battery:
            return Stop.BATTERY
        return None


@value
class Reporting:
    """How a device tells of its progress: in the journal, which grows while it measures."""

    journal_file: str = "journal.jsonl"
    every_ns: int = _S
    """Samples are written when this much time has passed since the last line of samples."""

    def __post_init__(self) -> None:
        require_inside(self.journal_file)
        require_range(self, "every_ns", least=1)


@value
class Job:
    """Run one artifact on one runtime by one protocol.

    Files are relative to the folder that holds the job.
    """

    READS_SINCE: ClassVar = 1

    schema_version: int = JOB_SCHEMA_VERSION
    model_file: str
    model_sha256: str
    format: Format
    delegate: str | None
    inputs: tuple[TensorSpec, ...]
    runtime: str
    compute_unit: ComputeUnit = ComputeUnit.CPU
    threads: int = 1
    protocol: Protocol
    seed: int = 0
    """Seed of the inputs; the latency of the families here does not depend on their values."""
    variants: tuple[Variant, ...] = ()
    """Every network that the policy may choose, the widest first, which is the model file. Empty
    where there is one."""
    policy: Policy = field(default_factory=Policy)
    parity: ParityCheck | None = None
    """None where nothing is expected of the outputs."""
    limits: Limits = field(default_factory=Limits)
    reporting: Reporting = field(default_factory=Reporting)
    upload_url: str | None = None
    """Where the device sends its record; it has the token itself, since a record holds its job."""

    def __post_init__(self) -> None:
        if not 1 <= self.schema_version <= JOB_SCHEMA_VERSION:
            raise ValueError(
                f"the job has schema version {self.schema_version}; this mobilebench reads 1 to "
                f"{JOB_SCHEMA_VERSION}"
            )
        if self.threads < 1:
            raise ValueError(f"a job needs at least one thread, not {self.threads}")
        require_inside(self.model_file)
        self._require_variants()
        self._require_journal()
        if self.upload_url is not None:
            _require_url(self.upload_url)
        require_finite(self)

    def _require_variants(self) -> None:
        if not self.variants:
            if self.policy.rule is not PolicyRule.FIXED:
                raise ValueError(f"the policy {self.policy.rule} has no variants to choose from")
            return
        first = self.variants[0]
        if (first.model_file, first.model_sha256) != (self.model_file, self.model_sha256):
            raise ValueError(f"the first variant, {first.name}, is not the model file of the job")
        names = [variant.name for variant in self.variants]
        if len(set(names)) != len(names):
            raise ValueError(f"two variants have the same name: {', '.join(names)}")
        widths = [variant.width for variant in self.variants]
        if any(later >= earlier for earlier, later in pairwise(widths)):
            raise ValueError(f"variants are not in the order of falling width: {widths}")

    def _require_journal(self) -> None:
        """Require a journal that is neither another file of the job nor in one that is a folder."""
        journal = self.reporting.journal_file
        for name in (*self.files, *_DOCUMENTS):
            if f"{journal}/".startswith(f"{name}/") or name.startswith(f"{journal}/"):
                raise ValueError(f"journal_file is {journal!r}, and {name} has that place")

    @property
    def title(self) -> str:
        """Runtime and threads in words, for people: `onnxruntime 2 threads`."""
        return f"{self.runtime} {self.threads} thread{'s' * (self.threads != 1)}"

    @property
    def choice(self) -> str | None:
        """What chooses between which widths, for people; None where nothing is chosen.

        `deadline of 1, 0.5`. A digest follows where the policy has an aim or parameters.
        """
        if self.policy.rule is PolicyRule.FIXED:
            return None
        widths = ", ".join(f"{variant.width:g}" for variant in self.variants)
        title = f"{self.policy.rule} of {widths}"
        if self.policy == Policy(rule=self.policy.rule):
            return title
        # On use: it imports what reads JSON.
        from mobilebench.values import wire

        return f"{title}, {hashlib.sha256(wire.dumps(self.policy).encode()).hexdigest()[:8]}"

    @property
    def files(self) -> dict[str, str]:
        """Every file that the job names, with its sha256."""
        named = {self.model_file: self.model_sha256}
        named |= {variant.model_file: variant.model_sha256 for variant in self.variants}
        if self.parity is not None:
            named[self.parity.inputs_file] = self.parity.inputs_sha256
            named[self.parity.expected_file] = self.parity.expected_sha256
        return named


@value
class Abilities:
    """What a device has of what a job can ask for."""

    runtimes: tuple[str, ...]
    compute_units: tuple[ComputeUnit, ...]
    policies: tuple[PolicyRule, ...] = (PolicyRule.FIXED,)
    uploads: bool = False
    """Whether it sends its record to the address in the job."""

    def lacks(self, job: Job) -> str | None:
        """Return what a job asks for in vain, in a clause; None where it can be done."""
        for noun, wanted, present in (
            ("runtime", job.runtime, self.runtimes),
            ("compute unit", job.compute_unit, self.compute_units),
            ("policy", job.policy.rule, self.policies),
        ):
            if wanted not in present:
                known = ", ".join(present)
                return f"it asks for the {noun} {wanted}, and the device has only {known}"
        if job.upload_url is not None and not self.uploads:
            return f"it asks for an upload to {job.upload_url}, and the device keeps its record"
        return None


def _require_file(name: str, sha256: str) -> None:
    require_inside(name)
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"the sha256 of {name!r} is {sha256!r}, not 64 small hexadecimal digits")


def require_inside(name: str) -> None:
    """Raise `ValueError` for a name that leads out of the folder of the job."""
    parts = name.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\0" in name:
        raise ValueError(f"the file {name!r} is not a relative path inside the folder of the job")


def _require_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"upload_url is {url!r}, not an address that begins with https://")
    if parts.username or parts.password:
        raise ValueError("upload_url holds a name or a password, and a record would show it")
