"""Forecast of what a class of compute unit takes of one file, in a few numbers."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.values import require_range, value
from mobilebench.values.measurement import ComputeUnit


class Basis(StrEnum):
    """What a forecast follows from."""

    RULES = "published rules"
    FILE = "the file's own partition"
    """The exporter lowered operations to delegates, and the file records which ones."""


@value
class Forecast:
    """Forecast, not measured, of how much of a file one class of compute unit can take."""

    id: str
    """Name of the table of rules or of the delegate: `coreml-ane`, `XnnpackBackend`."""
    label: str
    unit: ComputeUnit
    basis: Basis
    operations: int
    taken: int
    islands: int
    """Parts that the taken operations form, if independent operations run together."""
    macs_off_share: float | None
    """Share of the multiply-accumulates that it cannot take; None where unknown."""

    def __post_init__(self) -> None:
        require_range(self, "operations", "islands")
        require_range(self, "taken", most=self.operations)
        require_range(self, "macs_off_share", most=1)


@value
class RuleSource:
    """Published source of the rules of a class."""

    title: str
    url: str | None
    as_of: str
    """The version of the rules, or the day they were read."""


@value
class Refusal:
    """Operation that a class cannot take, with the reason."""

    operation: str
    kind: str
    reason: str


@value
class Placement:
    """Forecast with the source of its rules and every refused operation."""

    forecast: Forecast
    source: RuleSource
    refusals: tuple[Refusal, ...]
