"""The job that is sent to a runner or an app; complete except for the artifact's files."""

from __future__ import annotations

from mobilebench.values import value
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.protocol import Protocol
from mobilebench.values.recipe import Format
from mobilebench.values.tensor import TensorSpec

JOB_SCHEMA_VERSION = 1


@value
class Job:
    """Run one artifact on one runtime by one protocol.

    `model_file` is relative to the folder that holds the artifact's files.
    """

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

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ValueError(f"a job needs at least one thread, not {self.threads}")

    @property
    def title(self) -> str:
        """Runtime and threads in words, for people: `onnxruntime 2 threads`."""
        return f"{self.runtime} {self.threads} thread{'s' * (self.threads != 1)}"
