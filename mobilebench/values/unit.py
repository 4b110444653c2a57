"""The units of a device that can compute."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.errors import require_known


class ComputeUnit(StrEnum):
    """The unit that a runtime was asked to compute on."""

    CPU = "cpu"
    GPU = "gpu"
    NPU = "npu"
    ALL = "all"

    @classmethod
    def named(cls, name: str) -> ComputeUnit:
        """Return the compute unit of that name. Raises `UnknownName`."""
        require_known("compute unit", name, cls)
        return cls(name)


class UnitEvidence(StrEnum):
    """How well it is known that the requested unit did the work."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    NOT_SUPPORTED = "not supported"
    UNKNOWN = "unknown"
