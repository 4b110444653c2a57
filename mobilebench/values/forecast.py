"""Forecast: what a class of compute unit should take of one file, in a few numbers."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.values import value
from mobilebench.values.measurement import ComputeUnit


class Basis(StrEnum):
    """What a forecast follows from."""

    RULES = "published rules"
    FILE = "the file's own partition"
    """The exporter lowered operations to delegates; which ones is in the file, and no guess."""


@value
class Forecast:
    """How much of a file one class of compute unit can take; a forecast, not a measurement."""

    id: str
    """Name of the table of rules, or of the delegate: `coreml-ane`, `XnnpackBackend`."""
    label: str
    unit: ComputeUnit
    basis: Basis
    operations: int
    taken: int
    islands: int
    """Parts that the operations taken come in, when as many as depend on nothing else run
    together."""
    macs_off_share: float | None
    """Share of the multiply-accumulates that it cannot take; None where they are not known."""


@value
class Source:
    """Where the rules of a class were published."""

    title: str
    url: str | None
    as_of: str
    """The version, or the day they were read."""


@value
class Refusal:
    """An operation that a class cannot take, and why."""

    operation: str
    kind: str
    reason: str


@value
class Placement:
    """A forecast with its rules' source and every operation that is refused."""

    forecast: Forecast
    source: Source
    refusals: tuple[Refusal, ...]
